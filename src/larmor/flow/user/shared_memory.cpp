// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <larmor/core/error.hpp>
#include <larmor/flow/user/shared_memory.hpp>
#include <map>
#include <mutex>

namespace larmor::flow::user {

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = other.release();
  }
  return *this;
}
Fd::~Fd() {
  if (fd_ >= 0) ::close(fd_);
}
int Fd::release() {
  const int fd = fd_;
  fd_ = -1;
  return fd;
}

namespace {

/// Every mapping of this process by its address.
struct Mappings {
  struct Item {
    std::size_t size;
    int fd;
  };
  std::mutex mutex;
  std::map<const std::byte*, Item> items;
};
Mappings& mappings() {
  static auto* all = new Mappings;  // arrays may outlive statics
  return *all;
}

std::shared_ptr<std::byte> mapped(Fd fd, std::size_t bytes, int protection) {
  const std::size_t size = std::max<std::size_t>(bytes, 1);
  void* memory = ::mmap(nullptr, size, protection, MAP_SHARED, fd.get(), 0);
  if (memory == MAP_FAILED)
    throw Error(
        Errc::numeric,
        fmt::format("{:.1f} MB of shared memory cannot be mapped: {}", double(bytes) / 1e6, std::strerror(errno)),
        "work on less at a time, or on a machine with more memory");
  auto* start = static_cast<std::byte*>(memory);
  {
    const std::lock_guard lock(mappings().mutex);
    mappings().items[start] = {size, fd.release()};
  }
  return {start, [size](std::byte* p) {
            int fd = -1;
            {
              const std::lock_guard lock(mappings().mutex);
              const auto it = mappings().items.find(p);
              fd = it->second.fd;
              mappings().items.erase(it);
            }
            ::munmap(p, size);
            ::close(fd);
          }};
}

}  // namespace

std::shared_ptr<std::byte> make_shared_memory(std::size_t bytes) {
  Fd fd(::memfd_create("larmor", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  const auto failed = [&] {
    return Error(Errc::numeric,
                 fmt::format("no shared memory of {:.1f} MB: {}", double(bytes) / 1e6, std::strerror(errno)),
                 "work on less at a time, or on a machine with more memory");
  };
  if (!fd || ::ftruncate(fd.get(), static_cast<off_t>(std::max<std::size_t>(bytes, 1))) != 0) throw failed();
  // Nobody can take away what another process has mapped.
  ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
  return mapped(std::move(fd), bytes, PROT_READ | PROT_WRITE);
}

std::shared_ptr<std::byte> map_shared_memory(Fd fd, std::size_t bytes, bool writable) {
  struct stat facts {};
  if (!fd || ::fstat(fd.get(), &facts) != 0 || static_cast<std::size_t>(facts.st_size) < bytes)
    throw Error(Errc::format, fmt::format("shared memory of {} bytes was announced and {} are there", bytes,
                                          fd ? static_cast<long long>(facts.st_size) : 0LL));
  return mapped(std::move(fd), bytes, writable ? PROT_READ | PROT_WRITE : PROT_READ);
}

std::optional<SharedPlace> find_shared(const void* address) {
  const auto* at = static_cast<const std::byte*>(address);
  const std::lock_guard lock(mappings().mutex);
  auto it = mappings().items.upper_bound(at);
  if (it == mappings().items.begin()) return {};
  --it;
  const auto offset = static_cast<std::size_t>(at - it->first);
  if (offset >= it->second.size) return {};
  return SharedPlace{it->second.fd, offset, it->second.size};
}

}  // namespace larmor::flow::user
