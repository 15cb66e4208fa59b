// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <larmor/core/log.hpp>
#include <larmor/io/file.hpp>

#include "studio.hpp"

namespace larmor::server {
namespace {

// Held while its server lives; the system lets go of it however that ends.
int try_lock(const fs::path& folder) {
  const int file = ::open((folder / "lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (file >= 0 && ::flock(file, LOCK_EX | LOCK_NB) == 0) return file;
  if (file >= 0) ::close(file);
  return -1;
}

}  // namespace

void Studio::recover() {
  if (options_.cache.empty()) return;
  std::error_code error;
  const fs::path all = options_.cache / "recovery";
  fs::create_directories(all, error);
  fs::permissions(all, fs::perms::owner_all, error);
  std::vector<fs::path> left;
  for (const auto& folder : fs::directory_iterator(all, error)) left.push_back(folder.path());
  for (int n = 0; n < 1000 && recovery_lock_ < 0; ++n) {
    const fs::path mine = all / fmt::format("{}-{}", ::getpid(), n);
    if (!fs::create_directory(mine, error)) continue;
    recovery_lock_ = try_lock(mine);
    workshop_.recovery = mine;
  }
  if (recovery_lock_ < 0) {
    log::warning("studio: no recovery copies: cannot write below " + all.string());
    return;
  }
  for (const auto& folder : left) {
    const int file = try_lock(folder);
    if (file < 0) continue;  // its server is alive
    bool taken = true;
    for (const auto& copy : fs::directory_iterator(folder, error)) {
      if (copy.path().extension() != ".json") continue;
      try {
        const json saved = parse_json(io::read_text(copy.path()));
        const fs::path path = saved.at("path").get<std::string>();
        const json& content = saved.at("graph");
        std::shared_ptr<Session> s;
        if (!path.empty() && fs::exists(path) && roots_.allows(path)) {
          s = open(path);
          s->edit({{{"op", "replace"}, {"path", ""}, {"value", content}}}, "restored unsaved changes", "", "");
        } else {
          s = add(content, saved.at("id").get<std::string>());
          s->edit(json::array(), "restored unsaved changes", "", "");
        }
        s->write_recovery();
        log::info(fmt::format("studio: restored unsaved changes of '{}'", s->id()));
      } catch (const std::exception& e) {
        log::warning(fmt::format("studio: {} cannot be restored: {}", copy.path().string(), e.what()));
        taken = false;
      }
    }
    if (taken) fs::remove_all(folder, error);
    ::close(file);
  }
}

void Studio::end_recovery() {
  if (recovery_lock_ < 0) return;
  std::error_code error;
  fs::remove(workshop_.recovery / "lock", error);
  fs::remove(workshop_.recovery, error);  // fails, as it should, when copies are in it
  ::close(std::exchange(recovery_lock_, -1));
}

}  // namespace larmor::server
