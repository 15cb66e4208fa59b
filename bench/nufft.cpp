// SPDX-License-Identifier: Apache-2.0
// The NUFFT on the trajectories of its targets: time, bytes and error against the exact sum at random voxels, beside a
// plain gridder (Kaiser-Bessel table, one transform after the other, one thread) in the same run. Times are with the
// result in memory that is there; the first time into new memory is given too. A ratio to the gridder says the same on
// every machine; FINUFFT's times are of another of this kind.
//   bench_nufft [spiral] [propeller] [kooshball] [floor]
//   bench_nufft constants        those of the cost model
//   bench_nufft positions FILE   the spiral's, float32 (x of all samples, then y) [cycles/FOV], for tools/race_nufft.sh
#include <fcntl.h>
#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <complex>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <larmor/core/isa.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/recon/dcf/dcf.hpp>
#include <larmor/recon/nufft/nudft.hpp>
#include <larmor/recon/nufft/nufft.hpp>
#include <larmor/recon/nufft/plan.hpp>
#include <larmor/recon/trajectory/arms.hpp>
#include <larmor/recon/trajectory/spiral.hpp>
#include <random>

namespace {

using namespace larmor;
using C = std::complex<float>;

double seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}
struct Times {
  double median, best;
};
Times times_of(int repeats, const std::function<void()>& work) {
  std::vector<double> times;
  for (int i = 0; i < repeats; ++i) times.push_back(seconds(work));
  std::sort(times.begin(), times.end());
  return {times[times.size() / 2], times[0]};
}
double median_seconds(int repeats, const std::function<void()>& work) { return times_of(repeats, work).median; }
double best_seconds(int repeats, const std::function<void()>& work) { return times_of(repeats, work).best; }

/// The scan of the reference data: 79 arms of 825 samples, designed from its protocol as the scanner did (the designer
/// gives the recorded counts of raster points), to 300 x 300.
Trajectory spiral() {
  const recon::SpiralProtocol p{.fov = 0.24,
                                .resolution = 1e-3,
                                .arms = 79,
                                .dwell = 4.8e-6,
                                .limits = {.max_gradient = 20.249001e-3,
                                           .max_slew = 139.998993,
                                           .max_frequency = 1000,
                                           .raster = 6.4e-6,
                                           .gamma = 42.577469e6},
                                .least_samples = 825};
  const auto d = recon::design_spiral(p);
  const auto arms = recon::turned_arms(recon::arm_angles(p.arms, recon::ArmOrder::against));
  Trajectory out = recon::sample_arms(std::span(&d.waveform, 1), arms, {.samples = 825, .dwell = p.dwell},
                                      {p.fov, p.fov}, {300, 300}, "the scan of the reference data");
  out.k = out.k.cast(DType::f32).contiguous_copy();
  return out;
}

Trajectory propeller(std::int64_t blades, std::int64_t lines, std::int64_t samples, std::int64_t n) {
  Array k = Array::of<float>({samples, lines, blades, 2}, {"sample", "line", "blade", "d"});
  const std::int64_t plane = samples * lines * blades;
  for (std::int64_t b = 0; b < blades; ++b)
    for (std::int64_t l = 0; l < lines; ++l)
      for (std::int64_t s = 0; s < samples; ++s) {
        const double angle = M_PI * double(b) / double(blades);
        const double along = (double(s) / double(samples) - 0.5) * double(n),
                     across = double(l) - double(lines - 1) / 2;
        const std::int64_t at = s + samples * (l + lines * b);
        // The corners of a blade lie beyond half a cycle in one direction for a few angles.
        const double half = double(n) / 2;
        k.data<float>()[at] = float(std::clamp(along * std::cos(angle) - across * std::sin(angle), -half, half));
        k.data<float>()[at + plane] =
            float(std::clamp(along * std::sin(angle) + across * std::cos(angle), -half, half));
      }
  return {.k = k, .matrix = {n, n}};
}

