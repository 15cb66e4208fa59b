// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/isa.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/perfusion/dce/signal.hpp>
#include <limits>
#include <random>

using namespace larmor;
using namespace larmor::dce;
using fit::FitStatus;

namespace {
constexpr Spgr spgr{.FA = 0.26, .TR = 0.005, .r1 = 4.5};

std::vector<double> frames(std::size_t n) {
  std::vector<double> t(n);
  for (std::size_t i = 0; i < n; ++i) t[i] = 2.0 * static_cast<double>(i);
  return t;
}

/// Curves that rise at frame 6, with T10 and B1 of their own; concentration from -0.1 to 12 mM.
struct Object {
  std::size_t n = 3001, nt = 20;  // not a multiple of any pack
  std::vector<float> T10, B1;
  std::vector<double> C;
  Array signal = Array::of<float>({3001, 1, 1, 20});
  explicit Object(bool with_B1) {
    std::mt19937 rng(3);
    std::uniform_real_distribution<double> u(0, 1);
    for (std::size_t v = 0; v < n; ++v) T10.push_back(static_cast<float>(0.2 + 2 * u(rng)));
    if (with_B1)
      for (std::size_t v = 0; v < n; ++v) B1.push_back(static_cast<float>(0.7 + 0.6 * u(rng)));
    C.assign(n * nt, 0);
    for (std::size_t v = 0; v < n; ++v) {
      const double peak = std::pow(10, -2 + 3.08 * u(rng));
      std::vector<double> c(nt), s(nt);
      for (std::size_t t = 6; t < nt; ++t)
        c[t] = peak * std::exp(-0.1 * static_cast<double>(t - 6)) * (t == 9 ? -0.008 : 1);
      const Spgr actual{.FA = spgr.FA * (with_B1 ? B1[v] : 1.0), .TR = spgr.TR, .r1 = spgr.r1};
      spgr_signal(c, 100 + 1000 * u(rng), T10[v], actual, s);
      for (std::size_t t = 0; t < nt; ++t) {
        C[t * n + v] = c[t];
        signal.data<float>()[t * n + v] = static_cast<float>(s[t]);
      }
    }
  }
};
FitStatus status_of(const std::vector<float>& curve, float T10 = 1.0f, float* first = nullptr) {
  const auto c =
      signal_to_concentration(Array::from<float>(curve, {1, static_cast<std::int64_t>(curve.size())}),
                              frames(curve.size()), spgr, std::vector<float>{T10}, {}, {}, {.baseline_last = 2});
  if (first) *first = c.concentration.data<float>()[2];
  return c.status[0];
}
}  // namespace

// Ernst angle: cos FA = E1 gives the largest signal; FA = 90 degrees is saturation recovery, M0 (1 - E1).
TEST(SpgrSignal, Limits) {
  const double T1 = 1.1, TR = 0.02, E1 = std::exp(-TR / T1);
  const auto s = [&](double FA) { return spgr_signal(1, T1, {.FA = FA, .TR = TR, .r1 = 1}); };
  const double ernst = std::acos(E1);
  EXPECT_GT(s(ernst), s(ernst * 1.01));
  EXPECT_GT(s(ernst), s(ernst * 0.99));
  EXPECT_NEAR(s(M_PI / 2), 1 - E1, 1e-15);
  EXPECT_NEAR(s(ernst), std::sqrt((1 - E1) / (1 + E1)), 1e-14);
  EXPECT_TRUE(std::isnan(spgr_signal(1, 0, spgr)));
}

// Double: the round trip returns the concentration to rounding (1e-12 of 12 mM over the slope of the signal).
TEST(SpgrConcentration, RoundTripInDouble) {
  std::vector<double> C{-0.05, 0, 1e-6, 0.01, 1, 5, 12}, S(C.size()), back(C.size());
  for (double T10 : {0.05, 1.0, 3.0}) {
    spgr_signal(C, 321, T10, spgr, S);
    spgr_concentration(S, 321, T10, spgr, back);
    for (std::size_t i = 0; i < C.size(); ++i) EXPECT_NEAR(back[i], C[i], 1e-10) << T10;
  }
  std::vector<double> out(1);
  spgr_concentration(std::vector<double>{1.0}, 0, 1, spgr, out);
  EXPECT_TRUE(std::isnan(out[0]));
}

