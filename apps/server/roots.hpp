// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace larmor::server {

namespace fs = std::filesystem;

/// The folders that Studio may touch, and nothing beside them: symbolic links are followed before it is decided.
class Roots {
 public:
  /// Errors   Errc::file for a folder that is not there
  explicit Roots(const std::vector<fs::path>& folders);

  const std::vector<fs::path>& all() const { return roots_; }
  /// The real path of something that is there or may be made; relative ones are below `base` (the first root when
  /// empty). Errors   HttpError 403 outside the roots
  fs::path allow(const fs::path& path, const fs::path& base = {}) const;
  bool allows(const fs::path& path, const fs::path& base = {}) const;

 private:
  std::vector<fs::path> roots_;
};

/// Whether `path` is `folder` or below it. Both absolute and without "..".
bool below(const fs::path& path, const fs::path& folder);

}  // namespace larmor::server
