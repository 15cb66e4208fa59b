// SPDX-License-Identifier: Apache-2.0
// What tells the fitters apart: fitter.lm, fitter.linear and fitter.map on the same data.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <larmor/perfusion/dce/aif_models.hpp>
#include <larmor/perfusion/dce/fit.hpp>
#include <random>

using namespace larmor;
using namespace larmor::dce;

namespace {

std::vector<double> frames(int n, double dt) {
  std::vector<double> t;
  for (int i = 0; i < n; ++i) t.push_back(dt * i);
  return t;
}

struct Data {
  std::vector<double> times, params;
  std::vector<Aif> inputs;
  Array curves;  // (voxel, t)
};

// `voxels` copies of one curve of the model at its default start, each with noise of its own.
Data simulated(const std::string& id, int voxels, double noise, unsigned seed = 1, double dt = 1.0) {
  Data d;
  d.times = frames(static_cast<int>(240 / dt), dt);
  const Model& model = models().get(id);
  for (const Param& p : model.params) d.params.push_back(p.start);
  d.inputs = {sample_aif(aif_models().get("aif.parker"), d.times, 15.0, 0.42)};
  std::vector<double> curve(d.times.size());
  tissue_concentration(model, d.params, d.inputs, d.times, curve);
  d.curves = Array::of<float>({voxels, static_cast<std::int64_t>(curve.size())}, {"voxel", "t"});
  std::mt19937 random(seed);
  std::normal_distribution<double> error(0.0, 1.0);
  float* out = d.curves.data<float>();
  for (const double c : curve)
    for (int v = 0; v < voxels; ++v) *out++ = static_cast<float>(c + noise * error(random));
  return d;
}

ParamSetting prior(double mean, double sd, bool log = false) {
  ParamSetting p;
  p.prior_mean = mean, p.prior_sd = sd, p.prior_log = log;
  return p;
}

FitResult fitted(const std::string& id, const Data& d, FitOptions options) {
  return fit_model(models().get(id), d.curves, d.times, d.inputs, {}, options);
}

std::string failure(const std::string& id, const FitOptions& options) {
  try {
    (void)fitted(id, simulated(id, 1, 0), options);
  } catch (const Error& e) {
    return std::string(to_string(e.code())) + ": " + e.message();
  }
  return "no error";
}

}  // namespace

TEST(Fitters, AllReturnTheParametersOfCleanData) {
  // linear integrates the data by trapezoids, which over one-second frames errs by (rate x 1 s)^2 / 12: 1 % holds the
  // fastest rate here. map is pulled by its prior as the square of noise / signal, here 1e-5 / 0.1.
  for (const auto& [fitter, tolerance] :
       std::vector<std::pair<std::string, double>>{{"fitter.lm", 1e-3}, {"fitter.map", 1e-3}, {"fitter.linear", 0.02}})
    for (const char* id : {"dce.tofts", "dce.extended_tofts", "dce.patlak"}) {
      const Data d = simulated(id, 3, 0);
      FitOptions options{.fitter = fitter};
      options.noise_sd = 1e-5;
      const FitResult r = fitted(id, d, options);
      for (std::size_t p = 0; p < d.params.size(); ++p)
        for (std::size_t v = 0; v < 3; ++v)
          EXPECT_NEAR(r.values[p][v] / d.params[p], 1.0, tolerance) << fitter << " " << id << " " << r.params[p].name;
    }
}

