// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <larmor/data/trajectory.hpp>

namespace larmor::recon {

/// Gridding in its classical steps, each a function of its own, to look into and to compare with: `Nufft` does the same
/// with a better window, at once for all transforms, without keeping the grid.
///
///   adjoint   grid_samples, then the centred inverse transform (the plain sum), then `rolloff` to the image's size
///   forward   `rolloff_before`, the centred transform, then `degrid_samples`
///
/// Conventions are those of Nufft: |k| in cycles/FOV, positions 0 at index floor(N / 2).
enum class GridWindow { gaussian, kaiser_bessel };

struct GridOptions {
  GridWindow window = GridWindow::kaiser_bessel;
  double width = 4;           // cells of the grid that a sample reaches
  double oversampling = 1.5;  // grid points a voxel
  const Cancel* cancel = nullptr;
};

/// Points of the grid along an axis of n voxels: the even number next above oversampling x n.
std::int64_t grid_points(std::int64_t n, double oversampling);

/// samples  complex (sample axes ..., batch ...); weights: empty, or real of the sample axes
/// result   c64 (x, y[, z], batch ...), grid_points long
/// Errors   those of Trajectory::check; Errc::shape, Errc::range (width 1 to 16, oversampling 1 to 4)
/// Source   Jackson et al., IEEE Trans. Med. Imaging 10:473 (1991); windows: Beatty, Nishimura and Pauly, IEEE Trans.
/// Med. Imaging 24:799 (2005); the Gaussian's width from Greengard and Lee, SIAM Rev. 46:443 (2004)
Array grid_samples(const Trajectory& traj, const Array& samples, const Array& weights, const GridOptions& options = {});
/// grid     complex (x, y[, z], batch ...), grid_points long. Result: c64 (sample axes ..., batch ...)
Array degrid_samples(const Trajectory& traj, const Array& grid, const GridOptions& options = {});

/// The middle of an image on the grid, of the size of the trajectory's matrix, over the transform of the window.
Array rolloff(const Trajectory& traj, const Array& image, const GridOptions& options = {});
/// The adjoint of it: an image over that transform, with zeros around.
Array rolloff_before(const Trajectory& traj, const Array& image, const GridOptions& options = {});

/// The window at z cells from the sample, and its transform at x / N.
double grid_window(const GridOptions& options, double z);
double grid_window_transform(const GridOptions& options, double x);

}  // namespace larmor::recon
