// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/array.hpp>
#include <larmor/core/nd/visit.hpp>
#include <larmor/core/parallel.hpp>
#include <limits>
#include <numeric>

namespace larmor {

std::size_t size_of(DType type) {
  switch (type) {
    case DType::boolean:
    case DType::u8:
      return 1;
    case DType::i16:
      return 2;
    case DType::i32:
    case DType::f32:
      return 4;
    case DType::f64:
    case DType::c64:
      return 8;
    case DType::c128:
      return 16;
  }
  return 0;
}

std::string_view to_string(DType type) {
  constexpr std::string_view names[] = {"bool", "u8", "i16", "i32", "f32", "f64", "c64", "c128"};
  return names[static_cast<int>(type)];
}

std::string to_string(const Shape& shape) { return fmt::format("{}", fmt::join(shape, " x ")); }

namespace {

Axes default_axes(std::size_t rank) {
  static const char* const names[] = {"x", "y", "z", "t"};
  Axes axes;
  for (std::size_t i = 0; i < rank; ++i) axes.push_back(i < 4 ? names[i] : "a" + std::to_string(i));
  return axes;
}

Shape packed_strides(const Shape& shape) {
  Shape strides(shape.size());
  std::int64_t step = 1;
  for (std::size_t i = 0; i < shape.size(); ++i) strides[i] = step, step *= std::max<std::int64_t>(shape[i], 1);
  return strides;
}

std::int64_t count_of(const Shape& shape) {
  // Strides are products of extents too, so the limit holds for what they are without the empty axes.
  std::int64_t n = 1, stride = 1;
  for (const auto extent : shape) {
    if (extent < 0)
      throw Error(Errc::shape, fmt::format("an axis of {} elements in a shape of {}", extent, to_string(shape)));
    if (extent > 0 && stride > std::numeric_limits<std::int64_t>::max() / 16 / extent)
      throw Error(Errc::shape, fmt::format("a shape of {} is more than memory can address", to_string(shape)));
    n *= extent;
    stride *= std::max<std::int64_t>(extent, 1);
  }
  return n;
}

// Calls f(offset of element in source) in first-axis-fastest order.
template <class F>
void for_each_offset(const Shape& shape, const Shape& strides, F&& f) {
  const auto rank = shape.size();
  if (count_of(shape) == 0) return;
  Shape index(rank, 0);
  std::int64_t offset = 0;
  const std::int64_t inner = rank ? shape[0] : 1, step = rank ? strides[0] : 0;
  for (;;) {
    for (std::int64_t i = 0; i < inner; ++i) f(offset + i * step);
    std::size_t axis = 1;
    for (; axis < rank; ++axis) {
      offset += strides[axis];
      if (++index[axis] < shape[axis]) break;
      offset -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
    if (axis >= rank) return;
  }
}

using nd::visit;

template <class T>
inline constexpr bool is_complex = false;
template <class T>
inline constexpr bool is_complex<std::complex<T>> = true;

template <class To, class From>
To convert(From v) {
  if constexpr (is_complex<From> && is_complex<To>) {
    return To(static_cast<typename To::value_type>(v.real()), static_cast<typename To::value_type>(v.imag()));
  } else if constexpr (is_complex<To>) {
    return To(static_cast<typename To::value_type>(v), 0);
  } else if constexpr (is_complex<From>) {
    return To{};  // refused before we get here
  } else if constexpr (std::is_same_v<To, bool>) {
    return v != From{};
  } else if constexpr (std::is_integral_v<To>) {
    const double x = std::nearbyint(static_cast<double>(v));
    if (!(x == x)) return To{0};
    constexpr double low = static_cast<double>(std::numeric_limits<To>::min());
    constexpr double high = static_cast<double>(std::numeric_limits<To>::max());
    return static_cast<To>(std::clamp(x, low, high));
  } else {
    return static_cast<To>(v);
  }
}

}  // namespace

Array::Array(DType type, Shape shape, Axes axes, Device device) {
  *this = uninitialised(type, std::move(shape), std::move(axes), device);
  zero_bytes(raw(), device_, bytes());
}

Array Array::uninitialised(DType type, Shape shape, Axes axes, Device device) {
  Array a = adopt({}, type, std::move(shape), std::move(axes));
  a.device_ = device;
  a.buffer_ = allocate(static_cast<std::size_t>(count_of(a.shape_)) * size_of(a.type_), a.device_);
  return a;
}

Array Array::adopt(std::shared_ptr<std::byte> memory, DType type, Shape shape, Axes axes) {
  Array a;
  a.type_ = type, a.shape_ = std::move(shape), a.axes_ = std::move(axes);
  count_of(a.shape_);  // refuses what cannot be
  if (a.axes_.empty()) a.axes_ = default_axes(a.shape_.size());
  if (a.axes_.size() != a.shape_.size())
    throw Error(Errc::shape, fmt::format("{} axis names for an array of {} axes", a.axes_.size(), a.shape_.size()));
  a.strides_ = packed_strides(a.shape_);
  a.buffer_ = std::move(memory);
  return a;
}

std::int64_t Array::size() const { return buffer_ ? count_of(shape_) : 0; }

int Array::axis(std::string_view name) const {
  for (int i = 0; i < rank(); ++i)
    if (axes_[static_cast<std::size_t>(i)] == name) return i;
  throw unknown_name("axis", name, axes_);
}

bool Array::contiguous() const {
  if (size() == 0) return true;
  std::int64_t step = 1;
  for (std::size_t i = 0; i < shape_.size(); ++i) {
    if (shape_[i] != 1 && strides_[i] != step) return false;  // an axis of one element is never stepped along
    step *= shape_[i];
  }
  return true;
}

void* Array::checked(DType type) {
  if (type != type_)
    throw Error(Errc::type, fmt::format("an array of {} was read as {}", to_string(type_), to_string(type)),
                "convert it with cast()");
  if (!device_.is_cpu())
    throw Error(Errc::device, "an array on " + device_.str() + " was read on the CPU",
                "move it with to(Device::cpu())");
  return raw();
}

void Array::require_contiguous() const {
  if (!contiguous()) throw Error(Errc::shape, "a strided view was read as contiguous memory", "use contiguous_copy()");
}

void Array::require_count(std::int64_t n) const {
  if (n != size())
    throw Error(Errc::shape, fmt::format("{} values for a shape of {} ({} elements)", n, to_string(shape_), size()));
}

Array Array::slice(int axis, std::int64_t index) const {
  if (axis >= 0 && axis < rank() && (index < 0 || index >= extent(axis)))
    throw Error(Errc::range, fmt::format("index {} of axis '{}', which has {}", index,
                                         axes_[static_cast<std::size_t>(axis)], extent(axis)));
  Array out = range(axis, index, index + 1);
  out.shape_.erase(out.shape_.begin() + axis);
  out.strides_.erase(out.strides_.begin() + axis);
  out.axes_.erase(out.axes_.begin() + axis);
  return out;
}

Array Array::range(int axis, std::int64_t begin, std::int64_t end) const {
  if (axis < 0 || axis >= rank()) throw Error(Errc::range, fmt::format("axis {} of an array of {} axes", axis, rank()));
  const auto a = static_cast<std::size_t>(axis);
  if (begin < 0 || end > shape_[a] || begin > end)
    throw Error(Errc::range, fmt::format("[{}, {}) of axis '{}', which has {}", begin, end, axes_[a], shape_[a]));
  Array out = *this;
  out.offset_ += static_cast<std::size_t>(begin * strides_[a]) * size_of(type_);
  out.shape_[a] = end - begin;
  return out;
}

Array Array::permuted(std::span<const int> order) const {
  std::vector<bool> seen(shape_.size());
  bool good = order.size() == shape_.size();
  for (const int i : order) {
    good = good && i >= 0 && i < rank() && !seen[static_cast<std::size_t>(i)];
    if (good) seen[static_cast<std::size_t>(i)] = true;
  }
  if (!good)
    throw Error(Errc::shape, fmt::format("axis order {} for an array of {} axes", fmt::join(order, ","), rank()));
  Array out = *this;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto from = static_cast<std::size_t>(order[i]);
    out.shape_[i] = shape_[from], out.strides_[i] = strides_[from], out.axes_[i] = axes_[from];
  }
  return out;
}

Array Array::reshaped(Shape shape, Axes axes) const {
  if (count_of(shape) != size())
    throw Error(Errc::shape,
                fmt::format("cannot reshape {} ({} elements) to {}", to_string(shape_), size(), to_string(shape)));
  Array out = contiguous_copy();
  out.axes_ = axes.empty() ? default_axes(shape.size()) : std::move(axes);
  if (out.axes_.size() != shape.size())
    throw Error(Errc::shape, fmt::format("{} axis names for {} axes", out.axes_.size(), shape.size()));
  out.strides_ = packed_strides(shape);
  out.shape_ = std::move(shape);
  return out;
}

Array Array::with_axes(Axes axes) const {
  if (axes.size() != shape_.size())
    throw Error(Errc::shape, fmt::format("{} axis names for {} axes", axes.size(), shape_.size()));
  Array out = *this;
  out.axes_ = std::move(axes);
  return out;
}

Array Array::clone() const {
  if (!buffer_) return *this;  // a default-made array has nothing to copy
  if (contiguous()) {
    Array out = uninitialised(type_, shape_, axes_, device_);
    copy_bytes(out.raw(), device_, raw(), device_, bytes());
    return out;
  }
  if (!device_.is_cpu()) return to(Device::cpu()).clone().to(device_);
  Array out = uninitialised(type_, shape_, axes_);
  visit(type_, [&](auto zero) {
    using T = decltype(zero);
    const T* from = static_cast<const T*>(raw());
    T* to = static_cast<T*>(out.raw());
    for_each_offset(shape_, strides_, [&](std::int64_t at) { *to++ = from[at]; });
  });
  return out;
}

Array Array::contiguous_copy() const { return contiguous() ? *this : clone(); }

Array Array::cast(DType type) const {
  if (type == type_) return *this;
  if (!device_.is_cpu()) return to(Device::cpu()).cast(type).to(device_);
  const bool from_complex = type_ == DType::c64 || type_ == DType::c128;
  const bool to_complex = type == DType::c64 || type == DType::c128;
  if (from_complex && !to_complex)
    throw Error(Errc::type, fmt::format("complex {} has no value as {}", to_string(type_), to_string(type)),
                "take the magnitude, phase, real or imaginary part first");
  if (!buffer_) {
    Array out;
    out.type_ = type;
    return out;
  }
  Array out = uninitialised(type, shape_, axes_);
  visit(type_, [&](auto a) {
    visit(type, [&](auto b) {
      using From = decltype(a);
      using To = decltype(b);
      const From* from = static_cast<const From*>(raw());
      To* to = static_cast<To*>(out.raw());
      if (!contiguous()) {
        for_each_offset(shape_, strides_, [&](std::int64_t at) { *to++ = convert<To>(from[at]); });
        return;
      }
      parallel_for(static_cast<std::size_t>(size()), std::size_t{1} << 18, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) to[i] = convert<To>(from[i]);
      });
    });
  });
  return out;
}

