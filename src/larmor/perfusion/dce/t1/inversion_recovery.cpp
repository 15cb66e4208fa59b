// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/perfusion/dce/recovery.hpp>

namespace larmor::dce {
namespace {

/// S(TI) = a + b exp(-TI / T1): any inversion efficiency and repetition time are in a and b. M0 is a, and the
/// efficiency -b / a - 1 (1: complete), both as for a TR of several T1.
T1Result map(const Array& signal, const T1Protocol& protocol, std::span<const float>,
             std::span<const std::uint8_t> mask, const Progress& progress, const Cancel* cancel) {
  return recovery_map(signal, protocol, mask, progress, cancel, [](const Recovery& r) {
    return RecoveryValues{.T1 = 1 / r.R,
                          .T1_se = std::sqrt(r.covariance[2][2]) / (r.R * r.R),
                          .M0 = r.a,
                          .M0_se = std::sqrt(r.covariance[0][0]),
                          .efficiency = -r.b / r.a - 1};
  });
}

}  // namespace

void register_inversion_recovery(T1Methods& all) {
  all.add("t1.inversion_recovery",
          {.title = "Inversion recovery, 3 parameters",
           .source = "Barral et al., MRM 64:1057 (2010)",
           .needs = "inversion times [s]",
           .min_volumes = 3,
           .map = map},
          {"ir"});
}

}  // namespace larmor::dce
