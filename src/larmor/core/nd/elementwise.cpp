// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/core/nd/blocks.hpp>
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/core/nd/visit.hpp>

namespace larmor::nd {
namespace {

[[noreturn]] void no_complex(const char* name) {
  throw Error(Errc::type, fmt::format("{} has no meaning for complex numbers", name),
              "take the magnitude, phase, real or imaginary part first");
}

// out = f(operands) where f(pointers to runs, n, run to write) works in T.
template <class T, std::size_t N, class F>
Array blockwise(const std::array<Array, N>& operands, DType result, const Cancel* cancel, F&& f) {
  const Broadcast full = broadcast(operands), loops = collapsed(full);
  Array out = Array::uninitialised(result, full.shape, full.axes);
  std::vector<BlockReader<T>> readers;
  for (std::size_t k = 0; k < N; ++k) readers.emplace_back(operands[k], loops, k);
  const bool direct = result == dtype_of<T>;
  for_blocks(
      out.size(),
      [&](std::int64_t begin, std::int64_t n) {
        alignas(64) T buffers[N + 1][block];
        std::array<const T*, N> in;
        for (std::size_t k = 0; k < N; ++k) in[k] = readers[k].read(begin, n, buffers[k]);
        T* to = direct ? static_cast<T*>(out.raw()) + begin : buffers[N];
        f(in, n, to);
        if (!direct) store(to, n, out, begin);
      },
      cancel);
  return out;
}

// Element by element without a change of type.
template <class F>
Array keep_type(const Array& a, const Cancel* cancel, const char* name, F&& f) {
  if (is_complex(a.dtype())) no_complex(name);
  const DType work = arithmetic_type(std::span(&a, 1));
  return visit_real(work, [&](auto zero) {
    using T = decltype(zero);
    return blockwise<T>(std::array{a}, a.dtype(), cancel, [&](const auto& in, std::int64_t n, T* out) {
      for (std::int64_t i = 0; i < n; ++i) out[i] = static_cast<T>(f(in[0][i]));
    });
  });
}

}  // namespace

Array apply(Unary op, const Array& a, const Cancel* cancel) {
  const DType work = arithmetic_type(std::span(&a, 1));
  if (is_complex(work) && !info(op).complex_ok) no_complex(info(op).name);
  const DType result = info(op).truth_result ? DType::boolean : info(op).real_result ? real_type(work) : work;
  return visit_float(work, [&](auto zero) {
    using T = decltype(zero);
    return blockwise<T>(std::array{a}, result, cancel,
                        [&](const auto& in, std::int64_t n, T* out) { run(op, in[0], n, out); });
  });
}

Array apply(Binary op, const Array& a, const Array& b, const Cancel* cancel) {
  const std::array operands{a, b};
  const DType work = arithmetic_type(operands);
  if (is_complex(work) && !info(op).complex_ok) no_complex(info(op).name);
  return visit_float(work, [&](auto zero) {
    using T = decltype(zero);
    return blockwise<T>(operands, info(op).truth_result ? DType::boolean : work, cancel,
                        [&](const auto& in, std::int64_t n, T* out) { run(op, in[0], in[1], n, out); });
  });
}

Array where(const Array& condition, const Array& a, const Array& b, const Cancel* cancel) {
  const Array truth =
      condition.dtype() == DType::boolean ? condition : apply(Binary::not_equal, condition, Array(DType::f32, {}));
  const std::array chosen{a, b};
  const DType result = a.dtype() == b.dtype() ? a.dtype() : arithmetic_type(chosen);
  return visit_float(arithmetic_type(chosen), [&](auto zero) {
    using T = decltype(zero);
    return blockwise<T>(std::array{a, b, truth}, result, cancel, [](const auto& in, std::int64_t n, T* out) {
      for (std::int64_t i = 0; i < n; ++i) out[i] = in[2][i] != T{} ? in[0][i] : in[1][i];
    });
  });
}

Array clip(const Array& a, double low, double high, const Cancel* cancel) {
  if (!(low <= high))
    throw Error(Errc::range, fmt::format("clip: the lower end {:g} is above the upper end {:g}", low, high),
                "exchange them");
  return keep_type(a, cancel, "clip", [=](auto v) { return v < low ? low : v > high ? high : static_cast<double>(v); });
}

Array replace_nonfinite(const Array& a, double nan, double positive, double negative, const Cancel* cancel) {
  const auto one = [=](auto v) {
    using R = decltype(v);
    return std::isfinite(v) ? v : std::isnan(v) ? static_cast<R>(nan) : static_cast<R>(v > 0 ? positive : negative);
  };
  if (!is_complex(a.dtype())) return keep_type(a, cancel, "replace_nonfinite", one);
  return visit_float(a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    return blockwise<T>(std::array{a}, a.dtype(), cancel, [&](const auto& in, std::int64_t n, T* out) {
      if constexpr (complex_v<T>)
        for (std::int64_t i = 0; i < n; ++i) out[i] = T(one(in[0][i].real()), one(in[0][i].imag()));
    });
  });
}

namespace {

template <class F>
Array to_complex(const Array& a, const Array& b, const Cancel* cancel, const char* name, F&& f) {
  const std::array operands{a, b};
  const DType work = arithmetic_type(operands);
  if (is_complex(work))
    throw Error(Errc::type, fmt::format("{}: an input is complex already", name), "give two real arrays");
  return visit_float(work == DType::f32 ? DType::c64 : DType::c128, [&](auto zero) {
    using T = decltype(zero);
    return blockwise<T>(operands, dtype_of<T>, cancel, [&](const auto& in, std::int64_t n, T* out) {
      if constexpr (complex_v<T>)
        for (std::int64_t i = 0; i < n; ++i) out[i] = f(in[0][i].real(), in[1][i].real());
    });
  });
}

}  // namespace

Array make_complex(const Array& re, const Array& im, const Cancel* cancel) {
  return to_complex(re, im, cancel, "make_complex", [](auto x, auto y) { return std::complex(x, y); });
}
Array from_polar(const Array& magnitude, const Array& phase, const Cancel* cancel) {
  return to_complex(magnitude, phase, cancel, "from_polar",
                    [](auto r, auto phi) { return std::complex(r * std::cos(phi), r * std::sin(phi)); });
}

}  // namespace larmor::nd
