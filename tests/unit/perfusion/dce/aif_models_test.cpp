// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/dce/aif_models.hpp>
#include <random>

using namespace larmor;
using namespace larmor::dce;

namespace {
std::vector<double> grid(double dt, int n, double first = 0) {
  std::vector<double> t;
  for (int i = 0; i < n; ++i) t.push_back(first + dt * i);
  return t;
}
}  // namespace

TEST(AifModels, AllAreZeroBeforeArrivalFiniteAndPositiveAfter) {
  EXPECT_EQ(aif_models().ids(), (std::vector<std::string>{"aif.fritz_hansen", "aif.georgiou", "aif.mcgrath_b",
                                                          "aif.parker", "aif.weinmann"}));
  for (const auto& [id, model] : aif_models()) {
    EXPECT_EQ(model.value(-1e-9), 0) << id;
    EXPECT_EQ(model.value(-100), 0) << id;
    for (double t = 0.5; t < 3600; t *= 1.1) {
      const double c = model.value(t);
      EXPECT_TRUE(std::isfinite(c) && c > 0 && c < 12) << id << " at " << t << " s: " << c;
    }
    EXPECT_FALSE(model.source.empty()) << id;
  }
}

// Independent numbers: Parker's peak by hand from table 1 (first Gaussian at its centre, the second one and the
// sigmoid there), the initial value of the bi-exponentials, the corner of McGrath's model.
TEST(AifModels, KnownValues) {
  const auto at = [](const char* id, double t) { return aif_models().get(id).value(t); };
  EXPECT_NEAR(at("parker", 60 * 0.17046), 5.73260 + 0.33751 + 8.8e-6, 2e-3);
  EXPECT_NEAR(at("fritz_hansen", 0), 3.02, 1e-12);
  EXPECT_NEAR(at("weinmann", 0), 0.877, 1e-12);
  EXPECT_NEAR(at("mcgrath", 7), 5.21, 1e-12);
  EXPECT_NEAR(at("mcgrath", 3.5), 2.605, 1e-12);
  EXPECT_NEAR(at("mcgrath", 7 + 600), 1.81 * std::exp(-0.9), 1e-9);
  // The circulation sum tends to the rate of a renewal process, 1 / ((alpha + 1) beta + tau) = 3.0340 1/min.
  EXPECT_NEAR(at("georgiou", 1200) / (0.3743346 * std::exp(-0.1126957 * 20)), 3.03404, 3e-5);
}

// The equation with the printed digits of table 3: half a unit of their last digits moves the curve by up to 0.1 mM
// (m3, alpha and beta mostly), 1.2 % of the peak.
TEST(AifModels, GeorgiouIsItsTable) {
  const auto table = [](double t) {
    double circulations = 0;
    for (int k = 0; t > 0.129 * k; ++k) {
      const double x = t - 0.129 * k, a = (k + 1) * 5.26 + k;
      circulations += std::exp(a * std::log(x / 0.032) - x / 0.032 - std::lgamma(a + 1)) / 0.032;
    }
    return circulations * (0.37 * std::exp(-0.11 * t) + 0.33 * std::exp(-1.17 * t) + 10.06 * std::exp(-16.02 * t));
  };
  double worst = 0;
  for (double t = 0.01; t < 10; t += 0.01)
    worst = std::max(worst, std::abs(table(t) - aif_models().get("aif.georgiou").value(60 * t)));
  EXPECT_LT(worst, 0.1);
}

TEST(AifModels, SamplingConvertsBloodToPlasmaOnce) {
  const auto t = grid(2, 50);
  const auto& parker = aif_models().get("aif.parker");
  const auto cp = sample_aif(parker, t, 20, 0.42);
  EXPECT_TRUE(cp.plasma);
  EXPECT_DOUBLE_EQ(cp.Hct, 0.42);
  EXPECT_EQ(cp.values[9], 0);  // 18 s: not there yet
  EXPECT_DOUBLE_EQ(cp.values[15], parker.value(10) / 0.58);
  const auto weinmann = sample_aif(aif_models().get("weinmann"), t, 0, 0.42);
  EXPECT_DOUBLE_EQ(weinmann.values[10], aif_models().get("weinmann").value(20));  // plasma already
  EXPECT_THROW(sample_aif(parker, t, 20, 1.0), Error);
  EXPECT_THROW(sample_aif(parker, t, 20, -0.1), Error);
  EXPECT_THROW(sample_aif(parker, t, NAN, 0.4), Error);
  EXPECT_THROW(sample_aif(parker, std::vector<double>{0, 2, 1}, 20, 0.4), Error);
}

