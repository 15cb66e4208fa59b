// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/error.hpp>
#include <larmor/perfusion/ivim/estimate.hpp>
#include <limits>

namespace larmor::ivim {

void register_posterior(Methods& methods) {
  methods.add("ivim.posterior",
              {.title = "Posterior mean and sd by nodes in D and D*",
               .source = "Neil and Bretthorst, MRM 29:642 (1993); Koay and Basser, J. Magn. Reson. 179:317 (2006)",
               .run =
                   [](const Signals& s, const EstimateOptions& o, const Progress& progress, const Cancel* cancel) {
                     if (o.S0_from_b0)
                       throw Error(Errc::usage, "S0 is taken from b = 0, but ivim.posterior has it free",
                                   "leave S0 free: it is integrated out");
                     PosteriorOptions options;
                     options.prior = o.prior(), options.noise_sd = o.noise_sd, options.magnitude = o.magnitude;
                     options.counts = s.counts, options.scalar = o.scalar;
                     Posterior p = grid_posterior(s.data, s.b, s.mask, options, progress, cancel);
                     Estimate e;
                     e.fit.params = models().get("ivim.biexponential").params;
                     for (std::size_t m = 0; m < 4; ++m) {
                       e.fit.values.push_back(std::move(p.mean[m]));
                       e.fit.standard_error.push_back(std::move(p.sd[m]));
                     }
                     e.fit.status = std::move(p.status), e.flags = std::move(p.flags), e.noise_sd = p.noise_sd;
                     return e;
                   }},
              {"ivim.bayes"});
}

}  // namespace larmor::ivim
