// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/common/cubic.hpp>
#include <larmor/perfusion/dce/steps.hpp>
#include <larmor/perfusion/dsc/arrival.hpp>
#include <larmor/perfusion/dsc/first_pass.hpp>
#include <larmor/perfusion/dsc/maps.hpp>
#include <limits>

namespace larmor::dsc {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

std::vector<float> times_factor(const std::vector<float>& values, double factor) {
  std::vector<float> out(values.size());
  std::transform(values.begin(), values.end(), out.begin(),
                 [&](float v) { return static_cast<float>(factor * double(v)); });
  return out;
}
Shape grid_of(const Image& reference) {
  const auto g = reference.grid();
  return {g[0], g[1], g[2]};
}
Array codes_of(const std::vector<fit::FitStatus>& status, const Shape& grid) {
  std::vector<std::uint8_t> codes;
  for (const auto s : status) codes.push_back(static_cast<std::uint8_t>(s));
  return Array::from<std::uint8_t>(codes, grid);
}
double median_of(std::vector<float> v) {
  std::erase_if(v, [](float x) { return !std::isfinite(x); });
  if (v.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::nth_element(v.begin(), v.begin() + std::ssize(v) / 2, v.end());
  return static_cast<double>(v[v.size() / 2]);
}

}  // namespace

Input find_input(const Array& dR2, std::span<const double> times, const InputOptions& o, Mask mask, Mask region,
                 const Aif* curve) {
  o.blood.check();
  Input out;
  if (o.source == InputSource::curve) {
    if (!curve) throw Error(Errc::range, "no measured input curve", "give one, or choose another source");
    curve->check();
    // Before it begins there was nothing; after its end nobody knows.
    if (curve->times.back() < times.back() - 1e-6 * std::abs(times.back()))
      throw Error(
          Errc::range,
          fmt::format("the input curve ends at {:g} s, the series at {:g} s", curve->times.back(), times.back()),
          "give a curve that covers the series");
    out.blood = {
        .times = {times.begin(), times.end()}, .values = {}, .plasma = false, .Hct = 0, .source = curve->source};
    const bool same =
        curve->times.size() == times.size() && std::equal(times.begin(), times.end(), curve->times.begin());
    const perfusion::CubicCurve smooth(curve->times, curve->values);
    for (std::size_t i = 0; i < times.size(); ++i)
      out.blood.values.push_back(same ? curve->values[i] : smooth.value(times[i]));
    for (const double C : out.blood.values) out.deepest = std::max(out.deepest, o.blood.relaxation(C));
  } else {
    if (o.source == InputSource::region) {
      if (region.empty()) throw Error(Errc::range, "no AIF region", "give a mask, or choose another source");
      out.blood = dce::aif_from_mask(dR2, times, region);
    } else {
      out.detection =
          dce::detect_aif(dR2, times, mask,
                          {.least_ratio = 1.5, .blood_height = std::numeric_limits<double>::infinity(), .unit = "1/s"});
      out.blood = out.detection->blood;
    }
    for (double& y : out.blood.values) out.deepest = std::max(out.deepest, y), y = o.blood.concentration(y);
  }
  try {
    out.arrival = arrivals().get(o.arrival).find(times, out.blood.values);
  } catch (Error& e) {
    throw e.at("arterial input: " + out.blood.source);
  }
  if (o.first_pass) out.blood.values = first_pass(out.blood.values, times, out.arrival, o.cut);
  return out;
}

ParameterMaps maps_of(const Deconvolved& d, const Image& reference, const Blood& factors, const std::string& method,
                      const std::string& correction, const std::vector<fit::FitStatus>& before) {
  factors.check();
  const Shape grid = grid_of(reference);
  const double k = factors.per_mass();
  ParameterMaps out;
  out.reference = reference;
  const auto add = [&](const char* name, const char* unit, const char* title, const std::vector<float>& values,
                       const std::vector<float>& se) {
    out.maps.push_back(dce::make_map(name, unit, title, values, se, grid));
  };
  add("CBF", "mm3/(g s)", "", times_factor(d.CBF, k), times_factor(d.CBF_se, k));
  add("CBV", "mm3/g", "", times_factor(d.CBV, k), times_factor(d.CBV_se, k));
  add("MTT", "s", "", d.MTT, d.MTT_se);
  add("Tmax", "s", "Time to the peak of the residue", d.Tmax, {});
  add("delay", "s", "", d.delay, {});
  add("first_moment", "s", "First moment of the tissue curve less that of the input", d.first_moment, {});
  add("TTP", "s", "", d.TTP, {});
  add("residual_sd", "mM", "", d.residual_sd, {});
  const auto kind = deconvolutions().get(method).kind;
  using Kind = DeconvolutionMethod::Kind;
  if (kind == Kind::truncation || kind == Kind::oscillation)
    add("modes", "1", "Singular values kept", d.regularisation, {});
  else if (kind == Kind::l_curve || kind == Kind::gcv)
    add("weight", "1", "Weight of Tikhonov's regularisation over the largest singular value", d.regularisation, {});
  else if (deconvolutions().get(method).residue == "residue.gamma")
    add("shape", "1", "Shape of the gamma distribution of transit times", d.regularisation, {});
  auto status = d.status;
  for (std::size_t v = 0; v < before.size() && v < status.size(); ++v)
    if (!fit::usable(before[v]) && status[v] != fit::FitStatus::outside) status[v] = before[v];
  out.status = codes_of(status, grid);
  out.meta["Models"] = std::vector<std::string>{method};
  out.meta["Method"] = method;
  out.meta["Correction"] = kind == Kind::parametric ? std::string("none") : correction;
  out.meta["PerMass"] = k;
  return out;
}

ParameterMaps maps_of(const Leakage& l, const Image& reference) {
  const Shape grid = grid_of(reference);
  ParameterMaps out;
  out.reference = reference;
  out.maps.push_back(dce::make_map("K2", "1/s", "Leakage", l.K2, l.K2_se, grid));
  if (!l.kep.empty()) out.maps.push_back(dce::make_map("kep", "1/s", "", l.kep, {}, grid));
  out.status = codes_of(l.status, grid);
  return out;
}

ParameterMaps normalised(ParameterMaps maps, Mask region, std::optional<double> reference_CBF) {
  if (reference_CBF && !(*reference_CBF > 0))
    throw Error(Errc::range, fmt::format("a flow of {} in the reference region", *reference_CBF),
                "give a flow above 0 [mL/min/100g]");
  const Shape grid = maps.get("CBF").values.shape();
  std::vector<ParameterMap> relative;
  double scale = 1;
  for (const char* name : {"CBF", "CBV"}) {
    const ParameterMap& m = maps.get(name);
    const auto values = m.values.span<const float>();
    if (region.size() != values.size())
      throw Error(Errc::shape,
                  fmt::format("a reference region of {} voxels for maps of {}", region.size(), values.size()),
                  "give one value a voxel");
    std::vector<float> inside;
    for (std::size_t v = 0; v < values.size(); ++v)
      if (region[v]) inside.push_back(values[v]);
    const double usual = median_of(std::move(inside));
    if (!(usual > 0))
      throw Error(Errc::range, fmt::format("the reference region has no usable voxel of {}", name),
                  "give another region, inside the mask");
    relative.push_back(dce::make_map(std::string("r") + name, "1", std::string(name) + " over that of the reference",
                                     times_factor({values.begin(), values.end()}, 1 / usual), {}, grid));
    if (reference_CBF && std::string(name) == "CBF") scale = *reference_CBF / usual;
  }
  if (reference_CBF)
    for (ParameterMap& m : maps.maps)
      if (m.name == "CBF" || m.name == "CBV") {
        const auto scaled = [&](const Array& a) {
          const auto s = a.span<const float>();
          return Array::from<float>(times_factor({s.begin(), s.end()}, scale), a.shape());
        };
        m.values = scaled(m.values);
        if (!m.standard_error.empty()) m.standard_error = scaled(m.standard_error);
      }
  for (auto& m : relative) maps.maps.push_back(std::move(m));
  maps.meta["NormalisedBy"] = scale;
  if (maps.meta.count("PerMass")) maps.meta["PerMass"] = std::get<double>(maps.meta["PerMass"]) * scale;
  return maps;
}

std::vector<double> fitted_curve(const ParameterMaps& maps, const Aif& input, std::span<const double> times,
                                 std::int64_t voxel) {
  if (!maps.meta.count("Method") || !maps.meta.count("PerMass"))
    throw Error(Errc::usage, "no method of DSC has made these maps", "give those of dsc.deconvolve");
  const auto at = [&](const char* name) {
    return maps.get(name).values.span<const float>()[static_cast<std::size_t>(voxel)];
  };
  const double CBF = at("CBF") / std::get<double>(maps.meta.at("PerMass")), MTT = at("MTT"), delay = at("delay");
  if (!std::isfinite(CBF + MTT + delay)) return {};
  const auto& method = deconvolutions().get(std::get<std::string>(maps.meta.at("Method")));
  const auto& correction = std::get<std::string>(maps.meta.at("Correction"));
  const std::string model = !method.residue.empty() ? method.residue : correction != "none" ? correction : "";
  if (model.empty()) return {};
  const ResidueModel& residue = residues().get(model);
  const double shape = maps.has("shape") ? at("shape") : residue.shapes[residue.shapes.size() / 2];
  const double step = (times.back() - times.front()) / static_cast<double>(times.size() - 1);
  auto curve = tissue_curve(input.values, step, residue, MTT, shape, delay, Rule::trapezoid);
  for (double& y : curve) y *= CBF;
  return curve;
}

Quality quality(const Aif& input, double deepest, double TE, double arrival, std::span<const float> CNR,
                std::span<const std::uint8_t> status) {
  Quality q;
  q.arrival = arrival;
  q.CNR = median_of({CNR.begin(), CNR.end()});
  q.input_drop = 1 - std::exp(-TE * deepest);
  const auto& y = input.values;
  const auto peak = static_cast<std::size_t>(std::max_element(y.begin(), y.end()) - y.begin());
  std::size_t low = peak, high = peak, foot = peak;
  while (low > 0 && y[low - 1] > 0.5 * y[peak]) --low;
  while (high + 1 < y.size() && y[high + 1] > 0.5 * y[peak]) ++high;
  while (foot > 0 && y[foot - 1] > 0.1 * y[peak]) --foot;
  q.input_width = input.times[high] - input.times[low];
  q.frames_on_rise = static_cast<int>(peak - foot) + 1;
  double masked = 0, usable = 0, at_bound = 0;
  for (const auto s : status) {
    masked += s != static_cast<std::uint8_t>(fit::FitStatus::outside);
    usable += fit::usable(static_cast<fit::FitStatus>(s));
    at_bound += s == static_cast<std::uint8_t>(fit::FitStatus::at_bound);
  }
  q.usable = masked > 0 ? usable / masked : 0;
  const auto warn = [&](std::string text) { q.warnings.push_back(std::move(text)); };
  if (q.CNR < 4)
    warn(fmt::format("The median contrast-to-noise ratio is {:.1f}: flows of single voxels are mostly noise.", q.CNR));
  if (q.input_drop > 0.95)
    warn(
        fmt::format("The artery loses {:.0f} % of its signal: its peak may be cut off by the noise floor, and flow is "
                    "too high then.",
                    100 * q.input_drop));
  if (q.frames_on_rise < 3)
    warn(fmt::format("The artery rises within {} frames: it is hardly sampled.", q.frames_on_rise));
  if (q.input_width > 20)
    warn(fmt::format("The artery is {:.0f} s wide at half its height: it may be a vein, or the injection slow.",
                     q.input_width));
  if (at_bound > 0.3 * masked)
    warn(
        fmt::format("In {:.0f} % of the voxels the transit time is beyond those that are known: the series may end "
                    "before the bolus has passed, or the artery be wrong.",
                    100 * at_bound / masked));
  if (q.usable < 0.9) warn(fmt::format("{:.0f} % of the voxels have no value.", 100 * (1 - q.usable)));
  return q;
}

}  // namespace larmor::dsc
