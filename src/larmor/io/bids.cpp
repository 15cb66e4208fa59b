// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/core/error.hpp>
#include <larmor/io/bids.hpp>
#include <larmor/io/file.hpp>
#include <larmor/io/nifti.hpp>
#include <sstream>

namespace larmor::io {
namespace {

// Folders from the dataset root down to the one of the file. Without a dataset_description.json the root is the folder
// that holds the subject's (sub-...), when the file lies in one.
std::vector<fs::path> folders_of(const fs::path& file) {
  std::error_code ec;
  const fs::path own = fs::absolute(file).lexically_normal().parent_path();
  std::vector<fs::path> up, subject;
  for (fs::path p = own;; p = p.parent_path()) {
    up.push_back(p);
    if (up.size() > 1 && up[up.size() - 2].filename().string().starts_with("sub-")) subject = up;
    if (fs::exists(p / "dataset_description.json", ec)) {
      std::reverse(up.begin(), up.end());
      return up;
    }
    if (p != p.parent_path()) continue;
    if (subject.empty()) return {own};
    std::reverse(subject.begin(), subject.end());
    return subject;
  }
}

bool applies(const BidsName& sidecar, const BidsName& image) {
  return sidecar.suffix == image.suffix &&
         std::all_of(sidecar.entities.begin(), sidecar.entities.end(), [&](const auto& entity) {
           const auto found = image.entities.find(entity.first);
           return found != image.entities.end() && found->second == entity.second;
         });
}

// Parts of a name that are neither entities nor the suffix: maps are named by their quantity (CBF_GM, ATT_GM), and the
// sidecar of one must not apply to the other.
std::vector<std::string> words_of(const fs::path& path) {
  std::vector<std::string> words;
  std::istringstream parts(path.filename().string());
  for (std::string part; std::getline(parts, part, '_');)
    if (part.find('-') == std::string::npos) words.push_back(part);
  if (!words.empty()) words.pop_back();  // the suffix
  return words;
}
bool has_words(const fs::path& image, const fs::path& sidecar) {
  const auto own = words_of(image);
  const auto needed = words_of(sidecar);
  return std::all_of(needed.begin(), needed.end(),
                     [&](const auto& word) { return std::find(own.begin(), own.end(), word) != own.end(); });
}

}  // namespace

BidsName parse_bids_name(const fs::path& path) {
  BidsName out;
  std::string name = path.filename().string();
  // Names from elsewhere hold dots (scan.v2.nii.gz), so the extension is the last part, or two for gzip.
  out.extension = fs::path(name).extension().string();
  if (out.extension == ".gz") out.extension = fs::path(name).stem().extension().string() + out.extension;
  name.resize(name.size() - out.extension.size());
  std::size_t at = 0;
  while (at <= name.size()) {
    const auto end = std::min(name.find('_', at), name.size());
    const std::string part = name.substr(at, end - at);
    const auto dash = part.find('-');
    if (dash != std::string::npos && dash > 0)
      out.entities[part.substr(0, dash)] = part.substr(dash + 1);
    else if (end == name.size())
      out.suffix = part;
    at = end + 1;
  }
  return out;
}

Metadata read_sidecar(const fs::path& image_path) {
  const BidsName image = parse_bids_name(image_path);
  Metadata meta;
  for (const auto& folder : folders_of(image_path)) {
    std::vector<fs::path> found;
    std::error_code ec;
    for (auto it = fs::directory_iterator(folder, ec); !ec && it != fs::directory_iterator(); it.increment(ec)) {
      const fs::path& path = it->path();
      if (path.extension() != ".json" || path.filename() == "dataset_description.json") continue;
      if (applies(parse_bids_name(path), image) && has_words(image_path, path)) found.push_back(path);
    }
    if (found.size() > 1) {
      std::sort(found.begin(), found.end());
      throw Error(Errc::format,
                  fmt::format("two sidecars of one folder apply to {}: {} and {}", image_path.filename().string(),
                              found[0].filename().string(), found[1].filename().string()),
                  "BIDS allows one at each level: merge them, or give one more entities")
          .at(folder.string());
    }
    for (const auto& path : found)
      for (auto& [key, value] : read_json_metadata(path)) meta[key] = std::move(value);
  }
  return meta;
}

std::vector<fs::path> find_bids(const fs::path& folder, const std::string& suffix) {
  std::error_code ec;
  if (!fs::exists(folder, ec)) throw missing_file(folder);
  if (!fs::is_directory(folder, ec))
    throw Error(Errc::file, fmt::format("{} is a file, not a folder", folder.string()), "give the folder it is in");
  std::vector<fs::path> out;
  auto it = fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied, ec);
  for (; !ec && it != fs::recursive_directory_iterator(); it.increment(ec)) {
    const auto name = parse_bids_name(it->path());
    const bool hidden = it->path().filename().string().starts_with('.');
    if (hidden && it->is_directory(ec)) it.disable_recursion_pending();
    if (!hidden && name.suffix == suffix && (name.extension == ".nii" || name.extension == ".nii.gz") &&
        it->is_regular_file(ec))
      out.push_back(it->path());
  }
  if (ec) throw Error(Errc::file, fmt::format("cannot read folder {}: {}", folder.string(), ec.message()));
  std::sort(out.begin(), out.end());
  return out;
}

Image read_image(const fs::path& path) {
  Image image = read_nifti(path);
  image.meta = read_sidecar(path);
  for (const char* key : {"FrameTimesStart", "VolumeTiming", "AcquisitionTime"}) {
    const auto found = image.meta.find(key);
    if (found == image.meta.end()) continue;
    const auto* times = std::get_if<std::vector<double>>(&found->second);
    if (!times) continue;  // AcquisitionTime of one volume is a clock time ("10:31:07"), not a list
    if (static_cast<std::int64_t>(times->size()) != image.volumes())
      throw Error(Errc::shape,
                  fmt::format("{} in the sidecar lists {} times, the image has {} volumes", key, times->size(),
                              image.volumes()),
                  "give one time [s] a volume")
          .at(path.string());
    image.times = *times;
    break;
  }
  return image;
}

}  // namespace larmor::io
