// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <map>
#include <optional>

namespace larmor::server {

enum class Part { native, real, imag, abs, phase };
/// Errors   Errc::unknown_name
Part part_of(std::string_view name);

/// A piece of an array, as a client wants to see it.
struct SliceQuery {
  Axes axes = {};                               // of the answer, in this order; empty: all not in `at`
  std::map<std::string, std::int64_t> at = {};  // index on the other axes; 0 when not given
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> range = {};  // [begin, end) on axes of the answer
  std::int64_t max = 0;  // no extent larger: every n-th element; 0: all
  Part part = Part::native;
  std::string dtype = "native";                          // or "f32", "u8"
  std::optional<std::pair<double, double>> window = {};  // u8: these become 0 and 255
};

struct Slice {
  Shape shape, step;
  Axes axes;
  DType dtype = DType::f32;
  std::string bytes;  // first axis fastest
};

/// "x,y" / "z:3,t:0" / "x:0:10,y:5:20". Errors   Errc::format
Axes parse_axes(std::string_view text);
std::map<std::string, std::int64_t> parse_indices(std::string_view text);
std::map<std::string, std::pair<std::int64_t, std::int64_t>> parse_ranges(std::string_view text);

/// A view of the asked axes in the asked order, others at their index; shares the array's memory.
/// Errors   Errc::unknown_name for an axis, Errc::range for an index
Array view_of(const Array& array, const SliceQuery& query);

/// Reads only the elements that are asked for, straight from the array's memory, and converts them on the way.
/// Errors   those of view_of; HttpError 413 with both sizes when the answer would hold more than `most_bytes`;
/// Errc::type for a conversion that means nothing
Slice read_slice(const Array& array, const SliceQuery& query, std::size_t most_bytes);

/// Converts `n` elements from `offset` on, `stride` apart, to double; complex ones to the part (native: magnitude).
void read_row(const Array& array, std::int64_t offset, std::int64_t n, std::int64_t stride, Part part, double* to);

}  // namespace larmor::server
