// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <larmor/core/parallel.hpp>
#include <larmor/recon/operators/wavelet.hpp>

namespace larmor::recon {
namespace {

using C = std::complex<double>;

// Roots of sum c[k] y^k by the iteration of Durand and Kerner: simple roots, degree up to 9.
std::vector<C> roots(const std::vector<double>& c) {
  const std::size_t n = c.size() - 1;
  double bound = 0;
  for (std::size_t k = 0; k < n; ++k) bound = std::max(bound, std::abs(c[k] / c[n]));
  std::vector<C> z(n);
  for (std::size_t k = 0; k < n; ++k)
    z[k] = std::polar(0.5 * std::pow(1 + bound, 1.0 / static_cast<double>(n)),
                      0.4 + 6.3 * static_cast<double>(k) / static_cast<double>(n));
  for (int round = 0; round < 1000; ++round) {
    double change = 0;
    for (std::size_t k = 0; k < n; ++k) {
      C value = c[n], others = 1;
      for (std::size_t j = n; j-- > 0;) value = value * z[k] + c[j];
      for (std::size_t j = 0; j < n; ++j)
        if (j != k) others *= z[k] - z[j];
      const C step = value / (c[n] * others);
      z[k] -= step;
      change = std::max(change, std::abs(step) / std::abs(z[k]));
    }
    if (change < 1e-15) break;
  }
  return z;
}

class Wavelet final : public LinearOp {
 public:
  Wavelet(const Space& space, std::vector<int> axes, const std::vector<double>& low, int levels)
      : LinearOp("wavelet", space, space), axes_(std::move(axes)), low_(low), levels_(levels) {}

 protected:
  Array run(const Array& x, const Cancel* cancel) const override {
    Array out = x.clone();
    for (int level = 0; level < levels_; ++level)
      for (const int axis : axes_) step(out, level, axis, true, cancel);
    return out;
  }
  Array run_adjoint(const Array& y, const Cancel* cancel) const override {
    Array out = y.clone();
    for (int level = levels_; level-- > 0;)
      for (auto a = axes_.size(); a-- > 0;) step(out, level, axes_[a], false, cancel);
    return out;
  }
  Array run_normal(const Array& x, const Cancel*) const override { return x.clone(); }

 private:
  static std::int64_t half(std::int64_t n, int times) {
    for (int i = 0; i < times; ++i) n = (n + 1) / 2;
    return n;
  }
  void step(Array& a, int level, int axis, bool analysis, const Cancel* cancel) const {
    if (domain().type == DType::c64)
      lines<float>(a, level, axis, analysis, cancel);
    else
      lines<double>(a, level, axis, analysis, cancel);
  }
  // One level along one axis of the low-pass corner.
  template <class T>
  void lines(Array& a, int level, int axis, bool analysis, const Cancel* cancel) const {
    Shape corner = domain().shape, stride = a.strides();
    for (const int other : axes_)
      corner[static_cast<std::size_t>(other)] = half(corner[static_cast<std::size_t>(other)], level);
    const auto along = static_cast<std::size_t>(axis);
    const std::int64_t n = corner[along], s = stride[along];
    // An earlier axis of this level is split already, and stays whole: only `axis` halves here.
    std::int64_t count = 1;
    for (std::size_t i = 0; i < corner.size(); ++i)
      if (i != along) count *= corner[i];
    auto* data = a.data<std::complex<T>>();
    std::vector<T> h(low_.begin(), low_.end());
    parallel_for(
        static_cast<std::size_t>(count),
        std::max<std::size_t>(1, 4096 / static_cast<std::size_t>(std::max<std::int64_t>(n, 1))),
        [&](std::size_t begin, std::size_t end) {
          std::vector<T> from(static_cast<std::size_t>(2 * n)), to(from.size());
          for (auto k = begin; k < end; ++k) {
            auto rest = static_cast<std::int64_t>(k);
            std::int64_t at = 0;
            for (std::size_t i = 0; i < corner.size(); ++i)
              if (i != along) at += rest % corner[i] * stride[i], rest /= corner[i];
            T* line = reinterpret_cast<T*>(data + at);
            for (std::int64_t i = 0; i < n; ++i)
              from[static_cast<std::size_t>(2 * i)] = line[2 * i * s],
                                                from[static_cast<std::size_t>(2 * i + 1)] = line[2 * i * s + 1];
            if (analysis)
              split(from.data(), n, h, to.data());
            else
              join(from.data(), n, h, to.data());
            for (std::int64_t i = 0; i < n; ++i)
              line[2 * i * s] = to[static_cast<std::size_t>(2 * i)],
                           line[2 * i * s + 1] = to[static_cast<std::size_t>(2 * i + 1)];
          }
        },
        cancel);
  }
  // low(i) = sum h[j] x(2 i + j), high(i) = sum (-1)^j h[L - 1 - j] x(2 i + j), over the even part of the line.
  template <class T>
  static void split(const T* x, std::int64_t n, const std::vector<T>& h, T* y) {
    const std::int64_t even = n / 2 * 2, L = static_cast<std::int64_t>(h.size()), lows = (n + 1) / 2;
    for (std::int64_t i = 0; i < even / 2; ++i) {
      T l_re = 0, l_im = 0, h_re = 0, h_im = 0;
      for (std::int64_t j = 0, p = 2 * i; j < L; ++j, ++p) {
        while (p >= even) p -= even;
        const T lo = h[static_cast<std::size_t>(j)],
                hi = j % 2 ? -h[static_cast<std::size_t>(L - 1 - j)] : h[static_cast<std::size_t>(L - 1 - j)];
        l_re += lo * x[2 * p], l_im += lo * x[2 * p + 1], h_re += hi * x[2 * p], h_im += hi * x[2 * p + 1];
      }
      y[2 * i] = l_re, y[2 * i + 1] = l_im;
      y[2 * (lows + i)] = h_re, y[2 * (lows + i) + 1] = h_im;
    }
    if (n % 2) y[2 * (lows - 1)] = x[2 * (n - 1)], y[2 * (lows - 1) + 1] = x[2 * (n - 1) + 1];
  }
  template <class T>
  static void join(const T* y, std::int64_t n, const std::vector<T>& h, T* x) {
    const std::int64_t even = n / 2 * 2, L = static_cast<std::int64_t>(h.size()), lows = (n + 1) / 2;
    std::fill(x, x + 2 * n, T{});
    for (std::int64_t i = 0; i < even / 2; ++i) {
      const T l_re = y[2 * i], l_im = y[2 * i + 1], h_re = y[2 * (lows + i)], h_im = y[2 * (lows + i) + 1];
      for (std::int64_t j = 0, p = 2 * i; j < L; ++j, ++p) {
        while (p >= even) p -= even;
        const T lo = h[static_cast<std::size_t>(j)],
                hi = j % 2 ? -h[static_cast<std::size_t>(L - 1 - j)] : h[static_cast<std::size_t>(L - 1 - j)];
        x[2 * p] += lo * l_re + hi * h_re, x[2 * p + 1] += lo * l_im + hi * h_im;
      }
    }
    if (n % 2) x[2 * (n - 1)] = y[2 * (lows - 1)], x[2 * (n - 1) + 1] = y[2 * (lows - 1) + 1];
  }

