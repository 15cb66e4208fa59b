// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <larmor/core/error.hpp>
#include <larmor/io/file.hpp>
#include <larmor/io/leftovers.hpp>

namespace larmor::io {
namespace {

[[noreturn]] void fail(const std::string& doing, const fs::path& path, const std::error_code& ec) {
  throw Error(Errc::file, fmt::format("cannot {} {}: {}", doing, path.string(), ec.message()),
              "check its permissions and the space left, or write somewhere else");
}

dev_t device_of(const fs::path& path) {
  struct stat s {};
  return ::stat(path.c_str(), &s) == 0 ? s.st_dev : 0;
}

// Moves everything below `from` over what is below `to`; other files of `to` stay.
void merge(const fs::path& from, const fs::path& to) {
  std::error_code ec;
  for (auto it = fs::directory_iterator(from, ec); !ec && it != fs::directory_iterator(); it.increment(ec)) {
    const fs::path there = to / it->path().filename();
    if (it->is_directory() && fs::is_directory(there)) {
      merge(it->path(), there);
      continue;
    }
    std::error_code moved;
    fs::rename(it->path(), there, moved);
    if (moved) fail("replace", there, moved);
  }
  if (ec) fail("read", from, ec);
}

}  // namespace

void remove_leftovers(const fs::path& parent, const std::string& name) {
  std::error_code ec;
  for (auto it = fs::directory_iterator(parent, ec); !ec && it != fs::directory_iterator(); it.increment(ec)) {
    // ".NAME.PID-COUNT.part", as OutputFolder calls them.
    const auto whole = it->path().filename().string();
    if (!whole.starts_with("." + name) || !whole.ends_with(".part")) continue;
    const auto stem = whole.substr(0, whole.size() - 5);
    const auto dash = stem.rfind('-'), dot = stem.rfind('.', dash);
    if (dash == std::string::npos || dot == std::string::npos || dot == 0) continue;
    if (!name.empty() && stem.substr(1, dot - 1) != name) continue;
    const int pid = std::atoi(stem.substr(dot + 1, dash - dot - 1).c_str());
    std::error_code ignored;
    if (pid > 0 && ::kill(pid, 0) != 0 && errno == ESRCH) fs::remove_all(it->path(), ignored);
  }
}

OutputFolder::OutputFolder(fs::path target) : target_(std::move(target)) {
  if (!target_.has_filename()) target_ = target_.parent_path();  // "out/" and "out" are the same
  std::error_code ec;
  if (target_.empty()) throw Error(Errc::file, "an output folder without a name", "give a folder to write to");
  target_ = fs::absolute(target_);
  if (fs::exists(target_, ec) && !fs::is_directory(target_, ec))
    throw Error(Errc::file, fmt::format("cannot write folder {}: there is a file of that name", target_.string()),
                "give another name, or move the file away");
  const fs::path parent = target_.parent_path();
  for (fs::path p = parent; !p.empty() && !fs::exists(p, ec) && p != p.parent_path(); p = p.parent_path()) made_ = p;
  fs::create_directories(parent, ec);
  if (ec) fail("make folder", parent, ec);
  // Files move from one folder to the other, which a folder that is mounted allows only below itself.
  const bool inside = fs::is_directory(target_, ec) &&
                      (device_of(target_) != device_of(parent) || ::access(parent.c_str(), W_OK | X_OK) != 0);
  const fs::path beside = inside ? target_ : parent;
  static std::atomic<unsigned> counter{0};
  const std::string name = target_.filename().string().substr(0, 200);
  remove_leftovers(beside, name);
  do {  // a run of this number, all the same in a container, may have been killed and have left its own
    work_ = beside / fmt::format(".{}.{}-{}.part", name, ::getpid(), counter++);
  } while (!fs::create_directory(work_, ec) && !ec);
  if (ec) fail("make folder", work_, ec);
}

OutputFolder::~OutputFolder() {
  if (done_) return;
  std::error_code ec;
  fs::remove_all(work_, ec);
  if (made_.empty()) return;
  // Only the folders made here, innermost first, and only while nobody else has put something there.
  for (fs::path p = target_.parent_path(); fs::remove(p, ec) && p != made_;) p = p.parent_path();
}

void OutputFolder::commit() {
  std::error_code ec;
  if (fs::is_directory(target_, ec)) {
    merge(work_, target_);
    fs::remove_all(work_, ec);
  } else {
    fs::rename(work_, target_, ec);
    if (ec) fail("make folder", target_, ec);
  }
  done_ = true;
}

}  // namespace larmor::io
