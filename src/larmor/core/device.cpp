// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <larmor/core/cuda_runtime.hpp>
#include <larmor/core/device.hpp>
#include <larmor/core/error.hpp>
#include <larmor/core/pages.hpp>
#include <limits>
#include <new>
#include <thread>

namespace larmor {

std::string Device::str() const {
  if (is_cpu()) return "cpu";
  return index == 0 ? "cuda" : fmt::format("cuda:{}", index);
}

Device Device::parse(const std::string& text) {
  if (text == "cpu") return cpu();
  if (text == "cuda" || text.starts_with("cuda:")) {
    int index = 0;
    if (text.size() > 4) {
      const char *first = text.data() + 5, *last = text.data() + text.size();
      const auto [end, error] = std::from_chars(first, last, index);
      if (error != std::errc() || end != last || index < 0)
        throw Error(Errc::usage, fmt::format("'{}' does not name a device", text), "write cpu, cuda or cuda:N");
    }
    if (index >= cuda_device_count())
      throw Error(Errc::device,
                  cuda_device_count() == 0
                      ? fmt::format("no device {}: {}", text, cuda_why_not())
                      : fmt::format("no device {}: this machine has {} CUDA devices", text, cuda_device_count()),
                  "use device cpu");
    return cuda(index);
  }
  const std::vector<std::string> names{"cpu", "cuda"};
  throw unknown_name("device", text, names);
}

bool cuda_built() { return cuda::built(); }
int cuda_device_count() { return cuda::device_count(); }
std::string cuda_why_not() { return cuda::why_not(); }

std::vector<std::string> device_descriptions() {
  std::vector<std::string> out{fmt::format("cpu: {} logical processors", std::thread::hardware_concurrency())};
  for (int i = 0; i < cuda_device_count(); ++i) out.push_back(fmt::format("cuda:{}: {}", i, cuda::describe(i)));
  return out;
}

namespace {
std::shared_ptr<std::byte> (*cpu_allocator)(std::size_t) = nullptr;
}
void set_cpu_allocator(std::shared_ptr<std::byte> (*function)(std::size_t bytes)) { cpu_allocator = function; }

namespace {

constexpr std::size_t large_page = std::size_t{2} << 20;
constexpr std::size_t large_block = 4 * large_page;
#if defined(__SANITIZE_ADDRESS__)
constexpr bool watched = true;  // all memory: none of it by mmap
#else
constexpr bool watched = false;
#endif

/// Memory of its own mapping, on the boundary of a large page; null when there is none. Large blocks ask for large
/// pages: at 4 kB each, first touching them costs more than writing them does. Not by aligned_alloc: that of glibc 2.36
/// does not find the aligned block that was just freed, and a loop over blocks of 12 MB grew by one each time.
std::byte* map_large(std::size_t bytes) {
  const std::size_t all = bytes + large_page;
  void* const got = mmap(nullptr, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (got == MAP_FAILED) return nullptr;
  constexpr std::size_t page = 4096;
  auto* const first = static_cast<std::byte*>(got);
  const std::size_t before = (large_page - reinterpret_cast<std::uintptr_t>(got) % large_page) % large_page;
  const std::size_t end = (before + bytes + page - 1) / page * page;
  if (before > 0) munmap(first, before);
  if (end < all) munmap(first + end, all - end);
  madvise(first + before, bytes, MADV_HUGEPAGE);
  return first + before;
}

std::shared_ptr<std::byte> allocate_on_cpu(std::size_t bytes, bool large) {
  constexpr std::size_t line = 64;
  const std::size_t rounded = (std::max<std::size_t>(bytes, 1) + line - 1) / line * line;
  const bool wrapped = rounded < bytes || bytes > std::numeric_limits<std::size_t>::max() / 2;
  std::byte* memory = nullptr;
  if (!wrapped && large && !watched) {
    if (auto* const mapped = map_large(bytes)) return {mapped, [bytes](std::byte* p) { munmap(p, bytes); }};
  } else if (!wrapped) {
    memory = static_cast<std::byte*>(std::aligned_alloc(line, rounded));
  }
  if (!memory)
    throw Error(Errc::numeric, fmt::format("out of memory: {:.1f} MB asked for", double(bytes) / 1e6),
                "work on fewer volumes at a time, or on a machine with more memory");
  return {memory, [](std::byte* p) { std::free(p); }};
}

}  // namespace

std::shared_ptr<std::byte> allocate(std::size_t bytes, Device device) {
  if (!device.is_cpu()) return cuda::allocate(bytes, device.index);
  if (cpu_allocator)
    if (auto memory = cpu_allocator(bytes)) return memory;
  return allocate_on_cpu(bytes, bytes >= large_block);
}

std::shared_ptr<std::byte> allocate_pages(std::size_t bytes) { return allocate_on_cpu(bytes, true); }

void copy_bytes(void* to, Device to_device, const void* from, Device from_device, std::size_t bytes) {
  if (bytes == 0) return;
  if (to_device.is_cpu() && from_device.is_cpu())
    std::memcpy(to, from, bytes);
  else
    cuda::copy(to, to_device.is_cpu() ? -1 : to_device.index, from, from_device.is_cpu() ? -1 : from_device.index,
               bytes);
}

void zero_bytes(void* memory, Device device, std::size_t bytes) {
  if (bytes == 0) return;
  if (device.is_cpu())
    std::memset(memory, 0, bytes);
  else
    cuda::zero(memory, device.index, bytes);
}

}  // namespace larmor
