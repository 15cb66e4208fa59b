// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/isa.hpp>
#include <larmor/perfusion/dce/signal.hpp>
#include <larmor/perfusion/dce/t1.hpp>
#include <limits>
#include <random>

using namespace larmor;
using namespace larmor::dce;
using fit::FitStatus;

namespace {
const std::vector<double> angles{0.035, 0.087, 0.175, 0.262};

struct Vfa {
  std::vector<float> T1, M0, B1;
  Array signal;
  Vfa(std::int64_t n, const T1Protocol& p, bool with_B1, unsigned seed = 5) {
    std::mt19937 rng(seed);
    std::uniform_real_distribution<double> u(0, 1);
    const auto volumes = static_cast<std::int64_t>(p.FA.size());
    signal = Array::of<float>({n, volumes});
    for (std::int64_t v = 0; v < n; ++v) {
      T1.push_back(static_cast<float>(0.1 * std::pow(40, u(rng))));
      M0.push_back(static_cast<float>(std::pow(10, 4 * u(rng))));
      if (with_B1) B1.push_back(static_cast<float>(0.7 + 0.6 * u(rng)));
      for (std::int64_t i = 0; i < volumes; ++i)
        signal.data<float>()[i * n + v] =
            static_cast<float>(spgr_signal(M0.back(), T1.back(),
                                           {.FA = p.FA[static_cast<std::size_t>(i)] * (with_B1 ? B1.back() : 1.0f),
                                            .TR = p.TR.size() == 1 ? p.TR[0] : p.TR[static_cast<std::size_t>(i)],
                                            .r1 = 1}));
    }
  }
};
T1Result run(const std::string& method, const Array& s, const T1Protocol& p, std::span<const float> B1 = {},
             std::span<const std::uint8_t> mask = {}) {
  return t1_methods().get(method).map(s, p, B1, mask, {}, nullptr);
}
Errc code_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& e) {
    EXPECT_FALSE(e.advice().empty()) << e.what();
    return e.code();
  }
  ADD_FAILURE() << "no error";
  return Errc::internal;
}
}  // namespace

TEST(T1Methods, AllAreThere) {
  EXPECT_TRUE(t1_methods().has("t1.vfa_linear") && t1_methods().has("t1.vfa_nonlinear") &&
              t1_methods().has("t1.vfa_two_angle") && t1_methods().has("t1.look_locker") &&
              t1_methods().has("t1.inversion_recovery"));
  for (const auto& [id, method] : t1_methods()) {
    EXPECT_FALSE(method.source.empty()) << id;
    EXPECT_FALSE(method.needs.empty()) << id;
    EXPECT_GE(method.min_volumes, 2) << id;
  }
}

// Noise-free data return T1 from 0.1 to 4 s and M0. Signals rounded to f32 (6e-8) move T1 by up to ~1e2 times that at
// 4 s and TR 5 ms, where the curve hardly bends: 1e-5.
TEST(Vfa, NoiseFreeRecoveryInEveryInstructionSet) {
  const Isa chosen = isa();
  for (const bool with_B1 : {false, true})
    for (const std::string method : {"t1.vfa_linear", "t1.vfa_nonlinear", "t1.vfa_two_angle"}) {
      const T1Protocol p{.FA = method == "t1.vfa_two_angle" ? std::vector<double>{0.05, 0.26} : angles, .TR = {0.005}};
      const Vfa object(1501, p, with_B1);
      for (const Isa level : {Isa::baseline, Isa::v3, Isa::v4}) {
        if (!isa_available(level)) continue;
        force_isa(level);
        const auto r = run(method, object.signal, p, object.B1);
        double worst = 0;
        for (std::size_t v = 0; v < object.T1.size(); ++v) {
          EXPECT_EQ(r.status[v], FitStatus::converged) << method << " " << object.T1[v];
          worst = std::max({worst, std::abs(r.T1[v] / object.T1[v] - 1.0), std::abs(r.M0[v] / object.M0[v] - 1.0)});
        }
        EXPECT_LT(worst, 1e-5) << method << " " << to_string(level) << " B1 " << with_B1;
      }
    }
  force_isa(chosen);
}

