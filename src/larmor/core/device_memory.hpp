// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/device.hpp>
#include <larmor/core/error.hpp>
#include <string>
#include <vector>

namespace larmor {

/// Errors   Errc::device, saying why, when no such device answers
inline void require_cuda(Device device) {
  if (device.index >= cuda_device_count())
    throw Error(Errc::device,
                "no " + device.str() + " here: " +
                    (cuda_device_count() ? std::to_string(cuda_device_count()) + " CUDA devices" : cuda_why_not()),
                "use device cpu");
}

/// Pieces of device memory, kept as long as this lives.
class DeviceMemory {
 public:
  explicit DeviceMemory(Device device) : device_(device) {}
  template <class T>
  T* room(std::size_t count) {
    kept_.push_back(allocate(count * sizeof(T), device_));
    return reinterpret_cast<T*>(kept_.back().get());
  }
  template <class T>
  const T* copy(const T* from, std::size_t count) {
    T* to = room<T>(count);
    to_device(to, from, count);
    return to;
  }
  template <class T>
  void to_device(T* to, const T* from, std::size_t count) {
    copy_bytes(to, device_, from, Device::cpu(), count * sizeof(T));
  }
  template <class T>
  void back(T* to, const T* from, std::size_t count) {
    copy_bytes(to, Device::cpu(), from, device_, count * sizeof(T));
  }

 private:
  Device device_;
  std::vector<std::shared_ptr<std::byte>> kept_;
};

}  // namespace larmor
