// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/perfusion/dsc/basis.hpp>
#include <larmor/perfusion/dsc/kernels/residue_kernel.hpp>
#include <span>
#include <vector>

namespace larmor::dsc {

/// Tissue curves that a residue model makes of one input, for every transit time (0.5 to 30 s), delay and shape that a
/// fit may come to. Neighbouring curves are nearly the same, so all of them lie in a subspace of few dimensions, and
/// fits work with coordinates there instead of frames.
class CurveTable {
 public:
  /// earliest, latest   [s] delays
  CurveTable(const ResidueModel& model, std::span<const double> aif, double step, double earliest, double latest);
  /// What the kernels read; pointers into this object.
  const ResidueTable& view() const { return view_; }
  std::span<const float> basis() const { return basis_; }  // (rank, frames) orthonormal
  std::size_t n_frames() const { return n_frames_; }
  /// Largest part of a curve of unit norm that is outside the subspace.
  double left_out() const { return left_out_; }

  // The arrays of the view, for copies to a device.
  std::span<const float> curves() const { return curves_; }
  std::span<const double> inverse() const { return inverse_; }
  std::span<const double> norm2() const { return norm2_; }
  std::span<const float> ones() const { return ones_; }
  std::span<const double> shapes() const { return shapes_; }
  std::span<const float> coarse_curves() const { return coarse_; }
  std::span<const float> coarse_norms() const { return coarse_norms_; }
  std::span<const int> coarse_nodes() const { return coarse_nodes_; }

 private:
  std::size_t nodes() const { return norm2_.size(); }
  std::vector<float> full_curves(const ResidueModel& model, std::span<const double> aif, double step);
  void project(const std::vector<float>& full);
  void invert();
  void choose_coarse();

  std::size_t n_frames_;
  ResidueTable view_{};
  double left_out_ = 0;
  std::vector<double> shapes_, inverse_, norm2_;
  std::vector<float> basis_, curves_, ones_, coarse_, coarse_norms_;
  std::vector<int> coarse_nodes_;
};

/// Orthonormal directions (rank, n) that hold `curves` (rows of n numbers), those that hold most first: as many as
/// leave at most `leave` of the squared norm of any row of unit norm, a multiple of 16 (rows of 0 fill up) and at most
/// `most`. `held`: for every number of directions the largest share that is left out.
std::vector<float> subspace_of(std::span<const float> curves, std::size_t n, double leave, std::size_t most,
                               std::vector<double>& held);

}  // namespace larmor::dsc
