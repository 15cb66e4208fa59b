// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/dce/vfa.hpp>

namespace larmor::dce {
namespace {

/// Least squares of the exact equation S = M0 sin FA (1 - E1) / (1 - cos FA E1). M0 is linear and projected out, so
/// the search is in R1 alone, from the DESPOT1 line; standard errors from the Jacobian.
T1Result map(const Array& signal, const T1Protocol& protocol, std::span<const float> B1,
             std::span<const std::uint8_t> mask, const Progress& progress, const Cancel* cancel) {
  return vfa_map(VfaFit::nonlinear, signal, protocol, B1, mask, progress, cancel);
}

}  // namespace

void register_vfa_nonlinear(T1Methods& all) {
  all.add(
      "t1.vfa_nonlinear",
      {.title = "Variable flip angle, nonlinear least squares",
       .source = "Exact SPGR equation, Haase et al., JMR 67:258 (1986); M0 projected out, Kaufman, BIT 15:49 (1975)",
       .needs = "flip angles [rad], TR [s] (one, or one a volume)",
       .min_volumes = 2,
       .map = map},
      {"vfa"});
}

}  // namespace larmor::dce
