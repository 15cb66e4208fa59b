// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/asl/differences.hpp>

namespace larmor::asl {
namespace {

WeightRows mean_weights(std::span<const Role> roles) {
  const auto controls = std::count(roles.begin(), roles.end(), Role::control),
             labels = std::count(roles.begin(), roles.end(), Role::label);
  if (controls == 0 || labels == 0)
    throw Error(Errc::shape, fmt::format("{} control and {} label volumes", controls, labels),
                "a difference needs both; check the volume types (aslcontext.tsv)");
  WeightRows rows(1);
  for (const Role r : roles)
    rows[0].push_back(r == Role::control ? 1.0 / static_cast<double>(controls) : -1.0 / static_cast<double>(labels));
  return rows;
}

}  // namespace

void register_mean(DifferenceMethods& all) {
  all.add("difference.mean", {.title = "Mean of the controls minus mean of the labels",
                              .source = "Alsop et al., MRM 73:102 (2015)",
                              .weights = mean_weights});
}

}  // namespace larmor::asl
