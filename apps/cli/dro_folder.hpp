// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/data/parameter_maps.hpp>
#include <larmor/io/file.hpp>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "command.hpp"

namespace larmor::cli {

/// The folder of a digital reference object: series with sidecars, mask.nii.gz, truth/, dro.json and config.yaml. It
/// appears whole or not at all.
class DroFolder {
 public:
  DroFolder(const std::filesystem::path& target, std::string provenance)
      : folder_(target), provenance_(std::move(provenance)) {}
  const std::filesystem::path& path() const { return folder_.path(); }
  /// <name>.nii.gz and <name>.json with the metadata of the image and its times.
  void series(const std::string& name, const Image& image);
  void mask(const Image& mask);
  void truth(ParameterMaps maps, const std::string& model);  // without a status
  /// dro.json and config.yaml, and the folder takes its name.
  void finish(const std::string& about, const std::string& config);

 private:
  io::OutputFolder folder_;
  std::string provenance_;
};

/// With --json: where the object is, and what dro.json says of it.
void print_dro(const Call& call, const nlohmann::ordered_json& about);

}  // namespace larmor::cli