/// Spokes through the middle, their ends on a spiral over the sphere.
Trajectory kooshball(std::int64_t spokes, std::int64_t samples, std::int64_t n) {
  Array k = Array::of<float>({samples, spokes, 3}, {"sample", "spoke", "d"});
  const std::int64_t all = samples * spokes;
  for (std::int64_t i = 0; i < spokes; ++i) {
    const double z = 1 - (2 * double(i) + 1) / double(spokes), r = std::sqrt(1 - z * z),
                 angle = 2.399963229728653 * double(i);
    for (std::int64_t s = 0; s < samples; ++s) {
      const double q = (double(s) / double(samples) - 0.5) * double(n);
      const std::int64_t at = s + samples * i;
      k.data<float>()[at] = float(q * r * std::cos(angle));
      k.data<float>()[at + all] = float(q * r * std::sin(angle));
      k.data<float>()[at + 2 * all] = float(q * z);
    }
  }
  return {.k = k, .matrix = {n, n, n}};
}

Array noise(Shape shape) {
  Array a = Array::uninitialised(DType::c64, std::move(shape));
  std::mt19937 random(7);
  std::uniform_real_distribution<float> in(-1, 1);
  for (auto& v : a.span<C>()) v = {in(random), in(random)};
  return a;
}

/// Root mean square of the difference to the exact adjoint at random voxels, relative to the exact values there.
double error_of(const Trajectory& traj, const Array& samples, const Array& image, int count = 200) {
  const Shape shape(image.shape().begin(), image.shape().begin() + traj.dimensions());
  std::int64_t voxels = 1;
  for (const auto n : shape) voxels *= n;
  std::mt19937 random(11);
  std::vector<std::int64_t> at;
  for (int i = 0; i < count; ++i) at.push_back(std::uniform_int_distribution<std::int64_t>(0, voxels - 1)(random));
  const Array flat = samples.reshaped({traj.size(), samples.size() / traj.size()}).range(1, 0, 1).contiguous_copy();
  Trajectory one{.k = traj.k.reshaped({traj.size(), traj.dimensions()}), .matrix = shape};
  const Array exact = recon::nudft_adjoint_at(one, shape, flat, {}, at);
  double dd = 0, qq = 0;
  for (std::size_t i = 0; i < at.size(); ++i) {
    const auto e = exact.data<std::complex<double>>()[i];
    dd += std::norm(std::complex<double>(image.data<C>()[at[i]]) - e), qq += std::norm(e);
  }
  return std::sqrt(dd / qq);
}

/// The textbook gridder: Kaiser-Bessel window of 4 points from a table on a grid of twice the image, FFT left out.
double plain_gridder_seconds(const Trajectory& traj, const Array& samples, std::int64_t n) {
  constexpr int width = 4, table_size = 4096;
  const std::int64_t N = 2 * n, M = traj.size();
  std::vector<float> table(table_size + 2);
  const double beta = 2.34 * width;
  for (int i = 0; i < table_size; ++i) {
    const double q = 1 - std::pow(double(i) / table_size, 2);
    table[std::size_t(i)] = float(std::cyl_bessel_i(0.0, beta * std::sqrt(std::max(q, 0.0))));
  }
  const int dims = traj.dimensions();
  std::vector<C> grid(static_cast<std::size_t>(dims == 2 ? N * N : N * N * N));
  const float* k = traj.k.data<float>();
  return best_seconds(3, [&] {
    for (std::int64_t j = 0; j < M; ++j) {
      const float x = k[j] * 2 + float(N) / 2, y = k[j + M] * 2 + float(N) / 2,
                  z = dims == 3 ? k[j + 2 * M] * 2 + float(N) / 2 : 0;
      const C s = samples.data<C>()[j];
      const auto weight = [&](float at, std::int64_t i) {
        return table[std::size_t(std::min(std::abs(float(i) - at) / (width / 2.0f), 1.0f) * table_size)];
      };
      for (std::int64_t iz = dims == 3 ? std::int64_t(std::ceil(z)) - width / 2 : 0, cz = 0;
           cz < (dims == 3 ? width : 1); ++iz, ++cz)
        for (std::int64_t iy = std::int64_t(std::ceil(y)) - width / 2, cy = 0; cy < width; ++iy, ++cy) {
          const float wyz = weight(y, iy) * (dims == 3 ? weight(z, iz) : 1.0f);
          for (std::int64_t ix = std::int64_t(std::ceil(x)) - width / 2, cx = 0; cx < width; ++ix, ++cx)
            grid[std::size_t(((iz + N) % N * (dims == 3 ? N : 0) + (iy + N) % N) * N + (ix + N) % N)] +=
                s * (wyz * weight(x, ix));
        }
    }
  });
}

