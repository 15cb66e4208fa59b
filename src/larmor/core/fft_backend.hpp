// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <larmor/core/array.hpp>
#include <span>
#include <vector>

/// What core/fft.cpp asks of FFTW (fft_fftw.cpp) and cuFFT (fft_cuda.cu); nothing else includes this.
namespace larmor::fft_backend {

/// One loop of a transform or of its repeats, strides in elements.
struct Loop {
  std::int64_t n, in_stride, out_stride;
};

/// Transforms over `dims`, repeated over `repeats`, with a plan made on first use and kept. Any number of threads may
/// call it. `in` may be `out` when the strides are equal.
void run_fftw(DType type, bool forward, std::span<const Loop> dims, std::span<const Loop> repeats, const void* in,
              void* out);

/// The whole of fft() for an array on a CUDA device: `scale` and the centring included.
Array run_cuda(const Array& a, std::span<const int> axes, bool forward, bool centred, double scale);

/// The plain sums over packed arrays that follow each other in the memory of a CUDA device, in place; `sizes` with the
/// slowest axis first. Returns when the work is queued.
void run_cuda_in_place(DType type, int device, const std::vector<long long>& sizes, long long repeats, void* data,
                       bool forward);

}  // namespace larmor::fft_backend
