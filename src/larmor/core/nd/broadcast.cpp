// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/core/nd/broadcast.hpp>

namespace larmor::nd {
namespace {

void require_plain(const Array& a, const std::string& name) {
  if (!a.device().is_cpu())
    throw Error(Errc::device, fmt::format("'{}' is on {}", name, a.device().str()), "move it with to(Device::cpu())");
  for (std::size_t i = 0; i < a.axes().size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (a.axes()[i] == a.axes()[j])
        throw Error(Errc::shape, fmt::format("'{}' has two axes called '{}'", name, a.axes()[i]),
                    "give them different names with array.rename_axes");
}

}  // namespace

Broadcast broadcast(std::span<const Array> arrays, std::span<const std::string> names) {
  const auto name_of = [&](std::size_t k) {
    return k < names.size() ? names[k] : std::string(1, static_cast<char>('a' + k % 26));
  };
  Broadcast out;
  std::vector<std::size_t> from;  // which array gave the extent
  std::vector<std::size_t> order(arrays.size());
  std::size_t widest = 0;
  for (std::size_t k = 0; k < arrays.size(); ++k) {
    require_plain(arrays[k], name_of(k));
    if (arrays[k].rank() > arrays[widest].rank()) widest = k;
  }
  for (std::size_t k = 0; k < arrays.size(); ++k) order[k] = k == 0 ? widest : k <= widest ? k - 1 : k;
  for (const std::size_t k : order) {
    const Array& a = arrays[k];
    for (std::size_t i = 0; i < a.axes().size(); ++i) {
      const auto it = std::find(out.axes.begin(), out.axes.end(), a.axes()[i]);
      const auto at = static_cast<std::size_t>(it - out.axes.begin());
      if (it == out.axes.end()) {
        out.axes.push_back(a.axes()[i]), out.shape.push_back(a.shape()[i]), from.push_back(k);
      } else if (out.shape[at] == 1) {
        out.shape[at] = a.shape()[i], from[at] = k;
      } else if (a.shape()[i] != 1 && a.shape()[i] != out.shape[at]) {
        const std::size_t first = std::min(k, from[at]), second = std::max(k, from[at]);
        throw Error(Errc::shape,
                    fmt::format("axis '{}' has {} elements in '{}' and {} in '{}'", a.axes()[i],
                                arrays[first].shape()[static_cast<std::size_t>(arrays[first].axis(a.axes()[i]))],
                                name_of(first),
                                arrays[second].shape()[static_cast<std::size_t>(arrays[second].axis(a.axes()[i]))],
                                name_of(second)),
                    "crop, pad or resample one of them, or rename the axis if it is another one");
      }
    }
  }
  for (const Array& a : arrays) {
    Shape strides(out.axes.size(), 0);
    for (std::size_t i = 0; i < a.axes().size(); ++i) {
      const auto at =
          static_cast<std::size_t>(std::find(out.axes.begin(), out.axes.end(), a.axes()[i]) - out.axes.begin());
      strides[at] = a.shape()[i] == 1 ? 0 : a.strides()[i];
    }
    out.strides.push_back(std::move(strides));
  }
  return out;
}

Broadcast collapsed(const Broadcast& full) {
  Broadcast out;
  out.strides.resize(full.strides.size());
  for (std::size_t i = 0; i < full.shape.size(); ++i) {
    if (full.shape[i] == 1) continue;
    bool joins = !out.shape.empty();
    for (std::size_t k = 0; joins && k < full.strides.size(); ++k)
      joins = full.strides[k][i] == out.strides[k].back() * out.shape.back();
    if (joins) {
      out.shape.back() *= full.shape[i];
      continue;
    }
    out.shape.push_back(full.shape[i]);
    for (std::size_t k = 0; k < full.strides.size(); ++k) out.strides[k].push_back(full.strides[k][i]);
  }
  return out;
}

DType real_type(DType type) { return type == DType::c64 ? DType::f32 : type == DType::c128 ? DType::f64 : type; }

DType arithmetic_type(std::span<const Array> arrays) {
  bool complex = false, wide = false, any_axes = false;
  for (const Array& a : arrays) any_axes = any_axes || a.rank() > 0;
  for (const Array& a : arrays) {
    complex = complex || is_complex(a.dtype());
    if (a.rank() == 0 && any_axes) continue;
    wide = wide || a.dtype() == DType::f64 || a.dtype() == DType::i32 || a.dtype() == DType::c128;
  }
  if (complex) return wide ? DType::c128 : DType::c64;
  return wide ? DType::f64 : DType::f32;
}

}  // namespace larmor::nd
