// SPDX-License-Identifier: Apache-2.0
// Laws that hold for every tracer-kinetic model, and limits between models.
#include <gtest/gtest.h>

#include <cmath>
#include <larmor/perfusion/dce/aif_models.hpp>
#include <larmor/perfusion/dce/fit.hpp>
#include <larmor/perfusion/dce/kernels.hpp>
#include <larmor/perfusion/dce/time_grid.hpp>
#include <random>

using namespace larmor;
using namespace larmor::dce;

namespace {

std::vector<double> uniform_grid(int n, double dt, double start = 0) {
  std::vector<double> t;
  for (int i = 0; i < n; ++i) t.push_back(start + dt * i);
  return t;
}

std::vector<double> jittered_grid(int n, double dt) {
  std::mt19937_64 rng(3);
  std::uniform_real_distribution<double> jitter(-0.3, 0.3);
  auto t = uniform_grid(n, dt);
  for (int i = 1; i < n; ++i) t[static_cast<std::size_t>(i)] += dt * jitter(rng);
  return t;
}

/// A short bolus of unit area at the start: a smooth stand-in for an impulse, zero at both ends.
Aif bolus(double width, double last, double dt) {
  Aif a;
  for (double t = 0; t <= last; t += dt) {
    a.times.push_back(t);
    const double u = t / width;
    a.values.push_back(u < 1 ? 30 / width * u * u * (1 - u) * (1 - u) : 0.0);
  }
  return a;
}

Aif parker(std::span<const double> t) { return sample_aif(aif_models().get("aif.parker"), t, 15.0, 0.42); }

std::vector<Aif> inputs_for(const Model& model, std::span<const double> t) {
  std::vector<Aif> inputs{parker(t)};
  if (model.n_inputs == 2) inputs.push_back(sample_aif(aif_models().get("aif.weinmann"), t, 25.0, 0.42));
  return inputs;
}

std::vector<double> typical(const Model& model) {
  std::vector<double> p;
  for (const Param& q : model.params) p.push_back(q.start);
  return p;
}

std::vector<double> curve_of(const std::string& id, const std::vector<double>& p, std::span<const Aif> inputs,
                             std::span<const double> t, double delay = 0) {
  std::vector<double> c(t.size());
  tissue_concentration(models().get(id), p, inputs, t, c, delay);
  return c;
}

double largest(std::span<const double> c) {
  double m = 0;
  for (const double v : c) m = std::max(m, std::abs(v));
  return m;
}

double furthest(std::span<const double> a, std::span<const double> b) {
  double m = 0;
  for (std::size_t i = 0; i < a.size(); ++i) m = std::max(m, std::abs(a[i] - b[i]));
  return m;
}

class EveryModel : public testing::TestWithParam<std::string> {
 protected:
  const Model& model() const { return models().get(GetParam()); }
};

TEST_P(EveryModel, IsLinearInItsInputs) {
  const auto t = jittered_grid(60, 4);
  auto inputs = inputs_for(model(), t);
  const auto once = curve_of(GetParam(), typical(model()), inputs, t);
  for (Aif& a : inputs)
    for (double& v : a.values) v *= 3;
  const auto thrice = curve_of(GetParam(), typical(model()), inputs, t);
  for (std::size_t i = 0; i < t.size(); ++i) EXPECT_NEAR(thrice[i], 3 * once[i], 1e-13 * largest(thrice));
}

TEST_P(EveryModel, StartsAtZeroAndNeverNegative) {
  const auto t = uniform_grid(80, 3);
  const auto inputs = inputs_for(model(), t);
  const auto c = curve_of(GetParam(), typical(model()), inputs, t);
  EXPECT_EQ(c[0], 0.0);
  // AATH reads its input between samples on a cubic, which may dip by a part in a thousand before a steep rise.
  const double dip = GetParam() == "dce.aath" ? 1e-3 * largest(c) : 1e-12;
  for (const double v : c) EXPECT_GE(v, -dip);
}

TEST_P(EveryModel, TimeOriginDoesNotMatter) {
  const auto t = jittered_grid(60, 4);
  auto inputs = inputs_for(model(), t);
  const auto here = curve_of(GetParam(), typical(model()), inputs, t);
  auto later = t;
  for (double& v : later) v += 1000;
  for (Aif& a : inputs)
    for (double& v : a.times) v += 1000;
  const auto there = curve_of(GetParam(), typical(model()), inputs, later);
  // 1000 s leave 1e-13 s of a time, times the input's steepest slope of about 1 mM/s.
  EXPECT_LT(furthest(here, there), 1e-11 * largest(here));
}

TEST_P(EveryModel, PointsOnTheLineChangeNothing) {
  if (GetParam() == "dce.aath") GTEST_SKIP() << "evaluated at its own lag on a cubic through the samples";
  const auto t = jittered_grid(50, 5);
  const auto inputs = inputs_for(model(), t);
  auto refined = inputs;
  for (Aif& a : refined) {
    Aif fine = a;
    fine.times.clear(), fine.values.clear();
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (i > 0)
        for (const double s : {0.25, 0.6}) {
          fine.times.push_back(a.times[i - 1] + s * (a.times[i] - a.times[i - 1]));
          fine.values.push_back(a.values[i - 1] + s * (a.values[i] - a.values[i - 1]));
        }
      fine.times.push_back(a.times[i]), fine.values.push_back(a.values[i]);
    }
    a = fine;
  }
  const auto coarse = curve_of(GetParam(), typical(model()), inputs, t);
  const auto fine = curve_of(GetParam(), typical(model()), refined, t);
  EXPECT_LT(furthest(coarse, fine), 1e-12 * largest(coarse));
}

