// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/core/error.hpp>
#include <larmor/perfusion/asl/differences.hpp>

namespace larmor::asl {
namespace {

WeightRows pairwise_weights(std::span<const Role> roles) {
  std::vector<std::size_t> controls, labels;
  for (std::size_t i = 0; i < roles.size(); ++i) (roles[i] == Role::control ? controls : labels).push_back(i);
  if (controls.size() != labels.size() || controls.empty())
    throw Error(Errc::shape,
                fmt::format("{} control and {} label volumes make no pairs", controls.size(), labels.size()),
                "use difference.mean or difference.surround, or leave the odd volume out");
  WeightRows rows;
  for (std::size_t k = 0; k < controls.size(); ++k) {
    rows.emplace_back(roles.size(), 0.0);
    rows.back()[controls[k]] = 1, rows.back()[labels[k]] = -1;
  }
  return rows;
}

}  // namespace

void register_pairwise(DifferenceMethods& all) {
  all.add("difference.pairwise",
          {.title = "Each control minus its label",
           .source = "Aguirre et al., NeuroImage 15:488 (2002)",
           .weights = pairwise_weights},
          {"pairs"});
}

}  // namespace larmor::asl
