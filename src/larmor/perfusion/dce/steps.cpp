// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/parallel.hpp>
#include <larmor/core/units.hpp>
#include <larmor/perfusion/dce/aif_models.hpp>
#include <larmor/perfusion/dce/descriptors.hpp>
#include <larmor/perfusion/dce/steps.hpp>
#include <limits>

namespace larmor::dce {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

ParameterMap T10_map(std::vector<float> T1, std::vector<float> se, Mask mask, const Shape& grid) {
  for (std::size_t v = 0; v < mask.size(); ++v)
    if (!mask[v]) {
      T1[v] = nan;
      if (!se.empty()) se[v] = nan;
    }
  return make_map("T10", "s", "T1 before contrast", T1, se, grid);
}

Shape grid_of(const Array& series) { return {series.extent(0), series.extent(1), series.extent(2)}; }

}  // namespace

void check_series(const Image& d) {
  if (d.data.rank() != 4)
    throw Error(Errc::shape,
                fmt::format("the dynamic series has {} axes ({}), not 4", d.data.rank(), to_string(d.data.shape())),
                "give a 4-D series (x, y, z, t)");
  const auto frames = d.volumes();
  if (frames < 3)
    throw Error(
        Errc::range,
        fmt::format("the dynamic series holds {} time point{}; at least 3 are needed", frames, frames == 1 ? "" : "s"),
        "give the whole series");
  if (static_cast<std::int64_t>(d.times.size()) != frames)
    throw Error(Errc::shape, fmt::format("{} frame times for {} frames", d.times.size(), frames),
                "give one time [s] for each frame");
  for (std::size_t i = 0; i < d.times.size(); ++i)
    if (!std::isfinite(d.times[i]) || (i && !(d.times[i] > d.times[i - 1])))
      throw Error(Errc::range,
                  fmt::format("frame time {} s at frame {} does not follow {} s", d.times[i], i,
                              i ? d.times[i - 1] : -INFINITY),
                  "give strictly increasing times [s]");
}

void check_voxels(std::size_t n, std::int64_t voxels, const char* what) {
  if (n != 0 && n != static_cast<std::size_t>(voxels))
    throw Error(Errc::shape, fmt::format("the {} holds {} voxels, the dynamic series {}", what, n, voxels),
                "give it on the same grid");
}

ParameterMap make_map(const std::string& name, const std::string& unit, const std::string& title,
                      std::span<const float> values, std::span<const float> standard_error, const Shape& grid) {
  const auto* q = units::find_quantity(name);
  ParameterMap m;
  m.name = name;
  m.unit = unit;
  m.symbol = q ? std::string(q->symbol) : name;
  m.title = q ? std::string(q->title) : title;
  m.values = Array::from<float>(values, grid);
  if (!standard_error.empty()) m.standard_error = Array::from<float>(standard_error, grid);
  return m;
}

std::vector<std::uint8_t> wanted_voxels(Mask mask, Mask aif_region) {
  std::vector<std::uint8_t> both(mask.begin(), mask.end());
  if (aif_region.empty()) return both;
  for (std::size_t v = 0; v < both.size(); ++v) both[v] = both[v] || aif_region[v];
  return both;
}

BaselineT1 baseline_T1(const Array& series, const std::string& method, const T1Protocol& protocol,
                       std::span<const float> B1, Mask mask, Mask wanted, const Progress& progress,
                       const Cancel* cancel) {
  auto t1 = t1_methods().get(method).map(series, protocol, B1, wanted, progress, cancel);
  BaselineT1 out;
  out.status = std::move(t1.status);
  for (std::size_t v = 0; v < out.status.size(); ++v)
    if (!fit::usable(out.status[v])) t1.T1[v] = nan;
  out.maps.push_back(T10_map(t1.T1, std::move(t1.T1_se), mask, grid_of(series)));
  out.maps.push_back(make_map("M0", "a.u.", "Equilibrium signal", t1.M0, t1.M0_se, grid_of(series)));
  out.T1 = std::move(t1.T1);
  return out;
}

BaselineT1 baseline_T1(std::vector<float> T1, Mask mask, const Shape& grid) {
  BaselineT1 out;
  if (T1.size() > 1) out.maps.push_back(T10_map(T1, {}, mask, grid));
  out.T1 = std::move(T1);
  return out;
}

ParameterMaps maps_of(const T1Result& t1, const Image& reference) {
  const auto g = reference.grid();
  const Shape grid{g[0], g[1], g[2]};
  ParameterMaps out;
  out.reference = reference;
  const auto add = [&](const char* name, const char* unit, const std::vector<float>& values,
                       const std::vector<float>& se) {
    if (!values.empty()) out.maps.push_back(make_map(name, unit, name, values, se, grid));
  };
  add("T1", "s", t1.T1, t1.T1_se);
  add("M0", "a.u.", t1.M0, t1.M0_se);
  add("R2", "1", t1.R2, {});
  add("efficiency", "1", t1.efficiency, {});
  std::vector<std::uint8_t> codes;
  for (const auto s : t1.status) codes.push_back(static_cast<std::uint8_t>(s));
  out.status = Array::from<std::uint8_t>(codes, grid);
  return out;
}

