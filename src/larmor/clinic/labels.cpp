// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/clinic/labels.hpp>

namespace larmor::clinic {

Image labels_on(const Image& image, const Image& labels) {
  if (labels.data.rank() != 3)
    throw Error(Errc::shape, fmt::format("labels are {}", labels.data.describe()), "give one label a voxel (x, y, z)");
  const Array given = labels.data.cast(DType::f64).contiguous_copy();
  const double* v = given.data<double>();
  std::int64_t labelled = 0;
  for (std::int64_t i = 0; i < given.size(); ++i) {
    if (v[i] != 0 && v[i] != 1 && v[i] != 2)
      throw Error(Errc::range, fmt::format("a label is {}", v[i]), "0 is background, 1 anterior, 2 posterior");
    labelled += v[i] != 0;
  }
  const auto n = image.grid(), m = labels.grid();
  const Affine to_given = labels.affine.inverse() * image.affine;
  Array out = Array::of<std::uint8_t>({n[0], n[1], n[2]});
  std::uint8_t* to = out.data<std::uint8_t>();
  std::int64_t taken = 0;
  for (std::int64_t k = 0, at = 0; k < n[2]; ++k)
    for (std::int64_t j = 0; j < n[1]; ++j)
      for (std::int64_t i = 0; i < n[0]; ++i, ++at) {
        const auto p = to_given.apply(static_cast<double>(i), static_cast<double>(j), static_cast<double>(k));
        std::array<std::int64_t, 3> q{};
        bool inside = true;
        for (std::size_t c = 0; c < 3; ++c) q[c] = std::llround(p[c]), inside &= q[c] >= 0 && q[c] < m[c];
        if (!inside) continue;
        to[at] = static_cast<std::uint8_t>(v[(q[2] * m[1] + q[1]) * m[0] + q[0]]);
        taken += to[at] != 0;
      }
  if (labelled && !taken)
    throw Error(Errc::shape, "the labels and the series do not overlap",
                "are they of the same study, and is the affine of the labels right?");
  // Volumes before and after: what lies outside the series is lost.
  const double before = static_cast<double>(labelled) * std::abs(labels.affine.determinant());
  const double after = static_cast<double>(taken) * std::abs(image.affine.determinant());
  if (after < 0.9 * before)
    throw Error(Errc::shape, fmt::format("only {:.0f} of {:.0f} mm3 of the labels lie in the series", after, before),
                "give labels of this series");
  return image.like(std::move(out));
}

}  // namespace larmor::clinic
