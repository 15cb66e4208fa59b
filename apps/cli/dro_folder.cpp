// SPDX-License-Identifier: Apache-2.0
#include "dro_folder.hpp"

#include <larmor/io/nifti.hpp>
#include <nlohmann/json.hpp>

#include "print_json.hpp"
#include "write_maps.hpp"

namespace larmor::cli {
namespace {

using json = nlohmann::ordered_json;

json as_json(const Metadata& meta) {
  json j = json::object();
  for (const auto& entry : meta) std::visit([&](const auto& v) { j[entry.first] = v; }, entry.second);
  return j;
}

}  // namespace

void DroFolder::series(const std::string& name, const Image& image) {
  io::write_nifti(path() / (name + ".nii.gz"), image,
                  {.description = "digital reference object", .provenance = provenance_});
  json j = as_json(image.meta);
  if (!image.times.empty()) j["VolumeTiming"] = image.times;
  io::write_text(path() / (name + ".json"), j.dump(2) + "\n");
}

void DroFolder::mask(const Image& mask) {
  io::write_nifti(path() / "mask.nii.gz", mask, {.description = "voxels with tissue", .provenance = provenance_});
}

void DroFolder::truth(ParameterMaps maps, const std::string& model) {
  std::filesystem::create_directories(path() / "truth");
  maps.status = Array();
  write_maps(maps, {.folder = path() / "truth", .provenance = provenance_, .model = model, .sources = {}});
}

void DroFolder::finish(const std::string& about, const std::string& config) {
  io::write_text(path() / "dro.json", about + "\n");
  io::write_text(path() / "config.yaml", config);
  folder_.commit();
}

void print_dro(const Call& call, const json& about) {
  json told{{"folder", call.text("--out")}};
  told.update(about);
  print_json(told);
}

}  // namespace larmor::cli
