// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <larmor/core/nd/broadcast.hpp>
#include <larmor/core/parallel.hpp>

/// Element-wise work in blocks: every operand is brought as a run of one type (without a copy where its memory is such
/// a run already), so that the inner loops are plain, contiguous and the same for all types, strides and axes.
namespace larmor::nd {

/// Elements in a block: three operands of c128 stay in a 32 kB first-level cache.
inline constexpr std::int64_t block = 512;
/// Elements in one piece of parallel work.
inline constexpr std::int64_t piece = std::int64_t{1} << 16;

namespace detail {
/// Converts n elements, `stride` apart in the source (0 repeats one).
template <class T>
using Convert = void (*)(const void* from, std::int64_t stride, std::int64_t n, T* to);
/// Errors   Errc::type for complex as real
template <class T>
Convert<T> converter(DType from);
}  // namespace detail

/// Reads one operand of a collapsed Broadcast as T (float, double or complex).
template <class T>
class BlockReader {
 public:
  BlockReader(const Array& array, const Broadcast& loops, std::size_t operand);
  /// n <= block elements of the result's order from `begin`: in place, or converted into `buffer`.
  const T* read(std::int64_t begin, std::int64_t n, T* buffer) const;

 private:
  const std::byte* data_;
  std::size_t size_;
  bool same_type_;
  detail::Convert<T> convert_;
  const Shape &shape_, &strides_;
};

/// body(begin, n) over all elements of the loops in blocks; pieces run in parallel.
template <class Body>
void for_blocks(std::int64_t size, Body&& body, const Cancel* cancel) {
  parallel_for(
      static_cast<std::size_t>(size), static_cast<std::size_t>(piece),
      [&](std::size_t first, std::size_t last) {
        for (auto at = static_cast<std::int64_t>(first); at < static_cast<std::int64_t>(last); at += block)
          body(at, std::min(block, static_cast<std::int64_t>(last) - at));
      },
      cancel);
}

std::int64_t count(const Shape& shape);

/// Writes n elements of T as `type` at `begin` of a contiguous array. Complex to real takes the real part, to boolean
/// "not 0"; integers are rounded and saturate.
template <class T>
void store(const T* from, std::int64_t n, Array& to, std::int64_t begin);

}  // namespace larmor::nd
