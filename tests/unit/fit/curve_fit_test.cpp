// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/isa.hpp>
#include <random>

#include "test_models.hpp"

namespace larmor::fit {
namespace {

using testing::HasSubstr;
const std::vector<double> times{0, 0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 2.2, 3.0, 4.0};

/// (voxel, sample) of a model at given parameters, one set a voxel.
Array simulate(const CurveModel& model, const std::vector<std::vector<double>>& params,
               const std::vector<std::vector<double>>& covariates, double noise, unsigned seed = 1) {
  const auto n = static_cast<std::int64_t>(params.size()), m = static_cast<std::int64_t>(times.size());
  Array data = Array::of<float>({n, m}, {"voxel", "sample"});
  std::mt19937 random(seed);
  std::normal_distribution<double> normal(0, noise > 0 ? noise : 1);
  std::vector<double> s(times.size());
  for (std::int64_t v = 0; v < n; ++v) {
    const auto at = static_cast<std::size_t>(v);
    curve_signal(model, times, params[at], covariates.empty() ? std::vector<double>{} : covariates[at], s);
    for (std::int64_t k = 0; k < m; ++k)
      data.data<float>()[k * n + v] =
          static_cast<float>(s[static_cast<std::size_t>(k)] + (noise > 0 ? normal(random) : 0));
  }
  return data;
}

std::vector<std::vector<double>> spread(std::size_t n, unsigned seed = 7) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> u(0, 1);
  std::vector<std::vector<double>> p;
  for (std::size_t v = 0; v < n; ++v) p.push_back({10 + 90 * u(random), 0.2 * std::pow(20, u(random)), 5 * u(random)});
  return p;
}

TEST(CurveFit, RecoversWhatWasSimulated) {
  const auto truth = spread(1500);  // three tiles, the last one in part
  const CurveFit fit = fit_curves(test::decay(), simulate(test::decay(), truth, {}, 0), times);
  for (std::size_t v = 0; v < truth.size(); ++v) {
    ASSERT_EQ(fit.status[v], FitStatus::converged) << v;
    // Data in f32 (6e-8 of 100), the condition of a slow decay over the times about 100.
    EXPECT_NEAR(fit.values[0][v], truth[v][0], 2e-3) << v;
    EXPECT_NEAR(fit.values[1][v], truth[v][1], 2e-4 * truth[v][1] + 1e-5) << v;
    EXPECT_GT(fit.R2[v], 0.999999);
  }
}

TEST(CurveFit, EveryInstructionSetGivesTheSame) {
  const auto truth = spread(70);
  const Array data = simulate(test::decay(), truth, {}, 0.5);
  CurveFitOptions options;
  options.scalar = true;
  const CurveFit scalar = fit_curves(test::decay(), data, times, {}, {}, options);
  const Isa before = isa();
  for (const Isa level : {Isa::baseline, Isa::v3, Isa::v4}) {
    if (!isa_available(level)) continue;
    force_isa(level);
    const CurveFit lanes = fit_curves(test::decay(), data, times);
    for (std::size_t v = 0; v < truth.size(); ++v) {
      EXPECT_EQ(lanes.status[v], scalar.status[v]);
      // Both stop within 1e-6 of a parameter of the same minimum.
      for (std::size_t i = 0; i < 3; ++i)
        EXPECT_NEAR(lanes.values[i][v], scalar.values[i][v], 1e-4 * std::abs(scalar.values[i][v]) + 1e-4);
    }
  }
  force_isa(before);
}

TEST(CurveFit, GradientsAreThoseOfFiniteDifferencesAndByHandTheSame) {
  for (const CurveModel& model : {test::decay(), test::decay_by_hand()}) {
    const std::vector<double> p{40, 1.3, 2};
    std::vector<double> s(times.size()), jacobian(times.size() * 3), up(times.size()), down(times.size());
    curve_signal(model, times, p, {}, s, jacobian);
    for (std::size_t i = 0; i < 3; ++i) {
      const double h = 1e-6 * p[i];  // central differences: h^2 of 1 % of the signal, and rounding 1e-16 / 1e-6
      auto q = p;
      q[i] = p[i] + h, curve_signal(model, times, q, {}, up);
      q[i] = p[i] - h, curve_signal(model, times, q, {}, down);
      for (std::size_t k = 0; k < times.size(); ++k)
        EXPECT_NEAR(jacobian[k * 3 + i], (up[k] - down[k]) / (2 * h), 1e-7 * 40) << i << ' ' << k;
    }
  }
}

TEST(CurveFit, StandardErrorsAreCalibrated) {
  const std::size_t n = 4000;
  const std::vector<double> p{50, 1.2, 3};
  const CurveFit fit = fit_curves(test::decay(), simulate(test::decay(), std::vector(n, p), {}, 0.3), times);
  for (std::size_t i = 0; i < 3; ++i) {
    double sum = 0, squares = 0;
    for (std::size_t v = 0; v < n; ++v) {
      const double z = (fit.values[i][v] - p[i]) / fit.standard_error[i][v];
      sum += z, squares += z * z;
    }
    // The residual has 7 degrees of freedom: z is Student's t, whose sd is sqrt(7 / 5) = 1.183. Its square is known to
    // about 2.5 sqrt(2 / 4000) = 6 %.
    EXPECT_NEAR(std::sqrt(squares / static_cast<double>(n)), 1.183, 0.05);
    EXPECT_NEAR(sum / static_cast<double>(n), 0, 0.08);  // 4 sd of the mean
  }
}

TEST(CurveFit, ResultsDoNotDependOnTheScaleOfTheData) {
  const auto truth = spread(64);
  const Array data = simulate(test::decay(), truth, {}, 0.2);
  Array large = data.clone();
  for (float& v : large.span<float>()) v *= 1024;  // a power of two: the data are the same digits
  CurveFitOptions wide;
  wide.params["A"].upper = 1e9;
  wide.params["C"].lower = -1e9, wide.params["C"].upper = 1e9;
  const CurveFit a = fit_curves(test::decay(), data, times), b = fit_curves(test::decay(), large, times, {}, {}, wide);
  for (std::size_t v = 0; v < truth.size(); ++v) {
    EXPECT_NEAR(b.values[1][v], a.values[1][v], 1e-4 * a.values[1][v]);
    EXPECT_NEAR(b.values[0][v], 1024 * a.values[0][v], 0.2 * 1024 * a.standard_error[0][v]);
  }
}

TEST(CurveFit, WeightsCountLikeRepeats) {
  // A sample of weight 2 is two samples that agree.
  const auto truth = spread(32);
  const Array data = simulate(test::decay(), truth, {}, 0.3);
  CurveFitOptions weighted;
  weighted.weights.assign(times.size(), 1.0);
  weighted.weights[2] = 2;
  auto again = times;
  again.push_back(times[2]);
  const auto n = static_cast<std::int64_t>(truth.size()), m = static_cast<std::int64_t>(times.size());
  Array repeated = Array::of<float>({n, m + 1});
  std::copy_n(data.data<float>(), n * m, repeated.data<float>());
  std::copy_n(data.data<float>() + 2 * n, n, repeated.data<float>() + n * m);
  const CurveFit a = fit_curves(test::decay(), data, times, {}, {}, weighted),
                 b = fit_curves(test::decay(), repeated, again);
  for (std::size_t v = 0; v < truth.size(); ++v)
    for (std::size_t i = 0; i < 3; ++i)
      EXPECT_NEAR(a.values[i][v], b.values[i][v], 1e-3 * std::abs(b.values[i][v]) + 1e-4);
}

TEST(CurveFit, CovariatesBelongToTheirVoxels) {
  std::vector<std::vector<double>> truth, covariates;
  std::vector<float> s;
  for (int v = 0; v < 600; ++v) {
    truth.push_back({1 + 0.01 * v, -0.5});
    covariates.push_back({2.0 + v % 7});
    s.push_back(static_cast<float>(covariates.back()[0]));
  }
  const Array data = simulate(test::line(), truth, covariates, 0);
  s[5] = NAN;
  const std::span<const float> of_voxels[] = {s};
  const CurveFit fit = fit_curves(test::line(), data, times, of_voxels);
  for (std::size_t v = 0; v < 600; ++v) {
    if (v == 5) {
      EXPECT_EQ(fit.status[v], FitStatus::bad_data);
      EXPECT_TRUE(std::isnan(fit.values[0][v]));
      continue;
    }
    EXPECT_NEAR(fit.values[0][v], truth[v][0], 1e-4) << v;
    EXPECT_NEAR(fit.values[1][v], -0.5, 1e-4) << v;
  }
}

TEST(CurveFit, FixedBoundedAndPriorParameters) {
  const std::vector<std::vector<double>> truth(16, {50, 1.0, 0});
  const Array data = simulate(test::decay(), truth, {}, 0.5);
  CurveFitOptions options;
  options.params["C"].fixed = 0.0;
  options.params["R"].upper = 0.5;
  const CurveFit bound = fit_curves(test::decay(), data, times, {}, {}, options);
  EXPECT_EQ(bound.status[0], FitStatus::at_bound);
  EXPECT_EQ(bound.values[1][0], 0.5f);
  EXPECT_EQ(bound.values[2][0], 0.0f);
  EXPECT_TRUE(std::isnan(bound.standard_error[1][0]));
  EXPECT_TRUE(std::isnan(bound.standard_error[2][0]));

  options = {};
  options.map = true, options.noise_sd = 0.5;
  options.params["R"].prior_mean = 3, options.params["R"].prior_sd = 1e-3;
  EXPECT_NEAR(fit_curves(test::decay(), data, times, {}, {}, options).values[1][0], 3, 0.01);
}

TEST(CurveFit, VoxelsWithoutAnAnswerSayWhy) {
  auto truth = spread(4);
  Array data = simulate(test::decay(), truth, {}, 0.1);
  for (std::int64_t k = 0; k < 10; ++k) data.data<float>()[k * 4] = 0;
  data.data<float>()[3 * 4 + 1] = NAN;
  const std::vector<std::uint8_t> mask{1, 1, 1, 0};
  const CurveFit fit = fit_curves(test::decay(), data, times, {}, mask);
  EXPECT_EQ(fit.status[0], FitStatus::no_signal);
  EXPECT_EQ(fit.status[1], FitStatus::bad_data);
  EXPECT_EQ(fit.status[2], FitStatus::converged);
  EXPECT_EQ(fit.status[3], FitStatus::outside);
  for (const std::size_t v : {0, 1, 3}) EXPECT_TRUE(std::isnan(fit.values[0][v]));
  CurveFitOptions one;
  one.max_iterations = 1;
  EXPECT_EQ(fit_curves(test::decay(), data, times, {}, mask, one).count(FitStatus::not_converged), 1);
}

template <class F>
std::string refusal(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return std::string(e.what()) + " | " + e.advice();
  }
  return "";
}

