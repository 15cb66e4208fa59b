// SPDX-License-Identifier: Apache-2.0
#include "roots.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "http.hpp"

namespace larmor::server {
namespace {

fs::path real(const fs::path& path, const fs::path& base) {
  std::error_code error;
  const fs::path whole = fs::weakly_canonical(path.is_absolute() ? path : base / path, error);
  if (error) throw HttpError(403, Errc::file, fmt::format("'{}': {}", path.string(), error.message()));
  return whole.has_filename() || whole == whole.root_path() ? whole : whole.parent_path();
}

}  // namespace

bool below(const fs::path& path, const fs::path& folder) {
  auto p = path.begin();
  for (auto f = folder.begin(); f != folder.end(); ++f, ++p)
    if (p == path.end() || *p != *f) return false;
  return true;
}

Roots::Roots(const std::vector<fs::path>& folders) {
  for (const auto& folder : folders) {
    std::error_code error;
    const fs::path whole = fs::canonical(folder, error);
    if (error || !fs::is_directory(whole))
      throw Error(Errc::file, fmt::format("'{}' is no folder", folder.string()), "give --root a folder that is there");
    if (std::find(roots_.begin(), roots_.end(), whole) == roots_.end()) roots_.push_back(whole);
  }
  if (roots_.empty()) throw Error(Errc::usage, "Studio has no folder to work in", "give one with --root");
}

fs::path Roots::allow(const fs::path& path, const fs::path& base) const {
  const fs::path whole = real(path, base.empty() ? roots_.front() : base);
  for (const auto& root : roots_)
    if (below(whole, root)) return whole;
  std::vector<std::string> names;
  for (const auto& root : roots_) names.push_back(root.string());
  throw HttpError(403, Errc::file, fmt::format("'{}' is outside the folders that Studio may use", path.string()),
                  fmt::format("use a file below {}, or start Studio with --root", fmt::join(names, ", ")));
}

bool Roots::allows(const fs::path& path, const fs::path& base) const {
  try {
    allow(path, base);
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace larmor::server
