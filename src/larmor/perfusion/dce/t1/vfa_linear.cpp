// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/dce/vfa.hpp>

namespace larmor::dce {
namespace {

/// S / sin FA = E1 S / tan FA + M0 (1 - E1): a straight line, unweighted. Its noise is not constant along the line, so
/// it is biased at low signal-to-noise ratio; the standard errors are those of this estimate, not of least squares.
T1Result map(const Array& signal, const T1Protocol& protocol, std::span<const float> B1,
             std::span<const std::uint8_t> mask, const Progress& progress, const Cancel* cancel) {
  return vfa_map(VfaFit::linear, signal, protocol, B1, mask, progress, cancel);
}

}  // namespace

void register_vfa_linear(T1Methods& all) {
  all.add("t1.vfa_linear",
          {.title = "Variable flip angle, linear (DESPOT1)",
           .source = "Gupta, JMR 25:231 (1977); Deoni et al., MRM 49:515 (2003)",
           .needs = "flip angles [rad], one TR [s]",
           .min_volumes = 2,
           .map = map},
          {"despot1"});
}

}  // namespace larmor::dce
