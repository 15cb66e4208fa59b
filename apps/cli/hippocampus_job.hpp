// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <larmor/clinic/send.hpp>
#include <larmor/core/progress.hpp>
#include <optional>
#include <string>
#include <vector>

#include "command.hpp"

namespace larmor::cli {

/// One study to be measured, and how.
struct HippocampusJob {
  std::string study;                    // folder
  std::vector<std::string> files = {};  // instead of the folder
  std::string out;
  std::string rules = {}, model = {}, norms = {}, side = "as_stored";
  std::vector<std::string> labels = {};  // one, or left and right
  std::vector<std::string> earlier = {};
  bool fractional = false, pdf = true, page = true, mirror = true;
  int series_number = 9900;
};
/// Options that a study and a batch share, and what they say.
std::vector<Option> hippocampus_options();
HippocampusJob job_from(const Call& call);
/// Where results go, when --send is given. Errors   Errc::usage
std::optional<clinic::Archive> archive_from(const Call& call);

struct HippocampusDone {
  std::string results;  // results.json
  std::vector<std::filesystem::path> objects;
  std::vector<std::string> explanation, warnings;
  double seconds = 0;
};
/// Runs the shipped graph "hippocampus", with a second branch when the study has both sides.
/// Errors   those of its operations, with the node
HippocampusDone run_hippocampus(const HippocampusJob& job, const Progress& progress, const Cancel& cancel);

/// Sends objects and writes what became of them to sent.json beside them. Whether all were stored.
bool send_results(const std::vector<std::filesystem::path>& objects, const clinic::Archive& archive,
                  const Cancel& cancel, std::string& told);

/// Volumes and flags of results.json as a text for people.
std::string results_text(const std::string& results);

}  // namespace larmor::cli
