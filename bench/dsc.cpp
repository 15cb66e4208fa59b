// SPDX-License-Identifier: Apache-2.0
// Time a voxel and core of every way from tissue curves to flow, on an object of 60 frames (CBF 10 to 90, MTT 2.5 to 8
// s, delays 0 to 3 s, SNR 50), and the median error that comes with it. Beside them: dense products with the same
// singular vectors in plain double loops.
//
//   bench_dsc [voxels] [method...]
#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <larmor/core/isa.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/perfusion/dsc/deconvolve.hpp>
#include <larmor/perfusion/dsc/dro.hpp>
#include <larmor/perfusion/dsc/first_pass.hpp>
#include <larmor/perfusion/dsc/leakage.hpp>
#include <string>
#include <vector>

using namespace larmor;
using namespace larmor::dsc;

namespace {

/// Of the processor: other programs may run beside.
double seconds() {
  rusage u;
  getrusage(RUSAGE_SELF, &u);
  return static_cast<double>(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

template <class Work>
double best_of(int repeats, Work&& work) {
  double best = 1e300;
  for (int k = 0; k < repeats; ++k) {
    const double start = seconds();
    work();
    best = std::min(best, seconds() - start);
  }
  return best;
}

/// Peak of the truncated residue, voxel by voxel.
double plain(const Basis& b, int kept, const Array& curves, std::vector<float>& peak) {
  const auto n = static_cast<std::size_t>(curves.extent(0)), frames = static_cast<std::size_t>(b.n_data),
             L = static_cast<std::size_t>(b.n_residue);
  const float* y = curves.data<float>();
  return best_of(3, [&] {
    std::vector<double> curve(frames), R(L);
    for (std::size_t v = 0; v < n; ++v) {
      for (std::size_t t = 0; t < frames; ++t) curve[t] = y[t * n + v];
      std::fill(R.begin(), R.end(), 0.0);
      for (std::size_t k = 0; k < static_cast<std::size_t>(kept); ++k) {
        double sum = 0;
        for (std::size_t t = 0; t < frames; ++t) sum += curve[t] * b.U64[k * frames + t];
        for (std::size_t i = 0; i < L; ++i) R[i] += sum / b.s64[k] * b.V64[k * L + i];
      }
      peak[v] = static_cast<float>(*std::max_element(R.begin(), R.end()));
    }
  });
}

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t n = argc > 1 ? std::atoll(argv[1]) : 100000;
  std::vector<std::string> which;
  for (int i = 2; i < argc; ++i) which.emplace_back(argv[i]);
  set_thread_count(1);
  DroOptions object;
  object.grid = {46, 36, 24}, object.snr = 50;
  const Dro dro = make_dro(object);
  const auto mask = mask_from(dro.mask), artery = mask_from(dro.artery);
  const auto relaxation =
      relaxation_change(dro.dynamic.data, dro.dynamic.times, {}, {.TE = object.TE, .baseline_last = 9});
  const Array all = concentration(relaxation.dR2, object.tissue);
  const auto aif = mean_curve(concentration(relaxation.dR2, object.blood), artery);
  // As many voxels as asked for: the object's, over and over.
  std::vector<std::size_t> inside;
  for (std::size_t v = 0; v < mask.size(); ++v)
    if (mask[v]) inside.push_back(v);
  const auto truth = dro.truth.get("CBF").values.span<float>();
  Array curves = Array::of<float>({n, 60});
  std::vector<float> flow(static_cast<std::size_t>(n));
  for (std::int64_t v = 0; v < n; ++v) {
    const std::size_t from = inside[static_cast<std::size_t>(v) % inside.size()];
    flow[static_cast<std::size_t>(v)] = truth[from];
    for (std::int64_t t = 0; t < 60; ++t)
      curves.data<float>()[t * n + v] = all.data<float>()[static_cast<std::size_t>(t) * mask.size() + from];
  }
  fmt::print(
      "{} voxels, 60 frames, one core, instruction set {}; best of 5, processor time without making the tables\n", n,
      to_string(isa()));
  fmt::print("{:<24} {:>14} {:>10} {:>18}\n", "method", "us/voxel/core", "limit", "median CBF error");
  const Basis basis = decompose(aif, 1.5, Structure::circulant, Rule::trapezoid, 4);
  std::vector<float> peak(static_cast<std::size_t>(n));
  int kept = 0;
  while (kept < basis.n_modes && basis.s64[static_cast<std::size_t>(kept)] >= 0.25 * basis.s64[0]) ++kept;
  fmt::print("{:<24} {:>14.3f}\n", "plain loops, dsc.csvd", 1e6 * plain(basis, kept, curves, peak) / double(n));
  bool good = true;
  for (const auto& [id, m] : deconvolutions()) {
    if (!which.empty() && std::find(which.begin(), which.end(), id) == which.end()) continue;
    DeconvolutionOptions o;
    o.method = id, o.baseline_frames = 9;
    Deconvolved d;
    const Array few = curves.range(0, 0, 64).contiguous_copy();
    const auto run = [&](const Array& c) { d = deconvolve(c, dro.dynamic.times, aif, object.arrival, {}, o); };
    // The tables are made once a call: their time is that of a call with next to no voxels.
    const double tables = best_of(5, [&] { run(few); }), took = best_of(5, [&] { run(curves); });
    std::vector<double> errors;
    for (std::size_t v = 0; v < flow.size(); ++v)
      if (fit::usable(d.status[v])) errors.push_back(d.CBF[v] * object.factors.per_mass() / flow[v] - 1);
    std::nth_element(errors.begin(), errors.begin() + std::ssize(errors) / 2, errors.end());
    const double median = errors[errors.size() / 2];
    const bool delays = m.structure == Structure::causal || id == "dsc.fit_box";  // misfit by design
    good &= delays || std::abs(median) < 0.1;
    fmt::print("{:<24} {:>14.3f} {:>10} {:>+17.1f} %   tables {:.0f} ms\n", id, 1e6 * (took - tables) / double(n - 64),
               id == "dsc.osvd" ? 3 : 1, 100 * median, 1e3 * tables);
  }
  // What else is done voxel by voxel.
  const auto also = [&](const std::string& name, auto&& work) {
    if (which.empty() || std::find(which.begin(), which.end(), name) != which.end())
      fmt::print("{:<24} {:>14.3f} {:>10}\n", name, 1e6 * best_of(5, work) / double(n), 1);
  };
  also("gamma variate", [&] { first_pass(curves, dro.dynamic.times, object.arrival); });
  for (const auto& [id, m] : leakages())
    also(id, [&, id = id] {
      correct_leakage(curves, dro.dynamic.times, {}, {.method = id, .baseline_first = 0, .baseline_last = 9});
    });
  if (!good) fmt::print("WRONG: a median error above 10 %\n");
  return good ? 0 : 1;
}
