// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <optional>
#include <span>
#include <string>

/// Values between the elements of an array.
namespace larmor::nd {

enum class Interpolation : std::uint8_t {
  nearest,  // keeps the type, for labels
  linear,   // exact on polynomials of degree 1
  cubic,    // Keys, IEEE Trans. ASSP 29:1153 (1981), with his boundary: exact to degree 2
  sinc      // 8 points under a Kaiser window (beta 6), weights scaled to a sum of 1
};
/// Errors   Errc::unknown_name
Interpolation interpolation_called(const std::string& name);
std::span<const std::string> interpolations();

struct ResampleOptions {
  Interpolation kind = Interpolation::linear;
  /// Value beyond the outer edges of the first and last elements, half an element outside their centres; between edge
  /// and centre the end value holds. Without: the end value holds everywhere.
  std::optional<double> fill = 0.0;
  /// Widens the kernel by the distance of the positions, so that coarser sampling averages instead of aliasing
  /// (resample_axis only; nearest becomes a mean).
  bool antialias = false;
  const Cancel* cancel = nullptr;
};

/// Elements at positions along an axis [elements, 0 is the centre of the first]. Real or complex; f32 and f64 stay,
/// integers give f32 or f64 except for nearest. Errors   Errc::range for an axis that is not there or has no elements
Array resample_axis(const Array& a, int axis, std::span<const double> positions, const ResampleOptions& options = {});

/// Voxels of another grid over the first three axes: result (i, j, k) lies at to_index (i, j, k, 1)^T of `a`.
/// Grids that are not turned against each other are resampled axis by axis. Other axes stay.
/// Errors   Errc::shape unless `a` has three axes or more
Array resample_grid(const Array& a, const std::array<std::array<double, 4>, 3>& to_index,
                    const std::array<std::int64_t, 3>& size, const ResampleOptions& options = {});

}  // namespace larmor::nd