TEST(Vfa, NonlinearTakesOneTRaVolume) {
  const T1Protocol p{.FA = {0.1, 0.1, 0.3, 0.3}, .TR = {0.005, 0.02, 0.008, 0.05}};
  const Vfa object(200, p, false);
  const auto r = run("t1.vfa_nonlinear", object.signal, p);
  for (std::size_t v = 0; v < 200; ++v) EXPECT_NEAR(r.T1[v] / object.T1[v], 1, 1e-5);
}

// T1 does not depend on the scale of the signal, M0 is proportional to it.
TEST(Vfa, ScaleInvariance) {
  const T1Protocol p{.FA = angles, .TR = {0.005}};
  const Vfa object(300, p, false);
  Array noisy = object.signal.clone();
  std::mt19937 rng(2);
  std::normal_distribution<float> noise(0, 0.01f);
  for (float& s : noisy.span<float>()) s *= 1 + noise(rng);
  Array louder = noisy.clone();
  for (float& s : louder.span<float>()) s *= 4096;
  for (const std::string method : {"t1.vfa_linear", "t1.vfa_nonlinear"}) {
    const auto a = run(method, noisy, p), b = run(method, louder, p);
    for (std::size_t v = 0; v < 300; ++v) {
      EXPECT_EQ(a.status[v], b.status[v]);
      if (!fit::usable(a.status[v])) continue;
      EXPECT_NEAR(a.T1[v] / b.T1[v], 1, 1e-6);
      EXPECT_NEAR(4096 * a.M0[v] / b.M0[v], 1, 1e-6);
      EXPECT_NEAR(a.T1_se[v] / b.T1_se[v], 1, 1e-5);
    }
  }
}

// 10,000 noisy repeats: (estimate - truth) / SE is Student t with 5 degrees of freedom (7 angles, 2 parameters), so its
// sd is compared with that of this t, sqrt(5 / 3).
TEST(Vfa, StandardErrorsAreCalibrated) {
  const T1Protocol p{.FA = {0.03, 0.06, 0.1, 0.15, 0.2, 0.26, 0.35}, .TR = {0.006}};
  constexpr std::int64_t n = 10000;
  const double T1 = 1.1, M0 = 1000;
  Array s = Array::of<float>({n, 7});
  std::mt19937_64 rng(11);
  std::normal_distribution<double> noise(0, 0.2);
  for (std::int64_t i = 0; i < 7; ++i)
    for (std::int64_t v = 0; v < n; ++v)
      s.data<float>()[i * n + v] = static_cast<float>(
          spgr_signal(M0, T1, {.FA = p.FA[static_cast<std::size_t>(i)], .TR = 0.006, .r1 = 1}) + noise(rng));
  for (const std::string method : {"t1.vfa_linear", "t1.vfa_nonlinear"}) {
    const auto r = run(method, s, p);
    double z1 = 0, z2 = 0, m1 = 0, m2 = 0;
    for (std::size_t v = 0; v < n; ++v) {
      const double z = (r.T1[v] - T1) / r.T1_se[v], m = (r.M0[v] - M0) / r.M0_se[v];
      z1 += z / n, z2 += z * z / n, m1 += m / n, m2 += m * m / n;
    }
    const double student = std::sqrt(5.0 / 3.0);
    const double sd_T1 = std::sqrt(z2 - z1 * z1) / student, sd_M0 = std::sqrt(m2 - m1 * m1) / student;
    std::printf("%s: sd of z / t_5: T1 %.3f M0 %.3f\n", method.c_str(), sd_T1, sd_M0);
    EXPECT_NEAR(sd_T1, 1, 0.1) << method;
    EXPECT_NEAR(sd_M0, 1, 0.1) << method;
  }
}

