// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <larmor/nn/conv.hpp>

/// Convolutions whose inputs are rounded to bfloat16 (8 bits of each number) and summed in f32, on the matrix tiles of
/// processors that have them (AMX). Channels stay f32 and lie as elsewhere.
namespace larmor::nn {

/// Whether this processor and this system do it; not when a lower instruction set is forced.
bool half_available();
/// Whether tiles are filled well enough to be faster than lanes.
inline bool half_pays(int cin, int cout) { return cin >= 8 && cout >= 8; }

std::vector<std::uint16_t> packed_half(std::span<const float> weights, int cout, int cin, int taps);
std::vector<std::uint16_t> packed_half_transposed(std::span<const float> weights, int cout, int cin, int taps);

/// As convolve and convolve_weights.
void convolve_half(const ConvGrid& grid, const Reach& reach, const Channels& in, int first_in, int cin,
                   std::span<const std::uint16_t> packed_weights, std::span<const float> bias, Channels& out,
                   int first_out, int cout, bool add = false);
void convolve_weights_half(const ConvGrid& grid, const Reach& reach, const Channels& in, int cin, const Channels& grad,
                           int first_grad, int cout, std::span<float> out);

}  // namespace larmor::nn
