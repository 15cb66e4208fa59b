// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/recon/nufft/nufft.hpp>

namespace larmor::recon {

/// The transform of a trajectory while every voxel also precesses at a frequency of its own:
///
///   s_j = sum_x m_x exp(-2 pi i (k_j . x + f_x t_j)),   exp(-2 pi i f t) = sum_l b_l(t) exp(-2 pi i f tau_l)
///
/// with segments tau_l spread evenly over the readout, and b(t) the least-squares fit over the frequencies that the map
/// holds: so many NUFFTs, all side by side. As many segments as the tolerance needs.
/// Source   Noll et al., IEEE Trans. Med. Imaging 10:629 (1991); Sutton, Noll and Fessler, IEEE Trans. Med. Imaging
/// 22:178 (2003), section II.C
class OffResonanceNufft {
 public:
  /// frequency   real (x, y[, z]) [Hz]; the trajectory's times are needed
  /// Errors      those of Nufft; Errc::shape (frequency, times), Errc::numeric for a frequency that is not finite,
  /// Errc::range when more than 64 segments would be needed, with what f x t is
  OffResonanceNufft(const Trajectory& traj, const Array& frequency, const NufftOptions& options = {},
                    const Cancel* cancel = nullptr);

  /// As those of Nufft, and adjoint to each other.
  Array forward(const Array& image, const Cancel* cancel = nullptr) const;
  Array adjoint(const Array& samples, const Array& weights = {}, const Cancel* cancel = nullptr) const;

  /// The transform that all segments share.
  const Nufft& plan() const { return nufft_; }
  int segments() const { return static_cast<int>(segment_times_.size()); }
  /// Root mean square of what the segments leave of the exponential, over frequencies and times.
  double segment_error() const { return error_; }

 private:
  Nufft nufft_;
  std::vector<double> segment_times_;
  Array turn_;          // c64 (voxel, segment): exp(-2 pi i f tau)
  Array interpolator_;  // c64 (sample of an arm, segment): b
  double error_ = 0;
  std::int64_t per_arm_ = 0;
};

}  // namespace larmor::recon
