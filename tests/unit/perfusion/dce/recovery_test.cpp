// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/dce/t1.hpp>
#include <limits>
#include <random>

using namespace larmor;
using namespace larmor::dce;
using fit::FitStatus;

namespace {
const std::vector<double> TI{0.05, 0.2, 0.4, 0.8, 1.2, 1.8, 2.6, 4.0};

/// |a + b exp(-t / T)| or signed.
Array recoveries(const std::vector<double>& a, const std::vector<double>& b, const std::vector<double>& T,
                 const std::vector<double>& t, bool magnitude) {
  const auto n = static_cast<std::int64_t>(a.size());
  Array s = Array::of<float>({n, static_cast<std::int64_t>(t.size())});
  for (std::size_t v = 0; v < a.size(); ++v)
    for (std::size_t i = 0; i < t.size(); ++i) {
      const double x = a[v] + b[v] * std::exp(-t[i] / T[v]);
      s.data<float>()[i * a.size() + v] = static_cast<float>(magnitude ? std::abs(x) : x);
    }
  return s;
}
T1Result run(const std::string& method, const Array& s, const T1Protocol& p, std::span<const std::uint8_t> mask = {}) {
  return t1_methods().get(method).map(s, p, {}, mask, {}, nullptr);
}
}  // namespace

// T1 from 0.2 to 3 s, inversion from 50 to 100 %, magnitude or signed, times in any order: back to the rounding of the
// f32 signal times its sensitivity (b / S d ln b / d ln T ~ 1e2): 1e-4.
TEST(InversionRecovery, NoiseFree) {
  std::vector<double> a, b, T;
  for (double t1 = 0.2; t1 < 3; t1 *= 1.07)
    for (double eff : {0.5, 0.8, 1.0}) T.push_back(t1), a.push_back(700), b.push_back(-700 * (1 + eff));
  std::vector<double> shuffled{2.6, 0.05, 1.2, 0.4, 4.0, 0.2, 1.8, 0.8};
  for (const bool magnitude : {true, false})
    for (const auto& times : {TI, shuffled}) {
      const auto r =
          run("t1.inversion_recovery", recoveries(a, b, T, times, magnitude), {.TI = times, .magnitude = magnitude});
      for (std::size_t v = 0; v < T.size(); ++v) {
        ASSERT_EQ(r.status[v], FitStatus::converged) << T[v];
        EXPECT_NEAR(r.T1[v] / T[v], 1, 1e-4) << T[v] << " magnitude " << magnitude;
        EXPECT_NEAR(r.M0[v] / 700, 1, 1e-4);
        EXPECT_NEAR(r.efficiency[v], -b[v] / 700 - 1, 2e-4);
        EXPECT_GT(r.R2[v], 1 - 1e-8);
      }
    }
}

// A Look-Locker train written as physics: longitudinal magnetisation relaxes with T1 for TR, then cos FA of it is left.
TEST(LookLocker, RecoversT1OfASimulatedTrain) {
  const double TR = 0.02, FA = 0.1, M0 = 1000;
  std::vector<double> times;
  for (int i = 0; i < 24; ++i) times.push_back(TR * (5 * i + 1));
  for (double T1 : {0.4, 0.9, 1.6}) {
    Array s = Array::of<float>({1, 24});
    double M = -M0;
    for (int pulse = 1, i = 0; i < 24; ++pulse) {
      M = M0 + (M - M0) * std::exp(-TR / T1);
      if ((pulse - 1) % 5 == 0) s.data<float>()[i++] = static_cast<float>(std::abs(M));
      M *= std::cos(FA);
    }
    const auto r = run("t1.look_locker", s, {.TI = times});
    ASSERT_EQ(r.status[0], FitStatus::converged);
    // B / A - 1 holds for TR << T1 and small angles: the next order is TR / T1_star / 2 < 4 %.
    EXPECT_NEAR(r.T1[0] / T1, 1, 0.04) << T1;
    EXPECT_LT(1 / (1 / T1 - std::log(std::cos(FA)) / TR), T1);  // the recovery itself is shorter
  }
}