// Error of a shift by a part of a frame falls faster than linearly with the frame: order 2 and more for a smooth curve.
TEST(AifShift, ConvergesWithOrderAboveOne) {
  const auto f = [](double t) { return t <= 0 ? 0.0 : std::pow(t / 12, 4) * std::exp(-t / 6); };
  const auto error = [&](double dt, auto move) {
    const int n = static_cast<int>(120 / dt);
    Aif aif{.times = grid(dt, n), .values = {}, .source = {}};
    for (double t : aif.times) aif.values.push_back(f(t));
    return move(aif, dt);
  };
  const auto rms = [](const std::vector<double>& e) {
    double s = 0;
    for (double x : e) s += x * x;
    return std::sqrt(s / static_cast<double>(e.size()));
  };
  const auto shift = [&](const Aif& aif, double dt) {
    const auto moved = shifted(aif, 0.37 * dt + 3);
    std::vector<double> e;
    for (std::size_t i = 0; i < moved.size(); ++i) e.push_back(moved.values[i] - f(moved.times[i] - 0.37 * dt - 3));
    return rms(e);
  };
  const auto resample = [&](const Aif& aif, double dt) {
    std::vector<double> at;
    for (double t = 0.41 * dt; t < 100; t += dt) at.push_back(t);
    const auto out = resampled(aif, at);
    std::vector<double> e;
    for (std::size_t i = 0; i < at.size(); ++i) e.push_back(out.values[i] - f(at[i]));
    return rms(e);
  };
  const double shift_order = std::log2(error(2, shift) / error(0.5, shift)) / 2;
  const double resample_order = std::log2(error(2, resample) / error(0.5, resample)) / 2;
  EXPECT_GT(shift_order, 2.5);     // 3: the slopes are of second order
  EXPECT_GT(resample_order, 1.8);  // flattened at the peak: 2 there
}

TEST(AifShift, Laws) {
  Aif aif{.times = {0, 1, 3, 4, 7, 9}, .values = {0, 0, 2, 5, 3, 1}, .source = {}};
  EXPECT_EQ(shifted(aif, 0).values, aif.values);
  const auto by_one = shifted({.times = grid(1, 5), .values = {0, 1, 5, 2, 1}, .source = {}}, 1).values;
  EXPECT_EQ(by_one, (std::vector<double>{0, 0, 1, 5, 2}));
  // Monotone between samples: nothing below the smaller or above the larger neighbour.
  const auto t = grid(0.05, 180);
  const auto fine = resampled(aif, t);
  for (std::size_t i = 0; i < t.size(); ++i) {
    std::size_t k = 0;
    while (k + 2 < aif.size() && aif.times[k + 1] <= t[i]) ++k;
    EXPECT_GE(fine.values[i], std::min(aif.values[k], aif.values[k + 1]) - 1e-12);
    EXPECT_LE(fine.values[i], std::max(aif.values[k], aif.values[k + 1]) + 1e-12);
  }
  const auto outside = resampled(aif, std::vector<double>{-1, 100});
  EXPECT_EQ(outside.values, (std::vector<double>{0, 1}));
  EXPECT_THROW(shifted(aif, NAN), Error);
  EXPECT_THROW(shifted(Aif{}, 1), Error);
  EXPECT_THROW(resampled(aif, std::vector<double>{1, 1}), Error);
}

// Arrival anywhere between two frames, of a curve with a soft foot (Parker) and of a straight ramp: found within 0.3
// frames (rms) at a noise of 0.5 % of the peak, within 0.4 at 2 % and 5 s frames.
TEST(BolusArrival, BelowTheSamplingInterval) {
  struct Case {
    double dt, noise, frames;
  };
  const auto parker = [](double t) { return aif_models().get("aif.parker").value(t) / 6.05; };
  const auto ramp = [](double t) { return std::clamp(t / 15, 0.0, 1.0); };
  std::mt19937_64 rng(7);
  for (const auto& [dt, sd, frames] : {Case{2.5, 0.005, 0.3}, Case{5, 0.005, 0.3}, Case{5, 0.02, 0.4}})
    for (const std::function<double(double)>& curve : {std::function<double(double)>(parker), {ramp}}) {
      std::normal_distribution<double> noise(0, sd);
      double rms = 0;
      constexpr int repeats = 200;
      for (int k = 0; k < repeats; ++k) {
        const double arrival = 30 + dt * (k % 40) / 40;
        const auto t = grid(dt, static_cast<int>(180 / dt));
        std::vector<double> y;
        for (double x : t) y.push_back(curve(x - arrival) + noise(rng));
        const double error = bolus_arrival(t, y) - arrival;
        rms += error * error / repeats;
      }
      EXPECT_LT(std::sqrt(rms), frames * dt) << "frames of " << dt << " s, noise " << sd;
    }
}

// A straight ramp without noise is the model itself; scaling and offset of the values and of the origin of time change
// nothing.
TEST(BolusArrival, RampLaws) {
  const auto t = grid(2, 60);
  std::vector<double> y, z, later(t);
  for (double x : t) y.push_back(std::min(1.0, std::max(0.0, x - 33.3) / 30));
  for (double v : y) z.push_back(5 + 400 * v);
  for (double& x : later) x += 100;
  EXPECT_NEAR(bolus_arrival(t, y), 33.3, 0.3 * 2);
  EXPECT_NEAR(bolus_arrival(t, z), bolus_arrival(t, y), 1e-6);
  EXPECT_NEAR(bolus_arrival(later, y), bolus_arrival(t, y) + 100, 1e-6);
}

TEST(BolusArrival, Errors) {
  const auto t = grid(1, 40);
  EXPECT_THROW(bolus_arrival(t, std::vector<double>(40, 3.0)), Error);
  EXPECT_THROW(bolus_arrival(t, std::vector<double>(39, 3.0)), Error);
  std::vector<double> falling;
  for (double x : t) falling.push_back(-x);
  EXPECT_THROW(bolus_arrival(t, falling), Error);
  std::mt19937_64 rng(1);
  std::normal_distribution<double> noise;
  std::vector<double> y;
  for (int i = 0; i < 40; ++i) y.push_back(noise(rng));
  try {
    bolus_arrival(t, y);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::numeric);
    EXPECT_NE(std::string(e.what()).find("do: give the arrival"), std::string::npos);
  }
}