/// Memory of the process [MB]: "VmRSS" now, "VmHWM" at most since forget_peak.
double memory_mb(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(key)) return std::atof(line.c_str() + key.size() + 1) / 1e3;
  return 0;
}
void forget_peak() {
  malloc_trim(0);  // pages of work before, which would hide new ones
  std::ofstream("/proc/self/clear_refs") << "5";
}

bool right = true;
void expect(double error, double most) {
  if (error <= most) return;
  right = false;
  fmt::print("  WRONG ANSWER: an error of {:.2g}, and {:.2g} is promised\n", error, most);
}

/// What all transforms of a line should take on one thread and on two, and FINUFFT 2.6 took [ms].
struct Aim {
  double ours[2]{}, finufft[2]{};
  std::string of(int threads, double seconds) const {
    const int at = threads == 1 ? 0 : 1;
    if (threads > 2 || ours[at] == 0) return "";
    return fmt::format("; aim {:.0f} {}, FINUFFT {:.0f} ({:.1f} x)", ours[at],
                       1e3 * seconds <= ours[at] ? "met" : "MISSED", finufft[at], finufft[at] / (1e3 * seconds));
  }
};
/// On one thread only: the gridder has one.
std::string ratio(int threads, double gridder, double seconds) {
  if (threads > 1 || gridder == 0) return "";
  return fmt::format("; {:.1f} x as fast as the plain gridder's spreading alone", gridder / seconds);
}

void show(const char* what, const Trajectory& traj, const Shape& image, std::int64_t batch, double tolerance,
          double gridder, const Aim& aim = {}) {
  Shape shape = traj.sample_shape();
  shape.push_back(batch);
  const Array samples = noise(shape);
  const int both = thread_count();
  recon::Nufft nufft;
  for (const int threads : both == 1 ? std::vector{1} : std::vector{1, both}) {
    set_thread_count(threads);
    const double plan =
        median_seconds(3, [&] { nufft = recon::Nufft(traj, image, {.tolerance = tolerance, .batch = int(batch)}); });
    Array out = nufft.adjoint(samples), back = nufft.forward(out);
    const int repeats = batch * traj.size() > 4'000'000 ? 9 : 25;
    const double fresh = median_seconds(repeats / 3, [&] { out = nufft.adjoint(samples); });
    const Times adjoint = times_of(repeats, [&] { nufft.adjoint_into(out, samples); });
    const Times forward = times_of(repeats, [&] { nufft.forward_into(back, out); });
    const auto& facts = nufft.facts();
    if (threads == 1) {
      const double error = error_of(traj, samples, out);
      fmt::print(
          "{}, {} transforms, tolerance {:.1e}: window {}, grid {} ({:.3f} x), error {:.2e}, plan {:.1f} MB, work "
          "{:.1f} MB\n",
          what, batch, tolerance, facts.width, to_string(facts.grid), facts.oversampling, error,
          double(facts.plan_bytes) / 1e6, double(facts.work_bytes) / 1e6);
      expect(error, 1.1 * tolerance);
    }
    fmt::print("  {} thread{}: plan {:.1f} ms\n", threads, threads == 1 ? "" : "s", 1e3 * plan);
    fmt::print("    adjoint {:.2f} (best {:.2f}, into new memory {:.2f}) ms{}{}\n", 1e3 * adjoint.median,
               1e3 * adjoint.best, 1e3 * fresh, ratio(threads, gridder * double(batch), adjoint.median),
               aim.of(threads, adjoint.median));
    fmt::print("    forward {:.2f} (best {:.2f}) ms{}{}\n", 1e3 * forward.median, 1e3 * forward.best,
               ratio(threads, gridder * double(batch), forward.median), aim.of(threads, forward.median));
  }
  set_thread_count(both);
}

/// 15 repeats of the iterative density compensation, sorting included.
void density(const char* what, const Trajectory& traj) {
  const int both = thread_count();
  for (const int threads : both == 1 ? std::vector{1} : std::vector{1, both}) {
    set_thread_count(threads);
    Array w;
    const auto work = [&] { w = recon::density_iterative(traj); };
    const auto [median, best] = times_of(9, work);
    double sum = 0;
    for (const float v : w.span<float>()) sum += v;
    fmt::print("  density of {}, 15 repeats, {} thread{}: {:.1f} (best {:.1f}) ms; weights add up to {:.0f}\n", what,
               threads, threads == 1 ? "" : "s", 1e3 * median, 1e3 * best, sum);
    right = right && std::isfinite(sum) && sum > 0;
  }
  set_thread_count(both);
}

