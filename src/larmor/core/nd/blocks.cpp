// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstring>
#include <larmor/core/nd/blocks.hpp>
#include <larmor/core/nd/visit.hpp>
#include <limits>

namespace larmor::nd {
namespace {

template <class S, class T>
void convert_run(const void* from, std::int64_t stride, std::int64_t n, T* to) {
  const S* s = static_cast<const S*>(from);
  const auto one = [](S v) {
    using R = real_of<T>;
    if constexpr (complex_v<S>)
      return T(static_cast<R>(v.real()), static_cast<R>(v.imag()));
    else
      return T(static_cast<R>(v));
  };
  if (stride == 0)
    std::fill(to, to + n, one(*s));
  else if (stride == 1)
    for (std::int64_t i = 0; i < n; ++i) to[i] = one(s[i]);
  else
    for (std::int64_t i = 0; i < n; ++i) to[i] = one(s[i * stride]);
}

template <class To, class R>
To rounded(R v) {
  if constexpr (std::is_same_v<To, bool>) {
    return v != R{};
  } else if constexpr (std::is_integral_v<To>) {
    const double x = std::nearbyint(static_cast<double>(v));
    if (!(x == x)) return To{0};
    return static_cast<To>(std::clamp(x, static_cast<double>(std::numeric_limits<To>::min()),
                                      static_cast<double>(std::numeric_limits<To>::max())));
  } else {
    return static_cast<To>(v);
  }
}

}  // namespace

template <class T>
detail::Convert<T> detail::converter(DType from) {
  return visit(from, [&](auto zero) -> Convert<T> {
    using S = decltype(zero);
    if constexpr (complex_v<S> && !complex_v<T>)
      throw Error(Errc::type, "complex numbers are not read as real ones",
                  "take the magnitude, phase, real or imaginary part first");
    else
      return &convert_run<S, T>;
  });
}

template <class T>
BlockReader<T>::BlockReader(const Array& array, const Broadcast& loops, std::size_t operand)
    : data_(static_cast<const std::byte*>(array.raw())),
      size_(size_of(array.dtype())),
      same_type_(array.dtype() == dtype_of<T>),
      convert_(detail::converter<T>(array.dtype())),
      shape_(loops.shape),
      strides_(loops.strides[operand]) {}

template <class T>
const T* BlockReader<T>::read(std::int64_t begin, std::int64_t n, T* buffer) const {
  if (shape_.empty()) {
    convert_(data_, 0, n, buffer);
    return buffer;
  }
  Shape::value_type rest = begin / shape_[0], index = begin % shape_[0];
  std::int64_t row = 0;
  std::int64_t done = 0;
  while (done < n) {
    row = 0;
    std::int64_t r = rest;
    for (std::size_t axis = 1; axis < shape_.size(); ++axis) {
      row += r % shape_[axis] * strides_[axis];
      r /= shape_[axis];
    }
    const std::int64_t run = std::min(n - done, shape_[0] - index);
    const std::byte* from =
        data_ + static_cast<std::ptrdiff_t>(row + index * strides_[0]) * static_cast<std::ptrdiff_t>(size_);
    if (run == n && same_type_ && strides_[0] == 1) return reinterpret_cast<const T*>(from);
    convert_(from, strides_[0], run, buffer + done);
    done += run, index = 0, ++rest;
  }
  return buffer;
}

std::int64_t count(const Shape& shape) {
  std::int64_t n = 1;
  for (const auto extent : shape) n *= extent;
  return n;
}

template <class T>
void store(const T* from, std::int64_t n, Array& to, std::int64_t begin) {
  visit(to.dtype(), [&](auto zero) {
    using S = decltype(zero);
    S* out = static_cast<S*>(to.raw()) + begin;
    if constexpr (std::is_same_v<S, T>) {
      if (out != from) std::memcpy(static_cast<void*>(out), from, static_cast<std::size_t>(n) * sizeof(T));
    } else if constexpr (complex_v<S>) {
      using R = real_of<S>;
      for (std::int64_t i = 0; i < n; ++i) {
        if constexpr (complex_v<T>)
          out[i] = S(static_cast<R>(from[i].real()), static_cast<R>(from[i].imag()));
        else
          out[i] = S(static_cast<R>(from[i]));
      }
    } else {
      for (std::int64_t i = 0; i < n; ++i) {
        if constexpr (complex_v<T>)
          out[i] = std::is_same_v<S, bool> ? static_cast<S>(from[i] != T{}) : rounded<S>(from[i].real());
        else
          out[i] = rounded<S>(from[i]);
      }
    }
  });
}

#define LARMOR_ND_BLOCKS(T)                                \
  template detail::Convert<T> detail::converter<T>(DType); \
  template class BlockReader<T>;                           \
  template void store<T>(const T*, std::int64_t, Array&, std::int64_t);
LARMOR_ND_BLOCKS(float)
LARMOR_ND_BLOCKS(double)
LARMOR_ND_BLOCKS(std::complex<float>)
LARMOR_ND_BLOCKS(std::complex<double>)
#undef LARMOR_ND_BLOCKS

}  // namespace larmor::nd
