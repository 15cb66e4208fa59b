// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <larmor/perfusion/common/convolution.hpp>
#include <random>
#include <vector>

using namespace larmor;
using namespace larmor::perfusion;
using Curve = std::vector<double>;

namespace {

Curve uniform(std::size_t n, double step, double first = 0) {
  Curve t(n);
  for (std::size_t i = 0; i < n; ++i) t[i] = first + step * static_cast<double>(i);
  return t;
}

// Spacings between 0.2 and 3 s, from a start that is not 0.
Curve ragged(std::size_t n, unsigned seed, double first) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> gap(0.2, 3.0);
  Curve t{first};
  while (t.size() < n) t.push_back(t.back() + gap(random));
  return t;
}

Curve noise(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> value(-1, 2);
  Curve c(n);
  for (double& x : c) x = value(random);
  return c;
}

Curve exact(const Curve& times, const Curve& input, double rate, const Curve& at) {
  Curve out(at.size());
  convolve_exp(times, input, rate, at, out);
  return out;
}

Curve with(const std::string& method, const Curve& times, const Curve& input, double rate, const Curve& at) {
  Curve out(at.size());
  convolutions().get(method).convolve(times, input, rate, at, out);
  return out;
}

double largest(const Curve& a) {
  double m = 0;
  for (const double x : a) m = std::max(m, std::abs(x));
  return m;
}

double distance(const Curve& a, const Curve& b) {
  EXPECT_EQ(a.size(), b.size());
  double m = 0;
  for (std::size_t i = 0; i < a.size(); ++i) m = std::max(m, std::abs(a[i] - b[i]));
  return m / std::max(largest(b), 1e-300);
}

double area(const Curve& t, const Curve& c) {
  double sum = 0;
  for (std::size_t i = 1; i < t.size(); ++i) sum += 0.5 * (t[i] - t[i - 1]) * (c[i] + c[i - 1]);
  return sum;
}

// 60 roundings of 1e-16 at most meet in one output; 1e-13 leaves room for their amplification by signs.
constexpr double rounding = 1e-13;

}  // namespace

TEST(ConvolutionExact, AreaOfTheResponseIsTheIntegralOfTheInputOverTheRate) {
  // d(g)/dt = input - rate g, so rate * area(g) = integral(input) once g has died away: here g(end), 40 time constants
  // on.
  const Curve t = ragged(40, 1, -7.5);
  Curve c = noise(40, 2);
  c.back() = 0;
  const double rate = 0.3;
  const double mass = area(t, c);
  Curve times = t, input = c;
  times.push_back(t.back() + 40 / rate), input.push_back(0);
  const std::size_t n = 400001;
  const Curve fine = uniform(n, (times.back() - times.front()) / double(n - 1), times.front());
  const Curve g = exact(times, input, rate, fine);
  EXPECT_NEAR(rate * area(fine, g) / mass, 1.0,
              1e-6);  // trapezoid over 400,000 points: (rate h)^2 / 12 = 2e-9, kinks 1e-7
}

TEST(ConvolutionExact, SatisfiesItsDifferentialEquation) {
  // g(b) - g(a) + rate int_a^b g = int_a^b input: with g's integral by Gauss points inside each segment of the input.
  const Curve t = ragged(30, 3, 2.0), c = noise(30, 4);
  const double rate = 0.7;
  const Curve g = exact(t, c, rate, t);
  const double node[] = {-0.9061798459386640, -0.5384693101056831, 0, 0.5384693101056831, 0.9061798459386640};
  const double weight[] = {0.2369268850561891, 0.4786286704993665, 0.5688888888888889, 0.4786286704993665,
                           0.2369268850561891};
  for (std::size_t i = 1; i < t.size(); ++i) {
    const double h = t[i] - t[i - 1], middle = 0.5 * (t[i] + t[i - 1]);
    Curve at;
    for (const double x : node) at.push_back(middle + 0.5 * h * x);
    const Curve inside = exact(t, c, rate, at);
    double integral = 0;
    for (int k = 0; k < 5; ++k) integral += 0.5 * h * weight[k] * inside[std::size_t(k)];
    // Five Gauss points leave (rate h)^10 / 1e9 = 2e-6 of exp at rate h = 2.1, less the average: 1e-8 was seen.
    EXPECT_NEAR(g[i] - g[i - 1] + rate * integral, 0.5 * h * (c[i] + c[i - 1]), 1e-7);
  }
}

