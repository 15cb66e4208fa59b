// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <larmor/data/grid.hpp>
#include <larmor/nodes/axes.hpp>
#include <larmor/nodes/place.hpp>

namespace larmor::nodes {
namespace {

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\n");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\n") - first + 1));
}

void require_once(const std::vector<int>& axes, int axis, const Array& array) {
  if (std::find(axes.begin(), axes.end(), axis) != axes.end())
    throw Error(Errc::range, fmt::format("axis '{}' is given twice", array.axes()[static_cast<std::size_t>(axis)]),
                "name each axis once");
}

}  // namespace

std::vector<std::string> names_in(const std::string& text) {
  std::vector<std::string> names;
  std::string name;
  const bool commas = text.find(',') != std::string::npos;
  const auto end_of_name = [&](bool comma) {
    if (comma && name.empty())
      throw Error(Errc::format, fmt::format("an empty name in '{}'", text), "write names like: x, y");
    if (!name.empty()) names.push_back(std::move(name));
    name.clear();
  };
  for (const char c : text) {
    if (c == ',')
      end_of_name(true);
    else if (c == ' ' || c == '\t' || c == '\n') {
      if (!commas) end_of_name(false);
    } else {
      name += c;
    }
  }
  end_of_name(commas);
  return names;
}

std::vector<int> axes_in(const Array& array, const std::string& text) {
  std::vector<int> axes;
  for (const auto& name : names_in(text)) {
    const int axis = need_axis(array, name);
    require_once(axes, axis, array);
    axes.push_back(axis);
  }
  return axes;
}

std::vector<int> all_axes_in(const Array& array, const std::string& text) {
  auto axes = axes_in(array, text);
  for (int i = 0; i < array.rank(); ++i)
    if (std::find(axes.begin(), axes.end(), i) == axes.end()) axes.push_back(i);
  return axes;
}

std::vector<int> axes_or_all(const Array& array, const std::string& text) {
  auto axes = axes_in(array, text);
  if (axes.empty())
    for (int i = 0; i < array.rank(); ++i) axes.push_back(i);
  return axes;
}

std::vector<AxisText> axis_texts(const Array& array, const std::string& text) {
  std::vector<AxisText> out;
  std::vector<int> axes;
  std::size_t at = 0;
  while (at < text.size()) {
    const auto end = std::min(text.find(',', at), text.size());
    const std::string item = trimmed(std::string_view(text).substr(at, end - at));
    at = end + 1;
    if (item.empty()) continue;
    const auto equals = item.find('=');
    if (equals == std::string::npos)
      throw Error(Errc::format, fmt::format("'{}' does not say which axis it is for", item),
                  "write axis=value: x=64, y=64");
    const std::string name = trimmed(item.substr(0, equals));
    const int axis = need_axis(array, name);
    require_once(axes, axis, array);
    axes.push_back(axis);
    out.push_back({axis, name, trimmed(item.substr(equals + 1))});
  }
  return out;
}

double real(const AxisText& item) {
  double v = 0;
  const char* last = item.text.data() + item.text.size();
  const auto [end, error] = std::from_chars(item.text.data(), last, v);
  if (error != std::errc() || end != last || !std::isfinite(v))
    throw Error(Errc::format, fmt::format("'{}' for axis '{}' is no number", item.text, item.name), "write x=64");
  return v;
}

std::int64_t whole(const AxisText& item) {
  const double v = real(item);
  if (v != std::floor(v) || std::abs(v) > 1e9)
    throw Error(Errc::format, fmt::format("'{}' for axis '{}' is no whole number", item.text, item.name), "write x=64");
  return static_cast<std::int64_t>(v);
}

std::vector<double> times_at(const std::vector<double>& times, const std::vector<double>& at) {
  const auto n = static_cast<double>(times.size());
  std::vector<double> out;
  for (const double position : at) {
    if (!(position >= -0.5 && position <= n - 0.5)) return {};  // nobody knows when that frame was
    if (n == 1) {
      if (position != 0) return {};
      out.push_back(times[0]);
      continue;
    }
    // On the line through its two neighbours; beyond the first and the last frame, on that of the outermost two.
    const double left = std::clamp(std::floor(position), 0.0, n - 2);
    const auto k = static_cast<std::size_t>(left);
    const double part = position - left;
    out.push_back(part == 0 ? times[k] : part == 1 ? times[k + 1] : times[k] + part * (times[k + 1] - times[k]));
  }
  return out;
}

Gridded along(const Gridded& in, Array out, const std::string& axis, double first, double step) {
  Gridded moved{std::move(out), in.geometry};
  if (!moved.geometry) return moved;
  static constexpr const char* space[] = {"x", "y", "z"};
  for (std::size_t a = 0; a < 3; ++a) {
    if (axis != space[a]) continue;
    std::array<double, 3> from{}, steps{1, 1, 1};
    from[a] = first, steps[a] = step;
    moved.geometry->affine = regridded(moved.geometry->affine, from, steps);
  }
  if (axis == "t") {
    const auto& axes = moved.data.axes();
    const auto t = std::find(axes.begin(), axes.end(), axis);
    const auto frames = t == axes.end() ? 0 : moved.data.shape()[static_cast<std::size_t>(t - axes.begin())];
    std::vector<double> at(static_cast<std::size_t>(frames));
    for (std::size_t k = 0; k < at.size(); ++k) at[k] = first + step * static_cast<double>(k);
    moved.geometry->times = times_at(in.geometry->times, at);
  }
  Array data = moved.data;
  return moved.with(std::move(data));
}

const Gridded& place_of(const Gridded& a, const Gridded& b) {
  if (!a.geometry || !b.geometry) return b.geometry ? b : a;
  const Image with_a = a.image(), with_b = b.image();
  // One voxel along an axis is repeated by the other, which knows where the voxels lie.
  if (with_a.grid() != with_b.grid()) return with_b.voxels() > with_a.voxels() ? b : a;
  require_same_place(with_a, with_b, "a", "b");
  return a.geometry->times.empty() && !b.geometry->times.empty() ? b : a;
}

void require_same_place(const Image& a, const Image& b, const std::string& name_a, const std::string& name_b) {
  try {
    require_same_space(a, b, name_a, name_b);
  } catch (Error& e) {
    throw e.advise("resample one onto the other with image.resample_like, or drop its place with image.to_array");
  }
}

const Array* array_of(const flow::Value& value) {
  if (value.kind() == flow::Value::Kind::array) return &value.array();
  if (value.kind() != flow::Value::Kind::record) return nullptr;
  for (const auto& [name, v] : value.fields())
    if (name == "data" && v.kind() == flow::Value::Kind::array) return &v.array();
  return nullptr;
}

void offer_axes(flow::Form& form, const std::string& port, const std::string& setting) {
  if (const Array* array = array_of(form.in(port))) form.change(setting).choices = array->axes();
}

}  // namespace larmor::nodes
