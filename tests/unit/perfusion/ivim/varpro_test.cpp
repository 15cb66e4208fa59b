// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/isa.hpp>
#include <larmor/perfusion/ivim/model.hpp>
#include <larmor/perfusion/ivim/simulate.hpp>
#include <larmor/perfusion/ivim/varpro.hpp>

namespace larmor::ivim {
namespace {

using testing::HasSubstr;

TEST(IvimVarpro, RecoversWhatWasSimulatedWithoutNoise) {
  const Simulated s = simulate(1000, classical_b, classical_prior(), 0);
  const fit::CurveFit fit = varpro_fit(s.signal, classical_b);
  for (std::size_t v = 0; v < 1000; ++v) {
    ASSERT_EQ(fit.status[v], fit::FitStatus::converged) << v;
    // Signals are f32, 6e-8: times the ratio of errors to noise, about 2 for f, 0.01 for D and 1 for D_star.
    EXPECT_NEAR(fit.values[0][v], 1, 1e-6);
    EXPECT_NEAR(fit.values[1][v], s.truth[1][v], 3e-5) << v;
    EXPECT_NEAR(fit.values[2][v], s.truth[2][v], 3e-8) << v;
    EXPECT_NEAR(fit.values[3][v], s.truth[3][v], 1e-3 * s.truth[3][v]) << v;
  }
}

/// The same minimum as the full fit, and the same errors: the projected normal equations are the full ones with the
/// amplitudes eliminated.
TEST(IvimVarpro, IsTheFullBoundedFit) {
  const Simulated s = simulate(2000, classical_b, classical_prior(), 0.01, true, 2);
  const fit::CurveFit fit = varpro_fit(s.signal, classical_b);
  const fit::CurveFit full = fit_curves(models().get("ivim.biexponential"), s.signal, classical_b);
  int same = 0, compared = 0;
  for (std::size_t v = 0; v < 2000; ++v) {
    if (full.status[v] != fit::FitStatus::converged) continue;
    ++compared;
    EXPECT_LE(fit.residual_sd[v], full.residual_sd[v] * 1.0001) << v;  // never a worse minimum
    bool close = fit.status[v] == fit::FitStatus::converged;
    for (std::size_t m = 0; m < 4 && close; ++m)
      close = std::abs(fit.values[m][v] - full.values[m][v]) < 0.01 * full.standard_error[m][v] &&
              std::abs(fit.standard_error[m][v] / full.standard_error[m][v] - 1) < 0.02;
    same += close;
  }
  EXPECT_GT(compared, 1500);
  EXPECT_GT(same, 0.99 * compared);  // the rest are voxels with two minima
}

TEST(IvimVarpro, AnAmplitudeBeyondItsBoundIsHeldThere) {
  // Mono-exponential data: no perfusion to find; then f above its upper bound.
  std::vector<float> truth[4] = {{1, 1}, {0, 0.6f}, {1e-3f, 1e-3f}, {0.05f, 0.05f}};
  const Array data = signals_of(truth, classical_b, 0.0);
  VarproOptions o;
  o.params["f"].upper = 0.4;
  const fit::CurveFit fit = varpro_fit(data, classical_b, {}, o);
  EXPECT_NEAR(fit.values[1][0], 0, 1e-6);
  EXPECT_NEAR(fit.values[2][0], 1e-3, 1e-7);
  EXPECT_EQ(fit.status[1], fit::FitStatus::at_bound);
  EXPECT_FLOAT_EQ(fit.values[1][1], 0.4f);
  EXPECT_TRUE(std::isnan(fit.standard_error[1][1]));
}

/// The threads of CUDA, one after the other on the CPU in pieces as a device gets them; on a device too if there is
/// one.
TEST(IvimVarpro, CudaGivesTheSame) {
  for (const double noise : {0.003, 0.01, 0.1}) {
    Simulated s = simulate(5003, classical_b, classical_prior(), noise, true, 3);
    std::vector<std::uint8_t> mask(5003, 1);
    mask[7] = 0;
    s.signal.data<float>()[11] = NAN;
    const fit::CurveFit here = varpro_fit(s.signal, classical_b, mask);
    VarproOptions emulated;
    emulated.scalar = true;
    std::vector<fit::CurveFit> others{varpro_fit(s.signal, classical_b, mask, emulated)};
    if (cuda_device_count() > 0) others.push_back(varpro_fit(s.signal.to(Device::cuda()), classical_b, mask));
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

TEST(IvimVarpro, EveryInstructionSetGivesTheSame) {
  const Simulated s = simulate(100, classical_b, classical_prior(), 0.01, true, 3);
  VarproOptions scalar;
  scalar.scalar = true;
  const fit::CurveFit a = varpro_fit(s.signal, classical_b, {}, scalar);
  const Isa before = isa();
  for (const Isa level : {Isa::baseline, Isa::v3, Isa::v4}) {
    if (!isa_available(level)) continue;
    force_isa(level);
    const fit::CurveFit c = varpro_fit(s.signal, classical_b);
    for (std::size_t v = 0; v < 100; ++v) {
      EXPECT_EQ(a.status[v], c.status[v]);
      for (std::size_t m = 0; m < 4; ++m)
        EXPECT_NEAR(a.values[m][v], c.values[m][v], 1e-4 * std::abs(a.values[m][v])) << m << ' ' << v;
    }
  }
  force_isa(before);
}

TEST(IvimVarpro, WeightsAreRepeatsAndTheScaleDoesNotMatter) {
  const Simulated s = simulate(100, classical_b, classical_prior(), 0.01, true, 4);
  std::vector<double> b(classical_b.begin(), classical_b.end());
  b.push_back(60);
  Array twice(DType::f32, {100, 9}, {"voxel", "b"});
  for (std::int64_t v = 0; v < 100; ++v) {
    for (std::int64_t k = 0; k < 8; ++k) twice.data<float>()[k * 100 + v] = 4096 * s.signal.data<float>()[k * 100 + v];
    twice.data<float>()[8 * 100 + v] = 4096 * s.signal.data<float>()[3 * 100 + v];
  }
  VarproOptions o;
  o.weights = {1, 1, 1, 2, 1, 1, 1, 1};
  const fit::CurveFit a = varpro_fit(s.signal, classical_b, {}, o), c = varpro_fit(twice, b);
  for (std::size_t v = 0; v < 100; ++v) {
    EXPECT_NEAR(c.values[0][v], 4096 * a.values[0][v], 0.1);
    for (std::size_t m = 1; m < 4; ++m) EXPECT_NEAR(a.values[m][v], c.values[m][v], 1e-4 * std::abs(a.values[m][v]));
  }
}

TEST(IvimVarpro, VoxelsWithoutDataSayWhyAndNonsenseIsRefused) {
  Simulated s = simulate(8, classical_b, classical_prior(), 0.01, true, 10);
  for (std::int64_t k = 0; k < 8; ++k) s.signal.data<float>()[k * 8 + 1] = 0;
  s.signal.data<float>()[3 * 8 + 2] = NAN;
  const std::vector<std::uint8_t> mask{1, 1, 1, 0, 1, 1, 1, 1};
  const fit::CurveFit fit = varpro_fit(s.signal, classical_b, mask);
  EXPECT_EQ(fit.status[1], fit::FitStatus::no_signal);
  EXPECT_EQ(fit.status[2], fit::FitStatus::bad_data);
  EXPECT_EQ(fit.status[3], fit::FitStatus::outside);
  const auto refusal = [&](std::vector<double> b, auto change) {
    VarproOptions o;
    change(o);
    try {
      varpro_fit(s.signal, b, {}, o);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_THAT(refusal({0, 1}, [](auto&) {}), HasSubstr("2 b-values"));
  EXPECT_THAT(refusal({0, 10, 20, 60, 150, 300, 500, -1}, [](auto&) {}), HasSubstr("a b-value of -1"));
  const std::vector<double> good(classical_b.begin(), classical_b.end());
  EXPECT_THAT(refusal(good, [](auto& o) { o.weights = {1}; }), HasSubstr("1 weights for 8"));
  EXPECT_THAT(refusal(good, [](auto& o) { o.weights.assign(8, -1.0); }), HasSubstr("a weight of -1"));
  EXPECT_THAT(refusal(good, [](auto& o) { o.params["Ktrans"].lower = 0; }), HasSubstr("Ktrans"));
}

}  // namespace
}  // namespace larmor::ivim
