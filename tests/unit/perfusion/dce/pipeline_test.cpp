// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <larmor/perfusion/dce/aif_models.hpp>
#include <larmor/perfusion/dce/dro.hpp>
#include <larmor/perfusion/dce/pipeline.hpp>

using namespace larmor;
using namespace larmor::dce;

namespace {

// Noise-free object and what is known about it.
struct Object {
  PipelineData data;
  PipelineOptions options;
  Dro dro;
};
Object object(bool signal) {
  DroOptions o;
  o.model = "dce.extended_tofts";
  o.grid = {16, 16, 8};
  o.signal = signal;
  Object out;
  out.dro = make_dro(o);
  out.data.dynamic = out.dro.dynamic;
  out.data.mask = mask_from(out.dro.mask);
  out.options.concentration = !signal;
  out.options.input.arrival = o.arrival;
  out.options.spgr = {.FA = o.FA, .TR = o.TR, .r1 = o.r1};
  if (signal) out.data.t1_series = out.dro.vfa;
  out.options.t1_protocol.FA = o.vfa_FA;
  out.options.t1_protocol.TR = {o.TR};
  return out;
}

double largest_gap(const PipelineResult& r, const Dro& dro, const char* name) {
  const auto a = r.maps.get(name).values.span<float>(), b = dro.truth.get(name).values.span<float>();
  double gap = 0;
  for (std::size_t v = 0; v < a.size(); ++v) {
    EXPECT_EQ(std::isfinite(a[v]), std::isfinite(b[v])) << name << " at " << v;
    if (std::isfinite(a[v])) gap = std::max(gap, static_cast<double>(std::abs(a[v] - b[v]) / b[v]));
  }
  return gap;
}

Errc code_of(const PipelineData& data, const PipelineOptions& options) {
  try {
    run_pipeline(data, options);
  } catch (const Error& e) {
    EXPECT_FALSE(e.advice().empty()) << e.what();
    return e.code();
  }
  ADD_FAILURE() << "no error";
  return Errc::internal;
}

}  // namespace

TEST(Pipeline, GivesTheTruthBackFromSignal) {
  const auto o = object(true);
  const auto r = run_pipeline(o.data, o.options);
  EXPECT_LT(largest_gap(r, o.dro, "T10"), 1e-3);  // float32 signals of a few parts in 1e6, steep in T1 at 15 degrees
  // The curve is sampled every second: piecewise linear over the narrow first pass costs up to 2 %.
  for (const char* name : {"Ktrans", "ve", "vp"}) EXPECT_LT(largest_gap(r, o.dro, name), 0.03) << name;
  for (const char* name : {"kep", "iAUC60", "TTP", "R2", "AICc", "residual_sd", "M0"}) EXPECT_TRUE(r.maps.has(name));
  EXPECT_EQ(r.fit.fitted, std::count(o.data.mask.begin(), o.data.mask.end(), 1));
}

TEST(Pipeline, SignalAndConcentrationAgree) {
  const auto s = object(true), c = object(false);
  const auto from_signal = run_pipeline(s.data, s.options), from_concentration = run_pipeline(c.data, c.options);
  const auto a = from_signal.maps.get("Ktrans").values.span<float>();
  const auto b = from_concentration.maps.get("Ktrans").values.span<float>();
  for (std::size_t v = 0; v < a.size(); ++v)
    if (std::isfinite(a[v])) {
      EXPECT_NEAR(a[v], b[v], 2e-3 * b[v]);
    }
}

TEST(Pipeline, FinerSamplingOfTheInputIsNearerToTheTruth) {
  auto o = object(false);
  o.options.input.step = 5;  // the frame time
  const double coarse = largest_gap(run_pipeline(o.data, o.options), o.dro, "vp");
  o.options.input.step = 0.25;
  const double fine = largest_gap(run_pipeline(o.data, o.options), o.dro, "vp");
  EXPECT_LT(fine, coarse / 5);
  EXPECT_LT(fine, 5e-3);
}

TEST(Pipeline, FittedCurveIsTheModelAtTheSolution) {
  const auto o = object(false);
  const auto r = run_pipeline(o.data, o.options);
  const auto n = static_cast<std::size_t>(o.data.dynamic.voxels());
  const auto voxel =
      static_cast<std::size_t>(std::find(o.data.mask.begin(), o.data.mask.end(), 1) - o.data.mask.begin());
  const auto curve = dce::fitted_curve(r.maps, r.inputs, o.data.dynamic.times, static_cast<std::int64_t>(voxel));
  const auto data = r.concentration.span<float>();
  ASSERT_EQ(curve.size(), o.data.dynamic.times.size());
  double rr = 0;
  for (std::size_t t = 0; t < curve.size(); ++t) rr += std::pow(curve[t] - static_cast<double>(data[t * n + voxel]), 2);
  const double sd = std::sqrt(rr / static_cast<double>(curve.size() - 3));
  EXPECT_NEAR(sd, r.maps.get("residual_sd").values.span<float>()[voxel], 0.02 * sd + 1e-6);
  EXPECT_TRUE(dce::fitted_curve(r.maps, r.inputs, o.data.dynamic.times, 0).empty());  // outside the mask
}

