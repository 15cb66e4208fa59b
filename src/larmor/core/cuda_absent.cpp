// SPDX-License-Identifier: Apache-2.0
#ifndef LARMOR_HAS_CUDA
#include <larmor/core/cuda_runtime.hpp>
#include <larmor/core/error.hpp>

namespace larmor::cuda {
bool built() { return false; }
int device_count() { return 0; }
std::string why_not() { return "built without CUDA"; }
std::string describe(int) { return {}; }
std::shared_ptr<std::byte> allocate(std::size_t, int) {
  throw Error(Errc::device, "no CUDA device: this program was built without CUDA",
              "configure with -DLARMOR_CUDA=ON, or use device cpu");
}
void copy(void*, int, const void*, int, std::size_t) { allocate(0, 0); }
void zero(void*, int, std::size_t) { allocate(0, 0); }
}  // namespace larmor::cuda
#endif
