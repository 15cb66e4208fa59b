// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <memory>
#include <optional>

namespace larmor::flow::user {

/// A file descriptor that closes itself.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd();
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release();

 private:
  int fd_ = -1;
};

/// Memory without a name that can be handed to another process as a file descriptor.
/// Errors   Errc::numeric when there is none
std::shared_ptr<std::byte> make_shared_memory(std::size_t bytes);
/// Maps what another process handed over; read-only memory must not be written to. Takes the descriptor.
/// Errors   Errc::format when it holds fewer than `bytes`
std::shared_ptr<std::byte> map_shared_memory(Fd fd, std::size_t bytes, bool writable = false);

/// Where an address is in shared memory of this process. The descriptor stays valid while the memory is held.
struct SharedPlace {
  int fd = -1;
  std::size_t offset = 0, size = 0;  // of the address; of the whole mapping
};
/// None when the address is in ordinary memory.
std::optional<SharedPlace> find_shared(const void* address);

}  // namespace larmor::flow::user