Array Array::to(Device device) const {
  if (device == device_) return *this;
  if (!buffer_) {
    Array out = *this;
    out.device_ = device;
    return out;
  }
  const Array packed = device_.is_cpu() ? contiguous_copy() : *this;
  Array out;
  out.type_ = type_, out.shape_ = shape_, out.axes_ = axes_, out.device_ = device;
  if (packed.contiguous()) {
    out.strides_ = packed_strides(shape_);
    out.buffer_ = allocate(bytes(), device);
    copy_bytes(out.raw(), device, packed.raw(), packed.device_, bytes());
    return out;
  }
  // A strided view on a device: bring its whole extent over, then pack on the host.
  std::int64_t last = 0;
  for (std::size_t i = 0; i < shape_.size(); ++i) last += (shape_[i] - 1) * strides_[i];
  out.strides_ = strides_;
  const auto span_bytes = static_cast<std::size_t>(last + 1) * size_of(type_);
  out.device_ = Device::cpu();
  out.buffer_ = allocate(span_bytes, Device::cpu());
  copy_bytes(out.raw(), Device::cpu(), raw(), device_, span_bytes);
  out = out.clone();
  return device.is_cpu() ? out : out.to(device);
}

std::string Array::describe() const {
  std::string extents;
  for (std::size_t i = 0; i < shape_.size(); ++i) extents += fmt::format("{}{} {}", i ? ", " : "", shape_[i], axes_[i]);
  return fmt::format("{} ({}) on {}", to_string(type_), extents, device_.str());
}

}  // namespace larmor
