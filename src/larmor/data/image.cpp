// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <larmor/core/error.hpp>
#include <larmor/data/image.hpp>

namespace larmor {
namespace {

std::string grid_text(const Image& image) {
  const auto g = image.grid();
  return fmt::format("{} x {} x {}", g[0], g[1], g[2]);
}

template <class T>
bool selects(T value) {
  return value == value && value != T{};  // NaN is not equal to itself
}

template <class T>
void select(const Array& data, std::vector<std::uint8_t>& mask) {
  const T* values = data.data<T>();
  for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = selects(values[i]);
}

}  // namespace

Image Image::like(Array other) const {
  for (int axis = 0; axis < 3; ++axis)
    if (other.extent(axis) != data.extent(axis))
      throw Error(Errc::shape, fmt::format("data of {} on the grid of an image of {}", to_string(other.shape()),
                                           to_string(data.shape())));
  Image out;
  out.affine = affine;
  out.meta = meta;
  out.source = source;
  if (other.extent(3) == volumes() && other.rank() > 3) out.times = times;
  out.data = std::move(other);
  return out;
}

void require_same_space(const Image& a, const Image& b, const std::string& name_a, const std::string& name_b,
                        double tolerance_mm) {
  if (a.grid() != b.grid())
    throw Error(Errc::shape, fmt::format("{} has {} voxels and {} has {}", name_a, grid_text(a), name_b, grid_text(b)),
                "resample one of them onto the grid of the other first");
  // At the corners, because a rotation of a fraction of a degree is small in the entries and large at the edge.
  const auto g = a.grid();
  double worst = 0;
  for (int corner = 0; corner < 8; ++corner) {
    const auto index = [&](int axis) {
      return corner >> axis & 1 ? static_cast<double>(g[static_cast<std::size_t>(axis)] - 1) : 0.0;
    };
    const auto p = a.affine.apply(index(0), index(1), index(2)), q = b.affine.apply(index(0), index(1), index(2));
    // Not std::hypot of three: libstdc++'s drops NaN.
    const double dx = p[0] - q[0], dy = p[1] - q[1], dz = p[2] - q[2];
    const double gap = std::sqrt(dx * dx + dy * dy + dz * dz);
    worst = std::isnan(gap) ? gap : std::max(worst, gap);
    if (std::isnan(gap)) break;
  }
  if (!(worst <= tolerance_mm))
    throw Error(Errc::shape,
                fmt::format("{} ({}) and {} ({}) lie up to {:.3g} mm apart; {:.3g} mm are tolerated", name_a,
                            a.affine.orientation(), name_b, b.affine.orientation(), worst, tolerance_mm),
                "register and resample one of them, or correct its header");
}

std::vector<std::uint8_t> mask_from(const Image& image) {
  const std::string name = image.source.empty() ? "mask" : "mask " + image.source;
  if (image.data.size() != image.voxels() || image.data.empty())
    throw Error(Errc::shape, fmt::format("{} has {} values for {} voxels", name, image.data.size(), image.voxels()),
                "give one 3-D volume");
  std::vector<std::uint8_t> mask(static_cast<std::size_t>(image.voxels()));
  const Array data = image.data.contiguous_copy();
  switch (data.dtype()) {
    case DType::boolean:
      select<bool>(data, mask);
      break;
    case DType::u8:
      select<std::uint8_t>(data, mask);
      break;
    case DType::i16:
      select<std::int16_t>(data, mask);
      break;
    case DType::i32:
      select<std::int32_t>(data, mask);
      break;
    case DType::f32:
      select<float>(data, mask);
      break;
    case DType::f64:
      select<double>(data, mask);
      break;
    case DType::c64:
      select<std::complex<float>>(data, mask);
      break;
    case DType::c128:
      select<std::complex<double>>(data, mask);
      break;
  }
  if (std::find(mask.begin(), mask.end(), 1) == mask.end())
    throw Error(Errc::range, fmt::format("empty mask: none of the {} voxels of {} is other than 0", mask.size(), name),
                "give a mask with voxels other than 0");
  return mask;
}

}  // namespace larmor
