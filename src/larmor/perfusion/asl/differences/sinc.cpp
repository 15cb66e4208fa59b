// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/asl/differences.hpp>
#include <numbers>

namespace larmor::asl {
namespace {

// Volumes of the other kind lie at odd distances d; between them a band-limited course is sum of sinc(d / 2) times
// them. A Hamming window of 8 neighbours either side keeps a jump from ringing through the run; the weights are scaled
// to 1, so that what does not change cancels at the ends too.
WeightRows sinc_weights(std::span<const Role> roles) {
  const std::size_t n = roles.size();
  for (std::size_t i = 1; i < n; ++i)
    if (roles[i] == roles[i - 1])
      throw Error(Errc::shape, fmt::format("volumes {} and {} are both {}", i, i + 1, name_of(roles[i])),
                  "sinc subtraction needs controls and labels in turns: use difference.surround or difference.mean");
  if (n < 2) throw Error(Errc::shape, fmt::format("{} volume", n), "a difference needs a control and a label volume");
  constexpr double width = 16, pi = std::numbers::pi;
  WeightRows rows;
  for (std::size_t i = 0; i < n; ++i) {
    const double sign = roles[i] == Role::control ? 1 : -1;
    std::vector<double> row(n);
    double sum = 0;
    for (std::size_t j = 0; j < n; ++j) {
      const double d = static_cast<double>(j) - static_cast<double>(i);
      if (roles[j] == roles[i] || std::abs(d) > width) continue;
      const double x = pi * d / 2;
      row[j] = std::sin(x) / x * (0.54 + 0.46 * std::cos(pi * d / (width + 1)));
      sum += row[j];
    }
    for (double& w : row) w *= -sign / sum;
    row[i] = sign;
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

void register_sinc(DifferenceMethods& all) {
  all.add("difference.sinc",
          {.title = "Each volume minus the other kind, interpolated by a sinc",
           .source = "Aguirre et al., NeuroImage 15:488 (2002); Liu and Wong, NeuroImage 24:207 (2005)",
           .weights = sinc_weights});
}

}  // namespace larmor::asl
