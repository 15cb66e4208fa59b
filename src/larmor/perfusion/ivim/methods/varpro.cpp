// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/error.hpp>
#include <larmor/perfusion/ivim/estimate.hpp>
#include <larmor/perfusion/ivim/varpro.hpp>

namespace larmor::ivim {

void register_varpro(Methods& methods) {
  methods.add("ivim.varpro",
              {.title = "Variable projection",
               .source = "Golub and Pereyra, SIAM J. Numer. Anal. 10:413 (1973); Kaufman, BIT 15:49 (1975)",
               .run = [](const Signals& s, const EstimateOptions& o, const Progress& progress, const Cancel* cancel) {
                 VarproOptions options;
                 options.params = o.bounds(), options.weights = s.counts, options.scalar = o.scalar;
                 return Estimate{.fit = varpro_fit(s.data, s.b, s.mask, options, progress, cancel), .model = o.model};
               }});
}

}  // namespace larmor::ivim
