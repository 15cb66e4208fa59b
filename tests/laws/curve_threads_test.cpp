// SPDX-License-Identifier: Apache-2.0
// One source for CPU and CUDA: what a thread of CUDA does, run for every voxel on the CPU, ends where the lanes end.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <larmor/fit/curve_fit.hpp>
#include <larmor/perfusion/asl/model.hpp>
#include <larmor/perfusion/dsc/first_pass.hpp>
#include <larmor/perfusion/ivim/model.hpp>
#include <random>

namespace larmor {
namespace {

constexpr std::size_t n = 2000;

struct Protocol {
  std::vector<double> design = {};
  std::vector<double> covariates = {};  // the same in every voxel
  double snr = 50;                      // of the highest sample
  bool map = false;
};

void same_by_threads(const std::string& id, const fit::CurveModel& model, const Protocol& p) {
  const std::size_t samples = p.design.size() / model.design.size();
  Array data = Array::of<float>({n, static_cast<std::int64_t>(samples)}, {"voxel", "t"});
  std::mt19937_64 random(7);
  std::normal_distribution<double> normal;
  std::vector<double> signal(samples);
  for (std::size_t v = 0; v < n; ++v) {
    std::vector<double> truth;
    for (const auto& q : model.params) {
      const double even = static_cast<double>(random() >> 11) * 0x1p-53;
      truth.push_back(std::clamp(q.start * std::exp(0.8 * (even - 0.5)), q.lower, q.upper));
    }
    fit::curve_signal(model, p.design, truth, p.covariates, signal);
    const double sd = std::abs(*std::max_element(signal.begin(), signal.end())) / p.snr;
    for (std::size_t k = 0; k < samples; ++k)
      data.data<float>()[k * n + v] = static_cast<float>(signal[k] + sd * normal(random));
  }
  data.data<float>()[0] = std::numeric_limits<float>::quiet_NaN();                 // bad_data
  for (std::size_t k = 0; k < samples; ++k) data.data<float>()[k * n + 1] = 0.0f;  // no_signal
  std::vector<std::vector<float>> facts;
  for (const double c : p.covariates) facts.emplace_back(n, static_cast<float>(c));
  const std::vector<std::span<const float>> covariates(facts.begin(), facts.end());
  fit::CurveFitOptions o;
  o.map = p.map, o.tolerance = 1e-4;
  const auto lanes = fit::fit_curves(model, data, p.design, covariates, {}, o);
  o.cuda_threads = true;
  const auto threads = fit::fit_curves(model, data, p.design, covariates, {}, o);
  std::size_t apart = 0, compared = 0;
  EXPECT_EQ(threads.status[0], fit::FitStatus::bad_data) << id;
  EXPECT_EQ(threads.status[1], fit::FitStatus::no_signal) << id;
  for (std::size_t v = 0; v < n; ++v) {
    if (!usable(lanes.status[v]) || !usable(threads.status[v])) {
      apart += usable(lanes.status[v]) != usable(threads.status[v]);
      continue;
    }
    ++compared;
    bool same = true;
    for (std::size_t i = 0; i < lanes.params.size(); ++i) {
      const double se = std::isfinite(lanes.standard_error[i][v]) ? lanes.standard_error[i][v] : 0;
      same = same && std::abs(threads.values[i][v] - lanes.values[i][v]) <=
                         0.02 * se + 1e-3 * std::abs(lanes.values[i][v]) + 1e-9;
    }
    apart += !same;
  }
  std::printf("%-26s %zu of %zu voxels differ\n", id.c_str(), apart, compared);
  EXPECT_GT(compared, n * 95 / 100) << id;
  // Two hollows as deep, or a valley that is flat: rounding chooses.
  EXPECT_LE(apart, n / 50) << id;
}

TEST(CurveThreads, OfAslModelsAreTheLanes) {
  for (const auto& [id, model] : asl::models()) {
    const bool pulsed = id.starts_with("asl.pasl");
    std::vector<asl::Sample> samples;
    for (int k = 0; k < 9; ++k)
      samples.push_back({.time = (pulsed ? 0.75 : 1.6) + 0.25 * k, .LD = pulsed ? 0.7 : 1.4, .efficiency = 0.85});
    same_by_threads(
        id, model,
        {.design = asl::design_of(samples), .covariates = {1.33, 1.65, 0.1, 0.9}, .map = model.params.size() > 2});
  }
}
TEST(CurveThreads, OfIvimModelsAreTheLanes) {
  for (const auto& [id, model] : ivim::models()) {
    Protocol p{.snr = 100};
    for (const double b : {0., 5., 10., 20., 35., 60., 100., 150., 220., 300., 400., 500., 600., 700., 850., 1000.}) {
      p.design.push_back(b);
      for (std::size_t extra = 1; extra < model.design.size(); ++extra) p.design.push_back(0.08 * std::sqrt(b));
    }
    same_by_threads(id, model, p);
  }
}
TEST(CurveThreads, OfTheGammaVariateAreTheLanes) {
  Protocol p;
  for (int k = 0; k < 24; ++k) p.design.push_back(1.5 * k - 12);
  same_by_threads("gamma variate", dsc::gamma_variate(), p);
}

}  // namespace
}  // namespace larmor
