// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/progress.hpp>
#include <larmor/recon/parallel/sampling.hpp>

namespace larmor::recon {

struct GrappaOptions {
  int lines = 4;      // sampled neighbours of a missing line along each undersampled axis, even
  int width = 5;      // samples of the kernel along axes that were sampled in full, odd
  double l2 = 1e-4;   // relative to the mean energy of the calibration's samples
  bool noise = true;  // compute g
  const Cancel* cancel = nullptr;
  Progress progress = {};
};
struct Grappa {
  Array kspace;  // every sample; those measured as they were
  /// Noise of the combined image above what the number of samples explains: the kernels as weights in the image, with
  /// coils weighted by what the calibration lines show of them; f32. Empty unless samples besides those for calibration
  /// form a lattice. Calibration lines that are used, too, lower it.
  Array g;
  int kernels = 0;         // patterns of neighbours that were calibrated, of slices the most
  Array calibration = {};  // the largest middle part that was sampled in full
};
/// Missing samples of every coil as sums of measured neighbours of all coils; the weights are those that give the
/// samples of the calibration region best. Each pattern of measured neighbours has weights of its own, so that any
/// lattice, along one axis or two, and the lines beside the calibration region are filled. k-space goes on periodically
/// at its edges, as that of a discrete image does.
///
/// kspace   complex, full size with 0 where nothing was sampled, centred along `axes`, with a coil axis; what lies
/// along
///          others (slices) is calibrated and filled one by one, and g has those axes last
/// axes     2 or 3 axes
/// Errors   Errc::range when nothing is missing, for a calibration region too small for the kernel (equations and
///          unknowns), NaN, more than 512 patterns (a random sampling: use recon.pics); Errc::type, Errc::shape
/// Source   Griswold et al., MRM 47:1202 (2002); noise: Breuer et al., MRM 62:739 (2009)
Grappa grappa(const Array& kspace, const Axes& axes, const std::string& coil_axis, const GrappaOptions& options = {});

}  // namespace larmor::recon
