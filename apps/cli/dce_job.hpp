// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <larmor/perfusion/dce/pipeline.hpp>
#include <string>
#include <vector>

#include "config.hpp"

namespace larmor::cli {

/// Everything `larmor dce` needs to run, read from a configuration and the files it names or finds.
struct DceJob {
  struct Source {
    std::string role, path, found;  // "dynamic", file, "input.dynamic" or "by name"
  };
  dce::PipelineData data;
  dce::PipelineOptions options;
  std::vector<Source> sources;
  std::vector<std::string> notes;  // what was taken from where, and what was overruled
  std::string t1_from, aif_from, mask_from, times_from;

  const Source* source(std::string_view role) const;
};

/// Images below a folder by their role, found by name.
struct FoundFiles {
  std::vector<std::filesystem::path> dynamic, series, mask, t1_map, b1, aif_mask, aif_table;
};
FoundFiles find_files(const std::filesystem::path& folder);

/// DATA is a folder, or the dynamic file itself. Reads everything but fits nothing.
/// Errors   Errc::file (missing, ambiguous with the candidates), Errc::shape, Errc::range, Errc::usage
DceJob prepare_dce(const Config& config, const std::filesystem::path& data, Device device);

}  // namespace larmor::cli
