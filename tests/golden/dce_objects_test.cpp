// SPDX-License-Identifier: Apache-2.0
// Objects with known parameters from the independent forward calculation (reference_curve: no code in common with the
// fit), at the noise and with the tolerances of the OSIPI objects for these models: ve 0.05, vp 0.025,
// Fp 5 + 10 % [mL/100mL/min], PS and Ktrans 0.005 + 10 % [1/min], delay 1 s.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <larmor/perfusion/dce/aif_models.hpp>
#include <larmor/perfusion/dce/dro.hpp>
#include <larmor/perfusion/dce/fit.hpp>
#include <random>

using namespace larmor;
using namespace larmor::dce;

namespace {

struct Object {
  std::string model;
  std::vector<std::pair<std::string, std::vector<double>>> levels;  // Fp mL/100mL/min, PS and Ktrans 1/min
};

double per_lexicon(const std::string& name) {
  if (name == "Fp") return 1.0 / 6000;
  return name == "PS" || name == "Ktrans" ? 1.0 / 60 : 1.0;
}
double tolerance(const std::string& name, double reference) {
  if (name == "delay") return 1.0;
  if (name == "Fp") return 5 + 0.1 * reference;
  if (name == "PS" || name == "Ktrans") return 0.005 + 0.1 * reference;
  return name == "ve" ? 0.05 : 0.025;
}

void check(const Object& object, double noise, bool delayed) {
  constexpr double dt = 0.5;
  constexpr int frames = 600;
  std::vector<double> t;
  for (int i = 0; i < frames; ++i) t.push_back(0.25 + dt * i);  // not from 0, as scanners' frame times
  const AifModel& parker = aif_models().get("aif.parker");
  const auto input = [&](double s) { return parker.value(s - 20.0) / 0.58; };
  Aif aif{.times = t};
  for (const double s : t) aif.values.push_back(input(s));

  std::vector<std::map<std::string, double>> truths{{}};
  for (const auto& [name, values] : object.levels) {
    std::vector<std::map<std::string, double>> next;
    for (const auto& so_far : truths)
      for (const double v : values) next.push_back(so_far), next.back()[name] = v;
    truths = next;
  }
  const std::vector<double> delays = delayed ? std::vector<double>{0.0, 1.7, 5.0, 8.0} : std::vector<double>{0.0};
  const auto n = static_cast<std::int64_t>(truths.size() * delays.size());
  Array data(DType::f32, {n, frames}, {"voxel", "t"});
  std::mt19937_64 rng(3);
  std::normal_distribution<double> normal(0, noise);
  std::int64_t voxel = 0;
  for (const double delay : delays)
    for (const auto& truth : truths) {
      std::map<std::string, double> engine;
      for (const auto& [name, v] : truth) engine[name] = v * per_lexicon(name);
      const auto c = reference_curve(
          object.model, engine, [&](double s) { return input(s - delay); }, t);
      for (std::int64_t f = 0; f < frames; ++f)
        data.data<float>()[f * n + voxel] = static_cast<float>(c[static_cast<std::size_t>(f)] + normal(rng));
      ++voxel;
    }

  const FitResult r = fit_model(models().get(object.model), data, t, {&aif, 1}, {}, {.fit_delay = delayed});
  for (std::size_t i = 0; i < r.params.size(); ++i) {
    const std::string& name = r.params[i].name;
    double worst = 0;
    for (std::size_t v = 0; v < static_cast<std::size_t>(n); ++v) {
      const double reference = name == "delay" ? delays[v / truths.size()] : truths[v % truths.size()].at(name);
      const double error = std::abs(r.values[i][v] / per_lexicon(name) - reference) / tolerance(name, reference);
      EXPECT_LE(error, 1.0) << object.model << " " << name << " " << reference << " voxel " << v;  // false for NaN
      worst = std::max(worst, error);
    }
    std::printf("object %-19s %-7s %3lld cases, noise %.4f mM, delay %-6s worst error %.2f of the tolerance\n",
                object.model.c_str(), name.c_str(), static_cast<long long>(n), noise, delayed ? "fitted" : "none",
                worst);
  }
}

// The levels are those that the noise lets any unbiased fit hold; they are not all levels. With 10 noises each at 0.5 s
// frames, 2CXM leaves a tolerance in 0.2 % of voxels at 0.0025 mM (0.9 % with the delay fitted), and at Fp 5 in 2 % at
// 0.001 mM (4 %) and 14 % at 0.0025 mM (21 %); 2CUM at Fp 5 in 0 to 5 %. In each of those voxels some standard error is
// above a third of its tolerance. Frames of 2 s leave more, and there a few misses are of the sampled input, not noise.
const Object exchange{"dce.2cxm",
                      {{"Fp", {10, 25, 40}}, {"PS", {0.05, 0.15}}, {"ve", {0.1, 0.2}}, {"vp", {0.02, 0.05, 0.1}}}};
const Object uptake{"dce.2cum", {{"Fp", {10, 25, 40}}, {"PS", {0.0, 0.05, 0.15}}, {"vp", {0.02, 0.05, 0.1}}}};

TEST(Objects, TwoCompartmentExchange) { check(exchange, 0.001, false); }
TEST(Objects, TwoCompartmentExchangeWithDelay) { check(exchange, 0.001, true); }
TEST(Objects, TwoCompartmentUptake) { check(uptake, 0.0025, false); }
TEST(Objects, TwoCompartmentUptakeWithDelay) { check(uptake, 0.001, true); }
TEST(Objects, ToftsAndExtendedToftsWithDelay) {
  check({"dce.tofts", {{"Ktrans", {0.05, 0.2}}, {"ve", {0.2, 0.4}}}}, 0.0025, true);
  check({"dce.extended_tofts", {{"Ktrans", {0.05, 0.2}}, {"ve", {0.2, 0.4}}, {"vp", {0.02, 0.08}}}}, 0.0025, true);
}
TEST(Objects, PatlakWithDelay) {
  check({"dce.patlak", {{"PS", {0.0, 0.05, 0.15}}, {"vp", {0.02, 0.1}}}}, 0.0025, true);
}

}  // namespace
