// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/isa.hpp>
#include <larmor/perfusion/ivim/model.hpp>
#include <larmor/perfusion/ivim/segmented.hpp>
#include <larmor/perfusion/ivim/simulate.hpp>

namespace larmor::ivim {
namespace {

using testing::HasSubstr;

/// D_star so large that nothing of perfusion is left at 200 s/mm2: exp(-200 x 0.06) = 6e-6.
Prior fast() {
  Prior p = classical_prior();
  p.D_star_low = 0.06;
  return p;
}

TEST(IvimSegmented, RecoversWhatWasSimulatedWhereItsAssumptionHolds) {
  const Simulated s = simulate(1000, classical_b, fast(), 0);
  const fit::CurveFit fit = segmented_fit(s.signal, classical_b);
  for (std::size_t v = 0; v < 1000; ++v) {
    ASSERT_EQ(fit.status[v], fit::FitStatus::converged) << v;
    EXPECT_NEAR(fit.values[0][v], 1, 1e-6);
    // The rest of perfusion at 300 s/mm2 is below 1.5e-8 of f; f32 data leave 1e-7 / (300 .. 1000 s/mm2) in D.
    EXPECT_NEAR(fit.values[1][v], s.truth[1][v], 2e-5) << v;
    EXPECT_NEAR(fit.values[2][v], s.truth[2][v], 3e-8) << v;
    EXPECT_NEAR(fit.values[3][v], s.truth[3][v], 1e-3 * s.truth[3][v]) << v;
  }
}

TEST(IvimSegmented, StandardErrorsAreCalibratedWhereItsAssumptionHolds) {
  std::vector<double> b;  // twice each: 12 degrees of freedom
  for (const double v : classical_b) b.push_back(v), b.push_back(v);
  const std::size_t n = 6000;
  const Simulated s = simulate(n, b, fast(), 0.003, false, 2);
  const fit::CurveFit fit = segmented_fit(s.signal, b);
  for (std::size_t m = 0; m < 4; ++m) {
    double errors = 0, claimed = 0, bias = 0, count = 0;
    for (std::size_t v = 0; v < n; ++v) {
      const double e = fit.values[m][v] - s.truth[m][v], se = fit.standard_error[m][v];
      if (std::isfinite(se)) errors += e * e, claimed += se * se, bias += e, ++count;
    }
    EXPECT_GT(count, 0.95 * static_cast<double>(n)) << m;
    // The mean square of what is claimed against that of what happened, known to sqrt(2 / n) = 2 %. Not each z: large
    // errors of a fit in steps come with large residuals. D_star is curved in the noise.
    EXPECT_NEAR(std::sqrt(claimed / errors), 1, m == 3 ? 0.1 : 0.05) << m;
    EXPECT_NEAR(bias / std::sqrt(errors * count), 0, 0.1) << m;
  }
}

/// The threads of CUDA, one after the other on the CPU in pieces as a device gets them; on a device too if there is
/// one.
TEST(IvimSegmented, CudaGivesTheSame) {
  for (const double noise : {0.003, 0.01, 0.1}) {
    Simulated s = simulate(5003, classical_b, classical_prior(), noise, true, 3);
    std::vector<std::uint8_t> mask(5003, 1);
    mask[7] = 0;
    s.signal.data<float>()[11] = NAN;
    const fit::CurveFit here = segmented_fit(s.signal, classical_b, mask);
    SegmentedOptions emulated;
    emulated.scalar = true;
    std::vector<fit::CurveFit> others{segmented_fit(s.signal, classical_b, mask, emulated)};
    if (cuda_device_count() > 0) others.push_back(segmented_fit(s.signal.to(Device::cuda()), classical_b, mask));
    for (const auto& there : others) {
      int apart = 0;
      for (std::size_t v = 0; v < 5003; ++v) {
        apart += there.status[v] != here.status[v];
        for (std::size_t m = 0; m < 4 && fit::usable(here.status[v]); ++m)
          apart += !(std::abs(there.values[m][v] - here.values[m][v]) <= 2e-3 * std::abs(here.values[m][v]) + 1e-7);
      }
      EXPECT_LE(apart, 25) << noise;  // minima of equal depth, which rounding chooses between
      EXPECT_EQ(there.status[7], fit::FitStatus::outside);
      EXPECT_EQ(there.status[11], fit::FitStatus::bad_data);
    }
  }
}

TEST(IvimSegmented, EveryInstructionSetGivesTheSame) {
  const Simulated s = simulate(100, classical_b, classical_prior(), 0.01, true, 3);
  SegmentedOptions scalar;
  scalar.scalar = true;
  const fit::CurveFit a = segmented_fit(s.signal, classical_b, {}, scalar);
  const Isa before = isa();
  for (const Isa level : {Isa::baseline, Isa::v3, Isa::v4}) {
    if (!isa_available(level)) continue;
    force_isa(level);
    const fit::CurveFit c = segmented_fit(s.signal, classical_b);
    for (std::size_t v = 0; v < 100; ++v) {
      EXPECT_EQ(a.status[v], c.status[v]);
      // f32 throughout: a D_star that the data hardly tell amplifies roundings of 1e-7 by its error over theirs.
      for (std::size_t m = 0; m < 4; ++m)
        EXPECT_NEAR(a.values[m][v], c.values[m][v], 2e-3 * std::abs(a.values[m][v]) + 1e-6) << m << ' ' << v;
    }
  }
  force_isa(before);
}

/// Two packs run at once: voxels that fill neither, one, or more come out as alone.
TEST(IvimSegmented, TheNumberOfVoxelsDoesNotMatter) {
  const Simulated s = simulate(70, classical_b, classical_prior(), 0.01, true, 11);
  const fit::CurveFit all = segmented_fit(s.signal, classical_b);
  for (const std::size_t n : {1, 15, 17, 33, 64}) {
    std::vector<std::uint8_t> mask(70, 0);
    std::fill_n(mask.begin() + 3, n, 1);
    const fit::CurveFit some = segmented_fit(s.signal, classical_b, mask);
    for (std::size_t v = 0; v < 70; ++v)
      for (std::size_t m = 0; m < 4; ++m)
        if (mask[v])
          EXPECT_EQ(some.values[m][v], all.values[m][v]) << n << ' ' << v;
        else
          EXPECT_TRUE(std::isnan(some.values[m][v]));
  }
}

TEST(IvimSegmented, TheScaleOfTheDataDoesNotMatter) {
  const Simulated s = simulate(100, classical_b, classical_prior(), 0.01, true, 4);
  Array large = s.signal.clone();
  for (float& v : large.span<float>()) v *= 4096;
  const fit::CurveFit a = segmented_fit(s.signal, classical_b), c = segmented_fit(large, classical_b);
  for (std::size_t v = 0; v < 100; ++v)
    for (std::size_t m = 1; m < 4; ++m)
      EXPECT_NEAR(a.values[m][v], c.values[m][v], (m == 3 ? 2e-3 : 1e-4) * std::abs(a.values[m][v]) + 1e-7);
}

TEST(IvimSegmented, VoxelsAndProtocolsWithoutAnAnswerSayWhy) {
  Simulated s = simulate(5, classical_b, classical_prior(), 0.01);
  float* y = s.signal.data<float>();
  for (int k = 0; k < 8; ++k) y[k * 5] = 0;
  y[2 * 5 + 1] = NAN, y[7 * 5 + 2] = -0.01f;
  const std::vector<std::uint8_t> mask{1, 1, 1, 0, 1};
  const fit::CurveFit fit = segmented_fit(s.signal, classical_b, mask);
  EXPECT_EQ(fit.status[0], fit::FitStatus::no_signal);
  EXPECT_EQ(fit.status[1], fit::FitStatus::bad_data);
  EXPECT_EQ(fit.status[2], fit::FitStatus::out_of_range);
  EXPECT_EQ(fit.status[3], fit::FitStatus::outside);
  EXPECT_TRUE(fit::usable(fit.status[4]));
  for (const std::size_t v : {0, 1, 2, 3}) EXPECT_TRUE(std::isnan(fit.values[1][v])) << v;

  const auto refusal = [&](std::vector<double> b, SegmentedOptions o = {}) {
    try {
      segmented_fit(s.signal, b, {}, o);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_THAT(refusal({5, 10, 20, 60, 150, 300, 500, 1000}), HasSubstr("b = 0"));
  EXPECT_THAT(refusal({0, 10, 20, 60, 150, 150, 150, 1000}),
              HasSubstr("1 different b-values from the threshold of 200"));
  EXPECT_THAT(refusal({0, 10}), HasSubstr("2 b-values"));
  EXPECT_THAT(refusal({classical_b.begin(), classical_b.end()}, {.params = {{"K", {}}}}), HasSubstr("'K'"));
}

/// All models: gradients against finite differences, and the fit of what was simulated.
TEST(IvimModels, GradientsAndRecovery) {
  std::vector<double> b{0, 5, 10, 20, 30, 50, 80, 120, 200, 350, 500, 650, 800, 1000, 1300};
  for (const auto& [id, model] : models()) {
    std::vector<double> design, p;
    for (const double v : b) {
      design.push_back(v);
      if (model.design.size() == 2) design.push_back(0.02 * std::sqrt(v));  // flow weighting grows with the gradients
    }
    for (const auto& param : model.params) p.push_back(param.start);
    std::vector<double> s(b.size()), jacobian(b.size() * p.size()), up(b.size()), down(b.size());
    curve_signal(model, design, p, {}, s, jacobian);
    EXPECT_NEAR(s[0], 1, 1e-12) << id;  // every model is S0 at b = 0
    for (std::size_t i = 0; i < p.size(); ++i) {
      const double h = 1e-6 * p[i];
      auto q = p;
      q[i] += h, curve_signal(model, design, q, {}, up);
      q[i] = p[i] - h, curve_signal(model, design, q, {}, down);
      for (std::size_t k = 0; k < b.size(); ++k)  // rounding: 1e-16 / h
        EXPECT_NEAR(jacobian[k * p.size() + i] * p[i], (up[k] - down[k]) / 2e-6, 1e-8) << id << ' ' << i << ' ' << k;
    }
    const auto n = static_cast<std::int64_t>(b.size());
    Array data = Array::of<float>({1, n});
    for (std::int64_t k = 0; k < n; ++k) data.data<float>()[k] = static_cast<float>(s[static_cast<std::size_t>(k)]);
    fit::CurveFitOptions options;
    if (id == "ivim.ballistic") options.params["D_blood"].fixed = 1.75e-3;
    const fit::CurveFit fit = fit_curves(model, data, design, {}, {}, options);
    EXPECT_TRUE(fit::usable(fit.status[0])) << id;
    for (std::size_t k = 0; k < b.size(); ++k) {
      std::vector<double> found;
      for (const auto& v : fit.values) found.push_back(v[0]);
      curve_signal(model, design, found, {}, up);
      EXPECT_NEAR(up[k], s[k], 2e-6) << id << ' ' << k;  // data in f32
    }
  }
}

TEST(IvimModels, LimitsBetweenThem) {
  const std::vector<double> b{0, 20, 100, 500, 1000};
  std::vector<double> a(5), c(5);
  const auto signal = [&](const char* id, std::vector<double> p, std::vector<double>& s) {
    curve_signal(models().get(id), b, p, {}, s);
  };
  signal("ivim.biexponential", {1, 0, 1e-3, 0.05}, a), signal("ivim.adc", {1, 1e-3}, c);
  EXPECT_THAT(a, testing::Pointwise(testing::DoubleNear(1e-15), c));  // f = 0
  signal("ivim.kurtosis", {1, 0.2, 1e-3, 0.05, 0}, a), signal("ivim.biexponential", {1, 0.2, 1e-3, 0.05}, c);
  EXPECT_THAT(a, testing::Pointwise(testing::DoubleNear(1e-15), c));  // K = 0
  signal("ivim.triexponential", {1, 0.2, 0, 1e-3, 0.05, 0.5}, a);
  EXPECT_THAT(a, testing::Pointwise(testing::DoubleNear(1e-15), c));  // one compartment empty
  signal("ivim.biexponential", {1, 0.2, 1e-3, 1e3}, a), signal("ivim.simplified", {1, 0.2, 1e-3}, c);
  EXPECT_THAT(a, testing::Pointwise(testing::DoubleNear(1e-8), c));  // D_star without bound
  std::vector<double> design;
  for (const double v : b) design.insert(design.end(), {v, 0.0});
  curve_signal(models().get("ivim.ballistic"), design, std::vector<double>{1, 0.3, 1e-3, 2, 1.75e-3}, {}, a);
  signal("ivim.biexponential", {1, 0.3, 1e-3, 1.75e-3}, c);
  EXPECT_THAT(a, testing::Pointwise(testing::DoubleNear(1e-15), c));  // flow compensated: blood only diffuses
}

}  // namespace
}  // namespace larmor::ivim
