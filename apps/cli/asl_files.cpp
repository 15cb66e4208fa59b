// SPDX-License-Identifier: Apache-2.0
#include "asl_job.hpp"
#include "job_files.hpp"

namespace larmor::cli {
namespace {

namespace fs = std::filesystem;

// "sub-01_asl.nii.gz" without the suffix: "sub-01_".
std::string stem_of(const fs::path& path, const char* end) {
  std::string name = path.filename().string();
  const auto at = name.rfind(end);
  return at == std::string::npos ? name : name.substr(0, at);
}

bool tissue(const std::string& name, const std::string& kind) {
  return name_holds(name, {("label-" + kind).c_str()}) || name == kind || name.ends_with("_" + kind) ||
         name == "p" + kind;
}

}  // namespace

AslFiles find_asl(const fs::path& folder) {
  AslFiles found;
  for (const auto& f : data_files(folder)) {
    const auto& name = f.name;
    if (!f.image) {
      if (name.ends_with("aslcontext.tsv")) found.contexts.push_back(f.path);
    } else if (name_holds(name, {"mask"})) {
      found.mask.push_back(f.path);
    } else if (name.ends_with("m0scan") || name == "m0") {
      found.m0.push_back(f.path);
    } else if (name_holds(name, {"t1map", "t1_map"})) {
      found.T1.push_back(f.path);
    } else if (tissue(name, "gm")) {
      found.GM.push_back(f.path);
    } else if (tissue(name, "wm")) {
      found.WM.push_back(f.path);
    } else if (tissue(name, "csf")) {
      found.CSF.push_back(f.path);
    } else if (name.ends_with("asl")) {
      found.series.push_back(f.path);
    }
  }
  return found;
}

fs::path context_beside(const fs::path& series, const std::vector<fs::path>& all) {
  const std::string stem = stem_of(series, "asl.nii");
  for (const auto& path : all)
    if (stem_of(path, "aslcontext.tsv") == stem && path.parent_path() == series.parent_path()) return path;
  return all.size() == 1 ? all[0] : fs::path();
}

}  // namespace larmor::cli
