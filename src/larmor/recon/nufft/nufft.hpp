// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <larmor/data/trajectory.hpp>
#include <memory>
#include <span>
#include <vector>

namespace larmor::recon {

struct NufftOptions {
  /// Root mean square of the error, relative to that of the exact sum: 1e-6 to 1e-1. Single precision ends near 5e-7.
  double tolerance = 1e-4;
  /// Points of the window and grid points a voxel; 0: what costs least for the tolerance.
  int width = 0;
  double oversampling = 0;
  /// Transforms that calls will bring together (coils x slices): more of them favour narrower windows on finer grids.
  int batch = 8;
  /// The most bytes that a call may use beside its input and result; 0: as many as it takes. A tight one is met by
  /// taking fewer transforms at a time.
  std::size_t memory = 0;
  Device device = {};
};

/// What a plan holds and decided.
struct NufftFacts {
  int width = 0;
  double oversampling = 0;
  Shape grid;
  double error = 0;            // root mean square that the window leaves, all axes
  std::size_t plan_bytes = 0;  // kept as long as the plan
  std::size_t work_bytes = 0;  // most that a call uses beside input and result
  int lanes = 0;               // transforms side by side in one pass; on a device: at a time
};

/// Non-uniform Fourier transform between an image and samples along a trajectory, planned once for many transforms.
///
///   forward (type 2)   s_j = sum_x m_x exp(-2 pi i k_j . x)
///   adjoint (type 1)   m_x = sum_j w_j s_j exp(+2 pi i k_j . x)
///
/// with x = (i - floor(n / 2)) / n along each axis, in FOV, and k in cycles/FOV. Neither is scaled, so one is exactly
/// the adjoint of the other (up to rounding of single precision, for any tolerance).
///
/// Positions are folded onto the grid in double precision; all else is in single. Transforms lie side by side in the
/// lanes of a register, so that the weights of a sample are computed once for all of them. The result does not depend
/// on the number of threads. Plans can be copied (they share) and used by several threads at once.
/// A plan for a CUDA device takes and gives arrays there; it has the window and grid of the CPU's, and its results are
/// the same every time (blocks.hpp).
/// Source   Fessler and Sutton, IEEE Trans. Signal Process. 51:560 (2003); Barnett, Magland and af Klinteberg, SIAM J.
/// Sci. Comput. 41:C479 (2019) for the organisation; the window is `spread_kernel`
class Nufft {
 public:
  Nufft() = default;
  /// `image` is the number of voxels along x, y(, z) over the trajectory's field of view; empty: traj.matrix.
  /// Errors   those of Trajectory::check; Errc::shape (image), Errc::range (a position beyond half a cycle a voxel,
  /// tolerance, width, oversampling, memory: what is needed at least), Errc::device
  explicit Nufft(const Trajectory& traj, Shape image = {}, const NufftOptions& options = {},
                 const Cancel* cancel = nullptr);

  /// image    c64 (real types and c128 are converted) (x, y[, z], batch ...), where the plan's device is
  /// result   c64 (sample axes ..., batch ...)
  /// Errors   Errc::type, Errc::shape (with both shapes), Errc::device, Errc::cancelled
  Array forward(const Array& image, const Cancel* cancel = nullptr) const;
  /// samples  c64 (sample axes ..., batch ...)
  /// weights  empty, or of the sample axes: the density compensation, multiplied in on the way; complex ones turn the
  ///          phase too (`shift_phase`)
  /// result   c64 (x, y[, z], batch ...)
  /// Errors   as above, Errc::numeric for a sample or weight that is not finite (its index), Errc::range when every
  /// weight is 0
  Array adjoint(const Array& samples, const Array& weights = {}, const Cancel* cancel = nullptr) const;

  /// The same into memory that is there, for streams of transforms: first touching new memory costs a tenth of one.
  /// out      c64, contiguous, of the shape that the call above gives; whatever shares its buffer sees the change
  /// Errors   also Errc::shape (out)
  void forward_into(Array& out, const Array& image, const Cancel* cancel = nullptr) const;
  void adjoint_into(Array& out, const Array& samples, const Array& weights = {}, const Cancel* cancel = nullptr) const;

  const Shape& image_shape() const;
  const Shape& sample_shape() const;
  const Axes& image_axes() const;
  const Axes& sample_axes() const;
  Device device() const;
  const NufftFacts& facts() const;
  /// Bytes that the plan keeps, and the most that a call uses beside its input and result.
  std::size_t memory() const { return facts().plan_bytes + facts().work_bytes; }

  struct Plan;

 private:
  std::shared_ptr<const Plan> plan_;
};

/// Weights (all 1 when empty) that also move the image of an adjoint by so many voxels along x, y(, z):
/// w exp(-2 pi i k . shift / n). c64 of the sample axes. Errors   Errc::shape
Array shift_phase(const Trajectory& traj, const Shape& image, const Array& weights, std::span<const double> voxels);

}  // namespace larmor::recon
