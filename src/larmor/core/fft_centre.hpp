// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <complex>
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <span>
#include <vector>

/// Centring as phases. With c = floor(N / 2) for the place of 0,
///   sum_n x[n] w^((n - c)(k - c)) = w^(-c (k - c)) sum_n (x[n] w^(-c n)) w^(n k),  w = exp(-+2 pi i / N),
/// so a centred transform is a plain one between two products: no data is moved, and for even N the factors are +-1.
namespace larmor::fft_centre {

enum class Side : std::uint8_t { before, after };

/// The factors of one axis of n points on either side of a forward or inverse transform.
std::vector<std::complex<double>> phases(std::int64_t n, bool forward, Side side);

/// out = in x the phases of every axis of `axes` x scale. `out` is contiguous and may be `in`.
void multiply(const Array& in, Array& out, std::span<const int> axes, bool forward, Side side, double scale,
              const Cancel* cancel);

}  // namespace larmor::fft_centre
