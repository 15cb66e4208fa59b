// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <larmor/core/array.hpp>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace larmor {

/// Voxel index (i, j, k) to position [mm] in RAS+ (NIfTI) world space: row-major 4 x 4, last row 0 0 0 1.
struct Affine {
  std::array<std::array<double, 4>, 4> m{{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}}};

  static Affine scaling(double dx, double dy, double dz);
  std::array<double, 3> apply(double i, double j, double k) const;
  /// Column lengths [mm].
  std::array<double, 3> spacing() const;
  /// Anatomical direction of each axis, "RAS", "LPS", ...; nearest axis for oblique ones.
  std::string orientation() const;
  double determinant() const;
  /// Errors   Errc::numeric when singular
  Affine inverse() const;
  Affine operator*(const Affine& other) const;
  /// Largest absolute difference of any entry.
  double distance(const Affine& other) const;
};

using MetaValue = std::variant<bool, double, std::string, std::vector<double>, std::vector<std::string>>;
/// Named facts about an image, as BIDS sidecars name them ("RepetitionTime", "FlipAngle", ...), in BIDS units.
using Metadata = std::map<std::string, MetaValue>;

/// An array on a grid in space (and time). Geometry travels with every map made from it.
///
/// data    (x, y, z) or (x, y, z, t | b | ...), any type
/// times   acquisition time of each volume [s] when there is a time axis and it is known, else empty
struct Image {
  Array data;
  Affine affine;
  std::vector<double> times;
  Metadata meta;
  std::string source;  // where it came from, for messages and provenance

  std::array<std::int64_t, 3> grid() const { return {data.extent(0), data.extent(1), data.extent(2)}; }
  std::int64_t voxels() const { return data.extent(0) * data.extent(1) * data.extent(2); }
  /// Number of volumes: the extent of axis 3, 1 for a 3-D image.
  std::int64_t volumes() const { return data.extent(3); }
  /// New image of the same geometry around other data of the same (x, y, z).
  Image like(Array other) const;
};

/// Errors   Errc::shape, naming both, when two images do not share a grid; Errc::shape when their affines differ by
/// more than `tolerance_mm` at any corner of the grid.
void require_same_space(const Image& a, const Image& b, const std::string& name_a, const std::string& name_b,
                        double tolerance_mm = 0.1);

/// Voxels that are not 0 (NaN counts as 0). One value a voxel of (x, y, z).
/// Errors   Errc::range when no voxel is selected ("empty mask")
std::vector<std::uint8_t> mask_from(const Image& image);

}  // namespace larmor
