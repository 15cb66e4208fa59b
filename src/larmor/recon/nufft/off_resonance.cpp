// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <larmor/core/parallel.hpp>
#include <larmor/recon/nufft/off_resonance.hpp>
#include <numbers>

namespace larmor::recon {
namespace {

using C = std::complex<float>;
using Z = std::complex<double>;

/// Frequencies in bins that are narrow against 1 / readout, each with how many voxels have it.
struct Histogram {
  std::vector<double> frequency, weight;
};

Histogram histogram_of(std::span<const double> f, double duration) {
  const auto [low, high] = std::minmax_element(f.begin(), f.end());
  const double range = *high - *low;
  const auto bins = static_cast<std::size_t>(std::clamp(range * duration * 16, 1.0, 4096.0)) + 1;
  Histogram h;
  h.frequency.resize(bins), h.weight.assign(bins, 0);
  for (std::size_t i = 0; i < bins; ++i)
    h.frequency[i] = *low + range * static_cast<double>(i) / static_cast<double>(std::max<std::size_t>(bins - 1, 1));
  for (const double v : f) {
    const double at = range > 0 ? (v - *low) / range * static_cast<double>(bins - 1) : 0;
    h.weight[static_cast<std::size_t>(std::lround(at))] += 1.0 / static_cast<double>(f.size());
  }
  return h;
}

/// a b, or a conj(b). Written out: std::complex's product checks for NaN.
template <bool conjugate>
C times(C a, C b) {
  const float im = conjugate ? -b.imag() : b.imag();
  return {a.real() * b.real() - a.imag() * im, a.real() * im + a.imag() * b.real()};
}
/// to_l = from times factors_l, of L arrays of n one after the other; factors repeat after `period`.
template <bool conjugate>
void spread_out(const C* from, const C* factors, std::int64_t n, std::int64_t period, std::int64_t L, C* to,
                const Cancel* cancel) {
  parallel_for(
      static_cast<std::size_t>(L), 1,
      [&](std::size_t begin, std::size_t end) {
        for (auto l = static_cast<std::int64_t>(begin); l < static_cast<std::int64_t>(end); ++l)
          for (std::int64_t first = 0; first < n; first += period)
            for (std::int64_t i = 0; i < period; ++i)
              to[l * n + first + i] = times<conjugate>(from[first + i], factors[l * period + i]);
      },
      cancel);
}
/// to = sum over l of from_l times factors_l, piece by piece, each within a cache.
template <bool conjugate>
void gather_in(const C* from, const C* factors, std::int64_t n, std::int64_t period, std::int64_t L, C* to,
               const Cancel* cancel) {
  constexpr std::int64_t most = 4096;
  const std::int64_t cuts = (period + most - 1) / most;
  parallel_for(
      static_cast<std::size_t>(n / period * cuts), 1,
      [&](std::size_t begin, std::size_t end) {
        for (auto p = static_cast<std::int64_t>(begin); p < static_cast<std::int64_t>(end); ++p) {
          const std::int64_t first = p / cuts * period, low = p % cuts * most, high = std::min(low + most, period);
          for (std::int64_t l = 0; l < L; ++l)
            for (std::int64_t i = low; i < high; ++i) {
              const C term = times<conjugate>(from[l * n + first + i], factors[l * period + i]);
              C& sum = to[first + i];
              sum = l == 0 ? term : sum + term;
            }
        }
      },
      cancel);
}

Z turn(double cycles) { return std::polar(1.0, -2 * std::numbers::pi * cycles); }

/// b(t) for every time: normal equations over the histogram. Returns the root mean square of what is left.
double fit(const Histogram& h, std::span<const double> times, std::span<const double> segments, std::vector<Z>& b) {
  const std::size_t L = segments.size();
  std::vector<Z> G(L * L);
  for (std::size_t l = 0; l < L; ++l)
    for (std::size_t m = 0; m < L; ++m)
      for (std::size_t i = 0; i < h.frequency.size(); ++i)
        G[l * L + m] += h.weight[i] * turn(h.frequency[i] * (segments[m] - segments[l]));
  // Neighbouring segments are nearly alike when there are more than needed; the ridge keeps b small then.
  for (std::size_t l = 0; l < L; ++l) G[l * L + l] += 1e-11;
  for (std::size_t i = 0; i < L; ++i)
    for (std::size_t j = 0; j <= i; ++j) {
      Z t = G[i * L + j];
      for (std::size_t k = 0; k < j; ++k) t -= G[i * L + k] * std::conj(G[j * L + k]);
      G[i * L + j] = i == j ? Z(std::sqrt(std::max(t.real(), 1e-14))) : t / G[j * L + j];
    }
  b.assign(times.size() * L, 0);
  double left = 0;
  std::vector<Z> x(L);
  for (std::size_t n = 0; n < times.size(); ++n) {
    for (std::size_t l = 0; l < L; ++l) {
      x[l] = 0;
      for (std::size_t i = 0; i < h.frequency.size(); ++i)
        x[l] += h.weight[i] * turn(h.frequency[i] * (times[n] - segments[l]));
    }
    for (std::size_t i = 0; i < L; ++i) {
      for (std::size_t k = 0; k < i; ++k) x[i] -= G[i * L + k] * x[k];
      x[i] /= G[i * L + i];
    }
    for (std::size_t i = L; i-- > 0;) {
      for (std::size_t k = i + 1; k < L; ++k) x[i] -= std::conj(G[k * L + i]) * x[k];
      x[i] /= std::conj(G[i * L + i]);
    }
    for (std::size_t l = 0; l < L; ++l) b[n * L + l] = x[l];
    for (std::size_t i = 0; i < h.frequency.size(); ++i) {
      if (h.weight[i] == 0) continue;
      Z sum = -turn(h.frequency[i] * times[n]);
      for (std::size_t l = 0; l < L; ++l) sum += x[l] * turn(h.frequency[i] * segments[l]);
      left += h.weight[i] * std::norm(sum);
    }
  }
  return std::sqrt(left / static_cast<double>(times.size()));
}

}  // namespace

OffResonanceNufft::OffResonanceNufft(const Trajectory& traj, const Array& frequency, const NufftOptions& options,
                                     const Cancel* cancel) {
  traj.check();
  if (traj.times.empty())
    throw Error(Errc::shape, "off-resonance: the trajectory does not say when its samples were taken", "give it times");
  const Shape& image = frequency.shape();
  if (static_cast<int>(image.size()) != traj.dimensions())
    throw Error(Errc::shape, fmt::format("off-resonance: frequencies are {} for {} coordinates", frequency.describe(),
                                         traj.dimensions()));
  const Array f = frequency.cast(DType::f64).contiguous_copy();
  for (const double v : f.span<const double>())
    if (!std::isfinite(v))
      throw Error(Errc::numeric, fmt::format("off-resonance: a frequency of {}", v), "give 0 outside the object");
  const auto [first, last] = std::minmax_element(traj.times.begin(), traj.times.end());
  const double duration = *last - *first;
  const Histogram h = histogram_of(f.span<const double>(), duration);
  const double cycles = (h.frequency.back() - h.frequency.front()) * duration;
  std::vector<Z> b;
  constexpr int most = 64;
  int L = std::max(1, static_cast<int>(std::ceil(cycles)));
  for (;; ++L) {
    if (L > most)
      throw Error(Errc::range,
                  fmt::format("off-resonance: {:.3g} Hz over {:.3g} ms need more than {} segments",
                              h.frequency.back() - h.frequency.front(), 1e3 * duration, most),
                  "give frequencies within a smaller range, or a shorter readout");
    segment_times_.clear();
    for (int l = 0; l < L; ++l)
      segment_times_.push_back(*first + duration * (L == 1 ? 0.5 : static_cast<double>(l) / (L - 1)));
    error_ = fit(h, traj.times, segment_times_, b);
    if (error_ <= 0.5 * options.tolerance) break;
    if (cancel) cancel->check();
  }
  NufftOptions side_by_side = options;
  side_by_side.batch = L;
  nufft_ = Nufft(traj, image, side_by_side, cancel);
  per_arm_ = traj.k.extent(0);
  turn_ = Array::uninitialised(DType::c64, {f.size(), L}, {"voxel", "segment"});
  for (int l = 0; l < L; ++l)
    for (std::int64_t i = 0; i < f.size(); ++i)
      turn_.data<C>()[i + f.size() * l] = C(turn(f.data<double>()[i] * segment_times_[static_cast<std::size_t>(l)]));
  interpolator_ = Array::uninitialised(DType::c64, {per_arm_, L}, {"sample", "segment"});
  for (int l = 0; l < L; ++l)
    for (std::int64_t n = 0; n < per_arm_; ++n)
      interpolator_.data<C>()[n + per_arm_ * l] = C(b[static_cast<std::size_t>(n * L + l)]);
}

Array OffResonanceNufft::forward(const Array& image, const Cancel* cancel) const {
  const Array in = image.cast(DType::c64).contiguous_copy();
  const std::int64_t voxels = turn_.extent(0), L = turn_.extent(1);
  Shape segments = nufft_.image_shape();
  segments.push_back(L);
  Array all = Array::uninitialised(DType::c64, segments);
  Array out;
  Shape behind;
  Axes behind_axes;
  for (std::size_t i = nufft_.image_shape().size(); i < in.shape().size(); ++i)
    behind.push_back(in.shape()[i]), behind_axes.push_back(in.axes()[i]);
  if (in.size() % voxels != 0 ||
      !std::equal(nufft_.image_shape().begin(), nufft_.image_shape().end(), in.shape().begin()))
    throw Error(Errc::shape, fmt::format("off-resonance: images are {} and the map is {}", image.describe(),
                                         to_string(nufft_.image_shape())));
  Shape shape = nufft_.sample_shape();
  Axes axes = nufft_.sample_axes();
  shape.insert(shape.end(), behind.begin(), behind.end()),
      axes.insert(axes.end(), behind_axes.begin(), behind_axes.end());
  out = Array(DType::c64, shape, axes);
  for (std::int64_t b = 0; b * voxels < in.size(); ++b) {
    spread_out<false>(in.data<C>() + b * voxels, turn_.data<C>(), voxels, voxels, L, all.data<C>(), cancel);
    const Array s = nufft_.forward(all, cancel);
    const std::int64_t M = s.size() / L;
    gather_in<false>(s.data<C>(), interpolator_.data<C>(), M, per_arm_, L, out.data<C>() + b * M, cancel);
  }
  return out;
}

Array OffResonanceNufft::adjoint(const Array& samples, const Array& weights, const Cancel* cancel) const {
  const Array in = samples.cast(DType::c64).contiguous_copy();
  const std::int64_t voxels = turn_.extent(0), L = turn_.extent(1);
  const Shape& one = nufft_.sample_shape();
  std::int64_t M = 1;
  for (const auto n : one) M *= n;
  if (in.shape().size() < one.size() || !std::equal(one.begin(), one.end(), in.shape().begin()))
    throw Error(Errc::shape, fmt::format("off-resonance: samples are {} and the trajectory has {}", samples.describe(),
                                         to_string(one)));
  Shape shape = nufft_.image_shape(), segments = one;
  Axes axes = nufft_.image_axes();
  segments.push_back(L);
  for (std::size_t i = one.size(); i < in.shape().size(); ++i)
    shape.push_back(in.shape()[i]), axes.push_back(in.axes()[i]);
  Array out(DType::c64, shape, axes);
  Array all = Array::uninitialised(DType::c64, segments);
  for (std::int64_t b = 0; b * M < in.size(); ++b) {
    spread_out<true>(in.data<C>() + b * M, interpolator_.data<C>(), M, per_arm_, L, all.data<C>(), cancel);
    const Array images = nufft_.adjoint(all, weights, cancel);
    gather_in<true>(images.data<C>(), turn_.data<C>(), voxels, voxels, L, out.data<C>() + b * voxels, cancel);
  }
  return out;
}

}  // namespace larmor::recon
