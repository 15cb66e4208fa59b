// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cuda_runtime.h>

#include <larmor/core/error.hpp>
#include <string>

namespace larmor::cuda {

/// Throws Errc::device, with the runtime's words, unless `status` is success. `what` says what was tried.
inline void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // a failed call leaves its error behind for the next launch
  throw Error(
      Errc::device,
      std::string("CUDA: ") + what + " failed: " + cudaGetErrorString(status) + " (" + cudaGetErrorName(status) + ")",
      "use device cpu, or look at nvidia-smi");
}

/// After a launch: its own error, and with `wait` what went wrong while it ran.
inline void check_launch(const char* kernel, bool wait = false) {
  check(cudaGetLastError(), kernel);
  if (wait) check(cudaDeviceSynchronize(), kernel);
}

/// Makes `index` the calling thread's device for the life of the object.
class OnDevice {
 public:
  explicit OnDevice(int index) {
    check(cudaGetDevice(&before_), "asking for the current device");
    if (before_ != index) check(cudaSetDevice(index), "choosing the device"), changed_ = true;
  }
  ~OnDevice() {
    if (changed_) cudaSetDevice(before_);
  }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;

 private:
  int before_ = 0;
  bool changed_ = false;
};

}  // namespace larmor::cuda
