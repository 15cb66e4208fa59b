// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/asl/protocol.hpp>
#include <numbers>

namespace larmor::asl {
namespace {

std::vector<double> one_each(const std::vector<double>& values, std::size_t n, const char* name, const char* of) {
  if (values.size() == 1) return std::vector<double>(n, values[0]);
  if (values.size() == n) return values;
  throw Error(Errc::shape, fmt::format("'{}' holds {} values for {} {}", name, values.size(), n, of),
              fmt::format("give one {} for all, or {} of them [s]", name, n));
}

void check_times(const std::vector<double>& LD, const std::vector<double>& PLD, const Labelling& labelling) {
  for (std::size_t i = 0; i < LD.size(); ++i)
    if (!(LD[i] > 0 && LD[i] < 20))
      throw Error(Errc::range, fmt::format("a labelling duration of {} s", LD[i]),
                  LD[i] >= 20 ? "give seconds, not milliseconds" : "give LD > 0 [s]; for PASL the bolus cut-off (TI1)");
  for (std::size_t i = 0; i < PLD.size(); ++i) {
    if (!(PLD[i] >= 0 && PLD[i] < 20))
      throw Error(Errc::range, fmt::format("a post-labelling delay of {} s", PLD[i]),
                  PLD[i] >= 20 ? "give seconds, not milliseconds" : "give PLD >= 0 [s]");
  }
  // An image before the cut-off is one of a bolus that is not cut off yet, and the model knows it. Nothing but such
  // images are delays that were counted from the cut-off.
  const auto late = [&](std::size_t i) { return i >= LD.size() || PLD[i] >= LD[i]; };
  bool any = labelling.PLD_from_end;
  for (std::size_t i = 0; i < PLD.size(); ++i) any = any || late(i);
  if (!any && !PLD.empty())
    throw Error(
        Errc::range,
        fmt::format("{}: an image at {} s, before the bolus is cut off at {} s", labelling.title, PLD[0], LD[0]),
        "PLD of pulsed labelling counts from the inversion (TI), LD is the time of the cut-off (TI1)");
}

}  // namespace

double efficiency_of(const Protocol& p) {
  const double eff = p.label_eff.value_or(labellings().get(p.labelling).label_eff);
  if (!(eff > 0 && eff <= 1))
    throw Error(Errc::range, fmt::format("a labelling efficiency of {}", eff), "give one above 0, at most 1");
  if (p.suppression_pulses < 0 || p.suppression_pulses > 20)
    throw Error(Errc::range, fmt::format("{} background-suppression pulses", p.suppression_pulses), "give 0 to 20");
  if (!(p.suppression_eff > 0 && p.suppression_eff <= 1))
    throw Error(Errc::range, fmt::format("an efficiency of the suppression pulses of {}", p.suppression_eff),
                "give one above 0, at most 1");
  return eff * std::pow(p.suppression_eff, p.suppression_pulses);
}

double blood_T1(double B0) {
  if (!(B0 > 0 && B0 < 25))
    throw Error(Errc::range, fmt::format("a field of {} T", B0), "give the field strength in tesla");
  return B0 < 3 ? 1.65 + (B0 - 3) * (0.3 / 1.5) : 1.65 + (B0 - 3) * (0.44 / 4);
}

Timings timings_of(const Protocol& p, std::size_t n_volumes) {
  const Labelling& labelling = labellings().get(p.labelling);
  if (!(p.T1_blood > 0) || !std::isfinite(p.T1_blood))
    throw Error(Errc::range, fmt::format("a T1 of blood of {} s", p.T1_blood), "give T1 > 0 [s] (1.65 at 3 T)");
  const double efficiency = efficiency_of(p);
  Timings t;
  if (!p.encoding.empty()) {
    const std::size_t n = p.encoding[0].size();
    const auto LD = one_each(p.LD, n, "LD", "sub-boluses");
    if (p.PLD.size() != 1)
      throw Error(Errc::shape, fmt::format("'PLD' holds {} values for a time-encoded series", p.PLD.size()),
                  "give one: from the end of the last sub-bolus to the readout [s]");
    check_times(LD, p.PLD, labelling);
    t.samples.resize(n);
    double time = p.PLD[0];
    for (std::size_t j = n; j-- > 0;) {
      time += LD[j];
      t.samples[j] = {.time = time, .LD = LD[j], .efficiency = efficiency};
    }
    for (std::size_t j = 0; j < n; ++j) t.group.push_back(static_cast<int>(j));
    return t;
  }
  const auto LD = one_each(p.LD, n_volumes, "LD", "volumes"), PLD = one_each(p.PLD, n_volumes, "PLD", "volumes");
  check_times(LD, PLD, labelling);
  double readout_rate = 0, scale = 1;
  if (p.readout_FA) {
    const double half = std::numbers::pi / 2;
    for (const double FA : {*p.readout_FA, p.M0_FA.value_or(half)})
      if (!(FA > 0 && FA <= half))
        throw Error(Errc::range, fmt::format("a flip angle of {:g} deg of the Look-Locker readout", FA * 90 / half),
                    "give one above 0, below 90 deg");
    if (!(*p.readout_FA < half) || !(p.readout_interval > 0))
      throw Error(
          Errc::range,
          fmt::format("a Look-Locker readout of {:g} deg every {} s", *p.readout_FA * 90 / half, p.readout_interval),
          "give a flip angle below 90 deg and an interval above 0 [s]");
    readout_rate = -std::log(std::cos(*p.readout_FA)) / p.readout_interval;
    scale = p.M0_FA ? std::sin(*p.readout_FA) / std::sin(*p.M0_FA) : 1;
    // Pulses are a rate in the model. Label that arrives between two of them has on average half an interval less of
    // them behind it than the rate says: the rate begins half an interval before the first pulse, and half a pulse is
    // given back to all. Without it flow would be too high by that half, 5 % at 25 deg.
    scale /= std::sqrt(std::cos(*p.readout_FA));
  }
  std::vector<std::pair<double, double>> kinds;
  double first = 1e9;
  for (std::size_t i = 0; i < n_volumes; ++i) {
    const double time = signal_time(labelling, LD[i], PLD[i]);
    // BIDS gives volumes that are not labelled (M0) a delay of 0.
    if (PLD[i] > 0) first = std::min(first, time);
    t.samples.push_back({.time = time,
                         .LD = LD[i],
                         .efficiency = efficiency * scale,
                         .readout_start = 0,
                         .readout_rate = readout_rate});
    const auto kind = std::find_if(kinds.begin(), kinds.end(), [&](const auto& k) {
      return std::abs(k.first - LD[i]) < 1e-6 && std::abs(k.second - PLD[i]) < 1e-6;
    });
    t.group.push_back(static_cast<int>(kind - kinds.begin()));
    if (kind == kinds.end()) kinds.emplace_back(LD[i], PLD[i]);
  }
  if (readout_rate > 0)
    for (auto& s : t.samples) s.readout_start = first - p.readout_interval / 2;
  return t;
}

void check_slice_times(const Protocol& p, std::int64_t n_slices) {
  if (!p.slice_times.empty() && static_cast<std::int64_t>(p.slice_times.size()) != n_slices)
    throw Error(Errc::shape, fmt::format("{} slice times for {} slices", p.slice_times.size(), n_slices),
                "give one time a slice [s] from the first excitation, or none for a 3-D readout");
  for (const double t : p.slice_times)
    if (!(t >= 0 && t < 20))
      throw Error(Errc::range, fmt::format("a slice time of {} s", t),
                  t >= 20 ? "give seconds, not milliseconds" : "give times from the first excitation, >= 0 [s]");
}

}  // namespace larmor::asl