TEST(ConvolutionExact, IsLinearInTheInput) {
  const Curve t = ragged(50, 5, 0.25), at = ragged(80, 6, -3), a = noise(50, 7), b = noise(50, 8);
  Curve mixed(50);
  for (std::size_t i = 0; i < 50; ++i) mixed[i] = 2.5 * a[i] - 0.75 * b[i];
  for (const double rate : {0.0, 1e-6, 0.02, 1.0, 30.0}) {
    const Curve ga = exact(t, a, rate, at), gb = exact(t, b, rate, at);
    Curve expected(at.size());
    for (std::size_t i = 0; i < at.size(); ++i) expected[i] = 2.5 * ga[i] - 0.75 * gb[i];
    EXPECT_LT(distance(exact(t, mixed, rate, at), expected), rounding);
  }
}

TEST(ConvolutionExact, FollowsAShiftOfTime) {
  Curve t = ragged(50, 9, 0), at = ragged(70, 10, -2);
  const Curve c = noise(50, 11), before = exact(t, c, 0.2, at);
  for (double& x : t) x += 1024;  // a power of two: shifting rounds the grid by 1e-13 s at most
  for (double& x : at) x += 1024;
  EXPECT_LT(distance(exact(t, c, 0.2, at), before), 1e-12);
}

TEST(ConvolutionExact, SamplesInsertedOnTheLineChangeNothing) {
  const Curve t = ragged(40, 12, -1), c = noise(40, 13), at = ragged(60, 14, -2);
  Curve fine_t, fine_c;
  for (std::size_t i = 0; i + 1 < t.size(); ++i)
    for (const double part : {0.0, 0.125, 0.6}) {
      fine_t.push_back(t[i] + part * (t[i + 1] - t[i]));
      fine_c.push_back(c[i] + part * (c[i + 1] - c[i]));
    }
  fine_t.push_back(t.back()), fine_c.push_back(c.back());
  for (const double rate : {0.0, 1e-9, 0.01, 0.5, 5.0})
    EXPECT_LT(distance(exact(fine_t, fine_c, rate, at), exact(t, c, rate, at)), rounding) << rate;
}

TEST(ConvolutionExact, TinyRatesAreTheIntegralAndItsFirstMoments) {
  // Ramp: g = t^2/2 - rate t^3/6 + rate^2 t^4/24 - ..., here with rate t <= 3e-3 to rate^4.
  const Curve t = uniform(61, 0.5), at = t;
  for (const double rate : {0.0, 1e-300, 1e-16, 1e-12, 1e-9, 1e-6, 1e-4}) {
    const Curve g = exact(t, t, rate, at);
    for (std::size_t i = 1; i < t.size(); ++i) {
      const double x = rate * t[i];
      const double expected = t[i] * t[i] * (0.5 - x / 6 + x * x / 24 - x * x * x / 120 + x * x * x * x / 720);
      EXPECT_NEAR(g[i] / expected, 1.0, 1e-14) << "rate " << rate << " t " << t[i];
    }
  }
}

TEST(ConvolutionExact, WeightsAreSmoothWhereTheSeriesEnds) {
  // One segment, rate h on both sides of 1: closed form and series must agree as the rates do.
  const Curve t{0, 1}, at{1};
  for (const Curve& c : {Curve{1, 0}, Curve{0, 1}}) {
    const double below = exact(t, c, std::nextafter(1.0, 0.0), at)[0], above = exact(t, c, 1.0, at)[0];
    EXPECT_NEAR(below / above, 1.0, 2e-15);
  }
}

