// SPDX-License-Identifier: Apache-2.0
// Bloch simulation on one core: spin-steps a second with their error against a plain double reference, which is timed
// in the same run.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <functional>
#include <larmor/core/isa.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/sim/bloch.hpp>
#include <larmor/sim/blocks.hpp>
#include <larmor/sim/epg.hpp>
#include <numbers>
#include <random>

namespace {

using namespace larmor;
using namespace larmor::sim;
constexpr double two_pi = 2 * std::numbers::pi;

/// Processor time, not time of the day: other work on the machine does not count, and one thread works here.
double now() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}
double seconds_of(const std::function<void()>& work, int repeats = 5) {
  double least = 1e30;
  for (int i = 0; i < repeats; ++i) {
    const double start = now();
    work();
    least = std::min(least, now() - start);
  }
  return least;
}

using Vector = std::array<double, 3>;

/// The usual step: axis and angle by root, sine and cosine, then relaxation.
void reference_step(Vector& m, double wx, double wy, double wz, double E1, double E2, double M0) {
  const double w = std::sqrt(wx * wx + wy * wy + wz * wz);
  if (w > 0) {
    const double nx = wx / w, ny = wy / w, nz = wz / w, c = std::cos(w), s = std::sin(w);
    const double dot = (1 - c) * (nx * m[0] + ny * m[1] + nz * m[2]);
    m = {c * m[0] + nx * dot + s * (m[1] * nz - m[2] * ny), c * m[1] + ny * dot + s * (m[2] * nx - m[0] * nz),
         c * m[2] + nz * dot + s * (m[0] * ny - m[1] * nx)};
  }
  m = {E2 * m[0], E2 * m[1], M0 + E1 * (m[2] - M0)};
}

Spins many_spins(int n) {
  SpinCloud cloud;
  cloud.n = n, cloud.low = {-20, -20, -8}, cloud.high = {20, 20, 8}, cloud.df_sd = 30;
  Spins s = spin_cloud(cloud);
  std::mt19937 random(3);
  std::uniform_real_distribution<float> T1(0.5f, 2), T2(0.04f, 0.2f);
  for (int i = 0; i < n; ++i)
    s.T1[static_cast<std::size_t>(i)] = T1(random), s.T2[static_cast<std::size_t>(i)] = T2(random);
  return s;
}

/// All instances of a program without maps, in double.
Vector run_double(const Program& p, const Spins& spins, std::size_t i) {
  Vector m{0, 0, 1};
  for (const auto& at : p.instances) {
    const Segment& g = p.segments[static_cast<std::size_t>(at.segment)];
    const double T1 = static_cast<double>(spins.T1[i]), T2 = static_cast<double>(spins.T2[i]);
    if (g.kind == segment_free) {
      const double turns = spins.df[i] * g.tau + spins.x[i] * g.k[0] + spins.y[i] * g.k[1] + spins.z[i] * g.k[2];
      reference_step(m, 0, 0, two_pi * turns, std::exp(-g.tau / T1), std::exp(-g.tau / T2), 1);
    } else {
      const double dt = g.tau / g.count;
      const double h1 = std::exp(-0.5 * dt * g.relax_every / T1), h2 = std::exp(-0.5 * dt * g.relax_every / T2);
      for (int k = g.first; k < g.first + g.count; ++k) {
        const RfStep& step = p.rf[static_cast<std::size_t>(k)];
        const bool begins = (k - g.first) % g.relax_every == 0, ends = (k - g.first + 1) % g.relax_every == 0;
        if (begins) m = {h2 * m[0], h2 * m[1], 1 + h1 * (m[2] - 1)};
        // B1 with the phase of this pulse.
        const double c = static_cast<double>(at.cos), s = static_cast<double>(at.sin);
        const double bx = static_cast<double>(step.bx), by = static_cast<double>(step.by);
        reference_step(m, c * bx - s * by, s * bx + c * by,
                       two_pi * spins.df[i] * dt + spins.x[i] * static_cast<double>(step.g[0]) +
                           spins.y[i] * static_cast<double>(step.g[1]) + spins.z[i] * static_cast<double>(step.g[2]),
                       ends ? h1 : 1, ends ? h2 : 1, 1);
      }
    }
  }
  return m;
}