// f32 in and out, every instruction set, with and without B1, one thread or more. The signal is rounded to 6e-8: times
// dC/dlnS = K (1 - K c) / ((1 - c) (1 - K) ...) <= 60 mM here (12 mM at 10 degrees), 2e-5 of the value + 4e-6 mM.
TEST(SignalToConcentration, RoundTripInEveryInstructionSet) {
  const Isa chosen = isa();
  const int threads = thread_count();
  for (const bool with_B1 : {false, true}) {
    const Object object(with_B1);
    for (const Isa level : {Isa::baseline, Isa::v3, Isa::v4}) {
      if (!isa_available(level)) continue;
      force_isa(level);
      set_thread_count(level == Isa::baseline ? 1 : 3);
      const auto c = signal_to_concentration(object.signal, frames(object.nt), spgr, object.T10, object.B1, {},
                                             {.baseline_first = 0, .baseline_last = 6});
      double worst = 0;
      for (std::size_t i = 0; i < object.C.size(); ++i)
        worst = std::max(
            worst, std::abs(c.concentration.data<float>()[i] - object.C[i]) / (4e-6 + 2e-5 * std::abs(object.C[i])));
      EXPECT_LT(worst, 1) << to_string(level) << " B1 " << with_B1;
      for (const auto s : c.status) EXPECT_EQ(s, FitStatus::converged);
      EXPECT_EQ(c.concentration.shape(), object.signal.shape());
    }
  }
  force_isa(chosen);
  set_thread_count(threads);
}

// The scale of the signal is arbitrary: multiplied by a power of two nothing changes, bit for bit.
TEST(SignalToConcentration, ScaleInvariance) {
  const Object object(false);
  Array louder = object.signal.clone();
  for (float& s : louder.span<float>()) s *= 1024;
  const auto a = signal_to_concentration(object.signal, frames(20), spgr, object.T10);
  const auto b = signal_to_concentration(louder, frames(20), spgr, object.T10);
  EXPECT_EQ(a.baseline_last, b.baseline_last);
  EXPECT_TRUE(std::equal(a.concentration.span<float>().begin(), a.concentration.span<float>().end(),
                         b.concentration.span<float>().begin()));
}

TEST(SignalToConcentration, AutomaticBaselineEndsBeforeTheRise) {
  const Object object(false);
  const int n = automatic_baseline(object.signal, {});
  EXPECT_GE(n, 4);
  EXPECT_LE(n, 6);
  const auto c = signal_to_concentration(object.signal, frames(20), spgr, object.T10);
  EXPECT_EQ(c.baseline_last, n);
}

// For small enhancement both methods agree to first order when TR << T1 and the flip angle is large; exactly: linear is
// (S / S0 - 1) / (T10 r1).
TEST(SignalToConcentration, Linear) {
  const std::vector<float> curve{100, 100, 150, 50};
  const auto c = signal_to_concentration(Array::from<float>(curve, {1, 4}), frames(4), spgr, std::vector<float>{1.5f},
                                         {}, {}, {.method = "linear", .baseline_last = 2});
  const float* C = c.concentration.data<float>();
  EXPECT_NEAR(C[0], 0, 1e-7);
  EXPECT_NEAR(C[2], 0.5 / (1.5 * 4.5), 1e-7);
  EXPECT_NEAR(C[3], -0.5 / (1.5 * 4.5), 1e-7);
}

TEST(SignalToConcentration, IntegerTypesEqualFloat) {
  const std::vector<std::int16_t> s{100, 101, 300, 250};
  const std::vector<double> d(s.begin(), s.end());
  const std::vector<float> T10{1.0f};
  const auto a =
      signal_to_concentration(Array::from<std::int16_t>(s, {1, 4}), frames(4), spgr, T10, {}, {}, {.baseline_last = 2});
  const auto b =
      signal_to_concentration(Array::from<double>(d, {1, 4}), frames(4), spgr, T10, {}, {}, {.baseline_last = 2});
  for (int i = 0; i < 4; ++i) EXPECT_EQ(a.concentration.data<float>()[i], b.concentration.data<float>()[i]);
}

