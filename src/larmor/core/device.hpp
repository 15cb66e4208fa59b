// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace larmor {

/// Where memory lives and work runs. `cpu` is always there; `cuda` when built with it and a device answers.
struct Device {
  enum class Kind : std::uint8_t { cpu, cuda };
  Kind kind = Kind::cpu;
  int index = 0;

  static Device cpu() { return {}; }
  static Device cuda(int index = 0) { return {Kind::cuda, index}; }
  /// "cpu", "cuda" or "cuda:1". Errors   Errc::unknown_name; Errc::device when there is no such device here
  static Device parse(const std::string& text);

  bool is_cpu() const { return kind == Kind::cpu; }
  bool operator==(const Device&) const = default;
  std::string str() const;
};

/// True when the program was built with CUDA.
bool cuda_built();
/// Number of CUDA devices that answer; 0 without CUDA. Probed once.
int cuda_device_count();
/// Why there is no CUDA device, as one phrase ("built without CUDA", "no driver", ...); empty when there is one.
std::string cuda_why_not();
/// One line a device: name, memory.
std::vector<std::string> device_descriptions();

/// Uninitialised memory on `device`, 64-byte aligned on the CPU. Errors   Errc::device, Errc::numeric (out of memory)
std::shared_ptr<std::byte> allocate(std::size_t bytes, Device device);
/// Asks `function` first for memory on the CPU; null from it: as usual. For a process whose arrays another one shall
/// see. To be set before other threads are there.
void set_cpu_allocator(std::shared_ptr<std::byte> (*function)(std::size_t bytes));
/// Copies between any two places; returns when the bytes are there.
void copy_bytes(void* to, Device to_device, const void* from, Device from_device, std::size_t bytes);
void zero_bytes(void* memory, Device device, std::size_t bytes);

}  // namespace larmor
