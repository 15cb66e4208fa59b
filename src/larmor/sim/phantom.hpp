// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <span>
#include <vector>

/// Objects made of ellipses and ellipsoids, as images and as their exact Fourier transforms.
///
/// The field of view is [-1, 1) along every axis: voxel i of n lies at 2 (i - floor(n / 2)) / n, and sample i of
/// k-space at (i - floor(n / 2)) / 2, so a centred discrete transform leads from one to the other.
namespace larmor::sim {

/// In two dimensions semi[2] and centre[2] are not used. `angle` [rad] turns about z, counterclockwise.
struct Ellipsoid {
  double intensity = 1;
  std::array<double, 3> semi{0.5, 0.5, 0.5}, centre{};
  double angle = 0;
};

/// Sum of the intensities of the ellipsoids that a voxel lies in, f32 (x, y) or (x, y, z): the mean over oversample^d
/// points of each voxel. Errors   Errc::shape unless 2 or 3 extents of 1 or more; Errc::range for a semi-axis <= 0 or
/// oversample outside 1..16
Array raster(std::span<const Ellipsoid> object, const Shape& shape, int oversample = 1, const Cancel* cancel = nullptr);

/// The continuous Fourier transform, the integral of the object times exp(-2 pi i k r), c128, in units of the field of
/// view of length 2: at k = 0 the sum of intensity times area (volume). Divided by the area of a voxel it is what the
/// plain centred discrete transform of a finely sampled image comes to.
///
///   ellipse    intensity a b J1(2 pi K) / K                      K = |(a kx', b ky')|
///   ellipsoid  intensity a b c (sin 2 pi K - 2 pi K cos 2 pi K) / (2 pi^2 K^3)
///
/// with k' turned into the frame of the ellipse, times exp(-2 pi i k centre).
/// Source   Van de Walle et al., IEEE Trans. Med. Imaging 19:1160 (2000) (2D); Koay et al., MRM 58:430 (2007) (3D)
Array kspace(std::span<const Ellipsoid> object, const Shape& shape, const Cancel* cancel = nullptr);
/// The same at one place [cycles over a unit length, the field of view being 2].
std::complex<double> transform_at(std::span<const Ellipsoid> object, std::span<const double> k);

/// Sum of intensity times area (d = 2) or volume (d = 3).
double content(std::span<const Ellipsoid> object, int dimensions);

/// 2D, ten ellipses: Shepp and Logan, IEEE Trans. Nucl. Sci. 21:21 (1974); with high contrast: Toft, PhD thesis,
/// Technical University of Denmark (1996).
std::vector<Ellipsoid> shepp_logan(bool high_contrast = true);
/// 3D, ten ellipsoids: Koay et al., MRM 58:430 (2007), table 1.
std::vector<Ellipsoid> shepp_logan_3d();

}  // namespace larmor::sim
