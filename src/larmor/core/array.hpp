// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <complex>
#include <cstdint>
#include <larmor/core/device.hpp>
#include <larmor/core/error.hpp>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace larmor {

enum class DType : std::uint8_t { boolean, u8, i16, i32, f32, f64, c64, c128 };

std::size_t size_of(DType type);
std::string_view to_string(DType type);

template <class T>
struct DTypeOf;
template <>
struct DTypeOf<bool> {
  static constexpr DType value = DType::boolean;
};
template <>
struct DTypeOf<std::uint8_t> {
  static constexpr DType value = DType::u8;
};
template <>
struct DTypeOf<std::int16_t> {
  static constexpr DType value = DType::i16;
};
template <>
struct DTypeOf<std::int32_t> {
  static constexpr DType value = DType::i32;
};
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::f32;
};
template <>
struct DTypeOf<double> {
  static constexpr DType value = DType::f64;
};
template <>
struct DTypeOf<std::complex<float>> {
  static constexpr DType value = DType::c64;
};
template <>
struct DTypeOf<std::complex<double>> {
  static constexpr DType value = DType::c128;
};
template <class T>
inline constexpr DType dtype_of = DTypeOf<std::remove_cv_t<T>>::value;

using Shape = std::vector<std::int64_t>;
using Axes = std::vector<std::string>;

/// n-dimensional array: run-time type, shared buffer, strides, named axes, on a device.
///
/// The first axis runs fastest (NIfTI, ISMRMRD, BART and MATLAB order). Copies share the buffer: an Array that has been
/// handed on is treated as constant; `clone()` before writing to one you did not make. Strides are in elements.
class Array {
 public:
  Array() = default;
  /// Zero-filled. `axes` empty: named x y z t, then a4 a5 ... Errors   Errc::shape for a negative extent or a
  /// number of names that is not the rank
  Array(DType type, Shape shape, Axes axes = {}, Device device = {});

  /// The same without the zeros, for results that are written in full.
  static Array uninitialised(DType type, Shape shape, Axes axes = {}, Device device = {});

  /// Takes memory on the CPU over that somebody else made (a mapped file, memory shared with another process): packed,
  /// first axis fastest, freed with the last array that uses it. Errors   Errc::shape as above
  static Array adopt(std::shared_ptr<std::byte> memory, DType type, Shape shape, Axes axes = {});

  template <class T>
  static Array of(Shape shape, Axes axes = {}) {
    return Array(dtype_of<T>, std::move(shape), std::move(axes));
  }
  /// Copies `values` (first axis fastest). Errors   Errc::shape when the counts differ
  template <class T>
  static Array from(std::span<const T> values, Shape shape, Axes axes = {}) {
    Array a(dtype_of<T>, std::move(shape), std::move(axes));
    a.require_count(static_cast<std::int64_t>(values.size()));
    std::copy(values.begin(), values.end(), a.data<T>());
    return a;
  }

  bool empty() const { return size() == 0; }
  DType dtype() const { return type_; }
  const Shape& shape() const { return shape_; }
  const Shape& strides() const { return strides_; }
  const Axes& axes() const { return axes_; }
  Device device() const { return device_; }
  int rank() const { return static_cast<int>(shape_.size()); }
  std::int64_t size() const;  // number of elements; 0 for a default-made Array
  std::size_t bytes() const { return static_cast<std::size_t>(size()) * size_of(type_); }
  /// Extent of axis `i`, 1 beyond the rank.
  std::int64_t extent(int i) const { return i < rank() ? shape_[static_cast<std::size_t>(i)] : 1; }
  /// Index of the axis called `name`. Errors   Errc::unknown_name
  int axis(std::string_view name) const;
  bool contiguous() const;

  /// Pointer to the first element. Errors   Errc::type when T is not the type; Errc::device off the CPU
  template <class T>
  T* data() {
    return static_cast<T*>(checked(dtype_of<T>));
  }
  template <class T>
  const T* data() const {
    return static_cast<const T*>(const_cast<Array*>(this)->checked(dtype_of<T>));
  }
  /// Contiguous CPU data as a span. Errors   also Errc::shape when not contiguous
  template <class T>
  std::span<T> span() {
    require_contiguous();
    return {data<T>(), static_cast<std::size_t>(size())};
  }
  template <class T>
  std::span<const T> span() const {
    require_contiguous();
    return {data<T>(), static_cast<std::size_t>(size())};
  }
  void* raw() { return buffer_ ? buffer_.get() + offset_ : nullptr; }
  const void* raw() const { return buffer_ ? buffer_.get() + offset_ : nullptr; }

  /// View of one index of an axis (the axis disappears). Errors   Errc::range
  Array slice(int axis, std::int64_t index) const;
  /// View of [begin, end) of an axis.
  Array range(int axis, std::int64_t begin, std::int64_t end) const;
  /// View with axes in another order; `order[i]` is the old axis at the new place i.
  Array permuted(std::span<const int> order) const;
  /// Same elements under another shape; copies only when not contiguous.
  Array reshaped(Shape shape, Axes axes = {}) const;
  Array with_axes(Axes axes) const;

  Array clone() const;            // contiguous copy on the same device
  Array contiguous_copy() const;  // itself when already contiguous
  /// Converted copy (itself when already of that type). Real to complex sets imag = 0; complex to real is an error.
  /// Integers are rounded to nearest and saturated; NaN becomes 0 in an integer type.
  Array cast(DType type) const;
  Array to(Device device) const;  // itself when already there

  std::string describe() const;  // "f32 (64 x, 64 y, 20 z, 60 t) on cpu"

 private:
  void* checked(DType type);
  void require_contiguous() const;
  void require_count(std::int64_t n) const;

  DType type_ = DType::f32;
  Shape shape_, strides_;
  Axes axes_;
  Device device_;
  std::shared_ptr<std::byte> buffer_;
  std::size_t offset_ = 0;  // bytes
};

/// "64 x 64 x 20".
std::string to_string(const Shape& shape);

}  // namespace larmor
