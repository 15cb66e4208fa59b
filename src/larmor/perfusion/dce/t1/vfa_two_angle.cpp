// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/core/error.hpp>
#include <larmor/perfusion/dce/vfa.hpp>

namespace larmor::dce {
namespace {

/// Two flip angles: the line of DESPOT1 goes through both points, E1 = (S1 / sin1 - S2 / sin2) / (S1 / tan1 - S2 /
/// tan2). No degree of freedom is left, so there are no standard errors.
T1Result map(const Array& signal, const T1Protocol& protocol, std::span<const float> B1,
             std::span<const std::uint8_t> mask, const Progress& progress, const Cancel* cancel) {
  if (protocol.FA.size() != 2)
    throw Error(Errc::range,
                fmt::format("T1 mapping: the two-angle method was given {} flip angles", protocol.FA.size()),
                "give 2 volumes, or use t1.vfa_nonlinear");
  return vfa_map(VfaFit::linear, signal, protocol, B1, mask, progress, cancel);
}

}  // namespace

void register_vfa_two_angle(T1Methods& all) {
  all.add("t1.vfa_two_angle", {.title = "Two flip angles, closed form",
                               .source = "Wang et al., MRM 5:399 (1987)",
                               .needs = "2 flip angles [rad], one TR [s]",
                               .min_volumes = 2,
                               .map = map});
}

}  // namespace larmor::dce
