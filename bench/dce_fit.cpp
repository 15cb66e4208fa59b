// SPDX-License-Identifier: Apache-2.0
// Tracer-kinetic fits: microseconds a voxel and core from cold starts, beside what a plain fit costs.
#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <cstring>
#include <larmor/core/isa.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/perfusion/dce/aif_models.hpp>
#include <larmor/perfusion/dce/fit.hpp>
#include <random>

using namespace larmor;
using namespace larmor::dce;

namespace {

struct Case {
  std::string id;
  std::vector<std::pair<double, double>> range;  // of each parameter, uniform
  double target;                                 // microseconds a voxel
};

/// Processor time of this process [s]: what a core spent, whatever else the machine did.
double seconds() {
  rusage u;
  getrusage(RUSAGE_SELF, &u);
  return static_cast<double>(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + 1e-6 * static_cast<double>(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

}  // namespace

int main(int argc, char** argv) {
  std::int64_t n = 300000;
  std::string only;
  for (int i = 1; i < argc; ++i) {
    if (std::isdigit(argv[i][0]) && std::strlen(argv[i]) > 3)
      n = std::atoll(argv[i]);
    else
      only = argv[i];
  }
  const std::vector<Case> cases{
      {"dce.tofts", {{0.02 / 60, 0.6 / 60}, {0.08, 0.6}}, 0.4},
      {"dce.extended_tofts", {{0.02 / 60, 0.6 / 60}, {0.08, 0.6}, {0.005, 0.12}}, 0.5},
      {"dce.2cxm", {{0.1 / 60, 1.2 / 60}, {0.02 / 60, 0.3 / 60}, {0.08, 0.5}, {0.02, 0.15}}, 1.5},
      {"dce.2cum", {{0.1 / 60, 1.2 / 60}, {0.005 / 60, 0.1 / 60}, {0.02, 0.15}}, 0.8},
      {"dce.patlak", {{0.005 / 60, 0.1 / 60}, {0.01, 0.15}}, 0.05},
  };
  fmt::print("{} voxels, 60 frames, {} thread(s), {}\n", n, thread_count(), to_string(isa()));
  fmt::print("{:<20} {:<12} {:>8} {:>8} {:>7} {:>9} {:>9}\n", "model", "grid", "us/vox", "target", "evals", "converged",
             "median err %");
  for (const bool uniform : {true, false})
    for (const Case& c : cases) {
      if (!only.empty() && c.id != only) continue;
      std::vector<double> t(60);
      std::mt19937_64 rng(7);
      std::uniform_real_distribution<double> unit(0, 1);
      std::normal_distribution<double> normal;
      for (int i = 0; i < 60; ++i) t[i] = 5.0 * i + (uniform ? 0.0 : 2.0 * (unit(rng) - 0.5));
      t[0] = 0;
      const Aif aif = sample_aif(aif_models().get("aif.parker"), t, 20.0, 0.42);
      const Model& model = models().get(c.id);
      const std::size_t np = model.params.size();
      // 2,000 noiseless curves, noise fresh in every voxel.
      const int n_curves = 2000;
      std::vector<std::vector<double>> truth(n_curves, std::vector<double>(np)),
          curves(n_curves, std::vector<double>(60));
      for (int k = 0; k < n_curves; ++k) {
        for (std::size_t i = 0; i < np; ++i)
          truth[k][i] = c.range[i].first + (c.range[i].second - c.range[i].first) * unit(rng);
        tissue_concentration(model, truth[k], {&aif, 1}, t, curves[k]);
      }
      Array data(DType::f32, {n, 60}, {"voxel", "t"});
      float* y = data.data<float>();
      const double noise = 0.002;
      for (int f = 0; f < 60; ++f)
        for (std::int64_t v = 0; v < n; ++v)
          y[f * n + v] = static_cast<float>(curves[v % n_curves][f] + noise * normal(rng));
      double best = 1e9;
      FitResult r;
      for (int repeat = 0; repeat < 3; ++repeat) {
        const double start = seconds();
        r = fit_model(model, data, t, {&aif, 1});
        best = std::min(best, seconds() - start);
      }
      double evals = 0, err = 0;
      std::vector<double> errors;
      for (std::int64_t v = 0; v < n; ++v) {
        evals += r.iterations[v];
        errors.push_back(std::abs(r.values[0][v] / truth[v % n_curves][0] - 1));
      }
      std::nth_element(errors.begin(), errors.begin() + n / 2, errors.end());
      err = 100 * errors[n / 2];
      const double usable = double(r.count(fit::FitStatus::converged) + r.count(fit::FitStatus::at_bound)) / double(n);
      fmt::print("{:<20} {:<12} {:8.3f} {:8.2f} {:7.2f} {:8.3f}% {:9.2f}\n", c.id, uniform ? "uniform" : "non-uniform",
                 best / double(n) * 1e6, c.target, evals / double(n), 100 * usable, err);
    }
}
