// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <span>

namespace larmor {

enum class FftNorm : std::uint8_t {
  none,     // the plain sum
  by_n,     // divided by the number of points transformed, N
  unitary,  // divided by sqrt(N): energy is kept, and the inverse is the adjoint
};

struct FftOptions {
  FftNorm norm = FftNorm::none;
  /// Position and frequency 0 sit in the middle, at index floor(n / 2) of every transformed axis (what
  /// fftshift(fft(ifftshift(x))) computes), as k-space and images are stored. Otherwise at index 0.
  bool centred = false;
  const Cancel* cancel = nullptr;
};

/// X[k] = sum_n x[n] exp(-2 pi i n k / N) over the given axes (ifft: +2 pi i), every other axis being a batch.
///
/// a        c64 or c128, any rank, any strides, on any device; the work runs where the array lives
/// axes     1 to 3 different axes in any order, of any length (2, 3, 5, 7 are fast; primes work)
/// result   a new contiguous array of the same type, shape and axes, on the same device
/// Errors   Errc::type unless complex, Errc::range (axes), Errc::cancelled
Array fft(const Array& a, std::span<const int> axes, const FftOptions& options = {});
Array ifft(const Array& a, std::span<const int> axes, const FftOptions& options = {.norm = FftNorm::by_n});

inline Array fft(const Array& a, std::initializer_list<int> axes, const FftOptions& options = {}) {
  return fft(a, std::span<const int>(axes.begin(), axes.size()), options);
}
inline Array ifft(const Array& a, std::initializer_list<int> axes,
                  const FftOptions& options = {.norm = FftNorm::by_n}) {
  return ifft(a, std::span<const int>(axes.begin(), axes.size()), options);
}

}  // namespace larmor
