// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <larmor/core/registry.hpp>
#include <larmor/fit/status.hpp>
#include <span>
#include <string>
#include <vector>

namespace larmor::dsc {

/// How contrast agent that leaks out of vessels is taken out of dR2 curves.
struct LeakageMethod {
  std::string title, source;
  bool backflow = false;  // what leaked comes back at a rate of its own in every voxel
};
using LeakageMethods = Registry<LeakageMethod>;
/// leakage.bsw leakage.bidirectional
const LeakageMethods& leakages();

struct LeakageOptions {
  std::string method = "leakage.bidirectional";
  int baseline_first = 0, baseline_last = 0;  // frames before the bolus, as relaxation_change found them
  int tail = 10;  // last frames, where voxels of the reference curve are back at the baseline
  /// Curves fitted beside the reference curve m, so that voxels of other delays and transit times do not look as if
  /// they leaked: its derivative, m convolved with exp(-t / 8 s), its second derivative, m with exp(-t / 3 s). An
  /// exponential residue of any transit time M is m and m with exp(-t / M) together. 0 is the equation of the papers.
  int shape_terms = 4;
  /// Voxels whose K2 is within this many standard errors of 0 are left as they are: a correction of nothing is noise.
  double significance = 2;
  Device device = {};
  bool scalar = false;  // what the threads of CUDA do, one after another on the CPU: slow, for comparison
};
/// dR2(t) = K1 m(t) - K2 integral of m(s) exp(-kep (t - s)) ds in every voxel, m the mean curve of voxels that do not
/// leak; kep = 0 for BSW, up to 2 1/min else. A constant is fitted beside them, for the error of the baseline.
/// Corrected are the data, not the model: dR2 + K2 integral. So a voxel without leakage keeps its curve, and with it
/// its contrast in CBV.
///
/// dR2     f32 (voxels..., t) [1/s]
/// Errors  Errc::shape, Errc::range, Errc::unknown_name (method), Errc::numeric (no voxel for the reference curve),
///         Errc::device
/// Source  Boxerman et al., AJNR 27:859 (2006); Leu et al., AJNR 37:1 (2016) and JMRI 44:1229 (2016)
struct Leakage {
  Array corrected;                     // f32 (voxels..., t) [1/s]
  std::vector<float> K2, K2_se;        // [1/s], above 0 where T1 effects of what leaked win
  std::vector<float> kep;              // [1/s] empty for BSW
  std::vector<fit::FitStatus> status;  //
  std::vector<double> reference;       // [frame] m
  std::int64_t n_reference = 0;        // voxels of it
};
Leakage correct_leakage(const Array& dR2, std::span<const double> times, std::span<const std::uint8_t> mask,
                        const LeakageOptions& options, const Cancel* cancel = nullptr);

}  // namespace larmor::dsc