TEST_P(EveryModel, FramesDoNotDependOnEachOther) {
  if (GetParam() == "dce.aath") GTEST_SKIP() << "frames are nodes of its convolution";
  const auto t = uniform_grid(60, 4);
  const auto inputs = inputs_for(model(), t);
  const auto all = curve_of(GetParam(), typical(model()), inputs, t);
  const std::vector<double> some{t[3], t[17], t[18], t[59]};
  const auto few = curve_of(GetParam(), typical(model()), inputs, some);
  EXPECT_NEAR(few[0], all[3], 1e-13);
  EXPECT_NEAR(few[1], all[17], 1e-12);
  EXPECT_NEAR(few[3], all[59], 1e-12);
}

TEST_P(EveryModel, GradientIsThatOfDifferences) {
  const auto t = jittered_grid(60, 4);
  const auto inputs = inputs_for(model(), t);
  const FitKernels& k = *model().kernels();
  for (const bool delay : {false, true}) {
    const TimeGridBuilder grid(t, inputs, 0.0, k.lagged || delay);
    auto p = typical(model());
    // Off the samples: on them the curve's second derivative by the delay jumps, and a difference sees both sides.
    if (delay) p.push_back(1.3);
    const std::size_t n = t.size(), np = p.size();
    std::vector<double> jacobian(n * np), up(n), down(n);
    const auto f = k.baseline()->curve[delay];
    f(grid.view(), 0.0, p.data(), nullptr, jacobian.data());
    for (std::size_t j = 0; j < np; ++j) {
      const double h = 1e-5 * std::max(std::abs(p[j]), 1e-3);
      auto q = p;
      q[j] = p[j] + h;
      f(grid.view(), 0.0, q.data(), up.data(), nullptr);
      q[j] = p[j] - h;
      f(grid.view(), 0.0, q.data(), down.data(), nullptr);
      double scale = 0;
      for (std::size_t i = 0; i < n; ++i) scale = std::max(scale, std::abs(jacobian[i * np + j]));
      for (std::size_t i = 0; i < n; ++i)
        EXPECT_NEAR(jacobian[i * np + j], (up[i] - down[i]) / (2 * h), 1e-6 * scale)
            << model().title << " parameter " << j << " frame " << i << " delay " << delay;
    }
  }
}

