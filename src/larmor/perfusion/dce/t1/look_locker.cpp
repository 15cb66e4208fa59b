// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/perfusion/dce/recovery.hpp>

namespace larmor::dce {
namespace {

/// S(TI) = A - B exp(-TI / T1_star), T1 = T1_star (B / A - 1): readout pulses shorten the recovery and lower its end.
/// M0 = A T1 / T1_star = B - A; efficiency holds B / A (2: complete inversion, few pulses).
T1Result map(const Array& signal, const T1Protocol& protocol, std::span<const float>,
             std::span<const std::uint8_t> mask, const Progress& progress, const Cancel* cancel) {
  return recovery_map(signal, protocol, mask, progress, cancel, [](const Recovery& r) {
    const double A = r.a, B = -r.b, T = 1 / r.R, stretch = B / A - 1;
    const double slope[3] = {-T * B / (A * A), -T / A, -T * T * stretch};  // of T1 by a, b, R
    double variance = 0;
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j) variance += slope[i] * slope[j] * r.covariance[i][j];
    return RecoveryValues{.T1 = T * stretch,
                          .T1_se = std::sqrt(variance),
                          .M0 = B - A,
                          .M0_se = std::sqrt(r.covariance[0][0] + 2 * r.covariance[0][1] + r.covariance[1][1]),
                          .efficiency = B / A};
  });
}

}  // namespace

void register_look_locker(T1Methods& all) {
  all.add("t1.look_locker",
          {.title = "Look-Locker, 3 parameters",
           .source = "Look & Locker, Rev Sci Instrum 41:250 (1970); Deichmann & Haase, JMR 96:608 (1992)",
           .needs = "times after inversion [s]",
           .min_volumes = 3,
           .map = map},
          {"ll", "molli"});
}

}  // namespace larmor::dce
