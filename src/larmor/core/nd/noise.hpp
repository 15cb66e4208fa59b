// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>

namespace larmor::nd {

/// Independent normal numbers of standard deviation 1. The same seed gives the same numbers on every machine and for
/// every number of threads: element k is made from (seed, k) alone, by SplitMix64 (Steele et al., OOPSLA 2014) and Box
/// and Muller's transform. Complex types have standard deviation 1 in each part. Errors   Errc::type unless floating
Array normal(DType type, Shape shape, Axes axes, std::uint64_t seed, const Cancel* cancel = nullptr);
/// The same for numbers spread evenly over [0, 1).
Array uniform(DType type, Shape shape, Axes axes, std::uint64_t seed, const Cancel* cancel = nullptr);

enum class Noise : std::uint8_t {
  gaussian,  // sd in every real number, and in each part of complex ones
  rician     // |a + n1 + i n2|: what a magnitude image holds; real arrays only
};
/// Errors   Errc::range unless sd >= 0; Errc::type for Rician noise on complex numbers
Array add_noise(const Array& a, Noise kind, double sd, std::uint64_t seed, const Cancel* cancel = nullptr);

}  // namespace larmor::nd
