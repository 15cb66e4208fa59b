// SPDX-License-Identifier: Apache-2.0
// Multi-delay ASL: flow and arrival voxel by voxel, beside the same least squares one voxel at a time in plain code.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <larmor/core/isa.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/perfusion/asl/protocol.hpp>
#include <larmor/perfusion/asl/steps.hpp>
#include <random>

using namespace larmor;
using namespace larmor::asl;

namespace {

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

/// The general kinetic model as a textbook has it, and Levenberg-Marquardt with differences for derivatives.
double buxton(bool pulsed, const Sample& s, double f, double ATT) {
  const double R1 = 1 / 1.33 + f / 0.9, R1b = 1 / 1.65, t = s.time;
  if (t <= ATT) return 0;
  const double end = std::min(t, ATT + s.LD);
  const double k = pulsed ? R1 - R1b : R1;
  return 2 * s.efficiency * f * std::exp(pulsed ? -R1b * t : -R1b * ATT) *
         (std::exp(-k * (t - end)) - std::exp(-k * (t - ATT))) / k;
}
void plain_fit(bool pulsed, const std::vector<Sample>& samples, const std::vector<double>& y, double& f, double& ATT) {
  const std::size_t n = samples.size();
  const auto sum = [&](double a, double b) {
    double s = 0;
    for (std::size_t k = 0; k < n; ++k) s += std::pow(y[k] - buxton(pulsed, samples[k], a, b), 2);
    return s;
  };
  double best = 1e300;
  for (double start = 0.1; start < 3; start += 0.1) {  // the same search for a start, amplitude by projection
    double yy = 0, ym = 0;
    for (std::size_t k = 0; k < n; ++k) {
      const double m = buxton(pulsed, samples[k], 0.01, start);
      ym += y[k] * m, yy += m * m;
    }
    if (!(yy > 0)) continue;
    const double s = sum(0.01 * ym / yy, start);
    if (s < best) best = s, f = 0.01 * ym / yy, ATT = start;
  }
  double damping = 1e-3;
  for (int i = 0; i < 50; ++i) {
    double a00 = 0, a01 = 0, a11 = 0, b0 = 0, b1 = 0;
    for (std::size_t k = 0; k < n; ++k) {
      const double m = buxton(pulsed, samples[k], f, ATT), r = y[k] - m;
      const double g0 = (buxton(pulsed, samples[k], f * 1.000001 + 1e-9, ATT) - m) / (f * 1e-6 + 1e-9);
      const double g1 = (buxton(pulsed, samples[k], f, ATT + 1e-6) - m) / 1e-6;
      a00 += g0 * g0, a01 += g0 * g1, a11 += g1 * g1, b0 += g0 * r, b1 += g1 * r;
    }
    const double d0 = a00 * (1 + damping), d1 = a11 * (1 + damping) + 1e-300, det = d0 * d1 - a01 * a01;
    const double nf = std::max(0.0, f + (b0 * d1 - b1 * a01) / det),
                 na = std::clamp(ATT + (b1 * d0 - b0 * a01) / det, 0.0, 5.0);
    const double s = sum(nf, na);
    if (s <= best) {
      const double moved = std::abs(nf / f - 1) + std::abs(na - ATT);
      f = nf, ATT = na, best = s, damping *= 0.1;
      if (moved < 1e-6) return;
    } else if ((damping *= 10) > 1e8) {
      return;
    }
  }
}

bool all_good = true;

void one(const char* name, const Protocol& p, const std::string& model_id, std::size_t n_voxels, double snr) {
  const auto samples = timings_of(p, p.PLD.size()).samples;
  const Model& model = models().get(model_id);
  const std::size_t m = samples.size();
  const auto n = static_cast<std::int64_t>(n_voxels);
  Array y = Array::uninitialised(DType::f32, {n, 1, 1, static_cast<std::int64_t>(m)}, {"x", "y", "z", "t"});
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  std::vector<double> truth(n_voxels);
  Array error_of = Array::uninitialised(DType::f32, y.shape(), y.axes());  // as repeats would show it
  for (std::size_t v = 0; v < n_voxels; ++v) {
    const auto even = [&] { return static_cast<double>(random() >> 11) * 0x1p-53; };
    std::vector<double> params{(15 + 85 * even()) / 6, 0.3 + 1.7 * even()};
    if (model.params.size() == 3) params.push_back(0.15);
    if (model.params.size() == 4) params.insert(params.end(), {0.02 * even(), 0.6 * params[1]});
    truth[v] = params[0];
    const auto s = signal(model, samples, params, {});
    const double sd = *std::max_element(s.begin(), s.end()) / snr;
    for (std::size_t k = 0; k < m; ++k) {
      y.data<float>()[k * n_voxels + v] = static_cast<float>(s[k] + sd * normal(random));
      error_of.data<float>()[k * n_voxels + v] = static_cast<float>(sd);
    }
  }
  Image reference;
  reference.data = y;
  QuantifyOptions o;
  o.model = model_id;
  ParameterMaps maps;
  const double took = median_of(5, [&] { maps = quantify(y, error_of, samples, {}, p, {}, {}, reference, o); });
  const auto* status = maps.status.data<std::uint8_t>();
  std::size_t converged = 0;
  std::vector<double> error;
  const float* CBF = maps.get("CBF").values.data<float>();
  for (std::size_t v = 0; v < n_voxels; ++v) {
    const bool good = fit::usable(static_cast<fit::FitStatus>(status[v]));
    converged += good;
    if (good) error.push_back(std::abs(CBF[v] / truth[v] - 1));
  }
  std::nth_element(error.begin(), error.begin() + static_cast<std::ptrdiff_t>(error.size() / 2), error.end());
  const double share = static_cast<double>(converged) / static_cast<double>(n_voxels), median = error[error.size() / 2];

  // Plain code on some of them; where both end in the same hollow they agree.
  double plain = 0;
  std::size_t alike = 0;
  const std::size_t some = model.params.size() == 2 ? std::min<std::size_t>(n_voxels, 4000) : 0;
  if (some) {
    std::vector<double> f(some), ATT(some);
    plain = median_of(3, [&] {
      std::vector<double> voxel(m);
      for (std::size_t v = 0; v < some; ++v) {
        for (std::size_t k = 0; k < m; ++k) voxel[k] = static_cast<double>(y.data<float>()[k * n_voxels + v]);
        plain_fit(model_id == "asl.pasl", samples, voxel, f[v], ATT[v]);
      }
    });
    for (std::size_t v = 0; v < some; ++v) alike += std::abs(f[v] * 1e3 - CBF[v]) < 1e-2 * CBF[v] + 1e-2;
  }
  const bool good = share >= 0.995 && (some == 0 || static_cast<double>(alike) > 0.9 * static_cast<double>(some));
  all_good &= good;
  const double us = 1e6 * took / static_cast<double>(n_voxels),
               plain_us = some ? 1e6 * plain / static_cast<double>(some) : 0;
  fmt::print("{:<30} {:>3} {:>8.3f} {:>9} {:>7} {:>10.4f} {:>9.1f} % {:>8}  {}\n", name, m, us,
             some ? fmt::format("{:.2f}", plain_us) : "", some ? fmt::format("{:.0f}x", plain_us / us) : "", share,
             100 * median,
             some ? fmt::format("{:.1f} %", 100.0 * static_cast<double>(alike) / static_cast<double>(some)) : "",
             good ? "ok" : "WRONG");
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t n = argc > 1 ? static_cast<std::size_t>(std::atoll(argv[1])) : 100000;
  fmt::print("{} voxels, {} thread(s), {}; processor time, SNR 10\n", n, thread_count(), to_string(isa()));
  fmt::print("{:<30} {:>3} {:>8} {:>9} {:>7} {:>10} {:>11} {:>8}\n", "fit", "n", "us/vox", "plain us", "ratio",
             "converged", "|e| median", "alike");
  Protocol p;
  p.LD = {1.4}, p.PLD = {0.25, 0.5, 0.75, 1.0, 1.25, 1.5};
  one("pCASL, CBF ATT", p, "asl.pcasl", n, 10);
  one("pCASL dispersed, CBF ATT sigma", p, "asl.pcasl_dispersed", n, 10);
  one("pCASL arteries, 4 parameters", p, "asl.pcasl_macrovascular", n, 10);
  Protocol q;
  q.labelling = "labelling.pasl_quipss2", q.LD = {0.7}, q.PLD = {0.8, 0.9, 1.1, 1.3, 1.5, 1.8, 2.1, 2.4, 2.7, 3.0};
  one("PASL, CBF ATT", q, "asl.pasl", n, 10);
  Protocol h;
  h.encoding = hadamard_encoding(8), h.LD = {0.5}, h.PLD = {0.3};
  one("time-encoded pCASL, CBF ATT", h, "asl.pcasl", n, 10);
  return all_good ? 0 : 1;
}