TEST(ConvolutionExact, ConstantRampAndExponentialInputs) {
  const Curve t = ragged(60, 15, 0), at = ragged(90, 16, 0.1);
  const double rate = 0.11;
  const Curve ones(60, 1.0);
  const Curve g1 = exact(t, ones, rate, at), g2 = exact(t, t, rate, at);
  for (std::size_t i = 0; i < at.size() && at[i] <= t.back(); ++i) {
    const double step = -std::expm1(-rate * at[i]) / rate;
    EXPECT_NEAR(g1[i], step, 1e-14 * 10);
    EXPECT_NEAR(g2[i], (at[i] - step) / rate, 1e-12 * (1 + at[i] / rate));
  }
  // exp(-a t) is not linear between samples: the error is that of the line, a^2 h^2 / 12 of the mean (h = 0.01: 2e-7).
  const double a = 0.05;
  const Curve fine = uniform(10001, 0.01);
  Curve input(fine.size());
  for (std::size_t i = 0; i < fine.size(); ++i) input[i] = std::exp(-a * fine[i]);
  const Curve g3 = exact(fine, input, rate, at);
  for (std::size_t i = 0; i < at.size() && at[i] <= fine.back(); ++i)
    EXPECT_NEAR(g3[i], (std::exp(-a * at[i]) - std::exp(-rate * at[i])) / (rate - a), 1e-6);
}

TEST(ConvolutionExact, NothingBeforeTheFirstSampleAndTheLastIsHeld) {
  const Curve t{10, 11, 12}, c{3, 1, 2}, at{-5, 0, 10, 12, 1e6};
  const Curve g = exact(t, c, 0.5, at);
  EXPECT_EQ(g[0], 0);
  EXPECT_EQ(g[1], 0);
  EXPECT_EQ(g[2], 0);
  EXPECT_GT(g[3], 0);
  EXPECT_NEAR(g[4], 2 / 0.5, 1e-12);  // steady state: held input / rate
}

TEST(ConvolutionExact, OneSampleIsAStep) {
  const Curve g = exact({4}, {2}, 0.25, {3, 4, 8});
  EXPECT_EQ(g[0], 0);
  EXPECT_EQ(g[1], 0);
  EXPECT_NEAR(g[2], 2 * (1 - std::exp(-1.0)) / 0.25, 1e-14);
}

TEST(ConvolutionExact, HugeRatesFollowTheInput) {
  const Curve t = uniform(20, 1.0), c = noise(20, 17);
  const Curve g = exact(t, c, 1e9, t);
  for (std::size_t i = 1; i < t.size(); ++i) EXPECT_NEAR(g[i] * 1e9, c[i], 1e-8);
}

// A smooth bolus that starts and ends at 0: the fair ground for rules that are not exact.
class ConvolutionOrder : public ::testing::TestWithParam<std::string> {};
TEST_P(ConvolutionOrder, ErrorFallsWithTheSquareOfTheSpacing) {
  const double rate = 0.3;
  const auto bolus = [](double t) { return t > 0 ? t * t * t * std::exp(-t / 3) : 0.0; };
  std::vector<double> errors;
  for (const std::size_t n : {101U, 201U, 401U}) {
    const Curve t = uniform(n, 50.0 / double(n - 1), 5.0);
    Curve c(n);
    for (std::size_t i = 0; i < n; ++i) c[i] = bolus(t[i] - 5);
    // exact's own error is that of the line between samples, so it takes its samples 64 times closer.
    const Curve fine = uniform((n - 1) * 64 + 1, 50.0 / double((n - 1) * 64), 5.0);
    Curve fine_c(fine.size());
    for (std::size_t i = 0; i < fine.size(); ++i) fine_c[i] = bolus(fine[i] - 5);
    errors.push_back(distance(with(GetParam(), t, c, rate, t), exact(fine, fine_c, rate, t)));
  }
  EXPECT_LT(errors[0], 1e-2);
  EXPECT_NEAR(errors[0] / errors[1], 4.0, 0.25);  // second order; the next term is (rate h)^2 ~ 2 % of it
  EXPECT_NEAR(errors[1] / errors[2], 4.0, 0.25);
}
TEST_P(ConvolutionOrder, HoldsTheLastValueAndIsZeroBeforeTheFirst) {
  const Curve t = uniform(200, 0.1, 3.0), c = noise(200, 18);
  const Curve g = with(GetParam(), t, c, 0.4, {0.0, 3.0, 200.0});
  EXPECT_EQ(g[0], 0);
  EXPECT_EQ(g[1], 0);
  EXPECT_NEAR(g[2], c.back() / 0.4,
              2e-3 * std::abs(c.back() / 0.4));  // (0.04)^2 / 12, and the tail of a bolus long gone
}
INSTANTIATE_TEST_SUITE_P(Methods, ConvolutionOrder, ::testing::Values("convolution.trapezoid", "convolution.fft"));