/// Transforms read from a file a few at a time and added up, as coil images would be combined.
void stream(const Trajectory& traj, std::int64_t n, std::int64_t transforms, double tolerance, double gridder,
            const Aim& aim) {
  const std::int64_t M = traj.size(), at_once = 8;
  char name[] = "/tmp/larmor_bench_XXXXXX";
  const int file = mkstemp(name);
  unlink(name);
  {
    const Array some = noise({M, at_once});
    for (std::int64_t i = 0; i < transforms; i += at_once)
      if (write(file, some.raw(), some.bytes()) != ssize_t(some.bytes())) {
        fmt::print("  no room in /tmp for the stream\n");
        close(file);
        return;
      }
  }
  Shape shape = traj.sample_shape();
  shape.push_back(at_once);
  const int both = thread_count();
  for (const int threads : both == 1 ? std::vector{1} : std::vector{1, both}) {
    set_thread_count(threads);
    double checksum = 0;
    forget_peak();
    const double before = memory_mb("VmRSS");
    Array in = Array::uninitialised(DType::c64, shape);
    const double all = seconds([&] {
      const recon::Nufft nufft(traj, {n, n}, {.tolerance = tolerance, .batch = int(at_once)});
      Array out = Array::uninitialised(DType::c64, {n, n, at_once});
      for (std::int64_t i = 0; i < transforms; i += at_once) {
        const auto one = static_cast<std::size_t>(M) * sizeof(C);
        parallel_for(static_cast<std::size_t>(at_once), 1, [&](std::size_t begin, std::size_t end) {
          const auto bytes = static_cast<ssize_t>((end - begin) * one);
          if (pread(file, in.data<C>() + static_cast<std::int64_t>(begin) * M, std::size_t(bytes),
                    off_t((static_cast<std::size_t>(i) + begin) * one)) != bytes)
            std::abort();
        });
        nufft.adjoint_into(out, in);
        checksum += std::abs(out.data<C>()[n]);
      }
    });
    fmt::print("  streamed {} transforms, {} thread{}, plan and reading included: {:.2f} s{}{}\n", transforms, threads,
               threads == 1 ? "" : "s", all, ratio(threads, gridder * double(transforms), all), aim.of(threads, all));
    fmt::print("    {:.0f} MB, and {:.0f} MB of the program and trajectory; aim 150 MB\n", memory_mb("VmHWM") - before,
               before);
    right = right && std::isfinite(checksum) && checksum > 0;
  }
  set_thread_count(both);
  close(file);
}

/// Solves the normal equations of a small least-squares problem, rows divided by what they should give.
std::vector<double> fit(const std::vector<std::vector<double>>& rows, const std::vector<double>& times) {
  const std::size_t n = rows.front().size();
  std::vector<std::vector<double>> a(n, std::vector<double>(n + 1));
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t p = 0; p < n; ++p) {
      for (std::size_t q = 0; q < n; ++q) a[p][q] += rows[i][p] * rows[i][q] / (times[i] * times[i]);
      a[p][n] += rows[i][p] / times[i];
    }
  for (std::size_t p = 0; p < n; ++p)
    for (std::size_t q = 0; q < n; ++q)
      if (q != p)
        for (std::size_t c = n + 1; c-- > p;) a[q][c] -= a[p][c] * a[q][p] / a[p][p];
  std::vector<double> x;
  for (std::size_t p = 0; p < n; ++p) x.push_back(a[p][n] / a[p][p]);
  return x;
}

