// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gtest/gtest.h>

#include <cmath>
#include <larmor/nodes/operations.hpp>
#include <larmor/nodes/values/image.hpp>
#include <random>

/// Short ways to run one operation in a test.
namespace larmor::nodes::test {

using flow::Value;
using Ins = std::map<std::string, Value>;
using Sets = std::map<std::string, Value>;

inline std::map<std::string, Value> run_all(const std::string& id, Ins in, Sets set = {}) {
  return flow::run_operation(operations().get(id), operations().types, std::move(in), std::move(set));
}
inline Value run(const std::string& id, Ins in, Sets set = {}, const std::string& port = "out") {
  return run_all(id, std::move(in), std::move(set)).at(port);
}
inline Array array(const Value& v) { return flow::ValueTraits<Array>::from(v); }
inline Image image(const Value& v) { return flow::ValueTraits<Image>::from(v); }
inline Value value(const Image& i) { return flow::ValueTraits<Image>::to(i); }

/// The error that running gives, or an empty text. `code` is checked when it throws.
inline std::string error_of(const std::string& id, Ins in, Sets set, Errc code) {
  try {
    run_all(id, std::move(in), std::move(set));
  } catch (const Error& e) {
    EXPECT_EQ(to_string(e.code()), to_string(code)) << e.what();
    return e.what();
  }
  return {};
}

inline Array random(Shape shape, Axes axes = {}, DType type = DType::f64, unsigned seed = 1) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal;
  const bool complex = type == DType::c64 || type == DType::c128;
  Array out(complex ? DType::c128 : DType::f64, std::move(shape), std::move(axes));
  auto* data = static_cast<double*>(out.raw());
  for (std::int64_t i = 0; i < out.size() * (complex ? 2 : 1); ++i) data[i] = normal(generator);
  return out.cast(type);
}

inline std::vector<double> values(const Array& a) {
  const Array c = a.cast(DType::f64).contiguous_copy();
  return {c.data<double>(), c.data<double>() + c.size()};
}
inline std::vector<std::complex<double>> complex_values(const Array& a) {
  const Array c = a.cast(DType::c128).contiguous_copy();
  return {c.data<std::complex<double>>(), c.data<std::complex<double>>() + c.size()};
}

/// Largest difference of two arrays of one shape (of complex magnitude).
inline double gap(const Array& a, const Array& b) {
  EXPECT_EQ(a.shape(), b.shape());
  EXPECT_EQ(a.axes(), b.axes());
  if (a.shape() != b.shape()) return INFINITY;
  const auto x = complex_values(a), y = complex_values(b);
  double largest = 0;
  for (std::size_t i = 0; i < x.size(); ++i) largest = std::max(largest, std::abs(x[i] - y[i]));
  return largest;
}

inline Array line(std::vector<double> v, const std::string& axis = "x") {
  return Array::from<double>(v, {static_cast<std::int64_t>(v.size())}, {axis});
}

/// An oblique image with one marked voxel (value 1).
inline Image marked(std::array<std::int64_t, 3> at, Shape shape = {5, 6, 7}) {
  Image out;
  out.data = Array::of<float>(shape);
  auto* data = out.data.data<float>();
  data[at[0] + shape[0] * (at[1] + shape[1] * at[2])] = 1;
  out.affine.m = {{{1.5, 0.2, -0.1, -40}, {-0.3, 2, 0.4, 12}, {0.1, -0.2, 3, 7}, {0, 0, 0, 1}}};
  return out;
}
/// Where the largest voxel of an image lies [mm].
inline std::array<double, 3> mark_position(const Image& image) {
  const auto v = values(image.data);
  const auto k = static_cast<std::int64_t>(std::max_element(v.begin(), v.end()) - v.begin());
  const auto nx = image.data.extent(0), ny = image.data.extent(1);
  return image.affine.apply(static_cast<double>(k % nx), static_cast<double>(k / nx % ny),
                            static_cast<double>(k / nx / ny % image.data.extent(2)));
}
inline double distance(const std::array<double, 3>& a, const std::array<double, 3>& b) {
  return std::hypot(a[0] - b[0], a[1] - b[1]) + std::abs(a[2] - b[2]);
}

}  // namespace larmor::nodes::test
