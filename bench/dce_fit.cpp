// SPDX-License-Identifier: Apache-2.0
// Tracer-kinetic fits from cold starts: processor time a voxel, against a plain scalar fit of the same data in the same
// run, with the answer checked (recovered parameters, share of global minima by multi-start) and what of the machine's
// peak was used.   bench_dce_fit [voxels] [model]
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <larmor/core/isa.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/perfusion/dce/aif_models.hpp>
#include <larmor/perfusion/dce/fit.hpp>
#include <random>

#ifdef LARMOR_HAS_CERES
#include "ceres_fit.hpp"
#endif

using namespace larmor;
using namespace larmor::dce;

extern "C" {
double peak_baseline(long, int*);
#if defined(__x86_64__)
double peak_v3(long, int*);
double peak_v4(long, int*);
#endif
}

namespace {

struct Case {
  std::string id;
  std::vector<std::pair<double, double>> range;  // of each parameter, uniform
  double target;                                 // microseconds a voxel and core
  double reference;                              // NumPy implementation [us]
  double flops_a_frame;                          // of one evaluation on a uniform grid, and what a step adds otherwise
  double flops_a_step;
};

/// Processor time of this process [s]: what a core spent, whatever else the machine did.
double processor_seconds() {
  rusage u;
  getrusage(RUSAGE_SELF, &u);
  return static_cast<double>(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}
double peak_megabytes() {
  rusage u;
  getrusage(RUSAGE_SELF, &u);
  return static_cast<double>(u.ru_maxrss) / 1024;
}

double peak_gflops() {
  auto kernel = peak_baseline;
#if defined(__x86_64__)
  if (isa() == Isa::v3) kernel = peak_v3;
  if (isa() == Isa::v4) kernel = peak_v4;
#endif
  double best = 0;
  for (int repeat = 0; repeat < 3; ++repeat) {
    int lanes = 0;
    constexpr long rounds = 4000000;
    const double start = processor_seconds();
    volatile double keep = kernel(rounds, &lanes);
    (void)keep;
    best = std::max(best, 24e-9 * rounds * lanes / (processor_seconds() - start));
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  std::int64_t n = 300000;
  std::string only;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; }))
      n = std::stoll(word);
    else
      only = models().resolve(word);
  }
  // Operations of one evaluation a frame: an exponential 14, its two projections and Gram entries 2 each; a step of a
  // grid without repeated steps makes its weights from polynomials of degree 10 and 9, 46 an exponential.
  const std::vector<Case> cases{
      {"dce.tofts", {{0.02 / 60, 0.6 / 60}, {0.08, 0.6}}, 0.4, 335, 14 + 3 + 10, 46},
      {"dce.extended_tofts", {{0.02 / 60, 0.6 / 60}, {0.08, 0.6}, {0.005, 0.12}}, 0.5, 488, 14 + 5 + 18, 46},
      {"dce.2cxm", {{0.1 / 60, 1.2 / 60}, {0.02 / 60, 0.3 / 60}, {0.08, 0.5}, {0.02, 0.15}}, 1.5, 300, 28 + 5 + 28, 92},
      {"dce.2cum", {{0.1 / 60, 1.2 / 60}, {0.005 / 60, 0.1 / 60}, {0.02, 0.15}}, 0.8, 70, 14 + 5 + 18, 46},
      {"dce.patlak", {{0.005 / 60, 0.1 / 60}, {0.01, 0.15}}, 0.05, 93, 8, 0},
  };
  const double peak = peak_gflops();
  constexpr int frames = 60;
  fmt::print("DCE fits: {} voxels, {} frames, {} thread(s), {}, peak {:.0f} Gflop/s a core (double)\n", n, frames,
             thread_count(), to_string(isa()), peak);
  fmt::print("{:<19} {:<11} {:>7} {:>6} {:>5} {:>6} {:>8} {:>6} {:>8} {:>7} {:>8} {:>8} {:>8}\n", "model", "grid",
             "us/vox", "aim", "evals", "% peak", "usable", "err %", "global", "Mvox/s", "plain us", "ratio", "NumPy");
  for (const bool uniform : {true, false})
    for (const Case& c : cases) {
      if (!only.empty() && c.id != only) continue;
      std::vector<double> t(frames);
      std::mt19937_64 rng(7);
      std::uniform_real_distribution<double> unit(0, 1);
      std::normal_distribution<double> normal;
      for (int i = 0; i < frames; ++i)
        t[static_cast<std::size_t>(i)] = 5.0 * i + (uniform || i == 0 ? 0.0 : 2.0 * (unit(rng) - 0.5));
      const Aif aif = sample_aif(aif_models().get("aif.parker"), t, 20.0, 0.42);
      const Model& model = models().get(c.id);
      const std::size_t np = model.params.size();
      // 2,000 noiseless curves, noise fresh in every voxel.
      constexpr std::int64_t n_curves = 2000;
      std::vector<std::vector<double>> truth(n_curves, std::vector<double>(np)),
          curves(n_curves, std::vector<double>(frames));
      for (std::size_t k = 0; k < n_curves; ++k) {
        for (std::size_t i = 0; i < np; ++i)
          truth[k][i] = c.range[i].first + (c.range[i].second - c.range[i].first) * unit(rng);
        tissue_concentration(model, truth[k], {&aif, 1}, t, curves[k]);
      }
      Array data(DType::f32, {n, frames}, {"voxel", "t"});
      float* y = data.data<float>();
      constexpr double noise = 0.002;
      for (std::int64_t f = 0; f < frames; ++f)
        for (std::int64_t v = 0; v < n; ++v)
          y[f * n + v] = static_cast<float>(
              curves[static_cast<std::size_t>(v % n_curves)][static_cast<std::size_t>(f)] + noise * normal(rng));

      std::vector<double> times, walls;
      FitResult r;
      for (int repeat = 0; repeat < 5; ++repeat) {
        const auto wall = std::chrono::steady_clock::now();
        const double start = processor_seconds();
        r = fit_model(model, data, t, {&aif, 1});
        times.push_back(processor_seconds() - start);
        walls.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - wall).count());
      }
      std::sort(times.begin(), times.end()), std::sort(walls.begin(), walls.end());
      const double us = times[2] / static_cast<double>(n) * 1e6;

      double evals = 0;
      std::vector<double> errors;
      for (std::int64_t v = 0; v < n; ++v) {
        evals += r.iterations[static_cast<std::size_t>(v)];
        errors.push_back(
            std::abs(r.values[0][static_cast<std::size_t>(v)] / truth[static_cast<std::size_t>(v % n_curves)][0] - 1));
      }
      evals /= static_cast<double>(n);
      std::nth_element(errors.begin(), errors.begin() + n / 2, errors.end());
      const double good = static_cast<double>(r.count(fit::FitStatus::converged) + r.count(fit::FitStatus::at_bound)) /
                          static_cast<double>(n);
      const double gflops = evals * frames * (c.flops_a_frame + (uniform ? 0.0 : c.flops_a_step)) / us * 1e-3;

      // Multi-start on the first voxels: the best of 20 random starts against the cold one.
      const std::int64_t some = std::min<std::int64_t>(n, 4000);
      Array part(DType::f32, {some, frames}, {"voxel", "t"});
      for (std::int64_t f = 0; f < frames; ++f) std::copy(y + f * n, y + f * n + some, part.data<float>() + f * some);
      std::vector<float> best(r.residual_sd.begin(), r.residual_sd.begin() + some);
      for (int repeat = 0; repeat < 20; ++repeat) {
        FitOptions o;
        for (const Param& q : model.params)
          o.params[q.name].start =
              std::clamp(q.start * std::exp(4 * (unit(rng) - 0.5)), 1.01 * q.lower, 0.99 * q.upper);
        const FitResult other = fit_model(model, part, t, {&aif, 1}, {}, o);
        for (std::size_t v = 0; v < best.size(); ++v)
          if (usable(other.status[v]) && !(best[v] <= other.residual_sd[v])) best[v] = other.residual_sd[v];
      }
      std::int64_t global = 0;
      for (std::size_t v = 0; v < best.size(); ++v) global += r.residual_sd[v] <= best[v] * (1 + 1e-4f);

      double plain_us = 0;