bool right = true;

void pulses() {
  const Spins spins = many_spins(65536);
  PulseSpec spec;
  Sequence sequence;
  sequence.blocks = {pulse_block(spec, 5)};
  // One pulse of sixteen: alone its steps are compared, sixteen times it is timed without the maps of repeats.
  Sequence train = repeated(sequence, 16);
  BlochOptions options;
  options.compile.maps = false;
  const auto once = simulate(sequence, spins, options);
  BlochResult out;
  const double seconds = seconds_of([&] { out = simulate(train, spins, options); });
  // The reference takes the same steps of exact fields, so that the error is that of f32; then finer ones.
  const Program program = compile(sequence, reach_of(spins), options.compile);
  double worst = 0, finer_worst = 0, reference_seconds = 0;
  constexpr std::size_t some = 512;
  CompileOptions fine;
  fine.tolerance = 1e-6;
  const Program exact = compile(sequence, reach_of(spins), fine);
  const double start = now();
  std::vector<Vector> same(some);
  for (std::size_t i = 0; i < some; ++i) same[i] = run_double(program, spins, i * 128);
  reference_seconds = (now() - start);
  for (std::size_t i = 0; i < some; ++i) {
    const float* m = once.magnetisation.data<float>() + 3 * 128 * i;
    const Vector t = run_double(exact, spins, i * 128);
    for (std::size_t c = 0; c < 3; ++c) {
      worst = std::max(worst, std::abs(static_cast<double>(m[c]) - same[i][c]));
      finer_worst = std::max(finer_worst, std::abs(static_cast<double>(m[c]) - t[c]));
    }
  }
  const double rate = static_cast<double>(out.rf_steps) / seconds;
  const double reference = static_cast<double>(some) * static_cast<double>(program.rf_steps) / reference_seconds;
  fmt::print(
      "  full RF, slice gradient       {:6.2f} G spin-steps/s   plain double {:6.1f} M/s: {:4.0f} x   {} steps a "
      "pulse\n",
      1e-9 * rate, 1e-6 * reference, rate / reference, program.rf_steps);
  fmt::print("    error {:.1e} of M0 against double with the same steps, {:.1e} against {} steps (bound {:.0e} rad)\n",
             worst, finer_worst, exact.rf_steps, program.error_bound);
  right = right && worst < 2e-5 && finer_worst < 2e-4;
}

void precession() {
  const Spins spins = many_spins(65536);
  Sequence sequence;
  PulseSpec hard;
  hard.shape = PulseShape::hard, hard.duration = 1e-4;
  sequence.blocks.push_back(pulse_block(hard));
  Adc adc;
  adc.samples = 1024, adc.dwell = 10e-6;
  Gradient spiral_x, spiral_y;
  spiral_x.raster = spiral_y.raster = 10e-6;
  for (int i = 0; i < 1024; ++i) {
    const double t = i / 1024.0, phase = 40 * std::sqrt(t) * 2;
    spiral_x.values.push_back(0.02 * std::cos(phase)), spiral_y.values.push_back(0.02 * std::sin(phase));
  }
  Block readout;
  readout.duration = 1024 * 10e-6;
  readout.adc = std::make_shared<const Adc>(adc);
  Block varying = readout;
  varying.g[0] = std::make_shared<const Gradient>(spiral_x);
  varying.g[1] = std::make_shared<const Gradient>(spiral_y);
  for (const auto& [name, block] :
       {std::pair{"free precession, any gradient", varying}, std::pair{"free precession, constant", readout}}) {
    Sequence s = sequence;
    s.blocks.push_back(block);
    BlochResult out;
    const double seconds = seconds_of([&] { out = simulate(s, spins); });
    const double steps = static_cast<double>(out.samples + out.jumps);
    // Sums over all spins in double, at a few samples.
    double worst = 0, norm = 0;
    const double start = now();
    std::size_t sums = 0;
    BlochOptions plain;
    Sequence only = sequence;
    const auto after = simulate(only, spins, plain);
    for (const std::size_t q : {0u, 100u, 511u, 1023u}) {
      std::complex<double> sum;
      const double t = out.sample_times[q] - 1e-4;
      const auto k = [&](std::size_t a) {  // the pulse's own gradient is none
        return out.sample_k[q][a];
      };
      for (std::size_t i = 0; i < spins.size(); ++i, ++sums) {
        const float* m = after.magnetisation.data<float>() + 3 * i;
        const double turns = spins.df[i] * t + spins.x[i] * k(0) + spins.y[i] * k(1) + spins.z[i] * k(2);
        sum += std::complex<double>(static_cast<double>(m[0]), static_cast<double>(m[1])) *
               std::polar(std::exp(-t / static_cast<double>(spins.T2[i])), -two_pi * turns);
      }
      worst = std::max(worst, std::abs(sum - std::complex<double>(out.signal.data<std::complex<float>>()[q])));
      norm = std::max(norm, static_cast<double>(spins.size()));
    }
    const double reference = static_cast<double>(sums) / (now() - start);
    fmt::print(
        "  {:29s} {:6.2f} G spin-steps/s   plain double {:6.1f} M/s: {:4.0f} x   error {:.1e} of all spins in phase\n",
        name, 1e-9 * steps / seconds, 1e-6 * reference, steps / seconds / reference, worst / norm);
    right = right && worst / norm < 1e-5;
  }
}