TEST(Vfa, BadVoxelsGetAStatus) {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  const T1Protocol p{.FA = {0.05, 0.15, 0.3}, .TR = {0.005}};
  const auto good = [&](int i) {
    return static_cast<float>(spgr_signal(500, 1.0, {.FA = p.FA[static_cast<std::size_t>(i)], .TR = 0.005, .r1 = 1}));
  };
  // voxels: good, zero, NaN, Inf, negative, proportional to tan (E1 > 1), outside, bad B1
  const std::vector<std::vector<float>> voxel{{good(0), good(1), good(2)},
                                              {0, 0, 0},
                                              {good(0), nan, good(2)},
                                              {good(0), inf, good(2)},
                                              {-1, -2, -3},
                                              {1, 9, 40},
                                              {good(0), good(1), good(2)},
                                              {good(0), good(1), good(2)}};
  Array s = Array::of<float>({8, 3});
  for (int v = 0; v < 8; ++v)
    for (int i = 0; i < 3; ++i)
      s.data<float>()[i * 8 + v] = voxel[static_cast<std::size_t>(v)][static_cast<std::size_t>(i)];
  const std::vector<std::uint8_t> mask{1, 1, 1, 1, 1, 1, 0, 1};
  const std::vector<float> B1{1, 1, 1, 1, 1, 1, 1, 0};
  for (const std::string method : {"t1.vfa_linear", "t1.vfa_nonlinear"}) {
    const auto r = run(method, s, p, B1, mask);
    const std::vector<FitStatus> expected{FitStatus::converged, FitStatus::no_signal,    FitStatus::bad_data,
                                          FitStatus::bad_data,  FitStatus::out_of_range, FitStatus::out_of_range,
                                          FitStatus::outside,   FitStatus::bad_data};
    for (std::size_t v = 0; v < 8; ++v) {
      EXPECT_EQ(r.status[v], expected[v]) << method << " voxel " << v << " " << to_string(r.status[v]);
      EXPECT_EQ(std::isnan(r.T1[v]), v > 0) << method << " voxel " << v;
    }
  }
}

TEST(Vfa, Errors) {
  const Array s = Array::of<float>({2, 3});
  const auto with = [&](const std::string& m, const T1Protocol& p) { return code_of([&, m] { run(m, s, p); }); };
  EXPECT_EQ(with("t1.vfa_nonlinear", {.FA = {0.1, 0.2}, .TR = {0.005}}), Errc::shape);
  EXPECT_EQ(with("t1.vfa_nonlinear", {.FA = {0.1, 0.2, 0.3}, .TR = {0.005, 0.005}}), Errc::shape);
  EXPECT_EQ(with("t1.vfa_nonlinear", {.FA = {0.1, 0.2, 0.3}, .TR = {-0.005}}), Errc::range);
  EXPECT_EQ(with("t1.vfa_nonlinear", {.FA = {2, 5, 12}, .TR = {0.005}}), Errc::range);  // degrees
  EXPECT_EQ(with("t1.vfa_nonlinear", {.FA = {0.1, 0.1, 0.1}, .TR = {0.005}}), Errc::range);
  EXPECT_EQ(with("t1.vfa_linear", {.FA = {0.1, 0.2, 0.3}, .TR = {0.005, 0.006, 0.005}}), Errc::range);
  EXPECT_EQ(with("t1.vfa_two_angle", {.FA = {0.1, 0.2, 0.3}, .TR = {0.005}}), Errc::range);
  const T1Protocol p{.FA = {0.1, 0.2, 0.3}, .TR = {0.005}};
  EXPECT_EQ(code_of([&] { run("t1.vfa_linear", s, p, std::vector<float>{1}); }), Errc::shape);
  EXPECT_EQ(code_of([&] { run("t1.vfa_linear", s, p, {}, std::vector<std::uint8_t>{0, 0}); }), Errc::range);
  EXPECT_EQ(code_of([&] { run("t1.vfa_linear", Array::of<float>({3}), p); }), Errc::shape);
}
