// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/error.hpp>
#include <larmor/perfusion/ivim/estimate.hpp>
#include <larmor/perfusion/ivim/segmented.hpp>

namespace larmor::ivim {

void register_segmented(Methods& methods) {
  methods.add("ivim.segmented",
              {.title = "Two steps: D and f at high b, then D*",
               .source = "Le Bihan et al., Radiology 168:497 (1988); Federau et al., Radiology 265:874 (2012)",
               .run = [](const Signals& s, const EstimateOptions& o, const Progress& progress, const Cancel* cancel) {
                 SegmentedOptions options;
                 options.b_threshold = o.b_threshold, options.params = o.bounds(), options.scalar = o.scalar;
                 return Estimate{.fit = segmented_fit(s.data, s.b, s.mask, options, progress, cancel),
                                 .model = o.model};
               }});
}

}  // namespace larmor::ivim
