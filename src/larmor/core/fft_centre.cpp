// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <larmor/core/fft_centre.hpp>
#include <larmor/core/parallel.hpp>

namespace larmor::fft_centre {
namespace {

constexpr double pi = 3.14159265358979323846;

// exp(2 pi i j / n), exact in the four directions of the axes: j is reduced before the angle is formed.
std::complex<double> root(std::int64_t j, std::int64_t n) {
  j = (j % n + n) % n;
  if (j == 0) return {1, 0};
  if (2 * j == n) return {-1, 0};
  if (4 * j == n) return {0, 1};
  if (4 * j == 3 * n) return {0, -1};
  const double angle = 2 * pi * static_cast<double>(j) / static_cast<double>(n);
  return {std::cos(angle), std::sin(angle)};
}

/// target = source x along x outer. Written out: std::complex's product checks for NaN and does not vectorise.
template <class T>
void multiply_line(const T* source, std::int64_t step, const T* along, std::int64_t n, T outer, T* target) {
  const auto re = outer.real(), im = outer.imag();
  for (std::int64_t i = 0; i < n; ++i) {
    const T x = source[i * step], a = along[i];
    const T f(re * a.real() - im * a.imag(), re * a.imag() + im * a.real());
    target[i] = T(x.real() * f.real() - x.imag() * f.imag(), x.real() * f.imag() + x.imag() * f.real());
  }
}
/// The same of packed parts when all factors are real, which they are along axes of even length: each of `along` twice.
template <class Real>
void multiply_parts(const Real* source, const Real* along, std::int64_t parts, Real outer, Real* target) {
  for (std::int64_t i = 0; i < parts; ++i) target[i] = source[i] * (along[i] * outer);
}

template <class T>
void multiply_as(const Array& in, Array& out, const std::vector<std::vector<std::complex<double>>>& factors,
                 double scale, const Cancel* cancel) {
  using Real = typename T::value_type;
  const auto rank = static_cast<std::size_t>(out.rank());
  const std::int64_t inner = rank ? out.shape()[0] : 1, step = rank ? in.strides()[0] : 0;
  std::vector<T> along(static_cast<std::size_t>(inner), T(1));
  if (rank && !factors[0].empty())
    for (std::size_t i = 0; i < along.size(); ++i) along[i] = T(factors[0][i]);
  std::vector<Real> twice;
  for (const T f : along) twice.insert(twice.end(), 2, f.real());
  const bool real = (step == 1 || inner == 1) && std::ranges::all_of(along, [](T f) { return f.imag() == 0; });
  const auto* from = static_cast<const T*>(in.raw());
  auto* to = static_cast<T*>(out.raw());
  const std::int64_t lines = out.size() / std::max<std::int64_t>(inner, 1);
  const auto grain = static_cast<std::size_t>(std::max<std::int64_t>(1, 16384 / std::max<std::int64_t>(inner, 1)));
  parallel_for(
      static_cast<std::size_t>(lines), grain,
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t line = begin; line < end; ++line) {
          auto rest = static_cast<std::int64_t>(line);
          std::int64_t at = 0;
          std::complex<double> outer(scale, 0);
          for (std::size_t a = 1; a < rank; ++a) {
            const std::int64_t index = rest % out.shape()[a];
            rest /= out.shape()[a];
            at += index * in.strides()[a];
            if (!factors[a].empty()) outer *= factors[a][static_cast<std::size_t>(index)];
          }
          const T* source = from + at;
          T* target = to + static_cast<std::int64_t>(line) * inner;
          if (real && outer.imag() == 0)
            multiply_parts(reinterpret_cast<const Real*>(source), twice.data(), 2 * inner,
                           static_cast<Real>(outer.real()), reinterpret_cast<Real*>(target));
          else if (step == 1)
            multiply_line(source, 1, along.data(), inner, T(outer), target);
          else
            multiply_line(source, step, along.data(), inner, T(outer), target);
        }
      },
      cancel);
}

}  // namespace

std::vector<std::complex<double>> phases(std::int64_t n, bool forward, Side side) {
  const std::int64_t centre = n / 2, first = side == Side::after ? centre : 0;
  std::vector<std::complex<double>> out(static_cast<std::size_t>(n));
  // w^(-c j) for w = exp(-2 pi i / n) is exp(+2 pi i c j / n); the inverse has the other sign.
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t j = centre * ((i - first) % n) % n;
    out[static_cast<std::size_t>(i)] = root(forward ? j : -j, n);
  }
  return out;
}

void multiply(const Array& in, Array& out, std::span<const int> axes, bool forward, Side side, double scale,
              const Cancel* cancel) {
  std::vector<std::vector<std::complex<double>>> factors(static_cast<std::size_t>(out.rank()));
  for (const int axis : axes) factors[static_cast<std::size_t>(axis)] = phases(out.extent(axis), forward, side);
  if (out.dtype() == DType::c128)
    multiply_as<std::complex<double>>(in, out, factors, scale, cancel);
  else
    multiply_as<std::complex<float>>(in, out, factors, scale, cancel);
}

}  // namespace larmor::fft_centre
