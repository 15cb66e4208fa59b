// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/ivim/model.hpp>
#include <set>
#include <vector>

namespace larmor::ivim {

void register_ivim_models(Models& registry);  // generated

const Models& models() {
  static const Models all = [] {
    Models m("IVIM model", "larmor list ivim-models");
    register_ivim_models(m);
    return m;
  }();
  return all;
}

void check_b_values(std::span<const double> b) {
  for (const double v : b)
    if (!(v >= 0) || !std::isfinite(v))
      throw Error(Errc::range, fmt::format("a b-value of {}", v), "give b >= 0 [s/mm2]");
  if (b.empty()) return;
  // Below 10 s/mm2 water loses 3 % at most; at 1e5, nothing is left of it.
  const double largest = *std::max_element(b.begin(), b.end());
  if (largest > 1e5)
    throw Error(Errc::range, fmt::format("the largest b-value is {:g}, beyond 1e5 s/mm2", largest),
                "give s/mm2: those in s/m2 are 1e6 times as large");
  if (largest > 0 && largest < 10)
    throw Error(Errc::range, fmt::format("the largest b-value is {:g}, below 10 s/mm2", largest),
                "give s/mm2: those in ms/um2 are to be multiplied by 1000");
}

void check_samples(std::span<const double> design, std::size_t per, std::size_t free, const std::string& title) {
  std::set<std::vector<double>> different;
  for (std::size_t k = 0; k + per <= design.size(); k += per)
    different.emplace(design.begin() + static_cast<std::ptrdiff_t>(k),
                      design.begin() + static_cast<std::ptrdiff_t>(k + per));
  if (different.size() < free)
    throw Error(Errc::range,
                fmt::format("{} different b-values ({} samples) for {} free parameters of {}", different.size(),
                            design.size() / per, free, title),
                fmt::format("give at least {}, fix parameters, or use priors (ivim.map)", free));
}

}  // namespace larmor::ivim
