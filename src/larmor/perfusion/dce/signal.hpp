// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <larmor/fit/status.hpp>
#include <span>
#include <string>
#include <vector>

namespace larmor::dce {

/// Spoiled gradient echo in steady state, short TE (T2* is left out). FA [rad], TR [s], r1 [1/(s mM)].
struct Spgr {
  double FA = 0, TR = 0, r1 = 4.5;
  /// Errors   Errc::range naming the value and what is allowed
  void check() const;
};

/// S = M0 sin FA (1 - E1) / (1 - cos FA E1), E1 = exp(-TR R1), R1 = 1/T10 + r1 C. Source   Haase et al., JMR 67:258
/// (1986)
double spgr_signal(double M0, double T1, const Spgr& s);

struct ConversionOptions {
  std::string method = "spgr";  // "spgr" (exact) or "linear" (C = (S/S0 - 1) / (T10 r1))
  int baseline_first = 0;       // frames [first, last) whose mean is S0
  int baseline_last = 0;        // 0: automatic, up to the bolus arrival of the mean curve
  Device device = {};           // of the frames; a signal that is on a CUDA device runs there
};

/// Signal to concentration and back, voxel-wise.
///
/// signal  (voxels..., t) any real type; T10 one a voxel [s] or one for all; B1 one a voxel (actual/nominal FA) or
///         empty
/// Result  f32 on the CPU, same shape [mM]; negative values are kept. NaN and a status where the equation has no
/// solution:
///         not in the mask -> outside, baseline <= 0 -> no_signal, T10 or B1 not positive, or a signal that is not
///         finite -> bad_data; frames whose signal is below 0 or above what any R1 can give are NaN -> out_of_range.
/// Errors  Errc::shape, Errc::range, Errc::unknown_name (method), Errc::numeric (automatic baseline, nothing rises),
///         Errc::device when there is no such device
struct Conversion {
  Array concentration;
  std::vector<fit::FitStatus> status;         // converged where good
  int baseline_first = 0, baseline_last = 0;  // the frames used
};
Conversion signal_to_concentration(const Array& signal, std::span<const double> times, const Spgr& spgr,
                                   std::span<const float> T10, std::span<const float> B1 = {},
                                   std::span<const std::uint8_t> mask = {}, const ConversionOptions& options = {},
                                   const Cancel* cancel = nullptr);
/// One curve in double precision; S0 is given. Errors   none; NaN where there is no solution
void spgr_concentration(std::span<const double> signal, double S0, double T10, const Spgr& spgr, std::span<double> out);
/// Forward: signal of a curve whose baseline signal is S0.
void spgr_signal(std::span<const double> concentration, double S0, double T10, const Spgr& spgr, std::span<double> out);

/// Number of baseline frames, those at least half a frame before the bolus arrives in the mean curve of the mask (at
/// least 1). Errors   Errc::numeric when nothing rises
int automatic_baseline(const Array& signal, std::span<const std::uint8_t> mask);

}  // namespace larmor::dce
