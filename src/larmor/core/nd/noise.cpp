// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/core/nd/blocks.hpp>
#include <larmor/core/nd/noise.hpp>
#include <larmor/core/nd/visit.hpp>
#include <numbers>

namespace larmor::nd {
namespace {

std::uint64_t mixed(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}
// 53 bits over [0, 1).
double unit(std::uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

std::complex<double> pair(std::uint64_t key, std::uint64_t k) {
  const double u = unit(mixed(key + 2 * k)), v = unit(mixed(key + 2 * k + 1));
  const double radius = std::sqrt(-2 * std::log1p(-u)), angle = 2 * std::numbers::pi * v;
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

template <class F>
Array made(DType type, Shape shape, Axes axes, const Cancel* cancel, F&& f) {
  if (type != DType::f32 && type != DType::f64 && !is_complex(type))
    throw Error(Errc::type, fmt::format("random numbers as {}", to_string(type)), "make f32, f64, c64 or c128");
  Array out = Array::uninitialised(type, std::move(shape), std::move(axes));
  visit_float(type, [&](auto zero) {
    using T = decltype(zero);
    using R = real_of<T>;
    T* data = out.data<T>();
    parallel_for(
        static_cast<std::size_t>(out.size()), 1 << 14,
        [&](std::size_t begin, std::size_t end) {
          for (std::size_t k = begin; k < end; ++k) {
            const std::complex<double> v = f(k);
            if constexpr (complex_v<T>)
              data[k] = T(static_cast<R>(v.real()), static_cast<R>(v.imag()));
            else
              data[k] = static_cast<R>(v.real());
          }
        },
        cancel);
  });
  return out;
}

}  // namespace

Array normal(DType type, Shape shape, Axes axes, std::uint64_t seed, const Cancel* cancel) {
  const std::uint64_t key = mixed(seed);
  return made(type, std::move(shape), std::move(axes), cancel, [=](std::uint64_t k) { return pair(key, k); });
}

Array uniform(DType type, Shape shape, Axes axes, std::uint64_t seed, const Cancel* cancel) {
  const std::uint64_t key = mixed(~seed);
  return made(type, std::move(shape), std::move(axes), cancel,
              [=](std::uint64_t k) { return std::complex(unit(mixed(key + 2 * k)), unit(mixed(key + 2 * k + 1))); });
}

Array add_noise(const Array& array, Noise kind, double sd, std::uint64_t seed, const Cancel* cancel) {
  if (!(sd >= 0) || !std::isfinite(sd))
    throw Error(Errc::range, fmt::format("noise of standard deviation {:g}", sd), "give a number >= 0");
  if (kind == Noise::rician && is_complex(array.dtype()))
    throw Error(Errc::type, "Rician noise on complex numbers",
                "add gaussian noise, which becomes Rician in their magnitude");
  const DType type = arithmetic_type(std::span(&array, 1));
  const Array a = array.to(Device::cpu()).cast(type).contiguous_copy();
  Array out = Array::uninitialised(type, a.shape(), a.axes());
  const std::uint64_t key = mixed(seed);
  visit_float(type, [&](auto zero) {
    using T = decltype(zero);
    using R = real_of<T>;
    const T* in = a.data<T>();
    T* to = out.data<T>();
    parallel_for(
        static_cast<std::size_t>(a.size()), 1 << 14,
        [&](std::size_t begin, std::size_t end) {
          for (std::size_t k = begin; k < end; ++k) {
            const auto n = sd * pair(key, k);
            if constexpr (complex_v<T>)
              to[k] = in[k] + T(static_cast<R>(n.real()), static_cast<R>(n.imag()));
            else
              to[k] = kind == Noise::rician ? static_cast<R>(std::abs(static_cast<double>(in[k]) + n))
                                            : static_cast<R>(static_cast<double>(in[k]) + n.real());
          }
        },
        cancel);
  });
  return out;
}

}  // namespace larmor::nd
