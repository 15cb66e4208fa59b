// SPDX-License-Identifier: Apache-2.0
#include "dce_job.hpp"

namespace larmor::cli {
namespace {

void classify(const DataFile& file, FoundFiles& found) {
  const auto& [path, name, image] = file;
  if (!image) {
    if ((name.ends_with(".csv") || name.ends_with(".tsv")) && name_holds(name, {"aif"}))
      found.aif_table.push_back(path);
    return;
  }
  if (name_holds(name, {"aif"}))
    found.aif_mask.push_back(path);
  else if (name_holds(name, {"mask"}))
    found.mask.push_back(path);
  else if (name_holds(name, {"b1map"}) || name == "b1")
    found.b1.push_back(path);
  else if (name_holds(name, {"t1map", "t1_map"}) || name == "t10")
    found.t1_map.push_back(path);
  else if (name_holds(name, {"vfa"}))
    found.series.push_back(path);
  else if (name_holds(name, {"dce"}) || name == "dynamic")
    found.dynamic.push_back(path);
}

}  // namespace

FoundFiles find_files(const std::filesystem::path& folder) {
  FoundFiles found;
  for (const auto& file : data_files(folder)) classify(file, found);
  return found;
}

}  // namespace larmor::cli