TEST(LookLocker, NoiseFree) {
  std::vector<double> a, b, T;
  for (double t = 0.2; t < 2; t *= 1.1) a.push_back(400), b.push_back(-400 * 2.7), T.push_back(t);
  const auto r = run("t1.look_locker", recoveries(a, b, T, TI, true), {.TI = TI});
  for (std::size_t v = 0; v < T.size(); ++v) {
    EXPECT_NEAR(r.T1[v] / (1.7 * T[v]), 1, 1e-4);
    EXPECT_NEAR(r.M0[v] / (400 * 1.7), 1, 1e-4);
    EXPECT_NEAR(r.efficiency[v], 2.7, 1e-3);
  }
}

// 10,000 noisy repeats of well-posed recoveries: sd of (estimate - truth) / SE is that of Student's t (12 - 3 = 9).
TEST(Recovery, StandardErrorsAreCalibrated) {
  std::vector<double> times;
  for (int i = 0; i < 12; ++i) times.push_back(0.05 + 0.35 * i);
  constexpr std::size_t n = 10000;
  const double T1 = 0.9, a = 1000, b = -1900;
  Array s = recoveries(std::vector<double>(n, a), std::vector<double>(n, b), std::vector<double>(n, T1), times, false);
  std::mt19937_64 rng(4);
  std::normal_distribution<double> noise(0, 8);
  for (float& x : s.span<float>()) x = std::abs(x + static_cast<float>(noise(rng)));
  const double student = std::sqrt(9.0 / 7.0);
  for (const std::string method : {"t1.inversion_recovery", "t1.look_locker"}) {
    const auto r = run(method, s, {.TI = times});
    const bool ir = method == "t1.inversion_recovery";
    const double truth = ir ? T1 : T1 * 0.9, M0 = ir ? a : 900;
    double z1 = 0, z2 = 0, m1 = 0, m2 = 0;
    for (std::size_t v = 0; v < n; ++v) {
      const double z = (r.T1[v] - truth) / r.T1_se[v], m = (r.M0[v] - M0) / r.M0_se[v];
      z1 += z / n, z2 += z * z / n, m1 += m / n, m2 += m * m / n;
    }
    const double sd_T1 = std::sqrt(z2 - z1 * z1) / student, sd_M0 = std::sqrt(m2 - m1 * m1) / student;
    std::printf("%s: sd of z / t_9: T1 %.3f M0 %.3f\n", method.c_str(), sd_T1, sd_M0);
    EXPECT_NEAR(sd_T1, 1, 0.1);
    EXPECT_NEAR(sd_M0, 1, 0.1);
  }
}

TEST(Recovery, BadVoxelsGetAStatus) {
  Array s = Array::of<float>({5, 8});
  const Array good = recoveries({500}, {-1000}, {1.0}, TI, true);
  for (std::size_t i = 0; i < 8; ++i) {
    const float g = good.data<float>()[i];
    const float voxel[] = {g, 0, i == 3 ? std::numeric_limits<float>::quiet_NaN() : g, g, 5};
    for (std::size_t v = 0; v < 5; ++v) s.data<float>()[i * 5 + v] = voxel[v];
  }
  const auto r = run("t1.inversion_recovery", s, {.TI = TI}, std::vector<std::uint8_t>{1, 1, 1, 0, 1});
  EXPECT_EQ(r.status[0], FitStatus::converged);
  EXPECT_EQ(r.status[1], FitStatus::no_signal);
  EXPECT_EQ(r.status[2], FitStatus::bad_data);
  EXPECT_EQ(r.status[3], FitStatus::outside);
  for (std::size_t v = 1; v < 4; ++v) EXPECT_TRUE(std::isnan(r.T1[v]));
  // A constant magnitude: never a plausible T1 with a standard error.
  EXPECT_TRUE(std::isnan(r.T1[4]) || r.R2[4] < 1) << to_string(r.status[4]) << " " << r.T1[4];
}

TEST(Recovery, Errors) {
  const auto code = [](std::vector<double> times, std::int64_t volumes) {
    try {
      run("t1.look_locker", Array::of<float>({2, volumes}), {.TI = std::move(times)});
    } catch (const Error& e) {
      EXPECT_FALSE(e.advice().empty());
      return e.code();
    }
    return Errc::internal;
  };
  EXPECT_EQ(code({0.1, 0.2, 0.3}, 4), Errc::shape);
  EXPECT_EQ(code({0.1, 0.2}, 2), Errc::shape);
  EXPECT_EQ(code({0.1, 0.2, 0.2}, 3), Errc::range);
  EXPECT_EQ(code({-0.1, 0.2, 0.3}, 3), Errc::range);
}
