// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>

#include "dce_job.hpp"

namespace larmor::cli {
namespace fs = std::filesystem;
namespace {

std::string lowered(std::string s) {
  for (char& c : s) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return s;
}

bool holds(const std::string& name, std::initializer_list<const char*> parts) {
  return std::any_of(parts.begin(), parts.end(), [&](const char* p) { return name.find(p) != std::string::npos; });
}

void classify(const fs::path& path, FoundFiles& found) {
  std::string name = lowered(path.filename().string());
  const bool table = name.ends_with(".csv") || name.ends_with(".tsv");
  if (table) {
    if (holds(name, {"aif"})) found.aif_table.push_back(path);
    return;
  }
  if (!name.ends_with(".nii") && !name.ends_with(".nii.gz")) return;
  name = name.substr(0, name.rfind(".nii"));
  if (holds(name, {"aif"}))
    found.aif_mask.push_back(path);
  else if (holds(name, {"mask"}))
    found.mask.push_back(path);
  else if (holds(name, {"b1map"}) || name == "b1")
    found.b1.push_back(path);
  else if (holds(name, {"t1map", "t1_map"}) || name == "t10")
    found.t1_map.push_back(path);
  else if (holds(name, {"vfa"}))
    found.series.push_back(path);
  else if (holds(name, {"dce"}) || name == "dynamic")
    found.dynamic.push_back(path);
}

}  // namespace

FoundFiles find_files(const fs::path& folder) {
  FoundFiles found;
  std::error_code ignored;
  auto it = fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied, ignored);
  for (; it != fs::recursive_directory_iterator(); it.increment(ignored)) {
    const std::string name = it->path().filename().string();
    if (it->is_directory(ignored)) {
      // Results of earlier runs are no input, and a data folder is flat or BIDS: sub-*/ses-*/perf/file.
      if (name.starts_with('.') || name == "derivatives" || name == "truth" || it.depth() >= 4 ||
          (it.depth() >= 0 && fs::exists(it->path() / "report.html", ignored)))
        it.disable_recursion_pending();
    } else if (!name.starts_with('.')) {
      classify(it->path(), found);
    }
  }
  for (auto* list :
       {&found.dynamic, &found.series, &found.mask, &found.t1_map, &found.b1, &found.aif_mask, &found.aif_table})
    std::sort(list->begin(), list->end());
  return found;
}

}  // namespace larmor::cli