TEST_P(EveryModel, FitOfSimulatedDataReturnsTheParameters) {
  for (const bool uniform : {true, false}) {
    const auto t = uniform ? uniform_grid(90, 3) : jittered_grid(90, 3);
    const auto inputs = inputs_for(model(), t);
    std::mt19937_64 rng(11);
    std::uniform_real_distribution<double> factor(0.5, 2.0);
    const int n = 64;
    Array data(DType::f32, {n, 90}, {"voxel", "t"});
    std::vector<std::vector<double>> truth;
    for (int v = 0; v < n; ++v) {
      auto p = typical(model());
      for (std::size_t i = 0; i < p.size(); ++i) p[i] = std::min(p[i] * factor(rng), 0.9 * model().params[i].upper);
      const auto c = curve_of(GetParam(), p, inputs, t);
      for (int f = 0; f < 90; ++f) data.data<float>()[f * n + v] = static_cast<float>(c[static_cast<std::size_t>(f)]);
      truth.push_back(p);
    }
    const FitResult r = fit_model(model(), data, t, inputs);
    for (int v = 0; v < n; ++v) {
      ASSERT_EQ(r.status[static_cast<std::size_t>(v)], fit::FitStatus::converged) << v;
      // Data rounded to float carry 6e-8 of relative noise; ill-conditioned combinations amplify it a thousandfold.
      for (std::size_t i = 0; i < truth[0].size(); ++i)
        EXPECT_NEAR(r.values[i][static_cast<std::size_t>(v)] / truth[static_cast<std::size_t>(v)][i], 1.0, 2e-4)
            << model().params[i].name << " voxel " << v << " uniform " << uniform;
    }
  }
}

// Frames of 3 s against the same input sampled ten times as often: the bends between samples are in the fit's curve, so
// it is closer to the fine one than lines between shifted samples are, and halving the frames leaves about an eighth.
TEST_P(EveryModel, DelayedInputIsReadBetweenItsSamples) {
  const double delay = 1.3;
  const auto smooth = [](std::span<const double> t) {  // no corners, so the order of the interpolation shows
    Aif a{.times = {t.begin(), t.end()}};
    for (const double s : t)
      a.values.push_back(6 * std::exp(-0.5 * (s - 30) * (s - 30) / 25) + 1 / (1 + std::exp(25 - s)));
    return a;
  };
  const auto far = [&](double dt, bool cubic) {
    const auto t = uniform_grid(static_cast<int>(150 / dt) + 1, dt);
    const auto fine = uniform_grid(static_cast<int>(1500 / dt) + 1, dt / 10);
    const std::vector<Aif> coarse(static_cast<std::size_t>(model().n_inputs), smooth(t));
    const std::vector<Aif> dense(static_cast<std::size_t>(model().n_inputs), smooth(fine));
    std::vector<double> c(t.size()), all(fine.size());
    if (cubic)
      delayed_concentration(model(), typical(model()), coarse, t, c, delay);
    else
      tissue_concentration(model(), typical(model()), coarse, t, c, delay);
    tissue_concentration(model(), typical(model()), dense, fine, all, delay);
    std::vector<double> same;
    for (std::size_t i = 0; i < t.size(); ++i) same.push_back(all[10 * i]);
    return furthest(c, same) / largest(same);
  };
  EXPECT_LT(far(3, true), 0.01);
  EXPECT_LT(far(1.5, true), 0.2 * far(3, true));
  // Patlak needs no step of the convolution, extended Tofts errs by the input itself (vp ca), and AATH always reads the
  // cubic: there both ways are alike.
  const bool gains = GetParam() != "dce.aath" && GetParam() != "dce.patlak" && GetParam() != "dce.extended_tofts";
  if (gains) {
    EXPECT_LT(far(3, true), 0.5 * far(3, false));
  }
}

TEST_P(EveryModel, FittedDelayIsFound) {
  const auto t = uniform_grid(150, 1.5);
  const auto inputs = inputs_for(model(), t);
  const int n = 24;
  Array data(DType::f32, {n, 150}, {"voxel", "t"});
  std::mt19937_64 rng(5);
  std::normal_distribution<double> noise(0, 0.001);
  for (int v = 0; v < n; ++v) {
    const auto c = curve_of(GetParam(), typical(model()), inputs, t, 0.35 * v);
    for (int f = 0; f < 150; ++f)
      data.data<float>()[f * n + v] = static_cast<float>(c[static_cast<std::size_t>(f)] + noise(rng));
  }
  const FitResult r = fit_model(model(), data, t, inputs, {}, {.fit_delay = true});
  ASSERT_EQ(r.params.back().name, "delay");
  for (int v = 0; v < n; ++v) {
    ASSERT_TRUE(usable(r.status[static_cast<std::size_t>(v)])) << v;
    EXPECT_NEAR(r.values.back()[static_cast<std::size_t>(v)], 0.35 * v, 0.3) << v;
  }
}

INSTANTIATE_TEST_SUITE_P(Dce, EveryModel, testing::ValuesIn(models().ids()), [](const auto& info) {
  std::string name = info.param;
  for (char& c : name)
    if (c == '.') c = '_';
  return name;
});

