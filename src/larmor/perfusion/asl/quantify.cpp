// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/asl/steps.hpp>
#include <limits>

namespace larmor::asl {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

struct Grid {
  Shape shape;
  std::size_t in_slice, n;
  explicit Grid(const Array& signal)
      : shape{signal.extent(0), signal.extent(1), signal.extent(2)},
        in_slice(static_cast<std::size_t>(signal.extent(0) * signal.extent(1))),
        n(in_slice * static_cast<std::size_t>(signal.extent(2))) {}
};

double slice_time(const Protocol& p, std::size_t slice) { return p.slice_times.empty() ? 0 : p.slice_times[slice]; }

void add_statuses(ParameterMaps& maps, const std::vector<fit::FitStatus>& status, const Shape& grid) {
  maps.status = Array(DType::u8, grid);
  auto* to = maps.status.data<std::uint8_t>();
  for (std::size_t v = 0; v < status.size(); ++v) to[v] = static_cast<std::uint8_t>(status[v]);
}

// Noise of the mean differences as their repeats show it; none where there are no repeats.
std::optional<double> median_error(const Array& error, Mask mask) {
  if (error.empty()) return {};
  const Array packed = error.to(Device::cpu()).cast(DType::f32).contiguous_copy();
  const auto e = packed.span<float>();
  std::vector<float> values;
  std::vector<std::size_t> voxels;
  const std::size_t n = static_cast<std::size_t>(error.extent(0) * error.extent(1) * error.extent(2));
  for (std::size_t v = 0; v < n; ++v)
    if (mask.empty() || mask[v]) voxels.push_back(v);
  const std::size_t step = voxels.size() / 10000 + 1;  // the median of so many is known to 1 %
  for (std::size_t from = 0; from < e.size(); from += n)
    for (std::size_t k = 0; k < voxels.size(); k += step)
      if (const float x = e[from + voxels[k]]; x > 0 && std::isfinite(x)) values.push_back(x);
  if (values.empty()) return {};
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return static_cast<double>(*middle);
}

ParameterMaps by_formula(const Array& signal, const Array& error, std::span<const Sample> samples, const Protocol& p,
                         Mask mask, const Grid& grid) {
  if (samples.size() != 1)
    throw Error(Errc::range, fmt::format("{} timings for the formula of one delay", samples.size()),
                "fit the kinetic model (quantification: kinetic), or give the volumes of one delay");
  const Labelling& labelling = labellings().get(p.labelling);
  const Sample& s = samples[0];
  if (s.readout_rate > 0)
    throw Error(Errc::range, "the formula of one delay does not know Look-Locker readouts",
                "fit the kinetic model (quantification: kinetic)");
  std::vector<float> cbf(grid.n, nan), se(grid.n, nan);
  ParameterMaps maps;
  maps.status = Array(DType::u8, grid.shape);
  auto* status = maps.status.data<std::uint8_t>();
  std::fill_n(status, grid.n, static_cast<std::uint8_t>(fit::FitStatus::outside));
  const float* y = signal.data<float>();
  const float* e = error.empty() ? nullptr : error.data<float>();
  for (std::size_t v = 0; v < grid.n; ++v) {
    if (!mask.empty() && !mask[v]) continue;
    const double time = s.time + slice_time(p, v / grid.in_slice);
    const double factor = consensus_factor(labelling, s.LD, time, s.efficiency, p.T1_blood);
    status[v] = static_cast<std::uint8_t>(std::isfinite(y[v]) ? fit::FitStatus::converged : fit::FitStatus::bad_data);
    if (!std::isfinite(y[v])) continue;
    cbf[v] = static_cast<float>(factor * static_cast<double>(y[v]));
    if (e) se[v] = static_cast<float>(factor * static_cast<double>(e[v]));
  }
  maps.maps.push_back(make_map("CBF", "mm3/(g s)", "Cerebral blood flow", cbf, se, grid.shape));
  maps.meta["Models"] = std::vector<std::string>(
      1, labelling.model == "asl.pcasl" ? "consensus formula, continuous" : "consensus formula, pulsed");
  return maps;
}

}  // namespace