/// What the cost model of recon/nufft/choose.cpp needs: nanoseconds on one thread, fitted to forward and adjoint
/// transforms of one and of eight at once over widths and oversampling.
void constants() {
  const int both = thread_count();
  set_thread_count(1);
  const std::vector<std::vector<Trajectory>> sets{{spiral(), propeller(23, 20, 436, 218)},
                                                  {kooshball(2000, 64, 64), kooshball(1000, 96, 96)}};
  for (const std::int64_t batch : {1, 8})
    for (const auto& trajectories : sets) {
      std::vector<std::vector<double>> rows;
      std::vector<double> times;
      std::vector<std::string> names;
      for (const auto& traj : trajectories) {
        Shape shape = traj.sample_shape();
        shape.push_back(batch);
        const Array samples = noise(shape);
        for (int width = 3; width <= 8; ++width)
          for (const double a : {1.25, 1.6, 2.0}) {
            const recon::Nufft nufft(traj, {}, {.width = width, .oversampling = a, .batch = int(batch)});
            Array image = nufft.adjoint(samples);
            const double t = best_seconds(4, [&] { nufft.forward(nufft.adjoint(samples)); }) / 2;
            rows.push_back(
                recon::nufft::work_of(nufft.image_shape(), nufft.facts().grid, width, double(traj.size()), int(batch)));
            times.push_back(1e9 * t);
            names.push_back(
                fmt::format("{}D width {} at {:.2f} x", traj.dimensions(), width, nufft.facts().oversampling));
          }
      }
      const auto x = fit(rows, times);
      fmt::print("{}D, {} at once: {:.3f} ns a cell of the window, {:.2f} a sample, {:.4f} a unit of the transforms\n",
                 trajectories[0].dimensions(), batch, x[0], x[1], x[2]);
      double worst = 0;
      for (std::size_t i = 0; i < rows.size(); ++i) {
        double model = 0;
        for (std::size_t p = 0; p < x.size(); ++p) model += x[p] * rows[i][p];
        fmt::print("  {:22s} {:8.2f} ms, model {:8.2f} ms\n", names[i], times[i] / 1e6, model / 1e6);
        worst = std::max(worst, std::abs(model / times[i] - 1));
      }
      fmt::print("  off by {:.0f} % at most\n", 100 * worst);
    }
  set_thread_count(both);
}

}  // namespace

int main(int argc, char** argv) {
  const auto asked = [&](const char* name) {
    if (argc == 1) return true;
    for (int i = 1; i < argc; ++i)
      if (std::string(argv[i]) == name) return true;
    return false;
  };
  fmt::print("NUFFT, complex float32, {}, {} threads\n", to_string(isa()), thread_count());
  if (argc == 3 && std::string(argv[1]) == "positions") {
    const Trajectory traj = spiral();
    std::ofstream(argv[2], std::ios::binary)
        .write(static_cast<const char*>(traj.k.raw()), static_cast<std::streamsize>(traj.k.bytes()));
    return 0;
  }
  if (argc == 2 && std::string(argv[1]) == "constants") {
    constants();
    return 0;
  }
  if (asked("spiral")) {
    const auto traj = spiral();
    const double plain = plain_gridder_seconds(traj, noise({traj.size()}), 300);
    density("the spiral", traj);
    show("spiral 79 x 825 -> 300^2", traj, {300, 300}, 20, 2.2e-3, plain, {{20, 11}, {42.9, 25.7}});
    show("spiral 79 x 825 -> 300^2", traj, {300, 300}, 1, 2.2e-3, plain);
  }
  if (asked("propeller")) {
    const auto traj = propeller(23, 30, 872, 436);
    density("PROPELLER", traj);
    const double plain = plain_gridder_seconds(traj, noise({traj.size()}), 436);
    stream(traj, 436, 288, 6.5e-5, plain, {{1600, 900}, {4490, 2550}});
    show("PROPELLER 23 x 30 x 872 -> 436^2", traj, {436, 436}, 16, 6.5e-5, plain);
  }
  if (asked("kooshball")) {
    const auto traj = kooshball(7813, 128, 128);
    const double plain = plain_gridder_seconds(traj, noise({traj.size()}), 128);
    show("kooshball 1e6 -> 128^3", traj, {128, 128, 128}, 1, 2.2e-3, plain, {{90, 50}, {97, 57}});
    show("kooshball 1e6 -> 128^3", traj, {128, 128, 128}, 8, 2.2e-3, plain, {{8 * 45, 8 * 26}, {8 * 97, 8 * 57}});
  }
  if (asked("floor")) {
    show("spiral, tightest", spiral(), {300, 300}, 20, 1e-6, 0);
    show("kooshball, tightest", kooshball(1000, 128, 64), {64, 64, 64}, 8, 1e-6, 0);
  }
  return right ? 0 : 1;
}
