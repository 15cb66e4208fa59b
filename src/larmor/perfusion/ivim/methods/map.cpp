// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/ivim/estimate.hpp>

namespace larmor::ivim {

Estimate least_squares(const Signals& s, const EstimateOptions& o, bool map, const Progress& progress,
                       const Cancel* cancel);

void register_map(Methods& methods) {
  methods.add("ivim.map", {.title = "Maximum a posteriori with wide log-normal priors",
                           .source = "Gustafsson et al., MRM 79:1674 (2018)",
                           .any_model = true,
                           .run = [](const auto& s, const auto& o, const auto& progress, const Cancel* cancel) {
                             Estimate e = least_squares(s, o, true, progress, cancel);
                             e.noise_sd = o.noise_sd.value_or(0);
                             return e;
                           }});
}

}  // namespace larmor::ivim
