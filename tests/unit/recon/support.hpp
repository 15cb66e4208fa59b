// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gtest/gtest.h>

#include <cmath>
#include <larmor/core/nd/noise.hpp>
#include <larmor/recon/operators/linear_op.hpp>
#include <larmor/recon/operators/vectors.hpp>

/// Short ways that the tests of this room share.
namespace larmor::recon::test {

using C = std::complex<double>;

inline Array random(Shape shape, Axes axes, DType type = DType::c128, unsigned seed = 1) {
  return nd::normal(type, std::move(shape), std::move(axes), seed);
}

/// |a - b| / |b|
inline double relative_gap(const Array& a, const Array& b) {
  EXPECT_EQ(a.shape(), b.shape());
  if (a.shape() != b.shape()) return INFINITY;
  const Array x = a.cast(DType::c128).contiguous_copy(), y = b.cast(DType::c128).contiguous_copy();
  return norm(combination(1, x, -1, y)) / norm(y);
}

inline std::vector<C> complex_values(const Array& a) {
  const Array c = a.cast(DType::c128).contiguous_copy();
  return {c.data<C>(), c.data<C>() + c.size()};
}

/// The text of the error that f throws; its code is checked.
template <class F>
std::string error_of(Errc code, F&& f) {
  try {
    f();
  } catch (const Error& e) {
    EXPECT_EQ(to_string(e.code()), to_string(code)) << e.what();
    return e.what();
  }
  ADD_FAILURE() << "no error was thrown";
  return {};
}

}  // namespace larmor::recon::test
