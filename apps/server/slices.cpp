// SPDX-License-Identifier: Apache-2.0
#include "slices.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <complex>
#include <cstring>
#include <larmor/core/nd/visit.hpp>

#include "http.hpp"

namespace larmor::server {
namespace {

std::vector<std::string_view> pieces(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const auto end = text.find(separator);
    out.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return out;
}

std::int64_t whole(std::string_view text, std::string_view in) {
  std::int64_t v = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (error != std::errc{} || end != text.data() + text.size())
    throw Error(Errc::format, fmt::format("'{}' in '{}' is no whole number", text, in), "write z:3 or x:0:10");
  return v;
}

using nd::visit;

template <class T>
constexpr bool is_complex = std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>;

template <class T>
double part_value(T v, Part part) {
  if constexpr (is_complex<T>) {
    const double re = v.real(), im = v.imag();
    switch (part) {
      case Part::real:
        return re;
      case Part::imag:
        return im;
      case Part::phase:
        return std::atan2(im, re);
      default:
        return std::hypot(re, im);
    }
  } else {
    const double x = static_cast<double>(v);
    switch (part) {
      case Part::imag:
        return 0;
      case Part::phase:
        return x < 0 ? std::acos(-1.0) : 0;
      case Part::abs:
        return std::abs(x);
      default:
        return x;
    }
  }
}

/// f(offset) for every element of `shape`, first axis fastest; strides in elements.
template <class F>
void for_each(const Shape& shape, const Shape& strides, F&& f) {
  const std::int64_t n0 = shape.empty() ? 1 : shape[0], s0 = shape.empty() ? 0 : strides[0];
  for (const auto n : shape)
    if (n == 0) return;
  Shape index(shape.size(), 0);
  std::int64_t base = 0;
  for (;;) {
    for (std::int64_t i = 0; i < n0; ++i) f(base + i * s0);
    std::size_t k = 1;
    for (; k < shape.size(); ++k) {
      base += strides[k];
      if (++index[k] < shape[k]) break;
      base -= strides[k] * shape[k];
      index[k] = 0;
    }
    if (k >= shape.size()) return;
  }
}

std::uint8_t to_u8(double v, const std::optional<std::pair<double, double>>& window) {
  if (window) v = (v - window->first) / (window->second - window->first) * 255;
  return std::isnan(v) ? std::uint8_t{0} : static_cast<std::uint8_t>(std::lround(std::clamp(v, 0.0, 255.0)));
}

DType answer_type(DType from, const SliceQuery& q) {
  const bool complex = from == DType::c64 || from == DType::c128, wide = from == DType::f64 || from == DType::c128;
  if (q.dtype == "u8") {
    if (complex && q.part == Part::native)
      throw Error(Errc::type, fmt::format("{} has no value as u8", to_string(from)), "ask for part=abs, real or phase");
    return DType::u8;
  }
  if (q.dtype != "native" && q.dtype != "f32") {
    const std::vector<std::string> types{"native", "f32", "u8"};
    throw unknown_name("dtype", q.dtype, types);
  }
  if (q.part == Part::native) return q.dtype == "native" ? from : complex ? DType::c64 : DType::f32;
  return wide && q.dtype == "native" ? DType::f64 : DType::f32;
}

template <class From, class To, class Convert>
void fill(const Array& view, const Shape& shape, const Shape& strides, std::string& out, Convert convert) {
  const From* from = static_cast<const From*>(view.raw());
  To* to = reinterpret_cast<To*>(out.data());
  for_each(shape, strides, [&](std::int64_t at) { *to++ = convert(from[at]); });
}

}  // namespace

Part part_of(std::string_view name) {
  if (name.empty() || name == "native") return Part::native;
  if (name == "real") return Part::real;
  if (name == "imag") return Part::imag;
  if (name == "abs") return Part::abs;
  if (name == "phase") return Part::phase;
  const std::vector<std::string> parts{"native", "real", "imag", "abs", "phase"};
  throw unknown_name("part", name, parts);
}

Axes parse_axes(std::string_view text) {
  Axes out;
  for (const auto name : pieces(text, ',')) out.emplace_back(name);
  return out;
}
std::map<std::string, std::int64_t> parse_indices(std::string_view text) {
  std::map<std::string, std::int64_t> out;
  for (const auto one : pieces(text, ',')) {
    const auto parts = pieces(one, ':');
    if (parts.size() != 2) throw Error(Errc::format, fmt::format("'{}' is no axis:index", one), "write z:3,t:0");
    out[std::string(parts[0])] = whole(parts[1], one);
  }
  return out;
}
std::map<std::string, std::pair<std::int64_t, std::int64_t>> parse_ranges(std::string_view text) {
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> out;
  for (const auto one : pieces(text, ',')) {
    const auto parts = pieces(one, ':');
    if (parts.size() != 3) throw Error(Errc::format, fmt::format("'{}' is no axis:begin:end", one), "write x:0:10");
    out[std::string(parts[0])] = {whole(parts[1], one), whole(parts[2], one)};
  }
  return out;
}

Array view_of(const Array& array, const SliceQuery& query) {
  Axes axes = query.axes;
  if (axes.empty())
    for (const auto& name : array.axes())
      if (!query.at.count(name)) axes.push_back(name);
  for (const auto& [name, index] : query.at) array.axis(name);
  std::vector<int> order;
  for (const auto& name : axes) {
    if (std::count(axes.begin(), axes.end(), name) > 1)
      throw Error(Errc::usage, fmt::format("the axis '{}' is asked for twice", name));
    order.push_back(array.axis(name));
  }
  Array view = array;
  for (const auto& [name, r] : query.range) {
    const int axis = view.axis(name);
    if (r.first < 0 || r.second < r.first || r.second > view.extent(axis))
      throw Error(Errc::range, fmt::format("{}:{}:{} is not within the {} elements of axis '{}'", name, r.first,
                                           r.second, view.extent(axis), name));
    view = view.range(axis, r.first, r.second);
  }
  for (int i = array.rank() - 1; i >= 0; --i) {
    if (std::find(order.begin(), order.end(), i) != order.end()) continue;
    const auto& name = array.axes()[static_cast<std::size_t>(i)];
    const auto it = query.at.find(name);
    const std::int64_t index = it == query.at.end() ? 0 : it->second;
    if (index < 0 || index >= view.extent(i))
      throw Error(Errc::range, fmt::format("index {} of axis '{}', which has {}", index, name, view.extent(i)),
                  fmt::format("give 0 to {}", view.extent(i) - 1));
    view = view.slice(i, index);
    for (int& o : order) o -= o > i;
  }
  return view.permuted(order);
}

Slice read_slice(const Array& array, const SliceQuery& query, std::size_t most_bytes) {
  Slice out;
  if (array.empty()) throw Error(Errc::shape, "the array has no elements");
  if (query.max < 0) throw Error(Errc::range, fmt::format("max is {}; it has to be 1 or more", query.max));
  if (query.window && !(query.window->first < query.window->second))
    throw Error(Errc::range,
                fmt::format("the window from {} to {} is empty", query.window->first, query.window->second));
  Array view = view_of(array, query);
  out.dtype = answer_type(array.dtype(), query);
  out.axes = view.axes();
  Shape strides;
  std::size_t elements = 1;
  for (std::size_t i = 0; i < view.shape().size(); ++i) {
    const std::int64_t n = view.shape()[i];
    const std::int64_t step = query.max > 0 && n > query.max ? (n + query.max - 1) / query.max : 1;
    out.step.push_back(step);
    out.shape.push_back((n + step - 1) / step);
    strides.push_back(view.strides()[i] * step);
    elements *= static_cast<std::size_t>(out.shape.back());
  }
  const std::size_t bytes = elements * size_of(out.dtype);
  if (bytes > most_bytes)
    throw HttpError(413, Errc::range,
                    fmt::format("{} as {} are {} bytes; one answer holds at most {}", to_string(out.shape),
                                to_string(out.dtype), bytes, most_bytes),
                    "ask for fewer axes, a range, or max=1024");
  if (!view.device().is_cpu()) {
    view = view.to(Device::cpu());
    for (std::size_t i = 0; i < strides.size(); ++i) strides[i] = view.strides()[i] * out.step[i];
  }
  out.bytes.resize(bytes);
  visit(array.dtype(), [&](auto zero) {
    using From = decltype(zero);
    if (out.dtype == DType::u8 && query.dtype == "u8")
      fill<From, std::uint8_t>(view, out.shape, strides, out.bytes,
                               [&](From v) { return to_u8(part_value(v, query.part), query.window); });
    else if (query.part != Part::native && out.dtype == DType::f64)
      fill<From, double>(view, out.shape, strides, out.bytes, [&](From v) { return part_value(v, query.part); });
    else if (query.part != Part::native)
      fill<From, float>(view, out.shape, strides, out.bytes,
                        [&](From v) { return static_cast<float>(part_value(v, query.part)); });
    else if (out.dtype == array.dtype())
      fill<From, From>(view, out.shape, strides, out.bytes, [](From v) { return v; });
    else if constexpr (is_complex<From>)
      fill<From, std::complex<float>>(view, out.shape, strides, out.bytes,
                                      [](From v) { return std::complex<float>(v); });
    else
      fill<From, float>(view, out.shape, strides, out.bytes, [](From v) { return static_cast<float>(v); });
  });
  return out;
}

void read_row(const Array& array, std::int64_t offset, std::int64_t n, std::int64_t stride, Part part, double* to) {
  visit(array.dtype(), [&](auto zero) {
    const auto* from = static_cast<const decltype(zero)*>(array.raw()) + offset;
    for (std::int64_t i = 0; i < n; ++i) to[i] = part_value(from[i * stride], part);
  });
}

}  // namespace larmor::server