/// Area under the response per unit area of input.
double response_area(const std::string& id, const std::vector<double>& p) {
  const Aif input = bolus(8.0, 4000, 0.125);
  const auto c = curve_of(id, p, {&input, 1}, input.times);
  double area = 0;
  for (std::size_t i = 1; i < c.size(); ++i) area += 0.5 * (c[i] + c[i - 1]) * (input.times[i] - input.times[i - 1]);
  return area;
}

TEST(Areas, AreTheDistributionVolumes) {
  // Central volume theorem. The tail beyond 4000 s is below exp(-4000 * 0.005) = 2e-9; the trapezoid over 0.125 s
  // steps of curves with rates up to 0.2/s errs by (0.125 0.2)^2 / 12 of what they hold.
  EXPECT_NEAR(response_area("dce.2cxm", {0.01, 0.002, 0.25, 0.06}), 0.31, 1e-4);
  EXPECT_NEAR(response_area("dce.tofts", {0.002, 0.25}), 0.25, 1e-4);
  EXPECT_NEAR(response_area("dce.extended_tofts", {0.002, 0.25, 0.06}), 0.31, 1e-4);
  EXPECT_NEAR(response_area("dce.one_compartment", {0.01, 0.1}), 0.1, 1e-4);
  EXPECT_NEAR(response_area("dce.aath", {0.01, 0.002, 0.25, 0.06}), 0.31, 1e-4);
}

TEST(Limits, OfTheExchangeModel) {
  const auto t = uniform_grid(200, 1.5);
  const Aif a = parker(t);
  const std::span<const Aif> in(&a, 1);
  const double Fp = 0.02, PS = 0.003, ve = 0.25, vp = 0.05;
  // PS -> 0: one compartment. Error of first order in PS / Fp.
  auto x = curve_of("dce.2cxm", {Fp, 1e-9, ve, vp}, in, t), y = curve_of("dce.one_compartment", {Fp, vp}, in, t);
  EXPECT_LT(furthest(x, y), 1e-5 * largest(y));
  // ve -> infinity: uptake. Error of order PS t / ve.
  x = curve_of("dce.2cxm", {Fp, PS, 1e7, vp}, in, t), y = curve_of("dce.2cum", {Fp, PS, vp}, in, t);
  EXPECT_LT(furthest(x, y), 1e-6 * largest(y));
  // Fp -> infinity: extended Tofts with Ktrans = PS. Error of order PS / Fp and of the mean transit time vp / Fp.
  x = curve_of("dce.2cxm", {1e5, PS, ve, vp}, in, t), y = curve_of("dce.extended_tofts", {PS, ve, vp}, in, t);
  EXPECT_LT(furthest(x, y), 1e-5 * largest(y));
  // vp -> 0: Tofts with Ktrans = E Fp.
  const double E = PS / (PS + Fp);
  x = curve_of("dce.2cxm", {Fp, PS, ve, 1e-7}, in, t), y = curve_of("dce.tofts", {E * Fp, ve}, in, t);
  EXPECT_LT(furthest(x, y), 1e-4 * largest(y));
  // Fp -> infinity of uptake, and ve -> infinity of extended Tofts: Patlak.
  y = curve_of("dce.patlak", {PS, vp}, in, t);
  EXPECT_LT(furthest(curve_of("dce.2cum", {1e5, PS, vp}, in, t), y), 1e-5 * largest(y));
  EXPECT_LT(furthest(curve_of("dce.extended_tofts", {PS, 1e7, vp}, in, t), y), 1e-6 * largest(y));
  // vp = 0 of extended Tofts: Tofts, exactly.
  EXPECT_EQ(furthest(curve_of("dce.extended_tofts", {PS, ve, 0}, in, t), curve_of("dce.tofts", {PS, ve}, in, t)), 0.0);
}

TEST(Delay, OfWholeStepsIsAShift) {
  const auto t = uniform_grid(120, 2);
  const Aif a = parker(t);
  for (const auto& id : {"dce.2cxm", "dce.extended_tofts", "dce.patlak"}) {
    const auto now = curve_of(id, typical(models().get(id)), {&a, 1}, t);
    const auto later = curve_of(id, typical(models().get(id)), {&a, 1}, t, 6.0);
    for (std::size_t i = 3; i < t.size(); ++i) EXPECT_NEAR(later[i], now[i - 3], 1e-12 * largest(now)) << id;
  }
}

}  // namespace