TEST(Pipeline, FittedCurveHasTheResidualOfTheFitWithItsDelay) {
  auto o = object(false);
  o.options.fit.fit_delay = true;
  o.options.fit.delay_lower = -3;
  const auto r = run_pipeline(o.data, o.options);
  const auto n = static_cast<std::size_t>(o.data.dynamic.voxels());
  const auto data = r.concentration.span<float>();
  const auto residual = r.maps.get("residual_sd").values.span<float>();
  std::size_t checked = 0;
  for (std::size_t v = 0; v < n; v += 37) {
    const auto curve = dce::fitted_curve(r.maps, r.inputs, o.data.dynamic.times, static_cast<std::int64_t>(v));
    if (curve.empty()) continue;
    double rr = 0;
    for (std::size_t t = 0; t < curve.size(); ++t) rr += std::pow(curve[t] - static_cast<double>(data[t * n + v]), 2);
    const double sd = std::sqrt(rr / static_cast<double>(curve.size() - 4));
    // Parameters rounded to float move a curve of 1 mM by 1e-7.
    EXPECT_NEAR(sd, residual[v], 0.02 * sd + 1e-6) << v;
    ++checked;
  }
  EXPECT_GT(checked, 5u);
}

TEST(Pipeline, DerivedMapsHaveStandardErrors) {
  const auto o = object(true);
  auto options = o.options;
  options.models = {"dce.tofts", "dce.extended_tofts"};  // kep of either, where it was chosen
  for (const auto& r : {run_pipeline(o.data, o.options), run_pipeline(o.data, options)}) {
    const auto& kep = r.maps.get("kep");
    ASSERT_EQ(kep.standard_error.shape(), kep.values.shape());
    const auto value = kep.values.span<float>(), se = kep.standard_error.span<float>();
    std::size_t known = 0;
    for (std::size_t v = 0; v < value.size(); ++v) {
      EXPECT_TRUE(std::isfinite(value[v]) || !std::isfinite(se[v])) << v;
      if (r.maps.status.span<std::uint8_t>()[v] == static_cast<std::uint8_t>(fit::FitStatus::converged)) {
        EXPECT_GT(se[v], 0) << v;
        ++known;
      }
    }
    EXPECT_GT(known, 100u);
  }
}

TEST(Pipeline, OutsideTheMaskNothingHasAValue) {
  const auto o = object(true);
  const auto r = run_pipeline(o.data, o.options);
  const auto status = r.maps.status.span<std::uint8_t>();
  for (const auto& m : r.maps.maps) {
    const auto values = m.values.span<float>();
    for (std::size_t v = 0; v < values.size(); ++v)
      if (!o.data.mask[v]) {
        EXPECT_TRUE(std::isnan(values[v])) << m.name;
        EXPECT_EQ(status[v], 0);
      }
  }
}

TEST(Pipeline, PopulationCurveIsDenseOnlyAroundTheBolus) {
  std::vector<double> frames;
  for (int i = 0; i < 60; ++i) frames.push_back(5.0 * i);
  const Aif a = sampled_for_fit("aif.parker", frames, 20, 0.42, 1);
  EXPECT_NO_THROW(a.check());
  EXPECT_TRUE(a.plasma);
  EXPECT_EQ(a.size(), 60U + 36U + 1U);  // 45 s in steps of 1 s, of which 9 are frames; one just before the arrival
  for (const double t : frames) EXPECT_NE(std::find(a.times.begin(), a.times.end(), t), a.times.end());
}

TEST(Pipeline, RefusesWhatDoesNotFitTogether) {
  auto o = object(true);
  auto data = o.data;
  data.dynamic.times.pop_back();
  EXPECT_EQ(code_of(data, o.options), Errc::shape);
  data = o.data;
  data.dynamic.times[5] = data.dynamic.times[4];
  EXPECT_EQ(code_of(data, o.options), Errc::range);
  data = o.data;
  data.dynamic.data = data.dynamic.data.slice(3, 0);
  EXPECT_EQ(code_of(data, o.options), Errc::shape);
  data = o.data;
  data.dynamic.data = data.dynamic.data.range(3, 0, 2);
  data.dynamic.times.resize(2);
  EXPECT_EQ(code_of(data, o.options), Errc::range);
  data = o.data;
  data.mask.pop_back();
  EXPECT_EQ(code_of(data, o.options), Errc::shape);
  data = o.data;
  std::fill(data.mask.begin(), data.mask.end(), std::uint8_t(0));
  EXPECT_EQ(code_of(data, o.options), Errc::range);
  data = o.data;
  data.B1 = {1.0F};
  EXPECT_EQ(code_of(data, o.options), Errc::shape);
  data = o.data;
  data.t1_series = {};
  EXPECT_EQ(code_of(data, o.options), Errc::range);
  auto options = o.options;
  options.input.source = AifSource::curve;
  EXPECT_EQ(code_of(o.data, options), Errc::range);
  options.input.source = AifSource::region;
  EXPECT_EQ(code_of(o.data, options), Errc::range);
  options = o.options;
  options.models = {"dce.dual_input"};
  EXPECT_EQ(code_of(o.data, options), Errc::range);
  options.models = {"dce.tfots"};
  EXPECT_EQ(code_of(o.data, options), Errc::unknown_name);
}

TEST(Pipeline, StopsWhenAsked) {
  const auto o = object(true);
  const Cancel cancel;
  cancel.request();
  EXPECT_THROW(run_pipeline(o.data, o.options, {}, &cancel), Error);
}

TEST(Pipeline, SelectionTakesEachVoxelFromItsModel) {
  auto o = object(false);
  o.options.models = {"dce.tofts", "dce.extended_tofts"};
  const auto r = run_pipeline(o.data, o.options);
  const auto index = r.maps.get("model_index").values.span<float>();
  const auto vp = r.maps.get("vp").values.span<float>(), ve = r.maps.get("ve").values.span<float>();
  for (std::size_t v = 0; v < index.size(); ++v) {
    if (!std::isfinite(index[v])) continue;
    const auto m = static_cast<std::size_t>(index[v]);
    EXPECT_EQ(std::isfinite(vp[v]), m == 1);
    EXPECT_EQ(ve[v], r.fit.fits[m].values[1][v]);
  }
}
