// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <larmor/core/progress.hpp>
#include <larmor/data/trajectory.hpp>

namespace larmor::recon {

/// Weights of samples that make the adjoint transform an image: the volume of k-space that each stands for, in
/// (cycles/FOV)^d, so that Cartesian samples weigh 1 and the weights add up to what was covered.
///
/// result of all: f32 (sample axes of the trajectory)

enum class DensityKernel {
  circular,  // made for an object within a circle (sphere) of the field of view
  square,    // for one that fills the square (cube)
};

struct DensityOptions {
  int iterations = 15;
  DensityKernel kernel = DensityKernel::circular;
  const Cancel* cancel = nullptr;
  const Progress* progress = nullptr;
};

/// w <- w / (w * C * C) at every sample, from w = 1: where the weighted samples, blurred by C twice, are 1 everywhere.
///
/// The transform of C * C weighs how much of the point spread function the weights may leave at each distance; it
/// should end at one field of view. C is a polynomial in 1 - (k / R)^2, R = 1 cycle/FOV, fitted to the root of the
/// autocorrelation of the field of view within one field of view, and to 0 beyond it. The samples are sorted once; the
/// result does not depend on the number of threads.
/// Errors   those of Trajectory::check; Errc::range (iterations < 1), Errc::cancelled
/// Source   Pipe and Menon, MRM 41:179 (1999); Johnson and Pipe, MRM 61:439 (2009), the kernel; Zwart, Johnson and
/// Pipe, MRM 67:701 (2012), by way of a grid
Array density_iterative(const Trajectory& traj, const DensityOptions& options = {});

/// Areas of the Voronoi cells of a 2D trajectory. Samples at the same place share theirs; cells at the rim end half a
/// cycle/FOV beyond the outermost samples.
/// Errors   also Errc::shape for a 3D trajectory
/// Source   Rasche et al., IEEE Trans. Med. Imaging 18:385 (1999)
Array density_voronoi(const Trajectory& traj, const Cancel* cancel = nullptr);

/// Shells between the midpoints of neighbours on an arm, shared equally by all arms, for arms that are turned copies of
/// each other about the middle of k-space (radial, spiral, spokes in 3D): (2 pi / n) |k| d|k|, or (4 pi / n) |k|^2
/// d|k|. The sum is the area (volume) out to the farthest sample. Source   Hoge, Kwan and Pike, MRM 38:117 (1997)
Array density_analytic(const Trajectory& traj);

/// Weights times a fall from 1 to 0, half a cosine, over the outer `width` of the largest |k|: fewer ripples at edges
/// for a little resolution. Errors   Errc::range unless 0 <= width <= 1, Errc::shape when counts differ
Array density_taper(const Trajectory& traj, const Array& density, double width);

/// Coefficients of C in powers of t = 1 - (k / R)^2 from t^1 on, for `dims` dimensions; `square`: of one axis. Scaled
/// to an integral of 1.
std::vector<double> density_kernel(DensityKernel kernel, int dims);
/// The transform of C at a distance from the middle [FOV].
double density_kernel_transform(const std::vector<double>& coefficients, DensityKernel kernel, int dims,
                                double distance);

}  // namespace larmor::recon
