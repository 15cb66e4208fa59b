// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <larmor/core/error.hpp>
#include <larmor/io/atomic_file.hpp>

namespace larmor::io {
namespace fs = std::filesystem;

AtomicFile::AtomicFile(const fs::path& path) : path_(path) {
  if (path.empty()) throw Error(Errc::file, "no file name to write to", "give one");
  std::error_code ec;
  // A link stays a link: the file it points to is replaced.
  target_ = fs::is_symlink(path, ec) ? fs::weakly_canonical(path, ec) : path;
  if (path.filename().empty() || fs::is_directory(target_, ec))
    throw Error(Errc::file, fmt::format("cannot write {}: it is a folder", path.string()), "give a file name");
  // The new name would take the place of /dev/null for everybody.
  if (fs::exists(target_, ec) && !fs::is_regular_file(target_, ec))
    throw Error(Errc::file, fmt::format("cannot write {}: it is a device or a pipe, no file", path.string()),
                "give another name");
  const fs::path folder = target_.has_parent_path() ? target_.parent_path() : fs::path(".");
  fs::create_directories(folder, ec);
  if (ec)
    throw Error(Errc::file, fmt::format("cannot make folder {}: {}", folder.string(), ec.message()),
                "check its permissions, or write somewhere else");
  static std::atomic<unsigned> counter{0};
  // Stem shortened: with the ending a long name would pass NAME_MAX (255).
  const std::string stem = target_.filename().string().substr(0, 200);
  do {  // a run of this number, all the same in a container, may have been killed and have left its own
    work_ = folder / fmt::format(".{}.{}-{}.part", stem, ::getpid(), counter++);
    file_ = ::open(work_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (file_ < 0 && errno == EEXIST);
  if (file_ < 0) fail("create");
}

AtomicFile::~AtomicFile() {
  if (file_ < 0) return;
  ::close(file_);
  ::unlink(work_.c_str());
}

void AtomicFile::fail(const char* doing) const {
  const int code = errno;
  const bool full = code == ENOSPC || code == EDQUOT || code == EFBIG;
  throw Error(Errc::file,
              fmt::format("cannot {} {}: {}{}", doing, path_.string(), std::strerror(code),
                          full ? fmt::format(" after {} bytes", written_) : ""),
              full ? "free some space or raise the limit, or write somewhere else"
                   : "check the folder's permissions, or write somewhere else");
}

void AtomicFile::write(const void* data, std::size_t size) {
  const auto* from = static_cast<const std::byte*>(data);
  while (size > 0) {
    const auto put = ::write(file_, from, std::min<std::size_t>(size, 1 << 30));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail("write");
    from += put, size -= static_cast<std::size_t>(put), written_ += static_cast<std::uint64_t>(put);
  }
}

void AtomicFile::commit() {
  if (::fsync(file_) != 0) fail("flush");
  const int closed = ::close(file_);
  file_ = -1;
  if (closed != 0 || ::rename(work_.c_str(), target_.c_str()) != 0) {
    const int code = errno;
    ::unlink(work_.c_str());
    errno = code;
    fail("finish");
  }
  // The new name itself is on disk only when the folder is; some file systems refuse, and then nothing is lost but
  // time.
  const fs::path folder = target_.has_parent_path() ? target_.parent_path() : fs::path(".");
  if (const int dir = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); dir >= 0) {
    ::fsync(dir);
    ::close(dir);
  }
}

}  // namespace larmor::io
