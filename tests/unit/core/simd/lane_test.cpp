// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <larmor/core/isa.hpp>
#include <vector>

using larmor::Isa;

#define DECLARE(isa)                                                                    \
  extern "C" {                                                                          \
  int lane_size_##isa();                                                                \
  void lane_exp_##isa(const double*, double*, int);                                     \
  void lane_expf_##isa(const float*, float*, int);                                      \
  void lane_log_##isa(const double*, double*, int);                                     \
  void lane_dual_##isa(const double*, const double*, double*, double*, double*, int);   \
  void lane_select_##isa(const double*, double*, int*, int*);                           \
  }                                                                                     \
  static const Kernels kernels_##isa{lane_size_##isa, lane_exp_##isa,  lane_expf_##isa, \
                                     lane_log_##isa,  lane_dual_##isa, lane_select_##isa};
namespace {
struct Kernels {
  int (*size)();
  void (*exp)(const double*, double*, int);
  void (*expf)(const float*, float*, int);
  void (*log)(const double*, double*, int);
  void (*dual)(const double*, const double*, double*, double*, double*, int);
  void (*select)(const double*, double*, int*, int*);
};
}  // namespace
DECLARE(baseline)
#if defined(__x86_64__)
DECLARE(v3)
DECLARE(v4)
#endif

namespace {

std::vector<std::pair<Isa, const Kernels*>> available() {
  std::vector<std::pair<Isa, const Kernels*>> out{{Isa::baseline, &kernels_baseline}};
#if defined(__x86_64__)
  if (larmor::isa_available(Isa::v3)) out.emplace_back(Isa::v3, &kernels_v3);
  if (larmor::isa_available(Isa::v4)) out.emplace_back(Isa::v4, &kernels_v4);
#endif
  return out;
}

constexpr int n = 4096;  // a multiple of every pack size

TEST(Lane, WiderInstructionSetsHoldMore) {
  int last = 1;
  for (const auto& [isa, k] : available()) {
    EXPECT_EQ(k->size(), last * 2) << to_string(isa);
    last = k->size();
  }
}

TEST(Lane, ExpIsRightToAFewRoundings) {
  std::vector<double> x(n), y(n);
  std::vector<float> xf(n), yf(n);
  for (int i = 0; i < n; ++i) x[i] = -60.0 + 120.0 * i / n, xf[i] = static_cast<float>(x[i]);
  for (const auto& [isa, k] : available()) {
    k->exp(x.data(), y.data(), n);
    k->expf(xf.data(), yf.data(), n);
    for (int i = 0; i < n; ++i) {
      EXPECT_NEAR(y[i] / std::exp(x[i]), 1.0, 4e-16 * 2) << to_string(isa) << " " << x[i];
      EXPECT_NEAR(yf[i] / std::exp(static_cast<double>(xf[i])), 1.0, 3e-7) << to_string(isa) << " " << xf[i];
    }
  }
}

TEST(Lane, ExpAtTheEndsStaysFinite) {
  std::vector<double> x(n, -1e6), y(n);
  for (int i = 0; i < n; i += 2) x[i] = 1e6;
  for (const auto& [isa, k] : available()) {
    k->exp(x.data(), y.data(), n);
    EXPECT_TRUE(std::isfinite(y[0])) << to_string(isa);
    EXPECT_LT(y[1], 1e-300) << to_string(isa);
  }
}

TEST(Lane, LogInvertsExpOverTheWholeRange) {
  std::vector<double> x(n), y(n);
  for (int i = 0; i < n; ++i) x[i] = std::exp(-300.0 + 600.0 * i / n);
  for (const auto& [isa, k] : available()) {
    k->log(x.data(), y.data(), n);
    for (int i = 0; i < n; ++i) EXPECT_NEAR(y[i], std::log(x[i]), 4e-16 * (1 + std::abs(y[i]))) << to_string(isa);
  }
}

TEST(Lane, DualIsTheGradient) {
  std::vector<double> a(n), b(n), v(n), da(n), db(n);
  for (int i = 0; i < n; ++i) a[i] = 0.1 + 3.0 * i / n, b[i] = 2.0 - 1.5 * i / n;
  const auto f = [](double x, double y) { return std::exp(-x) / y + std::sqrt(x * y) - std::log(y); };
  // Central differences with h = 1e-5: truncation and rounding both near 1e-10.
  const double h = 1e-5;
  for (const auto& [isa, k] : available()) {
    k->dual(a.data(), b.data(), v.data(), da.data(), db.data(), n);
    for (int i = 0; i < n; i += 7) {
      EXPECT_NEAR(v[i], f(a[i], b[i]), 1e-14) << to_string(isa);
      EXPECT_NEAR(da[i], (f(a[i] + h, b[i]) - f(a[i] - h, b[i])) / (2 * h), 1e-8) << to_string(isa);
      EXPECT_NEAR(db[i], (f(a[i], b[i] + h) - f(a[i], b[i] - h)) / (2 * h), 1e-8) << to_string(isa);
    }
  }
}

TEST(Lane, SelectAndReductions) {
  for (const auto& [isa, k] : available()) {
    std::vector<double> x(8, 2.0), y(8);
    int any_over = 0, all_over = 0;
    k->select(x.data(), y.data(), &any_over, &all_over);
    EXPECT_TRUE(any_over && all_over);
    x[1] = -3.0;
    k->select(x.data(), y.data(), &any_over, &all_over);
    EXPECT_TRUE(any_over && !all_over);
    EXPECT_EQ(y[0], 1.0);
    EXPECT_EQ(y[1], 0.0);
  }
}

}  // namespace
