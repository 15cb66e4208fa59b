// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>
#include <larmor/core/array.hpp>
#include <string>
#include <vector>

namespace larmor::io {

/// What a file of bare numbers holds, which the file does not say.
struct RawLayout {
  std::string type = "f32";  // one of raw_types()
  Shape shape = {};          // first axis fastest; one extent may be -1: what the file's size gives
  std::uint64_t offset = 0;  // bytes before the first number
  bool big_endian = false;
};

/// u8 i8 u16 i16 u32 i32 f32 f64 c64 c128 and f16.
std::vector<std::string> raw_types();

/// Types that Array does not have go to the nearest that holds every value (i8 -> i16, u16 -> i32, u32 -> f64, f16 ->
/// f32). A gzip file is unpacked.
/// Errors   Errc::file, Errc::unknown_name (type), Errc::shape (extents), Errc::format (the file is shorter, with both
/// byte counts)
Array read_raw(const std::filesystem::path& path, const RawLayout& layout);

}  // namespace larmor::io