TEST(SignalToConcentration, BadVoxelsGetAStatus) {
  constexpr float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  float C = 0;
  EXPECT_EQ(status_of({100, 100, 200, 150}), FitStatus::converged);
  EXPECT_EQ(status_of({0, 0, 200, 150}, 1, &C), FitStatus::no_signal);
  EXPECT_TRUE(std::isnan(C));
  EXPECT_EQ(status_of({-5, -5, 200, 150}), FitStatus::no_signal);
  EXPECT_EQ(status_of({100, 100, 200, nan}, 1, &C), FitStatus::bad_data);
  EXPECT_TRUE(std::isnan(C));  // the whole voxel, not the frame
  EXPECT_EQ(status_of({100, nan, 200, 150}), FitStatus::bad_data);
  EXPECT_EQ(status_of({100, 100, inf, 150}), FitStatus::bad_data);
  EXPECT_EQ(status_of({100, 100, 200, 150}, 0), FitStatus::bad_data);
  EXPECT_EQ(status_of({100, 100, 200, 150}, -1), FitStatus::bad_data);
  EXPECT_EQ(status_of({100, 100, 200, 150}, nan), FitStatus::bad_data);
  EXPECT_EQ(status_of({100, 100, 1e6, 150}, 1, &C), FitStatus::out_of_range);  // brighter than M0 sin FA
  EXPECT_TRUE(std::isnan(C));
  EXPECT_EQ(status_of({100, 100, -1, 150}), FitStatus::out_of_range);
  const auto masked =
      signal_to_concentration(Array::from<float>(std::vector<float>{1, 1, 1, 1, 2, 2}, {2, 3}), frames(3), spgr,
                              std::vector<float>{1}, {}, std::vector<std::uint8_t>{1, 0}, {.baseline_last = 1});
  EXPECT_EQ(masked.status[1], FitStatus::outside);
}

TEST(SignalToConcentration, Errors) {
  const Array s = Array::from<float>(std::vector<float>{1, 1, 1, 1, 2, 2}, {2, 3});
  const std::vector<float> T10{1};
  const auto code = [&](auto&& call) {
    try {
      call();
    } catch (const Error& e) {
      EXPECT_FALSE(e.advice().empty()) << e.what();
      return e.code();
    }
    ADD_FAILURE() << "no error";
    return Errc::internal;
  };
  const auto with = [&](Spgr p) { return [&, p] { signal_to_concentration(s, frames(3), p, T10); }; };
  EXPECT_EQ(code(with({.FA = 0.2, .TR = -0.005})), Errc::range);
  EXPECT_EQ(code(with({.FA = 0, .TR = 0.005})), Errc::range);
  EXPECT_EQ(code(with({.FA = 15, .TR = 0.005})), Errc::range);  // degrees given as radians
  EXPECT_EQ(code(with({.FA = 0.2, .TR = 0.005, .r1 = 0})), Errc::range);
  const auto call = [&](std::span<const double> t, std::span<const float> T, std::span<const float> B1,
                        std::span<const std::uint8_t> m, ConversionOptions o) {
    return code([&] { signal_to_concentration(s, t, spgr, T, B1, m, o); });
  };
  const ConversionOptions base{.baseline_last = 1};
  const std::vector<std::uint8_t> empty_mask{0, 0}, long_mask{1, 1, 1};
  const std::vector<float> three{1, 1, 1};
  EXPECT_EQ(call(frames(4), T10, {}, {}, base), Errc::shape);
  EXPECT_EQ(call(std::vector<double>{0, 2, 1}, T10, {}, {}, base), Errc::range);
  EXPECT_EQ(call(frames(3), three, {}, {}, base), Errc::shape);
  EXPECT_EQ(call(frames(3), T10, three, {}, base), Errc::shape);
  EXPECT_EQ(call(frames(3), T10, {}, empty_mask, base), Errc::range);
  EXPECT_EQ(call(frames(3), T10, {}, long_mask, base), Errc::shape);
  EXPECT_EQ(call(frames(3), T10, {}, {}, {.baseline_first = 2, .baseline_last = 2}), Errc::range);
  EXPECT_EQ(call(frames(3), T10, {}, {}, {.baseline_last = 9}), Errc::range);
  EXPECT_EQ(call(frames(3), T10, {}, {}, {.method = "spgrr", .baseline_last = 1}), Errc::unknown_name);
  const Array flat = Array::from<float>(std::vector<float>(8, 3.0f), {1, 8});
  EXPECT_EQ(code([&] { signal_to_concentration(flat, frames(8), spgr, T10); }), Errc::numeric);
  const Array complex = Array::of<std::complex<float>>({2, 3});
  EXPECT_EQ(code([&] { signal_to_concentration(complex, frames(3), spgr, T10); }), Errc::type);
  EXPECT_EQ(code([&] { signal_to_concentration(Array::of<float>({3}), frames(3), spgr, T10); }), Errc::shape);
}