#ifdef LARMOR_HAS_CERES
      const FitSetup setup = make_setup(model, t, {&aif, 1}, {});
      std::vector<std::vector<double>> few(1000, std::vector<double>(frames)), params;
      for (std::size_t v = 0; v < few.size(); ++v)
        for (std::size_t f = 0; f < frames; ++f)
          few[v][f] = y[static_cast<std::int64_t>(f) * n + static_cast<std::int64_t>(v)];
      std::vector<double> sse;
      plain_us = ceres_fit(setup, few, params, sse) / static_cast<double>(few.size()) * 1e6;
#endif
      fmt::print(
          "{:<19} {:<11} {:7.3f} {:6.2f} {:5.2f} {:5.1f}% {:7.3f}% {:6.2f} {:7.3f}% {:7.2f} {:8.1f} {:7.0f}x "
          "{:7.0f}x\n",
          c.id, uniform ? "uniform" : "non-uniform", us, c.target, evals, 100 * gflops / peak, 100 * good,
          100 * errors[static_cast<std::size_t>(n / 2)],
          100.0 * static_cast<double>(global) / static_cast<double>(some), 1e-6 * static_cast<double>(n) / walls[2],
          plain_us, plain_us / us, c.reference / us);
    }
  const double input = static_cast<double>(n) * frames * 4 / 1048576,
               output = static_cast<double>(n) * (2 * 4 + 3 + 1) * 4 / 1048576;
  fmt::print("peak memory {:.0f} MB; largest input {:.0f} MB, outputs about {:.0f} MB (kept twice by the repeats)\n",
             peak_megabytes(), input, output);
  fmt::print(
      "us/vox: processor time, median of 5. err %: median error of the first parameter at noise 0.002 mM. global: "
      "share of voxels where no random\nstart found a better fit. plain: Ceres, scalar double. NumPy: ratio to the "
      "figures of a reference implementation of that kind.\n");
}
