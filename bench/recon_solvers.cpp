// SPDX-License-Identifier: Apache-2.0
// Calibration of coils, parallel imaging and iterations on a phantom of eight coils, 180 x 230. Each answer is checked;
// the ratio is to one centred Fourier transform of all coils in the same run.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <larmor/core/fft.hpp>
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/core/nd/noise.hpp>
#include <larmor/core/nd/reduce.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/recon/coils/calibration.hpp>
#include <larmor/recon/operators/vectors.hpp>
#include <larmor/recon/parallel/grappa.hpp>
#include <larmor/recon/parallel/sense.hpp>
#include <larmor/recon/solvers/pics.hpp>
#include <larmor/sim/coils.hpp>
#include <larmor/sim/phantom.hpp>

namespace {

using namespace larmor;

double median_seconds(const std::function<void()>& work, int repeats = 5) {
  std::vector<double> times;
  for (int i = 0; i < repeats; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    times.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

double gap(const Array& a, const Array& truth) {
  const Array x = a.cast(DType::c64).contiguous_copy(), y = truth.cast(DType::c64).contiguous_copy();
  return recon::norm(recon::combination(1, x, -1, y)) / recon::norm(y);
}

}  // namespace

int main() {
  const Shape shape{180, 230};
  const Array object = sim::raster(sim::shepp_logan(), shape, 2);
  Array maps = sim::coil_sensitivities({.n_coils = 8}, shape).with_axes({"x", "y", "coil"});
  const int coil = 2;
  maps = nd::apply(nd::Binary::divide, maps, nd::reduce(nd::Reduction::norm, maps, std::span(&coil, 1)));
  const FftOptions unitary{.norm = FftNorm::unitary, .centred = true};
  const Array images = nd::apply(nd::Binary::multiply, maps, object);
  const Array k = nd::add_noise(fft(images, {0, 1}, unitary), nd::Noise::gaussian, 1e-3, 1);
  const double one = median_seconds([&] { fft(images, {0, 1}, unitary); }, 15);
  fmt::print("parallel imaging: phantom 180 x 230, 8 coils, c64, {} threads; one transform of all coils {:.2f} ms\n",
             thread_count(), 1e3 * one);
  bool right = true;
  const auto show = [&](const char* what, double seconds, double error, double limit) {
    fmt::print("  {:44s} {:8.1f} ms  {:7.1f} transforms   error {:.4f}\n", what, 1e3 * seconds, seconds / one, error);
    right = right && error < limit;
  };
  recon::Espirit e;
  double seconds = median_seconds([&] { e = recon::espirit(k, {"x", "y"}, "coil"); }, 3);
  const Array phases = nd::apply(nd::Unary::abs, e.maps);
  show("ESPIRiT, 24 x 24, kernel 6", seconds,
       gap(nd::apply(nd::Binary::multiply, phases,
                     nd::apply(nd::Binary::greater, object, Array::from<float>(std::vector<float>{0.05F}, {}, {}))),
           nd::apply(nd::Binary::multiply, nd::apply(nd::Unary::abs, maps),
                     nd::apply(nd::Binary::greater, object, Array::from<float>(std::vector<float>{0.05F}, {}, {})))),
       0.05);
  const auto under = [&](const char* axis, std::int64_t n, std::int64_t factor, const recon::MaskOptions& o) {
    return nd::apply(nd::Binary::multiply, k, recon::undersampling_mask({axis}, {n}, {factor}, o));
  };
  const Array lattice = under("x", 180, 3, {});
  recon::Sense s;
  seconds = median_seconds([&] { s = recon::sense(lattice, maps, {"x", "y"}, "coil"); });
  show("SENSE, R = 3, with g", seconds, gap(s.image, object), 0.05);
  const Array with_middle = under("x", 180, 3, {.calibration = 24});
  recon::Grappa g;
  seconds = median_seconds([&] { g = recon::grappa(with_middle, {"x", "y"}, "coil", {.noise = false}); }, 3);
  show("GRAPPA, R = 3, kernel 4 x 5, 24 lines", seconds, gap(g.kspace, k), 0.1);
  const Array random = under("y", 230, 3, {.calibration = 24, .random = true});
  const recon::Op A = recon::cartesian_sense_op(maps, {"x", "y"}, "coil", recon::sampled_mask(random, {"y"}));
  Array x;
  const auto iterate = [&](const char* what, recon::PicsOptions o, double limit) {
    o.tolerance = 0;
    const double t = median_seconds([&] { x = recon::pics(*A, random, {"x", "y"}, o).x; }, 3);
    show(what, t, gap(x, object), limit);
  };
  iterate("conjugate gradients, 20 iterations", {.iterations = 20}, 0.15);
  iterate("FISTA, wavelets, 20 iterations", {.solver = recon::Solver::fista, .iterations = 20, .wavelet = 1e-3}, 0.15);
  iterate("ADMM, total variation, 10 x 6 iterations", {.solver = recon::Solver::admm, .iterations = 10, .tv = 1e-3},
          0.15);
  if (!right) fmt::print("  WRONG: an error is beyond its limit\n");
  return right ? 0 : 1;
}