TEST(CurveFit, RefusesWhatCannotBeFitted) {
  const Array data = simulate(test::decay(), spread(4), {}, 0);
  const auto with = [&](auto change) {
    CurveFitOptions o;
    change(o);
    return refusal([&] { fit_curves(test::decay(), data, times, {}, {}, o); });
  };
  EXPECT_THAT(refusal([&] { fit_curves(test::decay(), data, std::vector<double>(9, 1.0)); }), HasSubstr("9 samples"));
  EXPECT_THAT(refusal([&] { fit_curves(test::line(), data, times); }), HasSubstr("0 covariates where 1"));
  EXPECT_THAT(refusal([&] { fit_curves(test::decay(), data, times, {}, std::vector<std::uint8_t>(4, 0)); }),
              HasSubstr("no voxel"));
  EXPECT_THAT(with([](auto& o) { o.params["r"].fixed = 1; }), HasSubstr("R"));
  EXPECT_THAT(with([](auto& o) { o.params["R"].lower = 60; }), HasSubstr("60"));
  EXPECT_THAT(with([](auto& o) { o.params["R"].start = 60; }), HasSubstr("outside the bounds"));
  EXPECT_THAT(with([](auto& o) { o.weights = {1, 2}; }), HasSubstr("2 weights"));
  EXPECT_THAT(with([](auto& o) { o.weights.assign(10, 0.0); }), HasSubstr("a weight of 0"));
  EXPECT_THAT(with([](auto& o) { o.max_iterations = 0; }), HasSubstr("0 iterations"));
  EXPECT_THAT(with([](auto& o) { o.tolerance = 0; }), HasSubstr("a tolerance of 0"));
  const Array few = data.range(1, 0, 2);
  EXPECT_THAT(refusal([&] {
                fit_curves(test::decay(), few, std::vector<double>{0, 0.1});
              }),
              HasSubstr("2 samples for 3 free parameters"));
}

}  // namespace
}  // namespace larmor::fit
