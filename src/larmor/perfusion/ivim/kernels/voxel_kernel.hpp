// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the files of kernels that work voxel by voxel share: the copies for the instruction sets and the choice between
// them, the launch of CUDA, and the same threads one after the other on the CPU.
#include <larmor/core/simd/lane.hpp>

/// For `name` and its struct `Run` with the number of voxels `n`: name_at<T>(run, v) does the voxels of a T from v on,
/// with Lanes on the CPU, and one voxel a thread with Number in CUDA. Gives
///   name_kernel()                 the copy for the instruction set in use
///   name_emulated(run, 0)         the threads of CUDA one after the other: slow, for tests and comparison
///   name_launch(run, device)      CUDA, everything in the memory of the device; waits
#if defined(LARMOR_ISA_cuda)
#include <larmor/core/cuda_check.cuh>
#define LARMOR_VOXEL_KERNEL(name, Run, Lanes, Number, what)                                  \
  namespace larmor::ivim {                                                                   \
  namespace {                                                                                \
  __global__ void name##_voxels(const Run run) {                                             \
    const int64_t v = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;           \
    if (v < run.n) name##_at<Number>(run, v);                                                \
  }                                                                                          \
  }                                                                                          \
  void name##_launch(const Run& run, int device) {                                           \
    const cuda::OnDevice here(device);                                                       \
    constexpr unsigned threads = 128;                                                        \
    name##_voxels<<<(static_cast<unsigned>(run.n) + threads - 1) / threads, threads>>>(run); \
    cuda::check_launch(what, true);                                                          \
  }                                                                                          \
  }
#else
#if defined(LARMOR_ISA_baseline)
#include <larmor/core/isa.hpp>
#if defined(__x86_64__)
#define LARMOR_VOXEL_KERNEL_CHOICE(name)  \
  if (isa() == Isa::v4) return name##_v4; \
  if (isa() == Isa::v3) return name##_v3;
#else
#define LARMOR_VOXEL_KERNEL_CHOICE(name)
#endif
#define LARMOR_VOXEL_KERNEL_ONCE(name, Run, Number)                \
  void name##_v3(const Run&);                                      \
  void name##_v4(const Run&);                                      \
  void name##_baseline(const Run&);                                \
  void (*name##_kernel())(const Run&) {                            \
    LARMOR_VOXEL_KERNEL_CHOICE(name)                               \
    return name##_baseline;                                        \
  }                                                                \
  void name##_emulated(const Run& run, int) {                      \
    for (int64_t v = 0; v < run.n; ++v) name##_at<Number>(run, v); \
  }
#else
#define LARMOR_VOXEL_KERNEL_ONCE(name, Run, Number)
#endif
#define LARMOR_VOXEL_KERNEL(name, Run, Lanes, Number, what)                                      \
  namespace larmor::ivim {                                                                       \
  LARMOR_VOXEL_KERNEL_ONCE(name, Run, Number)                                                    \
  void LARMOR_ISA_JOIN(name##_, LARMOR_ISA)(const Run& run) {                                    \
    for (int64_t v = 0; v < run.n; v += simd::LaneTraits<Lanes>::size) name##_at<Lanes>(run, v); \
  }                                                                                              \
  }
#endif
