// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <larmor/core/error.hpp>
#include <larmor/core/log.hpp>
#include <string>

namespace larmor::fuzz {

/// Gives the bytes to `read` as a file in memory. larmor::Error is the right answer to nonsense; anything else ends the
/// run.
template <class F>
int as_file(const std::uint8_t* data, std::size_t size, F&& read) {
  log::set_level(log::Level::off);
  const int file = ::memfd_create("fuzz", MFD_CLOEXEC);
  std::size_t done = 0;
  while (done < size) {
    const auto put = ::write(file, data + done, size - done);
    if (put <= 0) break;
    done += static_cast<std::size_t>(put);
  }
  try {
    read(std::filesystem::path("/proc/self/fd/" + std::to_string(file)));
  } catch (const Error&) {
  }
  ::close(file);
  return 0;
}

}  // namespace larmor::fuzz
