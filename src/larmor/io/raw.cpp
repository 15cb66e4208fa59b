// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <complex>
#include <larmor/core/error.hpp>
#include <larmor/io/convert.hpp>
#include <larmor/io/file.hpp>
#include <larmor/io/raw.hpp>

namespace larmor::io {
namespace {

struct Type {
  const char* name;
  std::size_t bytes;
  DType to;
  void (*read)(const std::byte* from, void* to, std::size_t count, bool swap);
};

template <class Raw, class To>
void read_as(const std::byte* from, void* to, std::size_t count, bool swap) {
  if (swap)
    convert<Raw, true>(from, static_cast<To*>(to), count);
  else
    convert<Raw, false>(from, static_cast<To*>(to), count);
}
template <class Part>
void read_complex(const std::byte* from, void* to, std::size_t count, bool swap) {
  read_as<Part, Part>(from, to, 2 * count, swap);
}

constexpr Type types[] = {{"u8", 1, DType::u8, read_as<std::uint8_t, std::uint8_t>},
                          {"i8", 1, DType::i16, read_as<std::int8_t, std::int16_t>},
                          {"u16", 2, DType::i32, read_as<std::uint16_t, std::int32_t>},
                          {"i16", 2, DType::i16, read_as<std::int16_t, std::int16_t>},
                          {"u32", 4, DType::f64, read_as<std::uint32_t, double>},
                          {"i32", 4, DType::i32, read_as<std::int32_t, std::int32_t>},
                          {"f16", 2, DType::f32, read_as<Half, float>},
                          {"f32", 4, DType::f32, read_as<float, float>},
                          {"f64", 8, DType::f64, read_as<double, double>},
                          {"c64", 8, DType::c64, read_complex<float>},
                          {"c128", 16, DType::c128, read_complex<double>}};

const Type& type_of(const std::string& name) {
  for (const auto& t : types)
    if (name == t.name) return t;
  throw unknown_name("number type", name, raw_types());
}

// The extents, the open one worked out; their product is what will be read.
Shape extents_of(const RawLayout& layout, std::uint64_t numbers, const std::string& name) {
  if (layout.shape.empty()) return {static_cast<std::int64_t>(numbers)};
  std::uint64_t known = 1;
  int open = 0;
  for (const auto e : layout.shape) {
    if (e == -1) {
      ++open;
      continue;
    }
    if (e < 1)
      throw Error(Errc::shape, fmt::format("an extent of {}", e), "give counts of 1 or more, or one -1").at(name);
    if (known > numbers / static_cast<std::uint64_t>(e))
      throw Error(
          Errc::format,
          fmt::format("{} {} numbers are needed and the file holds {}", to_string(layout.shape), layout.type, numbers),
          "correct shape, type or offset")
          .at(name);
    known *= static_cast<std::uint64_t>(e);
  }
  Shape shape = layout.shape;
  if (open > 1) throw Error(Errc::shape, fmt::format("{} extents are -1", open), "leave one open at most").at(name);
  if (open == 1) {
    if (numbers == 0 || numbers % known != 0)
      throw Error(Errc::shape, fmt::format("{} numbers do not divide into rows of {}", numbers, known),
                  "correct shape, type or offset")
          .at(name);
    *std::find(shape.begin(), shape.end(), -1) = static_cast<std::int64_t>(numbers / known);
  }
  return shape;
}

}  // namespace

std::vector<std::string> raw_types() {
  std::vector<std::string> out;
  for (const auto& t : types) out.emplace_back(t.name);
  return out;
}

Array read_raw(const std::filesystem::path& path, const RawLayout& layout) {
  const Type& type = type_of(layout.type);
  const auto bytes = read_bytes(path);
  if (layout.offset > bytes.size())
    throw Error(Errc::format,
                fmt::format("the data begin at byte {} and the file holds {}", layout.offset, bytes.size()),
                "correct the offset")
        .at(path.string());
  const std::uint64_t numbers = (bytes.size() - layout.offset) / type.bytes;
  const Shape shape = extents_of(layout, numbers, path.string());
  Array out = Array::uninitialised(type.to, shape);
  constexpr bool big_host = std::endian::native == std::endian::big;
  type.read(bytes.data() + layout.offset, out.raw(), static_cast<std::size_t>(out.size()),
            layout.big_endian != big_host);
  return out;
}

}  // namespace larmor::io
