// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/fit/status.hpp>
#include <larmor/perfusion/dce/aif_models.hpp>
#include <larmor/perfusion/dce/dro.hpp>
#include <larmor/perfusion/dce/dro_parts.hpp>
#include <larmor/perfusion/dce/signal.hpp>
#include <limits>
#include <numbers>

namespace larmor::dce {
namespace {

constexpr float nanf = std::numeric_limits<float>::quiet_NaN();

void check(const DroOptions& o) {
  for (const auto n : o.grid)
    if (n < 1)
      throw Error(Errc::shape, fmt::format("DRO: a grid of {} x {} x {}", o.grid[0], o.grid[1], o.grid[2]),
                  "give extents of 1 or more");
  if (!(o.noise_sd >= 0 && std::isfinite(o.noise_sd)) || !(o.snr >= 0 && std::isfinite(o.snr)))
    throw Error(Errc::range, fmt::format("DRO: noise_sd {} mM, snr {}", o.noise_sd, o.snr),
                "give values of 0 (none) or more");
  if (!std::isfinite(o.delay))
    throw Error(Errc::range, fmt::format("DRO: a delay of {} s", o.delay), "give a finite time");
  if (!o.signal) return;
  Spgr{.FA = o.FA, .TR = o.TR, .r1 = o.r1}.check();
  for (double FA : o.vfa_FA) Spgr{.FA = FA, .TR = o.TR, .r1 = o.r1}.check();
  if (!(o.M0 > 0)) throw Error(Errc::range, fmt::format("DRO: M0 is {}", o.M0), "give a value above 0");
  for (double T1 : o.T10)
    if (!(T1 > 0 && std::isfinite(T1)))
      throw Error(Errc::range, fmt::format("DRO: a T10 of {} s", T1), "give values above 0");
}

std::vector<Quantity> quantities_of(const DroOptions& o, const ReferenceModel& model, const std::string& id) {
  std::vector<Quantity> all;
  std::vector<std::string> names;
  for (const auto& p : model.params) {
    names.push_back(p.name);
    const auto given = o.values.find(p.name);
    all.push_back({p.name, p.unit, p.title, given == o.values.end() ? p.levels : given->second});
    if (all.back().levels.empty())
      throw Error(Errc::shape, fmt::format("DRO: no levels of {}", p.name), "give at least one value");
  }
  for (const auto& [name, levels] : o.values)
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw unknown_name("parameter of " + id, name, names);
  if (o.signal) {
    if (o.T10.empty()) throw Error(Errc::shape, "DRO: no levels of T10", "give at least one value [s]");
    all.push_back({"T10", "s", "T1 before contrast", o.T10});
  }
  return all;
}

}  // namespace

Dro make_dro(const DroOptions& options) {
  check(options);
  const auto& o = options;
  const std::string id = reference_models().resolve(o.model);
  const auto& aif_model = aif_models().get(o.aif);
  std::vector<double> times = o.times;
  if (times.empty())
    for (int i = 0; i < 60; ++i) times.push_back(5.0 * i);
  const auto quantities = quantities_of(o, reference_models().get(id), id);

  Dro dro;
  dro.aif = sample_aif(aif_model, times, o.arrival, o.Hct);
  const double to_plasma = aif_model.plasma ? 1 : 1 / (1 - o.Hct);
  const auto artery_at = [&](double shift) {
    return [f = aif_model.value, to_plasma, begin = o.arrival + shift](double t) { return to_plasma * f(t - begin); };
  };
  std::function<double(double)> portal;
  if (id == "dce.dual_input") {
    const auto vein = portal_of(artery_at(0), o.arrival, times.back());
    dro.portal = dro.aif;
    for (std::size_t i = 0; i < times.size(); ++i) dro.portal.values[i] = vein(times[i]);
    dro.portal.source = "portal vein: " + aif_model.title + " through 4 s and a compartment of 8 s";
    portal = [vein, shift = o.delay](double t) { return vein(t - shift); };
  }

  // One curve a combination of levels.
  const std::size_t n_params = quantities.size() - (o.signal ? 1 : 0), n_frames = times.size();
  std::size_t n_sets = 1;
  for (const auto& q : quantities) n_sets *= q.levels.size();
  const std::size_t n_T10 = o.signal ? o.T10.size() : 1, n_curves = n_sets / n_T10;
  if (n_sets > 1000000)
    throw Error(Errc::range, fmt::format("DRO: {} combinations of levels", n_sets),
                "give fewer levels (at most 1,000,000 combinations)");
  const ReferenceCurves curves(id, artery_at(o.delay), times, portal);
  std::vector<float> series(n_sets * n_frames);  // [set][frame]; set = T10 level fastest, then the last parameter
  parallel_for(n_curves, 4, [&](std::size_t begin, std::size_t end) {
    for (std::size_t k = begin; k < end; ++k) {
      std::vector<double> p(n_params);
      for (std::size_t q = n_params, rest = k; q-- > 0; rest /= quantities[q].levels.size())
        p[q] = quantities[q].levels[rest % quantities[q].levels.size()];
      const auto C = curves(p);
      for (std::size_t j = 0; j < n_T10; ++j)
        for (std::size_t t = 0; t < n_frames; ++t)
          series[(k * n_T10 + j) * n_frames + t] = static_cast<float>(
              o.signal ? spgr_signal(o.M0, 1 / (1 / o.T10[j] + o.r1 * C[t]), {.FA = o.FA, .TR = o.TR, .r1 = o.r1})
                       : C[t]);
    }
  });

  // Which set each voxel has; -1 outside.
  const DroLayout layout(o.grid, quantities);
  const auto n_voxels = static_cast<std::size_t>(o.grid[0] * o.grid[1] * o.grid[2]);
  std::vector<std::int32_t> set(n_voxels, -1);
  std::vector<std::vector<float>> truth(quantities.size(), std::vector<float>(n_voxels, nanf));
  for (std::size_t v = 0; v < n_voxels; ++v) {
    const auto i = static_cast<std::int64_t>(v);
    const std::array<std::int64_t, 3> at{i % o.grid[0], i / o.grid[0] % o.grid[1], i / (o.grid[0] * o.grid[1])};
    if (!layout.inside(at)) continue;
    std::size_t index = 0;
    for (std::size_t q = 0; q < quantities.size(); ++q) {
      const std::size_t level = layout.level(q, at);
      index = index * quantities[q].levels.size() + level;
      truth[q][v] = static_cast<float>(quantities[q].levels[level]);
    }
    set[v] = static_cast<std::int32_t>(index);
  }

  const Shape grid{o.grid[0], o.grid[1], o.grid[2]};
  const auto with_axis = [&](std::size_t n) {
    Shape s = grid;
    s.push_back(static_cast<std::int64_t>(n));
    return s;
  };
  const double middle_T10 = o.signal ? o.T10[o.T10.size() / 2] : 1;
  const double sd = o.signal
                        ? (o.snr > 0 ? spgr_signal(o.M0, middle_T10, {.FA = o.FA, .TR = o.TR, .r1 = o.r1}) / o.snr : 0)
                        : o.noise_sd;
  // Volumes of either series: `value(set, volume)` plus noise, Rician for signals (magnitude of a complex one).
  const auto fill = [&](Array& array, std::size_t n_volumes, std::uint64_t stream, const auto& value) {
    float* out = array.data<float>();
    parallel_for(n_volumes * n_voxels, 1 << 16, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        const std::size_t volume = i / n_voxels, v = i % n_voxels;
        const float clean = set[v] < 0 ? 0.0f : value(static_cast<std::size_t>(set[v]), volume);
        if (sd == 0) {
          out[i] = clean;
        } else {
          const auto [a, b] = gaussians(o.seed, stream, i);
          out[i] = static_cast<float>(o.signal ? std::hypot(clean + sd * a, sd * b) : clean + sd * a);
        }
      }
    });
  };

  dro.dynamic.affine = Affine::scaling(2, 2, 4);
  dro.dynamic.data = Array::uninitialised(DType::f32, with_axis(n_frames), {"x", "y", "z", "t"});
  dro.dynamic.times = times;
  dro.dynamic.source = "digital reference object " + id;
  fill(dro.dynamic.data, n_frames, 0, [&](std::size_t s, std::size_t t) { return series[s * n_frames + t]; });
  constexpr double degree = 180 / std::numbers::pi;
  if (o.signal) {
    dro.dynamic.meta["FlipAngle"] = o.FA * degree;
    dro.dynamic.meta["RepetitionTimeExcitation"] = o.TR;
    if (!o.vfa_FA.empty()) {
      std::vector<float> levels;  // [T10][angle]
      std::vector<double> FA_degrees;
      for (double T1 : o.T10)
        for (double FA : o.vfa_FA)
          levels.push_back(static_cast<float>(spgr_signal(o.M0, T1, {.FA = FA, .TR = o.TR, .r1 = o.r1})));
      for (double FA : o.vfa_FA) FA_degrees.push_back(FA * degree);
      dro.vfa.affine = dro.dynamic.affine;
      dro.vfa.data = Array::uninitialised(DType::f32, with_axis(o.vfa_FA.size()), {"x", "y", "z", "fa"});
      dro.vfa.source = dro.dynamic.source;
      dro.vfa.meta["FlipAngle"] = FA_degrees;
      dro.vfa.meta["RepetitionTimeExcitation"] = o.TR;
      fill(dro.vfa.data, o.vfa_FA.size(), 1,
           [&](std::size_t s, std::size_t i) { return levels[s % n_T10 * o.vfa_FA.size() + i]; });
    }
  }

  dro.mask = dro.dynamic.like(Array(DType::u8, grid));
  dro.truth.reference = dro.mask;
  dro.truth.status = Array(DType::u8, grid);
  for (std::size_t v = 0; v < n_voxels; ++v)
    if (set[v] >= 0) {
      dro.mask.data.data<std::uint8_t>()[v] = 1;
      dro.truth.status.data<std::uint8_t>()[v] = static_cast<std::uint8_t>(fit::FitStatus::converged);
    }
  const auto add_map = [&](const std::string& name, const std::string& unit, const std::string& title,
                           std::span<const float> values) {
    dro.truth.maps.push_back({.name = name,
                              .symbol = name,
                              .unit = unit,
                              .title = title,
                              .values = Array::from<float>(values, grid),
                              .standard_error = {}});
  };
  for (std::size_t q = 0; q < quantities.size(); ++q)
    add_map(quantities[q].name, quantities[q].unit, quantities[q].title, truth[q]);
  const auto constant = [&](double value) {
    std::vector<float> map(n_voxels, nanf);
    for (std::size_t v = 0; v < n_voxels; ++v)
      if (set[v] >= 0) map[v] = static_cast<float>(value);
    return map;
  };
  if (o.signal) add_map("M0", "a.u.", "equilibrium signal", constant(o.M0));
  if (o.delay != 0) add_map("delay", "s", "arrival after the AIF", constant(o.delay));
  return dro;
}

}  // namespace larmor::dce