TEST(FitterMap, IsTheWeightedMeanOfDataAndPriorForALinearModel) {
  // Patlak is linear in vp and PS, so with Gaussian priors the posterior is known: (X'X / s2 + L) p = X'y / s2 + L m.
  const std::string id = "dce.patlak";
  const double noise = 0.02;
  const Data d = simulated(id, 20, noise);
  const Model& model = models().get(id);
  ASSERT_EQ(model.params.size(), 2U);
  const std::size_t n = d.times.size();
  std::vector<std::vector<double>> X(2, std::vector<double>(n));
  for (std::size_t p = 0; p < 2; ++p) {
    std::vector<double> unit(2, 0.0);
    unit[p] = 1;
    tissue_concentration(model, unit, d.inputs, d.times, X[p]);
  }
  // Priors about as sharp as the data, off the truth: both must count.
  FitOptions options{.fitter = "fitter.map"};
  options.noise_sd = noise;
  double m[2], L[2];
  for (std::size_t p = 0; p < 2; ++p) {
    double xx = 0;
    for (const double x : X[p]) xx += x * x;
    const double sd = noise / std::sqrt(xx);
    m[p] = d.params[p] + 2 * sd, L[p] = 1 / (sd * sd);
    options.params[model.params[p].name] = prior(m[p], sd);
  }
  const FitResult r = fitted(id, d, options);
  for (std::size_t v = 0; v < 20; ++v) {
    double a = L[0], b = 0, c = L[1], e = L[0] * m[0], f = L[1] * m[1];
    for (std::size_t i = 0; i < n; ++i) {
      const double y = d.curves.data<float>()[i * 20 + v], s2 = noise * noise;
      a += X[0][i] * X[0][i] / s2, b += X[0][i] * X[1][i] / s2, c += X[1][i] * X[1][i] / s2;
      e += X[0][i] * y / s2, f += X[1][i] * y / s2;
    }
    const double det = a * c - b * b, p0 = (e * c - b * f) / det, p1 = (a * f - b * e) / det;
    // Single-precision kernels: a thousandth of the standard error of either.
    EXPECT_NEAR(r.values[0][v], p0, 2e-3 * std::sqrt(c / det) + 1e-6 * p0) << v;
    EXPECT_NEAR(r.values[1][v], p1, 2e-3 * std::sqrt(a / det) + 1e-6 * p1) << v;
    EXPECT_NEAR(r.standard_error[0][v] / std::sqrt(c / det), 1.0, 0.01);
    EXPECT_NEAR(r.standard_error[1][v] / std::sqrt(a / det), 1.0, 0.01);
  }
}

TEST(FitterMap, AWidePriorIsNoPriorAndASharpOneWins) {
  const std::string id = "dce.tofts";
  const Data d = simulated(id, 50, 0.01);
  const FitResult lm = fitted(id, d, {.fitter = "fitter.lm"});
  FitOptions wide{.fitter = "fitter.map"}, sharp = wide;
  wide.noise_sd = sharp.noise_sd = 0.01;
  const Model& model = models().get(id);
  for (std::size_t p = 0; p < 2; ++p) {
    wide.params[model.params[p].name] = prior(d.params[p], 1e3);
    sharp.params[model.params[p].name] = prior(1.5 * d.params[p], 1e-4, true);
  }
  const FitResult w = fitted(id, d, wide), s = fitted(id, d, sharp);
  for (std::size_t p = 0; p < 2; ++p)
    for (std::size_t v = 0; v < 50; ++v) {
      EXPECT_NEAR(w.values[p][v], lm.values[p][v], 0.01 * lm.standard_error[p][v] + 1e-6);
      EXPECT_NEAR(s.values[p][v] / (1.5 * d.params[p]), 1.0, 1e-2);
      EXPECT_LT(s.standard_error[p][v], lm.standard_error[p][v]);
    }
}

TEST(FitterLinear, SaysWhatItCannotDo) {
  FitOptions delay{.fitter = "fitter.linear"}, fixed = delay;
  delay.fit_delay = true;
  fixed.params["ve"].fixed = 0.2;
  EXPECT_EQ(failure("dce.tofts", delay), "usage: the linear fitter cannot fit a delay");
  EXPECT_EQ(failure("dce.tofts", fixed), "usage: the linear fitter cannot hold ve fixed");
  EXPECT_NE(failure("dce.aath", {.fitter = "fitter.linear"}).find("has no linear form"), std::string::npos);
}

TEST(Fitters, BadSettingsAreNamed) {
  EXPECT_NE(failure("dce.tofts", {.fitter = "fitter.lmm"}).find("did you mean fitter.lm?"), std::string::npos);
  FitOptions noise{.fitter = "fitter.map"}, half = noise;
  noise.noise_sd = -1;
  EXPECT_EQ(failure("dce.tofts", noise), "range: a noise sd of -1 mM");
  half.params["ve"].prior_mean = 0.2;
  EXPECT_NE(failure("dce.tofts", half).find("a prior needs a mean and a standard deviation"), std::string::npos);
}
