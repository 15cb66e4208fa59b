// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <larmor/core/error.hpp>
#include <larmor/io/nifti_header.hpp>

namespace larmor::io {
namespace {

static_assert(std::endian::native == std::endian::little, "headers and data are written in the host's order");

struct TypeInfo {
  NiftiType code;
  std::size_t bytes;
  const char* name;
};
constexpr TypeInfo types[] = {
    {NiftiType::u8, 1, "uint8"},         {NiftiType::i16, 2, "int16"},        {NiftiType::i32, 4, "int32"},
    {NiftiType::f32, 4, "float32"},      {NiftiType::c64, 8, "complex64"},    {NiftiType::f64, 8, "float64"},
    {NiftiType::i8, 1, "int8"},          {NiftiType::u16, 2, "uint16"},       {NiftiType::u32, 4, "uint32"},
    {NiftiType::i64, 8, "int64"},        {NiftiType::u64, 8, "uint64"},       {NiftiType::f128, 16, "float128"},
    {NiftiType::c128, 16, "complex128"}, {NiftiType::c256, 32, "complex256"},
};

// Walks the fields of a header in file order; reads into or writes from the same struct, so that the layout of each
// version is stated once.
class Reader {
 public:
  Reader(std::span<const std::byte> bytes, bool big) : bytes_(bytes), swap_(big) {}
  template <class Stored, class T>
  void field(T& value) {
    std::array<std::byte, sizeof(Stored)> raw;
    std::memcpy(raw.data(), bytes_.data() + at_, sizeof raw);
    at_ += sizeof raw;
    if (swap_) std::reverse(raw.begin(), raw.end());
    value = static_cast<T>(std::bit_cast<Stored>(raw));
  }
  void text(std::string& value, std::size_t length) {
    const char* from = reinterpret_cast<const char*>(bytes_.data() + at_);
    value.assign(from, strnlen(from, length));
    at_ += length;
  }
  void skip(std::size_t n) { at_ += n; }
  // NIfTI-1 keeps the offset as a float; anything that is not a whole number of bytes is not one.
  void offset_field(std::int64_t& value) {
    double stored = 0;
    field<float>(stored);
    value = stored >= 0 && stored < 9e15 ? static_cast<std::int64_t>(stored) : -1;
  }

