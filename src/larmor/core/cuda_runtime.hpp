// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <memory>
#include <string>

/// The few calls of the CUDA runtime that host code needs. cuda_runtime.cu defines them when CUDA is built,
/// cuda_absent.cpp otherwise, so nothing outside core includes a CUDA header.
namespace larmor::cuda {
bool built();
/// Devices that answer and can run the program's kernels, asked once. Never throws; 0 without a driver.
int device_count();
/// Why device_count() is 0, as one phrase; empty otherwise.
std::string why_not();
/// Name, compute capability, memory.
std::string describe(int index);
/// Uninitialised device memory. Errors   Errc::device, Errc::numeric (out of memory, with what was free)
std::shared_ptr<std::byte> allocate(std::size_t bytes, int index);
/// Device index, or -1 for host memory. Returns when the bytes are there.
void copy(void* to, int to_index, const void* from, int from_index, std::size_t bytes);
/// Sets device memory to 0.
void zero(void* memory, int index, std::size_t bytes);
}  // namespace larmor::cuda
