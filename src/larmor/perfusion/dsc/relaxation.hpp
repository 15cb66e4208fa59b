// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <larmor/fit/status.hpp>
#include <span>
#include <string>
#include <vector>

namespace larmor::dsc {

using Mask = std::span<const std::uint8_t>;

/// Gradient or spin echo: S = S0 exp(-TE dR2). TE [s].
struct RelaxationOptions {
  double TE = 0.03;        // [s]
  int baseline_first = 0;  // frames [first, last) whose mean is S0; the first are not in steady state yet
  int baseline_last = 0;   // 0: automatic, up to the arrival of the bolus in the mean curve
  std::string arrival = "arrival.piecewise";
};
/// dR2(t) = -ln(S(t) / S0) / TE, of T2* or T2.
///
/// signal  (voxels..., t) any real type on any device
/// Result  f32 on the CPU, same shape [1/s]. NaN and a status where there is none: not in the mask -> outside, a
///         baseline that is not positive -> no_signal, a signal that is not finite -> bad_data, one that is 0 or less
///         after the baseline (the bolus took all of it: dR2 is only known to be large) -> out_of_range
/// Errors  Errc::shape, Errc::range (TE, frames), Errc::numeric (automatic baseline, nothing arrives)
/// Source  Rosen et al., MRM 14:249 (1990)
struct Relaxation {
  Array dR2;
  std::vector<fit::FitStatus> status;         // converged where good
  std::vector<float> S0, CNR;                 // [voxel] baseline; peak of dR2 over its baseline sd
  int baseline_first = 0, baseline_last = 0;  // the frames used
  double arrival = 0;                         // [s] of the bolus in the mean curve; the time of the last baseline frame
                                              // when the frames were given
};
Relaxation relaxation_change(const Array& signal, std::span<const double> times, Mask mask = {},
                             const RelaxationOptions& options = {}, const Cancel* cancel = nullptr);

/// From dR2 to concentration: dR2 = linear C + quadratic C^2, [1/(s mM)] and [1/(s mM2)]. Tissue is linear; blood is
/// not, because the contrast agent is inside the red cells' plasma only.
struct Relation {
  double linear = 44, quadratic = 0;  // Kjolby et al., MRM 56:187 (2006): 44 1/(s mM) of tissue at 1.5 T
  /// Errors   Errc::range unless linear >= 0, quadratic >= 0 and one is above 0
  void check() const;
  /// C of one dR2; odd in it, so that noise about 0 stays noise.
  double concentration(double dR2) const;
  double relaxation(double C) const;
};
/// Whole blood at 1.5 T. Source   van Osch et al., MRM 49:1067 (2003), haematocrit 0.35 to 0.45
inline constexpr Relation blood_1_5T{7.62, 0.574};
/// Whole blood at 3 T. Source   Akbudak and Conturo, Proc. ISMRM 11:1434 (2004), as Calamante, PNMRS 74:1 (2013) has it
inline constexpr Relation blood_3T{0.493, 2.62};

/// The same, for an array; what is not finite stays so.
Array concentration(const Array& dR2, const Relation& relation);

/// Mean curve over the mask of f32 (voxels..., t), of what is finite.
std::vector<double> mean_curve(const Array& series, Mask mask);

}  // namespace larmor::dsc