TEST(Convolution, EveryMethodHasItsWordsAndAgreesOnAPlainCase) {
  const Curve t = uniform(500, 0.05), at = t;
  Curve c(t.size());
  for (std::size_t i = 0; i < t.size(); ++i) c[i] = t[i] * std::exp(-t[i]);
  const Curve expected = exact(t, c, 0.2, at);
  ASSERT_EQ(convolutions().size(), 3U);
  for (const auto& [id, method] : convolutions()) {
    EXPECT_FALSE(method.title.empty() || method.source.empty() || method.accuracy.empty()) << id;
    EXPECT_LT(distance(with(id, t, c, 0.2, at), expected), 1e-3) << id;  // second order: (1 x 0.05)^2 / 12 = 2e-4
  }
}

TEST(Convolution, BadInputIsNamed) {
  const auto message = [](const Curve& t, const Curve& c, double rate, const Curve& at, std::size_t n) {
    Curve out(n);
    try {
      convolve_exp(t, c, rate, at, out);
    } catch (const Error& e) {
      return std::string(to_string(e.code())) + ": " + e.message();
    }
    return std::string("no error");
  };
  const double nan = std::nan(""), inf = INFINITY;
  EXPECT_EQ(message({0, 1}, {1}, 1, {0}, 1), "shape: convolution: 2 times for 1 input values");
  EXPECT_EQ(message({}, {}, 1, {0}, 1), "shape: convolution: an input of 0 samples");
  EXPECT_EQ(message({0, 1}, {1, 1}, 1, {0}, 2), "shape: convolution: 1 output times for 2 output values");
  EXPECT_EQ(message({0, 1}, {1, 1}, -2, {0}, 1), "range: convolution: a rate of -2 1/s");
  EXPECT_EQ(message({0, 1}, {1, 1}, nan, {0}, 1), "range: convolution: a rate of nan 1/s");
  EXPECT_EQ(message({0, 1}, {1, 1}, inf, {0}, 1), "range: convolution: a rate of inf 1/s");
  EXPECT_EQ(message({0, 0}, {1, 1}, 1, {0}, 1), "range: convolution: time 0 s at sample 1 does not follow 0 s");
  EXPECT_EQ(message({0, nan}, {1, 1}, 1, {0}, 1), "range: convolution: time nan s at sample 1 does not follow 0 s");
  EXPECT_EQ(message({0, inf}, {1, 1}, 1, {0}, 1), "range: convolution: time inf s at sample 1 does not follow 0 s");
  EXPECT_EQ(message({0, 1}, {1, 1}, 1, {5, 4}, 2),
            "range: convolution: output time 4 s at position 1 does not follow 5 s");
  EXPECT_THROW(convolutions().get("exat"), Error);
}

TEST(ConvolutionFft, IsTheTrapezoidRuleOnItsGrid) {
  const Curve t = uniform(173, 0.7, -3), c = noise(173, 19);
  EXPECT_LT(distance(with("convolution.fft", t, c, 0.2, t), with("convolution.trapezoid", t, c, 0.2, t)), 1e-12);
}

TEST(ConvolutionFft, NamesWhatItCannotTake) {
  const auto message = [](const Curve& t, const Curve& at) {
    Curve out(at.size()), c(t.size(), 1.0);
    try {
      convolutions().get("fft").convolve(t, c, 0.1, at, out);
    } catch (const Error& e) {
      return std::string(to_string(e.code())) + ": " + e.what();
    }
    return std::string("no error");
  };
  EXPECT_NE(message({0, 1, 2.5}, {1}).find("range: convolution.fft needs a uniform grid: sample 1 comes 1 s after"),
            std::string::npos);
  EXPECT_NE(message({0, 1, 2.5}, {1}).find("do: use convolution.exact"), std::string::npos);
  EXPECT_NE(message({0}, {1}).find("an input of 1 sample has no spacing"), std::string::npos);
  EXPECT_NE(message({0, 1}, {1e12}).find("stay below"), std::string::npos);
  EXPECT_EQ(message({0, 1, 2 + 1e-9}, {1}), "no error");
}
