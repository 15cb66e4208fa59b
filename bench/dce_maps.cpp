// SPDX-License-Identifier: Apache-2.0
// What comes before the fit: signal to concentration and T1 maps, beside memcpy of the same bytes; digital objects.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <larmor/core/isa.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/perfusion/dce/dro.hpp>
#include <larmor/perfusion/dce/signal.hpp>
#include <larmor/perfusion/dce/t1.hpp>
#include <random>

using namespace larmor;
using namespace larmor::dce;

namespace {

/// Processor time of this process [s]: what a core spent, whatever else the machine did.
double seconds() {
  rusage u;
  getrusage(RUSAGE_SELF, &u);
  return static_cast<double>(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}
double median_of(int repeats, const std::function<void()>& work) {
  std::vector<double> took;
  for (int k = 0; k < repeats; ++k) {
    const double begin = seconds();
    work();
    took.push_back(seconds() - begin);
  }
  std::sort(took.begin(), took.end());
  return took[took.size() / 2];
}
bool all_good = true;
void line(const std::string& what, std::int64_t voxels, double bytes, double took, double copy_rate, double error,
          double allowed) {
  all_good &= error <= allowed;
  fmt::print("{:<28} {:>8.4f} {:>8.2f} {:>9.2f} {:>12.1e} {}\n", what, 1e6 * took / static_cast<double>(voxels),
             bytes / took / 1e9, bytes / took / copy_rate, error, error <= allowed ? "ok" : "WRONG");
}

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t n = argc > 1 ? std::atoll(argv[1]) : 300000, frames = 60;
  const auto N = static_cast<std::size_t>(n);
  constexpr Spgr spgr{.FA = 0.26, .TR = 0.005, .r1 = 4.5};
  std::mt19937_64 rng(1);
  std::uniform_real_distribution<double> unit(0, 1);

  Array signal = Array::of<float>({n, frames}), copy = Array::of<float>({n, frames});
  std::vector<float> T10(N), peak(N);
  std::vector<double> times(frames);
  for (std::int64_t t = 0; t < frames; ++t) times[static_cast<std::size_t>(t)] = 5.0 * static_cast<double>(t);
  for (std::size_t v = 0; v < N; ++v)
    T10[v] = static_cast<float>(0.5 + 1.5 * unit(rng)), peak[v] = static_cast<float>(2 * unit(rng));
  for (std::int64_t t = 0; t < frames; ++t)
    for (std::size_t v = 0; v < N; ++v) {
      const double C = t < 5 ? 0 : peak[v] * std::exp(-0.02 * static_cast<double>(t - 5));
      signal.data<float>()[t * n + static_cast<std::int64_t>(v)] =
          static_cast<float>(spgr_signal(1000, 1 / (1 / T10[v] + spgr.r1 * C), spgr));
    }
  const double bytes = 8.0 * static_cast<double>(signal.size());  // read and written
  const auto grain = std::size_t{1} << 18;
  const auto copy_all = [&] {
    parallel_for(static_cast<std::size_t>(signal.size()), grain, [&](std::size_t a, std::size_t b) {
      std::memcpy(copy.data<float>() + a, signal.data<float>() + a, 4 * (b - a));
    });
  };
  const double touched = bytes / median_of(9, copy_all);
  // Results are made in new memory, which costs page faults: the rate to compare with.
  const double copy_rate = bytes / median_of(9, [&] {
                             copy = Array::uninitialised(DType::f32, {n, frames});
                             copy_all();
                           });
  fmt::print("{} voxels, {} thread(s), {}; processor time; memcpy {:.1f} GB/s a core, into new memory {:.1f}\n", n,
             thread_count(), to_string(isa()), touched / 1e9, copy_rate / 1e9);
  fmt::print("{:<28} {:>8} {:>8} {:>9} {:>12}\n", "work", "us/vox", "GB/s", "of memcpy", "largest err");

  for (const std::string method : {"spgr", "linear"}) {
    Conversion out;
    const double took = median_of(9, [&] {
      out = signal_to_concentration(signal, times, spgr, T10, {}, {}, {.method = method, .baseline_last = 5});
    });
    double error = 0;
    for (std::size_t v = 0; v < N && method == "spgr"; v += 7)
      error = std::max(error, std::abs(out.concentration.data<float>()[20 * n + static_cast<std::int64_t>(v)] -
                                       peak[v] * std::exp(-0.3)));
    line("signal -> C, 60 frames, " + method, n, bytes, took, copy_rate, error, 1e-4);  // [mM], f32 signals
  }

  const T1Protocol vfa{.FA = {0.035, 0.087, 0.175, 0.262}, .TR = {0.005}};
  Array series = Array::of<float>({n, 4});
  std::normal_distribution<double> noise(0, 0.1);
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t v = 0; v < N; ++v)
      series.data<float>()[i * N + v] =
          static_cast<float>(spgr_signal(1000, T10[v], {.FA = vfa.FA[i], .TR = 0.005, .r1 = 1}) + noise(rng));
  const std::vector<float> B1(N, 1.0f);
  for (const bool with_B1 : {false, true})
    for (const std::string method : {"t1.vfa_linear", "t1.vfa_nonlinear"}) {
      T1Result out;
      const double took = median_of(9, [&] {
        out = t1_methods().get(method).map(series, vfa, with_B1 ? std::span<const float>(B1) : std::span<const float>{},
                                           {}, {}, nullptr);
      });
      std::vector<double> error(N);
      for (std::size_t v = 0; v < N; ++v) error[v] = std::abs(out.T1[v] / T10[v] - 1);
      std::nth_element(error.begin(), error.begin() + n / 2, error.end());  // the median: the data are noisy
      line(method + (with_B1 ? ", B1" : ""), n, (4 * 4 + 5 * 4 + 1.0) * static_cast<double>(n), took, copy_rate,
           error[N / 2], 0.01);
    }

  for (const std::string model : {"dce.extended_tofts", "dce.2cxm", "dce.aath"}) {
    DroOptions o;
    o.model = model, o.snr = 50;
    Dro dro;
    const double took = median_of(3, [&] { dro = make_dro(o); });
    fmt::print("{:<28} {:>8.4f}  ({:.2f} s for {} voxels, signal, VFA and noise)\n", "object " + model,
               1e6 * took / static_cast<double>(dro.mask.voxels()), took, dro.mask.voxels());
  }
  return all_good ? 0 : 1;
}