  std::vector<int> axes_;
  std::vector<double> low_;
  int levels_;
};

}  // namespace

std::vector<double> daubechies_filter(int moments) {
  if (moments < 1 || moments > 10)
    throw Error(Errc::range, fmt::format("a wavelet with {} vanishing moments", moments), "give 1 to 10");
  // P(y) = sum over k < n of C(n - 1 + k, k) y^k with y = (2 - z - 1/z) / 4; each root y gives a pair z, 1/z.
  std::vector<double> p{1};
  for (int k = 1; k < moments; ++k) p.push_back(p.back() * (moments - 1 + k) / k);
  std::vector<C> h{1};
  const auto times = [&h](C a, C b) {  // by a + b z
    std::vector<C> out(h.size() + 1);
    for (std::size_t i = 0; i < h.size(); ++i) out[i] += a * h[i], out[i + 1] += b * h[i];
    h = out;
  };
  for (int k = 0; k < moments; ++k) times(1, 1);
  if (moments > 1)
    for (const C y : roots(p)) {
      const C b = 1.0 - 2.0 * y, d = std::sqrt(b * b - 1.0);
      const C z = std::abs(b + d) < 1 ? b + d : b - d;
      times(1, -z);
    }
  double total = 0;
  for (const C c : h) total += c.real();
  std::vector<double> out;
  for (const C c : h) out.push_back(c.real() / total * std::sqrt(2.0));
  return out;
}

int wavelet_levels(const Shape& lengths) {
  if (lengths.empty()) return 0;
  auto n = *std::min_element(lengths.begin(), lengths.end());
  int levels = 0;
  for (; (n + 1) / 2 >= 16; n = (n + 1) / 2) ++levels;
  return levels;
}

Op wavelet_op(Space space, const Axes& axes, const WaveletOptions& o) {
  const auto low = daubechies_filter(o.moments);
  std::vector<int> at;
  Shape lengths;
  for (const auto& name : axes)
    at.push_back(space.axis(name)), lengths.push_back(space.shape[static_cast<std::size_t>(at.back())]);
  if (at.empty()) throw Error(Errc::range, "wavelets along no axis");
  int most = 0;
  for (auto n = *std::min_element(lengths.begin(), lengths.end()); n > 1; n = (n + 1) / 2) ++most;
  if (o.levels < 0 || o.levels > most)
    throw Error(Errc::range, fmt::format("{} levels of wavelets of {}", o.levels, space.describe()),
                fmt::format("give 0 (a good number) or 1 to {}", most));
  return std::make_shared<Wavelet>(space, at, low,
                                   o.levels > 0 ? o.levels : std::max(wavelet_levels(lengths), std::min(1, most)));
}

}  // namespace larmor::recon
