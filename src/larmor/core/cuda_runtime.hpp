// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <memory>
#include <string>

/// The few calls of the CUDA runtime that host code needs. cuda_runtime.cu defines them when CUDA is built,
/// cuda_absent.cpp otherwise, so nothing outside core includes a CUDA header.
namespace larmor::cuda {
bool built();
int device_count();
std::string why_not();
std::string describe(int index);
std::shared_ptr<std::byte> allocate(std::size_t bytes, int index);
/// Device index, or -1 for host memory.
void copy(void* to, int to_index, const void* from, int from_index, std::size_t bytes);
}  // namespace larmor::cuda
