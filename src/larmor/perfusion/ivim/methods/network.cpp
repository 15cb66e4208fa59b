// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/ivim/network_data.hpp>
#include <larmor/perfusion/ivim/network_flags.hpp>
#include <limits>

namespace larmor::ivim {
namespace {

void check(const VoxelNetwork& net, const NetworkData& d) {
  const auto& p = net.protocol;
  bool same = p.b.size() == d.protocol.b.size();
  for (std::size_t k = 0; same && k < p.b.size(); ++k) same = std::abs(p.b[k] - d.protocol.b[k]) <= 1 + 0.01 * p.b[k];
  if (!same)
    throw Error(Errc::usage, fmt::format("the data have b = {} s/mm2 above 0", fmt::join(d.protocol.b, ", ")),
                fmt::format("the network was trained for {}: larmor ivim train --b", fmt::join(p.b, ", ")));
  // Self-supervised networks are told no noise; another number of volumes only makes them less right.
  if (net.kind != NetworkKind::posterior || p.count0 == 0) return;
  const std::vector<double> counts = p.counts.empty() ? std::vector<double>(p.b.size(), 1.0) : p.counts;
  if (counts != d.protocol.counts || p.count0 != d.protocol.count0)
    throw Error(Errc::usage,
                fmt::format("the data hold {} volumes at b = 0 and {} above", d.protocol.count0,
                            fmt::join(d.protocol.counts, ", ")),
                fmt::format("the network was trained for {} and {}: larmor ivim train --data", p.count0,
                            fmt::join(counts, ", ")));
}

Estimate run(const Signals& s, const EstimateOptions& o, const Progress& progress, const Cancel* cancel) {
  if (!o.network)
    throw Error(Errc::usage, "ivim.network needs a trained network", "name its weights (larmor ivim train makes them)");
  if (o.S0_from_b0) throw Error(Errc::usage, "S0 is always that at b = 0 for ivim.network", "leave S0 free");
  const VoxelNetwork& net = *o.network;
  NetworkData d = network_data(s);
  check(net, d);
  Estimate e;
  const bool posterior = net.kind == NetworkKind::posterior;
  if (posterior) e.noise_sd = o.noise_sd ? *o.noise_sd : noise_of(s, cancel);
  if (posterior && !(e.noise_sd > 0))
    throw Error(Errc::range, fmt::format("a noise sd of {}", e.noise_sd), "give a number above 0");
  std::vector<float> noise(posterior ? d.n : 0);
  for (std::size_t v = 0; v < noise.size(); ++v)
    noise[v] = d.good[v] ? static_cast<float>(e.noise_sd / d.S0[v]) : static_cast<float>(net.noise_low);
  progress.begin("IVIM by a network", d.n);
  // A network for a known S0 takes the signals as they are: they are in its units.
  if (net.protocol.count0 == 0)
    for (std::size_t k = 0; k < net.protocol.b.size(); ++k)
      for (std::size_t v = 0; v < d.n; ++v) d.ratios[k * d.n + v] *= d.S0[v];
  if (net.protocol.count0 == 0)
    for (std::size_t v = 0; v < noise.size(); ++v) noise[v] = static_cast<float>(e.noise_sd);
  const auto untrained = [&](std::size_t v) {  // a quarter more or less is clamped without harm
    return posterior && (noise[v] < 0.8 * net.noise_low || noise[v] > 1.25 * net.noise_high);
  };
  NetworkEstimate found = net(d.ratios, noise, d.n, cancel, s.data.device());
  progress.add(d.n);
  progress.end();
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  e.fit.params = models().get("ivim.biexponential").params;
  e.fit.values = {d.S0, std::move(found.f), std::move(found.D), std::move(found.D_star)};
  e.fit.standard_error.assign(4, std::vector<float>(d.n, nan));
  if (posterior) {
    for (std::size_t v = 0; v < d.n; ++v)
      e.fit.standard_error[0][v] = static_cast<float>(e.noise_sd / std::sqrt(d.protocol.count0));
    e.fit.standard_error[1] = std::move(found.sd_f), e.fit.standard_error[2] = std::move(found.sd_D);
    e.fit.standard_error[3] = std::move(found.sd_D_star);
    e.flags.assign(d.n, 0);
  }
  e.fit.status.assign(d.n, fit::FitStatus::converged);
  const Prior& p = net.prior;
  const double prior_D = (p.D_high - p.D_low) / std::sqrt(12.0),
               prior_star = (p.D_star_high - p.D_star_low) / std::sqrt(12.0);
  const float* y = nullptr;
  const Array packed = s.data.to(Device::cpu()).cast(DType::f32).contiguous_copy();
  y = packed.data<float>();
  for (std::size_t v = 0; v < d.n; ++v) {
    if (posterior && d.good[v])
      e.flags[v] =
          static_cast<std::uint8_t>((e.fit.standard_error[3][v] > 0.7 * prior_star ? prior_decides_D_star : 0) |
                                    (e.fit.standard_error[2][v] > 0.7 * prior_D ? prior_decides_D : 0) |
                                    (d.S0[v] < 5 * e.noise_sd ? low_signal : 0) | (untrained(v) ? untrained_noise : 0));
    if (d.good[v]) continue;
    bool finite = true, zero = true;
    for (std::size_t k = 0; k < s.b.size(); ++k)
      finite = finite && std::isfinite(y[k * d.n + v]), zero = zero && y[k * d.n + v] == 0;
    e.fit.status[v] = !s.mask.empty() && !s.mask[v] ? fit::FitStatus::outside
                      : !finite                     ? fit::FitStatus::bad_data
                      : zero                        ? fit::FitStatus::no_signal
                                                    : fit::FitStatus::out_of_range;
    for (std::size_t m = 0; m < 4; ++m) e.fit.values[m][v] = e.fit.standard_error[m][v] = nan;
  }
  return e;
}

}  // namespace

void register_network(Methods& methods) {
  methods.add("ivim.network",
              {.title = "A trained network of voxels",
               .source = "Barbieri et al., MRM 83:312 (2020); Kaandorp et al., MRM 86:2250 (2021); posterior networks: "
                         "Cranmer et al., PNAS 117:30055 (2020)",
               .run = run});
}

}  // namespace larmor::ivim
