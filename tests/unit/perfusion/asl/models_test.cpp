// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/asl/kinetics_lanes.hpp>
#include <larmor/perfusion/asl/model.hpp>
#include <numbers>

namespace larmor::asl {
namespace {

constexpr double shown = 6;  // mL/100g/min a mm3/(g s)

/// The convolution integral of Buxton et al. by the midpoint rule: what arrives at s and how it decays until t.
/// delivery(s) and the answer are of (control - label) / M0 of blood.
double convolved(double t, double f, double T1, double partition, const std::function<double(double)>& delivery) {
  const double rate = 1 / T1 + f / partition;
  constexpr int n = 200000;
  double sum = 0;
  for (int i = 0; i < n; ++i) {
    const double s = t * (i + 0.5) / n;
    sum += delivery(s) * std::exp(-(t - s) * rate);
  }
  return 2 * f * sum * t / n;
}

const VoxelFacts voxel{.T1_tissue = 1.3, .T1_blood = 1.65, .slice_delay = 0.15, .partition = 0.9};
const std::vector<Sample> samples{{.time = 0.5, .LD = 1.4, .efficiency = 0.85},
                                  {.time = 1.1, .LD = 1.4, .efficiency = 0.85},
                                  {.time = 1.9, .LD = 1.4, .efficiency = 0.85},
                                  {.time = 3.2, .LD = 1.4, .efficiency = 0.85}};

TEST(AslModels, AreTheConvolutionOfDeliveryAndDecay) {
  const double f = 0.01, CBF = 10, ATT = 0.8;  // 60 mL/100g/min
  for (const bool pulsed : {false, true}) {
    const auto found = signal(models().get(pulsed ? "asl.pasl" : "asl.pcasl"), samples, std::vector{CBF, ATT}, voxel);
    for (std::size_t k = 0; k < samples.size(); ++k) {
      const double t = samples[k].time + voxel.slice_delay;
      const double expected = convolved(t, f, voxel.T1_tissue, voxel.partition, [&](double s) {
        return s < ATT || s > ATT + 1.4 ? 0.0 : 0.85 * std::exp(-(pulsed ? s : ATT) / voxel.T1_blood);
      });
      // The midpoint rule misses up to a step of 2e-5 s at the two edges.
      EXPECT_NEAR(found[k], expected, 2e-5 * 2 * f) << pulsed << ' ' << k;
    }
  }
}

TEST(AslModels, AreZeroBeforeArrivalAndContinuousAtTheEdges) {
  for (const char* id : {"asl.pcasl", "asl.pasl"}) {
    const auto at = [&](double time) {
      return signal(models().get(id), std::vector<Sample>{{.time = time, .LD = 1.4}}, std::vector{10.0, 0.8},
                    {.T1_tissue = 1.3, .T1_blood = 1.65})[0];
    };
    EXPECT_EQ(at(0.8), 0);
    EXPECT_EQ(at(0.3), 0);
    for (const double edge : {0.8, 2.2}) EXPECT_NEAR(at(edge - 1e-7), at(edge + 1e-7), 1e-8) << id;  // slope 2 f
    EXPECT_GT(at(0.9), 0);
  }
}

TEST(AslModels, OfEqualRatesHaveALimit) {
  // Pulsed labelling with T1' of tissue equal to T1 of blood: 2 f exp(-t / T1) times what has arrived.
  const double T1_blood = 1.6, f = 0.01, T1 = 1 / (1 / T1_blood - f / 0.9);
  const auto found = signal(models().get("asl.pasl"), std::vector<Sample>{{.time = 2, .LD = 1}}, std::vector{10.0, 0.5},
                            {.T1_tissue = T1, .T1_blood = T1_blood});
  EXPECT_NEAR(found[0], 2 * f * 1 * std::exp(-2 / T1_blood), 1e-12);
  const auto dispersed = signal(models().get("asl.pasl_dispersed"), std::vector<Sample>{{.time = 2, .LD = 1}},
                                std::vector{10.0, 0.5, 0.1}, {.T1_tissue = T1, .T1_blood = T1_blood});
  // The rate is held 1e-6 1/s from 0, and the edges are 5 sd away: 3e-7 of the bolus.
  EXPECT_NEAR(dispersed[0], found[0], 2e-6 * found[0]);
}

TEST(AslModels, DispersionIsTheMeanOverTransitTimes) {
  const double sigma = 0.25, ATT = 1.2;
  for (const std::string family : {"asl.pcasl", "asl.pasl"}) {
    const auto found = signal(models().get(family + "_dispersed"), samples, std::vector{10.0, ATT, sigma}, voxel);
    std::vector<double> mean(samples.size());
    double weights = 0;
    for (double z = -4.5; z <= 4.5; z += 0.01) {
      const double w = std::exp(-z * z / 2);
      const auto one = signal(models().get(family), samples, std::vector{10.0, ATT + sigma * z}, voxel);
      for (std::size_t k = 0; k < mean.size(); ++k) mean[k] += w * one[k];
      weights += w;
    }
    // Kinks make the sum of steps 0.01 sd good to its square.
    for (std::size_t k = 0; k < mean.size(); ++k) EXPECT_NEAR(found[k], mean[k] / weights, 2e-5 * 0.02) << family << k;
  }
}

TEST(AslModels, WithoutSpreadDispersionIsNone) {
  for (const std::string family : {"asl.pcasl", "asl.pasl"}) {
    const auto a = signal(models().get(family), samples, std::vector{10.0, 0.8}, voxel),
               b = signal(models().get(family + "_dispersed"), samples, std::vector{10.0, 0.8, 1e-4}, voxel);
    for (std::size_t k = 0; k < a.size(); ++k) EXPECT_NEAR(a[k], b[k], 1e-6 * 0.02) << family << k;  // sigma / T1 of it
  }
}

TEST(AslModels, ArteriesAddTheBolusItself) {
  for (const std::string family : {"asl.pcasl", "asl.pasl"}) {
    const Model& model = models().get(family + "_macrovascular");
    const auto none = signal(model, samples, std::vector{10.0, 1.0, 0.0, 0.4}, voxel),
               some = signal(model, samples, std::vector{10.0, 1.0, 0.02, 0.4}, voxel);
    for (std::size_t k = 0; k < samples.size(); ++k) {
      const double t = samples[k].time + voxel.slice_delay;
      // In the middle of the bolus 2 alpha aBV exp(-...), well after it nothing.
      const double full = 2 * 0.85 * 0.02 * std::exp(-(family == "asl.pasl" ? t : 0.4) / voxel.T1_blood);
      if (k == 1) {
        EXPECT_NEAR(some[k] - none[k], full, 1e-15);
      }
      if (k == 3) {
        EXPECT_EQ(some[k], none[k]);
      }
    }
  }
  EXPECT_EQ(models().get("asl.pcasl_macrovascular").params[2].name, "aBV");
  EXPECT_EQ(models().get("asl.pasl_macrovascular").params[3].name, "ATT_a");
}

// The front of density 1 - (s / half)^2 is a mean over arrivals, with the decay over the path of the centre.
TEST(AslModels, TissueBehindArteriesIsTheMeanOverAFrontOfAnSdOfATenthOfASecond) {
  const double half = 0.1 * std::sqrt(5.0);
  for (const std::string family : {"asl.pcasl", "asl.pasl"})
    for (const double ATT : {0.45, 1.0, 1.3}) {  // samples before, in and after the front
      const auto found =
          signal(models().get(family + "_macrovascular"), samples, std::vector{10.0, ATT, 0.0, 0.4}, voxel);
      std::vector<double> mean(samples.size());
      double weights = 0, variance = 0;
      constexpr int n = 4000;
      for (int i = 0; i < n; ++i) {
        const double s = half * (2 * (i + 0.5) / n - 1), w = 1 - s * s / (half * half);
        const double path = family == "asl.pasl" ? 1 : std::exp(s / voxel.T1_blood);
        const auto one = signal(models().get(family), samples, std::vector{10.0, ATT + s}, voxel);
        for (std::size_t k = 0; k < mean.size(); ++k) mean[k] += w * path * one[k];
        weights += w, variance += w * s * s;
      }
      EXPECT_NEAR(std::sqrt(variance / weights), 0.1, 1e-6);
      // The midpoint rule of a function with kinks: the square of a step of 1e-4 s.
      for (std::size_t k = 0; k < mean.size(); ++k)
        EXPECT_NEAR(found[k], mean[k] / weights, 2e-8 * 0.02) << family << k;
    }
}

TEST(AslModels, LookLockerPulsesTakeTheirPart) {
  // Label that has arrived before the first pulse loses cos FA at each of the pulses before the sample.
  const double FA = 30 * std::numbers::pi / 180, interval = 0.3, rate = -std::log(std::cos(FA)) / interval;
  for (const char* id : {"asl.pcasl", "asl.pasl"}) {
    const auto with = [&](double time, double pulses_rate) {
      return signal(models().get(id),
                    std::vector<Sample>{{.time = time, .LD = 0.5, .readout_start = 1.5, .readout_rate = pulses_rate}},
                    std::vector{10.0, 0.5}, {.T1_tissue = 1.3, .T1_blood = 1.65})[0];
    };
    EXPECT_NEAR(with(1.5, rate), with(1.5, 0), 1e-15);
    for (const int n : {1, 3, 7})
      EXPECT_NEAR(with(1.5 + n * interval, rate), with(1.5 + n * interval, 0) * std::pow(std::cos(FA), n), 1e-14) << n;
  }
  // Label that arrives while the pulses play decays faster from its arrival on.
  const double f = 0.01, ATT = 0.5, R = 1 / 1.3 + f / 0.9, t = 2.0;
  const auto found = signal(models().get("asl.pcasl"),
                            std::vector<Sample>{{.time = t, .LD = 3, .readout_start = 1.0, .readout_rate = rate}},
                            std::vector{10.0, ATT}, {.T1_tissue = 1.3, .T1_blood = 1.65});
  constexpr int n = 200000;
  double sum = 0;
  for (int i = 0; i < n; ++i) {
    const double s = ATT + (t - ATT) * (i + 0.5) / n;
    sum += std::exp(-ATT / 1.65 - R * (t - s) - rate * (t - std::max(s, 1.0)));
  }
  EXPECT_NEAR(found[0], 2 * f * sum * (t - ATT) / n, 1e-11);  // midpoint rule of a smooth piece: step^2
}

TEST(AslModels, GradientsAreThoseOfFiniteDifferences) {
  std::vector<Sample> all = samples;
  for (Sample s : samples) {
    s.readout_start = 1.0, s.readout_rate = 0.4;
    all.push_back(s);
  }
  const double facts[]{1.3, 1.65, 0.15, 0.9};
  for (const auto& [id, model] : models()) {
    std::vector<double> p{10, 0.83};
    if (id.ends_with("dispersed")) p = {10, 0.83, 0.2};
    if (id.ends_with("macrovascular")) p = {10, 0.83, 0.01, 0.61};  // fronts at 0.65 and 1.25 s are passing
    const std::size_t n = all.size(), np = p.size();
    const auto design = design_of(all);
    std::vector<double> s(n), jacobian(n * np), up(n), down(n);
    fit::curve_signal(model, design, p, facts, s, jacobian);
    for (std::size_t i = 0; i < np; ++i) {
      const double h = 1e-5 * p[i];
      auto q = p;
      q[i] = p[i] + h, fit::curve_signal(model, design, q, facts, up);
      q[i] = p[i] - h, fit::curve_signal(model, design, q, facts, down);
      for (std::size_t k = 0; k < n; ++k) {
        const double slope = (up[k] - down[k]) / (2 * h);
        // Central differences lose 1e-16 / h of rounding and h^2; the normal distribution is good to 4e-13.
        EXPECT_NEAR(jacobian[k * np + i], slope, 1e-6 * std::abs(slope) + 3e-9) << id << ' ' << i << ' ' << k;
      }
    }
  }
}

TEST(AslModels, AreProportionalToFlowButForWhatItWashesOut) {
  const auto a = signal(models().get("asl.pcasl"), samples, std::vector{1.0 / shown, 0.8}, voxel),
             b = signal(models().get("asl.pcasl"), samples, std::vector{60.0 / shown, 0.8}, voxel);
  // f / partition of 60 mL/100g/min is 0.011 1/s beside 1 / T1 of 0.77.
  for (std::size_t k = 1; k < samples.size(); ++k) EXPECT_NEAR(b[k] / a[k] / 60, 1, 0.03);
}

/// Second derivatives that a model gives are those of its gradient.
template <class M>
void second_derivatives(const std::vector<double>& params) {
  constexpr int N = M::n_params;
  const double facts[]{1.33, 1.65, 0.1, 0.9};
  for (double time = 0.4; time < 4; time += 0.137) {
    const double design[]{time, 1.4, 0.85, 0, 0};
    const auto gradient = [&](const std::vector<double>& p, double* g, double* second) {
      typename M::template At<double>(facts, p.data()).gradient(design, g, second);
    };
    double g[N], up[N], down[N], second[N * (N + 1) / 2], unused[N * (N + 1) / 2];
    gradient(params, g, second);
    for (std::size_t j = 0; j < N; ++j) {
      auto p = params;
      const double h = 1e-6 * params[j];
      p[j] = params[j] + h, gradient(p, up, unused);
      p[j] = params[j] - h, gradient(p, down, unused);
      for (int i = static_cast<int>(j); i < N; ++i) {
        const int at = i * (i + 1) / 2 + static_cast<int>(j);
        if (!(M::curved >> at & 1u)) continue;
        const double slope = (up[i] - down[i]) / (2 * h);
        // Rounding: 1e-16 of the gradient over h. CBF with the others leaves out what it does to T1', a tenth of the
        // largest, which are 1e-4.
        const double tolerance =
            j == 0 ? 0.1 * std::abs(slope) + 1e-5 : 1e-6 * std::abs(slope) + 2e-9 * (1 + std::abs(g[i])) / params[j];
        EXPECT_NEAR(second[at], slope, tolerance) << time << ' ' << i << ' ' << j;
      }
    }
  }
}
TEST(AslModels, SecondDerivativesAreThoseOfTheGradient) {
  second_derivatives<Macrovascular<false>>({10, 1.1, 0.01, 0.6});
  second_derivatives<Macrovascular<true>>({10, 0.8, 0.02, 0.4});
  second_derivatives<Dispersed<false>>({10, 1.1, 0.2});
  second_derivatives<Dispersed<true>>({10, 0.8, 0.3});
}

}  // namespace
}  // namespace larmor::asl