Statuses after(const Statuses& before, Statuses now) {
  // A voxel with some frames out of range is refused by the fit as bad data; the earlier reason is the better one.
  for (std::size_t v = 0; v < before.size() && v < now.size(); ++v)
    if (!fit::usable(before[v])) now[v] = before[v];
  return now;
}

double tissue_arrival(std::span<const double> times, std::span<const double> mean_tissue,
                      std::optional<double> otherwise) {
  try {
    return bolus_arrival(times, mean_tissue);
  } catch (const Error& e) {
    if (otherwise) return *otherwise;
    throw Error(e.code(), "the arrival of the bolus cannot be found: " + e.message(),
                "set aif.arrival [s], check the mask, the flip angle and TR");
  }
}

InputFunctions find_inputs(const InputOptions& o, const Array& concentration, std::span<const double> times,
                           std::span<const Aif> curves, Mask mask, Mask aif_region, double arrival) {
  InputFunctions out;
  switch (o.source) {
    case AifSource::model:
      out.curves = {sampled_for_fit(o.model, times, o.arrival.value_or(arrival) + o.delay, o.Hct, o.step)};
      break;
    case AifSource::curve:
      if (curves.empty()) throw Error(Errc::range, "no measured input curve", "give one, or choose another AIF source");
      out.curves = {curves[0].to_plasma(o.Hct)};
      break;
    case AifSource::region:
      if (aif_region.empty()) throw Error(Errc::range, "no AIF region", "give a mask, or choose another AIF source");
      out.curves = {aif_from_mask(concentration, times, aif_region).to_plasma(o.Hct)};
      break;
    case AifSource::automatic:
      out.detection = detect_aif(concentration, times, mask);
      out.curves = {out.detection->blood.to_plasma(o.Hct)};
      break;
  }
  if (o.source != AifSource::model && o.delay != 0) out.curves[0] = shifted(out.curves[0], o.delay);
  for (std::size_t i = 1; i < curves.size(); ++i) out.curves.push_back(curves[i].to_plasma(o.Hct));
  return out;
}

std::vector<ParameterMap> uptake_maps(const Array& concentration, std::span<const double> times, double arrival,
                                      Mask mask, const Cancel* cancel) {
  const Shape grid = grid_of(concentration);
  const auto d = describe_uptake(concentration, times, arrival, mask, cancel);
  return {make_map("iAUC60", "mM s", "", d.iAUC60, {}, grid),    make_map("iAUC90", "mM s", "", d.iAUC90, {}, grid),
          make_map("iAUC180", "mM s", "", d.iAUC180, {}, grid),  make_map("TTP", "s", "", d.TTP, {}, grid),
          make_map("peak", "mM", "", d.peak, {}, grid),          make_map("wash_in", "mM/s", "", d.wash_in, {}, grid),
          make_map("wash_out", "mM/s", "", d.wash_out, {}, grid)};
}

Aif sampled_for_fit(const std::string& model, std::span<const double> frames, double arrival, double Hct, double step) {
  constexpr double first_pass = 45;  // [s]: the second peak of Parker's curve has passed
  std::vector<double> times(frames.begin(), frames.end());
  // Some curves jump at their arrival (Parker's by 0.1 mM plasma): without a node before it, the last frame and the
  // arrival would be joined by a ramp that was never there. Nearer than 0.2 steps the jump makes the sum of squares of
  // models with a delay (AATH) so rough that fits of Fp get stuck: 13 % of the voxels at 0.02 steps, none at 0.2.
  // A population curve is no measurement: it may begin before the first frame.
  times.push_back(arrival - 0.2 * step);
  for (double t = arrival; t < arrival + first_pass && t < frames.back(); t += step) times.push_back(t);
  std::sort(times.begin(), times.end());
  const auto near = [&](double a, double b) { return b - a < 0.01 * step; };
  times.erase(std::unique(times.begin(), times.end(), near), times.end());
  return sample_aif(aif_models().get(model), times, arrival, Hct);
}

std::vector<double> mean_curve(const Array& series, Mask mask) {
  const auto frames = static_cast<std::size_t>(series.extent(series.rank() - 1));
  const std::size_t voxels = static_cast<std::size_t>(series.size()) / frames;
  const auto values = series.span<float>();
  std::vector<double> mean(frames);
  parallel_for(frames, 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t t = begin; t < end; ++t) {
      double sum = 0;
      std::size_t n = 0;
      for (std::size_t v = 0; v < voxels; ++v) {
        const float x = values[t * voxels + v];
        if ((mask.empty() || mask[v]) && std::isfinite(x)) sum += static_cast<double>(x), ++n;
      }
      mean[t] = n ? sum / static_cast<double>(n) : 0.0;
    }
  });
  return mean;
}

}  // namespace larmor::dce
