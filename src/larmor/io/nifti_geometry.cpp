// SPDX-License-Identifier: Apache-2.0
// Orientation fields of a header, https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h, methods 1 to 3.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/io/nifti_header.hpp>

namespace larmor::io {
namespace {

bool usable(const Affine& affine) {
  for (const auto& row : affine.m)
    for (const double v : row)
      if (!std::isfinite(v)) return false;
  const auto s = affine.spacing();
  return std::abs(affine.determinant()) > 1e-9 * s[0] * s[1] * s[2];
}

double millimetres_per_unit(int xyzt_units) {
  switch (xyzt_units & 7) {
    case 1:
      return 1000.0;
    case 3:
      return 1e-3;
    default:
      return 1.0;
  }
}

double voxel_size(double pixdim) { return std::isfinite(pixdim) && pixdim != 0 ? std::abs(pixdim) : 1.0; }

Affine from_qform(const NiftiHeader& h) {
  double b = h.quatern[0], c = h.quatern[1], d = h.quatern[2];
  double a = 1 - (b * b + c * c + d * d);
  if (a < 1e-7) {  // half a turn, and rounding took it past 1
    const double norm = 1 / std::sqrt(b * b + c * c + d * d);
    b *= norm, c *= norm, d *= norm, a = 0;
  } else {
    a = std::sqrt(a);
  }
  const double R[3][3] = {{a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)},
                          {2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)},
                          {2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c}};
  const double qfac = h.pixdim[0] < 0 ? -1 : 1;
  Affine out;
  for (std::size_t r = 0; r < 3; ++r) {
    for (std::size_t k = 0; k < 3; ++k) out.m[r][k] = R[r][k] * voxel_size(h.pixdim[k + 1]) * (k == 2 ? qfac : 1.0);
    out.m[r][3] = h.qoffset[r];
  }
  return out;
}

// Nearest rotation to a matrix of positive determinant: Newton's iteration for the polar factor,
// X <- (X + X^-T) / 2 (Higham, SIAM J. Sci. Stat. Comput. 7:1160, 1986).
Affine nearest_rotation(Affine x) {
  for (int step = 0; step < 60; ++step) {
    const Affine inverse = x.inverse();
    Affine next = x;
    for (std::size_t r = 0; r < 3; ++r)
      for (std::size_t c = 0; c < 3; ++c) next.m[r][c] = 0.5 * (x.m[r][c] + inverse.m[c][r]);
    const double change = next.distance(x);
    x = next;
    if (change < 1e-15) break;
  }
  return x;
}

std::array<double, 3> quaternion_of(const Affine& rotation) {
  const auto& R = rotation.m;
  double a = R[0][0] + R[1][1] + R[2][2] + 1, b, c, d;
  if (a > 0.5) {
    a = 0.5 * std::sqrt(a);
    b = 0.25 * (R[2][1] - R[1][2]) / a, c = 0.25 * (R[0][2] - R[2][0]) / a, d = 0.25 * (R[1][0] - R[0][1]) / a;
  } else {  // near half a turn: divide by the largest component instead
    const double x = 1 + R[0][0] - R[1][1] - R[2][2], y = 1 + R[1][1] - R[0][0] - R[2][2],
                 z = 1 + R[2][2] - R[0][0] - R[1][1];
    if (x >= y && x >= z) {
      b = 0.5 * std::sqrt(x);
      c = 0.25 * (R[0][1] + R[1][0]) / b, d = 0.25 * (R[0][2] + R[2][0]) / b, a = 0.25 * (R[2][1] - R[1][2]) / b;
    } else if (y >= z) {
      c = 0.5 * std::sqrt(y);
      b = 0.25 * (R[0][1] + R[1][0]) / c, d = 0.25 * (R[1][2] + R[2][1]) / c, a = 0.25 * (R[0][2] - R[2][0]) / c;
    } else {
      d = 0.5 * std::sqrt(z);
      b = 0.25 * (R[0][2] + R[2][0]) / d, c = 0.25 * (R[1][2] + R[2][1]) / d, a = 0.25 * (R[1][0] - R[0][1]) / d;
    }
    if (a < 0) b = -b, c = -c, d = -d;  // the header implies a >= 0
  }
  return {b, c, d};
}

}  // namespace

double seconds_per_unit(int xyzt_units) {
  switch (xyzt_units & 0x38) {
    case 16:
      return 1e-3;
    case 24:
      return 1e-6;
    case 32:
    case 40:
    case 48:
      return 0;
    default:
      return 1;  // seconds, or not said
  }
}

std::string size_conflict(const NiftiHeader& h) {
  Affine sform;
  for (std::size_t r = 0; r < 3; ++r) sform.m[r] = h.srow[r];
  const Affine qform = from_qform(h);
  if (h.sform_code <= 0 || h.qform_code <= 0 || !usable(sform) || !usable(qform)) return {};
  const double unit = std::pow(millimetres_per_unit(h.xyzt_units), 3), s = std::abs(sform.determinant()) * unit,
               q = std::abs(qform.determinant()) * unit;
  if (std::abs(s - q) <= 0.1 * q) return {};  // a qform cannot hold shear, which makes voxels smaller
  return fmt::format("its sform says voxels of {:.4g} mm3 and its qform {:.4g} mm3; the sform is taken", s, q);
}

Affine affine_of(const NiftiHeader& h) {
  Affine out = Affine::scaling(voxel_size(h.pixdim[1]), voxel_size(h.pixdim[2]), voxel_size(h.pixdim[3]));
  Affine sform;
  for (std::size_t r = 0; r < 3; ++r) sform.m[r] = h.srow[r];
  const Affine qform = from_qform(h);
  if (h.sform_code > 0 && usable(sform))
    out = sform;
  else if (h.qform_code > 0 && usable(qform))
    out = qform;
  const double mm = millimetres_per_unit(h.xyzt_units);
  if (mm != 1)
    for (std::size_t r = 0; r < 3; ++r)
      for (double& v : out.m[r]) v *= mm;
  return out;
}

void set_affine(NiftiHeader& h, const Affine& affine) {
  for (std::size_t r = 0; r < 3; ++r)
    for (const double v : affine.m[r])
      if (!std::isfinite(v))
        throw Error(Errc::range, "the image's affine holds a value that is not finite",
                    "set the affine before writing");
  const auto size = affine.spacing();
  for (std::size_t k = 0; k < 3; ++k) h.pixdim[k + 1] = size[k];
  h.sform_code = 1;
  for (std::size_t r = 0; r < 3; ++r) h.srow[r] = affine.m[r];
  h.pixdim[0] = 1;
  h.qform_code = 0;
  if (!usable(affine)) return;  // a flat grid has no rotation; the sform still says where it lies
  Affine unit;
  const double qfac = affine.determinant() < 0 ? -1 : 1;
  for (std::size_t r = 0; r < 3; ++r)
    for (std::size_t k = 0; k < 3; ++k) unit.m[r][k] = affine.m[r][k] / size[k] * (k == 2 ? qfac : 1.0);
  h.pixdim[0] = qfac;
  h.quatern = quaternion_of(nearest_rotation(unit));
  for (std::size_t r = 0; r < 3; ++r) h.qoffset[r] = affine.m[r][3];
  h.qform_code = 1;
}

}  // namespace larmor::io
