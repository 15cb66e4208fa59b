// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace larmor::dce {

/// A parameter of a digital object (or T10) and its levels.
struct Quantity {
  std::string name, unit, title;
  std::vector<double> levels;
};

/// Where each quantity's levels run through the grid (see make_dro).
class DroLayout {
 public:
  DroLayout(std::array<std::int64_t, 3> grid, const std::vector<Quantity>& quantities);
  /// False in the rim.
  bool inside(const std::array<std::int64_t, 3>& at) const;
  /// Index of the quantity's level at a voxel that is inside.
  std::size_t level(std::size_t quantity, const std::array<std::int64_t, 3>& at) const;

 private:
  std::int64_t rim(std::size_t axis) const;
  struct Place {
    std::size_t axis;
    std::int64_t n, inner;
  };
  std::array<std::int64_t, 3> grid_;
  std::array<std::int64_t, 3> blocks_{1, 1, 1};
  std::vector<Place> place_;
};

/// Two independent unit Gaussians of (seed, stream, counter): not of threads or order.
struct GaussianPair {
  double a, b;
};
GaussianPair gaussians(std::uint64_t seed, std::uint64_t stream, std::uint64_t counter);

/// Portal vein of an artery that begins at `begin`: 4 s later, through a gut compartment of 8 s mean transit. A made
/// curve, good to `end`.
std::function<double(double)> portal_of(const std::function<double(double)>& artery, double begin, double end);

}  // namespace larmor::dce