void jumps_and_maps() {
  const Spins spins = many_spins(65536);
  PulseSpec spec;
  spec.FA = 0.3;
  Sequence one;
  one.blocks.push_back(pulse_block(spec, 5));
  one.blocks.push_back(
      gradient_block({{2, trapezoid_of_area(rephasing_area(one.blocks[0]), 0)}, {0, trapezoid_of_area(4e-5, 0)}}));
  one.blocks.push_back(delay_block(5e-3));
  const Sequence train = repeated(one, 200, 117 * std::numbers::pi / 180);
  BlochOptions with, without;
  without.compile.maps = false;
  BlochResult a, b;
  const double fast = seconds_of([&] { a = simulate(train, spins, with); }, 3);
  const double slow = seconds_of([&] { b = simulate(train, spins, without); }, 1);
  // Both against the same steps in double, for some spins.
  const Program program = compile(train, reach_of(spins), without.compile);
  double of_maps = 0, of_steps = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    const Vector truth = run_double(program, spins, i * 2000);
    for (std::size_t c = 0; c < 3; ++c) {
      const std::size_t at = 3 * 2000 * i + c;
      of_maps = std::max(of_maps, std::abs(static_cast<double>(a.magnetisation.data<float>()[at]) - truth[c]));
      of_steps = std::max(of_steps, std::abs(static_cast<double>(b.magnetisation.data<float>()[at]) - truth[c]));
    }
  }
  fmt::print(
      "  200 TRs as maps               {:6.2f} G spin-steps/s in effect, {:.1f} x the same step by step; error {:.1e}, "
      "step by step {:.1e}\n",
      1e-9 * static_cast<double>(b.rf_steps + b.jumps) / fast, slow / fast, of_maps, of_steps);
  // 1e-8 a step.
  const double rounding = 1e-8 * static_cast<double>(program.rf_steps);
  right = right && of_maps < rounding && of_steps < rounding;
}

void phase_graphs() {
  EpgTissue t;
  const std::size_t n = 16384;
  for (std::size_t i = 0; i < n; ++i) {
    t.T1.push_back(0.3f + 2e-4f * static_cast<float>(i)), t.T2.push_back(0.02f + 1e-5f * static_cast<float>(i));
  }
  std::vector<double> flips(32, std::numbers::pi * 150 / 180);
  Array out;
  const double seconds = seconds_of([&] { out = epg_run(epg_fse(flips, 10e-3), t); });
  fmt::print("  EPG, 32 echoes, {} tissues {:8.2f} M echo trains/s\n", n, 1e-6 * static_cast<double>(n) / seconds);
}

}  // namespace

int main() {
  set_thread_count(1);
  fmt::print("Bloch equations, 65,536 spins of different T1, T2, df and place, f32, one thread, {}\n",
             to_string(isa()));
  pulses();
  precession();
  jumps_and_maps();
  phase_graphs();
  if (!right) fmt::print("WRONG ANSWER\n");
  return right ? 0 : 1;
}
