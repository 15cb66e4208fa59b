// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime.h>

#include <larmor/core/error.hpp>
#include <larmor/perfusion/dce/cuda_check.hpp>
#include <string>

namespace larmor::dce {

void check_cuda(int code, const char* what) {
  const auto error = static_cast<cudaError_t>(code);
  if (error != cudaSuccess)
    throw Error(Errc::device, std::string("CUDA ") + what + ": " + cudaGetErrorString(error), "use device cpu");
}

void use_cuda_device(int index) { check_cuda(static_cast<int>(cudaSetDevice(index)), "choosing the device"); }

}  // namespace larmor::dce
