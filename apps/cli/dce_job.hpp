// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <larmor/perfusion/dce/pipeline.hpp>
#include <string>
#include <vector>

#include "job_files.hpp"

namespace larmor::cli {

/// Everything `larmor dce` needs to run, read from a configuration and the files it names or finds.
struct DceJob : JobFacts {
  dce::PipelineData data;
  dce::PipelineOptions options;
  std::string t1_from, aif_from, times_from;
};

/// Images below a folder by their role, found by name.
struct FoundFiles {
  std::vector<std::filesystem::path> dynamic, series, mask, t1_map, b1, aif_mask, aif_table;
};
FoundFiles find_files(const std::filesystem::path& folder);

/// DATA is a folder, or the dynamic file itself. Reads everything but fits nothing.
/// Errors   Errc::file (missing, ambiguous with the candidates), Errc::shape, Errc::range, Errc::usage
DceJob prepare_dce(const Config& config, const std::filesystem::path& data, Device device);

class Wizard;
/// The questions of `larmor wizard`.
void ask_dce(Wizard& wizard);

}  // namespace larmor::cli
