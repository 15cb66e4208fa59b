// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/nd/arrange.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/recon/operators/basic_ops.hpp>
#include <larmor/recon/solvers/penalty.hpp>
#include <numeric>

namespace larmor::recon {
namespace {

constexpr std::size_t grain = 16384;

template <class F>
auto visit(const Array& a, F&& f) {
  if (a.dtype() == DType::c64) return f(float{});
  if (a.dtype() == DType::c128) return f(double{});
  throw Error(Errc::type, "penalties are of complex arrays and this is " + a.describe());
}

void require_weight(double weight) {
  if (!(weight >= 0) || !std::isfinite(weight))
    throw Error(Errc::range, fmt::format("a penalty of weight {}", weight), "give 0 or more");
}

double sum_of_magnitudes(const Array& a) {
  return visit(a, [&](auto t) {
    using T = decltype(t);
    double sum = 0;
    for (const auto v : a.span<std::complex<T>>())
      sum += std::sqrt(static_cast<double>(v.real()) * v.real() + static_cast<double>(v.imag()) * v.imag());
    return sum;
  });
}

// A number that looks random, the same on every machine (SplitMix64).
std::uint64_t mixed(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

Array moved(Array a, const std::vector<int>& axes, std::span<const std::int64_t> by, int sign) {
  for (std::size_t k = 0; k < axes.size(); ++k)
    if (by[k] != 0) a = nd::roll(a, axes[k], sign * by[k]);
  return a;
}

std::vector<int> axes_of(const Space& image, const Axes& axes) {
  std::vector<int> out;
  for (const auto& name : axes) out.push_back(image.axis(name));
  return out;
}

}  // namespace

Array group_threshold(const Array& x, double by) {
  Array out = Array::uninitialised(x.dtype(), x.shape(), x.axes());
  const std::int64_t members = x.rank() ? x.extent(x.rank() - 1) : 1, groups = members ? x.size() / members : 0;
  visit(x, [&](auto t) {
    using T = decltype(t);
    const T* from = reinterpret_cast<const T*>(x.span<std::complex<T>>().data());
    T* to = reinterpret_cast<T*>(out.data<std::complex<T>>());
    parallel_for(static_cast<std::size_t>(groups), grain, [&](std::size_t begin, std::size_t end) {
      for (auto i = begin; i < end; ++i) {
        double square = 0;
        for (std::int64_t m = 0; m < members; ++m) {
          const T* v = from + 2 * (static_cast<std::int64_t>(i) + groups * m);
          square += static_cast<double>(v[0]) * v[0] + static_cast<double>(v[1]) * v[1];
        }
        const double length = std::sqrt(square);
        const T keep = static_cast<T>(length > by ? 1 - by / length : 0);
        for (std::int64_t m = 0; m < members; ++m) {
          const auto at = 2 * (static_cast<std::int64_t>(i) + groups * m);
          to[at] = keep * from[at], to[at + 1] = keep * from[at + 1];
        }
      }
    });
  });
  return out;
}

Array soft_threshold(const Array& x, double by) {
  return group_threshold(x.reshaped({x.size(), 1}), by).reshaped(x.shape(), x.axes());
}

Penalty l1(double weight) {
  require_weight(weight);
  return {.name = "l1",
          .prox = [weight](const Array& v, double step, int) { return soft_threshold(v, weight * step); },
          .value = [weight](const Array& v) { return weight * sum_of_magnitudes(v); }};
}

Penalty l1_wavelet(const Space& image, const Axes& axes, double weight, const WaveletOptions& wavelet, bool shift) {
  require_weight(weight);
  const Op W = wavelet_op(image, axes, wavelet);
  const auto at = axes_of(image, axes);
  return {.name = "l1_wavelet",
          .prox =
              [=](const Array& v, double step, int iteration) {
                std::vector<std::int64_t> by(at.size(), 0);
                for (std::size_t k = 0; shift && k < at.size(); ++k)
                  by[k] =
                      static_cast<std::int64_t>(mixed(static_cast<std::uint64_t>(iteration) * 16 + k) %
                                                static_cast<std::uint64_t>(std::max<std::int64_t>(1, v.extent(at[k]))));
                return moved(W->adjoint(soft_threshold(W->forward(moved(v, at, by, 1)), weight * step)), at, by, -1);
              },
          .value = [=](const Array& v) { return weight * sum_of_magnitudes(W->forward(v)); }};
}

Penalty total_variation(const Space& image, const Axes& axes, double weight) {
  require_weight(weight);
  return {.name = "total_variation",
          .transform = differences_op(image, axes),
          .prox = [weight](const Array& v, double step, int) { return group_threshold(v, weight * step); },
          .value =
              [weight](const Array& v) {
                const std::int64_t members = v.extent(v.rank() - 1),
                                   groups = v.size() / std::max<std::int64_t>(1, members);
                return visit(v, [&](auto t) {
                  using T = decltype(t);
                  const auto* x = v.data<std::complex<T>>();
                  double sum = 0;
                  for (std::int64_t i = 0; i < groups; ++i) {
                    double square = 0;
                    for (std::int64_t m = 0; m < members; ++m)
                      square += std::norm(std::complex<double>(x[i + groups * m]));
                    sum += std::sqrt(square);
                  }
                  return weight * sum;
                });
              }};
}

}  // namespace larmor::recon
