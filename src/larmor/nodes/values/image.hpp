// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/data/image.hpp>
#include <larmor/flow/value_traits.hpp>
#include <optional>

namespace larmor::nodes {

/// An array that may have a place in space: what operations on arrays take and give, so that geometry is carried
/// through them. On a wire it is an image when it has geometry, else a plain array.
struct Gridded {
  Array data;
  /// Affine, times and metadata; its own data are empty.
  std::optional<Image> geometry = {};

  /// Other data in the same place. Times stay when the axis "t" still has their number. The geometry stays as it is
  /// when x, y and z come first and have the extents of these data, and goes otherwise: an operation that crops, flips
  /// or resamples them says where the voxels lie (`along`).
  Gridded with(Array other) const;
  Image image() const;  // with an identity affine when there is no geometry
};

/// Index of an axis that must be there. Errors   Errc::unknown_name with the names that are
int need_axis(const Array& array, const std::string& name);

}  // namespace larmor::nodes

namespace larmor::flow {

/// Named facts as a record without a type, and back; what has no place in Metadata is left out.
Value value_of(const Metadata& meta);
Metadata metadata_of(const Value& value);

template <>
struct ValueTraits<Image> {
  static constexpr const char* type = "image";
  static Value to(const Image& image);
  static Image from(const Value& value);
};

template <>
struct ValueTraits<nodes::Gridded> {
  static constexpr const char* type = "array";
  static Value to(const nodes::Gridded& gridded);
  static nodes::Gridded from(const Value& value);
};

}  // namespace larmor::flow