ParameterMaps quantify(const Array& signal_in, const Array& error_in, std::span<const Sample> samples,
                       std::span<const double> weights, const Protocol& p, const Tissue& tissue, Mask mask,
                       const Image& reference, const QuantifyOptions& options, const Progress& progress,
                       const Cancel* cancel) {
  Array signal = signal_in;
  if (signal.rank() == 3) signal = signal.reshaped({signal.extent(0), signal.extent(1), signal.extent(2), 1});
  const Grid grid(signal);
  if (signal.rank() != 4 || static_cast<std::size_t>(signal.extent(3)) != samples.size())
    throw Error(Errc::shape,
                fmt::format("{} timings for difference images of {}", samples.size(), to_string(signal.shape())));
  check_slice_times(p, signal.extent(2));
  if (!mask.empty() && mask.size() != grid.n)
    throw Error(Errc::shape, fmt::format("the mask holds {} voxels, the series {}", mask.size(), grid.n),
                "give a mask on the grid of the series");
  if (tissue.T1.size() != 1 && tissue.T1.size() != grid.n)
    throw Error(Errc::shape, fmt::format("a T1 map of {} voxels for a series of {}", tissue.T1.size(), grid.n),
                "give it on the grid of the series, or one value");
  if (!(tissue.partition > 0 && tissue.partition < 3))
    throw Error(Errc::range, fmt::format("a partition coefficient of {} mL/g", tissue.partition), "0.9 is usual");
  ParameterMaps maps;
  bool by_map = false;
  if (options.consensus) {
    const auto host = [](const Array& a) {
      return a.empty() ? a : a.to(Device::cpu()).cast(DType::f32).contiguous_copy();
    };
    maps = by_formula(host(signal), host(error_in), samples, p, mask, grid);
  } else {
    const Labelling& labelling = labellings().get(p.labelling);
    const std::string id = models().resolve(options.model.empty() ? labelling.model : options.model);
    const Model& model = models().get(id);
    if (id.starts_with("asl.pcasl") != (labelling.model == "asl.pcasl"))
      throw Error(Errc::usage, fmt::format("{} for {}", id, labelling.title),
                  fmt::format("choose a model of the family {}", labelling.model));
    if (samples[0].readout_rate > 0 && id != labelling.model)
      throw Error(Errc::usage, fmt::format("{} does not know Look-Locker readouts", id),
                  fmt::format("fit {}", labelling.model));
    fit::CurveFitOptions o;
    o.params = options.params, o.device = options.device;
    o.weights.assign(weights.begin(), weights.end());
    if (labelling.arrives_at_once && !o.params.contains("ATT")) o.params["ATT"].fixed = 0.0;
    std::size_t n_free = 0;
    for (const auto& param : model.params) {
      const auto at = o.params.find(param.name);
      n_free += at == o.params.end() || !at->second.fixed;
    }
    // Of three parameters and more the data of usual schedules leave a valley: wide priors close it.
    o.map = by_map = options.map.value_or(n_free > 2);
    // Standard errors of a voxel are 1 % of a parameter at the very best, and of three or more rarely below 10 %; near
    // the minimum the last step leaves the square of the tolerance.
    o.tolerance = o.map ? 1e-3 : 1e-4;
    if (o.map) o.noise_sd = median_error(error_in, mask);
    if (samples.size() < n_free && !o.map)
      throw Error(Errc::range,
                  fmt::format("{} timing{} for {} free parameters of {}", samples.size(),
                              samples.size() == 1 ? "" : "s", n_free, model.title),
                  "fix ATT (fit.fixed: {ATT: 1.0}), use the formula of one delay, or acquire more delays");
    // What is known of each voxel.
    std::vector<std::vector<float>> facts(4, std::vector<float>(grid.n));
    for (std::size_t v = 0; v < grid.n; ++v) {
      facts[0][v] = tissue.T1.size() == 1 ? tissue.T1[0] : tissue.T1[v];
      if (!(facts[0][v] > 0)) facts[0][v] = nan;
      facts[1][v] = static_cast<float>(p.T1_blood);
      facts[2][v] = static_cast<float>(slice_time(p, v / grid.in_slice));
      facts[3][v] = static_cast<float>(tissue.partition);
    }
    const std::vector<std::span<const float>> covariates(facts.begin(), facts.end());
    const auto fit = fit::fit_curves(model, signal, design_of(samples), covariates, mask, o, progress, cancel);
    for (std::size_t i = 0; i < fit.params.size(); ++i)
      maps.maps.push_back(make_map(fit.params[i].name, fit.params[i].unit, fit.params[i].title, fit.values[i],
                                   fit.standard_error[i], grid.shape));
    maps.maps.push_back(make_map("R2", "1", "Coefficient of determination", fit.R2, {}, grid.shape));
    maps.maps.push_back(make_map("AICc", "1", "Corrected Akaike information criterion", fit.AICc, {}, grid.shape));
    maps.maps.push_back({.name = "residual_sd",
                         .symbol = "s",
                         .unit = "1",
                         .title = "Standard deviation of the residual, over M0 of blood",
                         .values = Array::from<float>(fit.residual_sd, grid.shape),
                         .standard_error = {}});
    add_statuses(maps, fit.status, grid.shape);
    maps.meta["Models"] = std::vector<std::string>(1, id);
  }
  maps.meta["Fitter"] = std::string(options.consensus ? "formula" : by_map ? "map" : "lm");
  if (tissue.T1.size() == 1) maps.meta["TissueT1"] = static_cast<double>(tissue.T1[0]);
  maps.meta["Partition"] = tissue.partition;
  maps.reference = reference;
  return maps;
}

}  // namespace larmor::asl