 private:
  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
  bool swap_;
};

class Writer {
 public:
  template <class Stored, class T>
  void field(const T& value) {
    const auto raw = std::bit_cast<std::array<char, sizeof(Stored)>>(static_cast<Stored>(value));
    out.append(raw.data(), raw.size());
  }
  void text(const std::string& value, std::size_t length) {
    const std::size_t at = out.size();
    out.append(value, 0, length - 1);
    out.resize(at + length);
  }
  void skip(std::size_t n) { out.resize(out.size() + n); }
  void offset_field(const std::int64_t& value) { field<float>(value); }
  std::string out;
};

template <class IO, class Header>
void nifti1(IO& io, Header& h, std::string& magic) {
  int size = nifti1_bytes;
  io.template field<std::int32_t>(size);
  io.skip(10 + 18 + 4 + 2);  // data_type, db_name, extents, session_error
  char regular = 'r';        // ANALYZE readers look for it
  io.template field<char>(regular);
  io.skip(1);  // dim_info
  for (auto& d : h.dim) io.template field<std::int16_t>(d);
  io.skip(3 * 4);  // intent parameters
  io.template field<std::int16_t>(h.intent_code);
  io.template field<std::int16_t>(h.datatype);
  auto bits = static_cast<int>(8 * nifti_size(h.datatype));
  io.template field<std::int16_t>(bits);
  io.skip(2);  // slice_start
  for (auto& p : h.pixdim) io.template field<float>(p);
  io.offset_field(h.vox_offset);
  io.template field<float>(h.scl_slope);
  io.template field<float>(h.scl_inter);
  io.skip(2 + 1);  // slice_end, slice_code
  io.template field<std::uint8_t>(h.xyzt_units);
  io.skip(3 * 4);  // cal_max, cal_min, slice_duration
  io.template field<float>(h.toffset);
  io.skip(2 * 4);  // glmax, glmin
  io.text(h.descrip, 80);
  io.text(h.aux_file, 24);
  io.template field<std::int16_t>(h.qform_code);
  io.template field<std::int16_t>(h.sform_code);
  for (auto& q : h.quatern) io.template field<float>(q);
  for (auto& q : h.qoffset) io.template field<float>(q);
  for (auto& row : h.srow)
    for (auto& s : row) io.template field<float>(s);
  io.text(h.intent_name, 16);
  io.text(magic, 4);
}

template <class IO, class Header>
void nifti2(IO& io, Header& h, std::string& magic) {
  int size = nifti2_bytes;
  io.template field<std::int32_t>(size);
  io.text(magic, 4);
  std::uint32_t line_ends = 0x0A1A0A0D;  // "\r\n\032\n": broken by a transfer in text mode
  io.template field<std::uint32_t>(line_ends);
  io.template field<std::int16_t>(h.datatype);
  auto bits = static_cast<int>(8 * nifti_size(h.datatype));
  io.template field<std::int16_t>(bits);
  for (auto& d : h.dim) io.template field<std::int64_t>(d);
  io.skip(3 * 8);  // intent parameters
  for (auto& p : h.pixdim) io.template field<double>(p);
  io.template field<std::int64_t>(h.vox_offset);
  io.template field<double>(h.scl_slope);
  io.template field<double>(h.scl_inter);
  io.skip(3 * 8);  // cal_max, cal_min, slice_duration
  io.template field<double>(h.toffset);
  io.skip(2 * 8);  // slice_start, slice_end
  io.text(h.descrip, 80);
  io.text(h.aux_file, 24);
  io.template field<std::int32_t>(h.qform_code);
  io.template field<std::int32_t>(h.sform_code);
  for (auto& q : h.quatern) io.template field<double>(q);
  for (auto& q : h.qoffset) io.template field<double>(q);
  for (auto& row : h.srow)
    for (auto& s : row) io.template field<double>(s);
  io.skip(4);  // slice_code
  io.template field<std::int32_t>(h.xyzt_units);
  io.template field<std::int32_t>(h.intent_code);
  io.text(h.intent_name, 16);
  io.skip(1 + 15);  // dim_info, unused
}

}  // namespace

std::size_t nifti_size(int datatype) {
  for (const auto& type : types)
    if (static_cast<int>(type.code) == datatype) return type.bytes;
  return 0;
}

std::string nifti_type_name(int datatype) {
  for (const auto& type : types)
    if (static_cast<int>(type.code) == datatype) return type.name;
  if (datatype == static_cast<int>(NiftiType::rgb24)) return "RGB colour";
  if (datatype == static_cast<int>(NiftiType::rgba32)) return "RGBA colour";
  return fmt::format("code {}", datatype);
}

std::size_t nifti_header_bytes(std::span<const std::byte> first, bool& big_endian) {
  if (first.size() < 4) return 0;
  for (const bool big : {false, true}) {
    std::uint32_t size = 0;
    Reader(first, big).field<std::uint32_t>(size);
    if (size == nifti1_bytes || size == nifti2_bytes) {
      big_endian = big;
      return size;
    }
  }
  return 0;
}

NiftiHeader parse_nifti_header(std::span<const std::byte> bytes, bool big_endian) {
  NiftiHeader h;
  std::string magic;
  Reader reader(bytes, big_endian);
  h.big_endian = big_endian;
  h.version = bytes.size() == nifti2_bytes ? 2 : 1;
  if (h.version == 1)
    nifti1(reader, h, magic);
  else
    nifti2(reader, h, magic);
  const std::string one = h.version == 1 ? "n+1" : "n+2", two = h.version == 1 ? "ni1" : "ni2";
  h.pair = magic == two;
  if (magic != one && magic != two)
    throw Error(Errc::format,
                fmt::format("the header has the size of NIfTI-{} but not its mark '{}'{}", h.version, one,
                            h.version == 1 && magic.empty() ? " (ANALYZE 7.5, which has no orientation?)" : ""),
                "convert the file to NIfTI first");
  if (h.dim[0] < 1 || h.dim[0] > 7)
    throw Error(Errc::format, fmt::format("the header announces {} dimensions, 1 to 7 are possible", h.dim[0]));
  for (std::size_t i = 1; i <= static_cast<std::size_t>(h.dim[0]); ++i)
    if (h.dim[i] < 1)
      throw Error(Errc::format, fmt::format("the header announces {} voxels along axis {}", h.dim[i], i));
  const auto least = static_cast<std::int64_t>(bytes.size());
  if (!h.pair && h.vox_offset == 0) h.vox_offset = least + 4;  // left empty by some writers
  if (h.vox_offset < (h.pair ? 0 : least))
    throw Error(Errc::format, fmt::format("the header says that data begin at byte {}, inside its own {} bytes",
                                          h.vox_offset, least));
  return h;
}

std::string serialise(const NiftiHeader& header) {
  Writer writer;
  std::string magic = header.version == 1 ? "n+1" : "n+2";
  if (header.version == 1)
    nifti1(writer, header, magic);
  else
    nifti2(writer, header, magic);
  return std::move(writer.out);
}

}  // namespace larmor::io
