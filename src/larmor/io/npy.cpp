// SPDX-License-Identifier: Apache-2.0
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <larmor/io/atomic_file.hpp>
#include <larmor/io/convert.hpp>
#include <larmor/io/npy.hpp>
#include <larmor/io/stream.hpp>
#include <new>
#include <numeric>

namespace larmor::io {
namespace {

[[noreturn]] void fail(const std::string& what) { throw Error(Errc::format, what, "write it again with numpy.save"); }

void read_exactly(ByteStream& in, void* to, std::size_t n, const char* what) {
  const auto before = in.position();
  if (const auto got = in.read(to, n); got < n)
    fail(fmt::format("truncated: the {} needs {} bytes, the file ends after {}", what, before + n, before + got));
}

struct Header {
  std::string descr;
  bool fortran = false;
  Shape shape;
};

// The header is a Python dictionary of three known keys; nothing else is understood, and nothing is evaluated.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Header parse() {
    Header out;
    int seen = 0;
    expect('{');
    while (!accept('}')) {
      const std::string key = string();
      expect(':');
      if (key == "descr") {
        if (peek() == '[') fail("the array has a structured type (several named fields)");
        out.descr = string();
        seen |= 1;
      } else if (key == "fortran_order") {
        out.fortran = boolean();
        seen |= 2;
      } else if (key == "shape") {
        out.shape = tuple();
        seen |= 4;
      } else {
        fail(fmt::format("the header has an unknown key '{}'", key));
      }
      if (!accept(',') && peek() != '}') fail("the header is not a dictionary");
    }
    if (seen != 7) fail("the header lacks one of 'descr', 'fortran_order' and 'shape'");
    return out;
  }

 private:
  char peek() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool accept(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail(fmt::format("the header has no '{}' at character {}", c, at_));
  }
  std::string string() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') fail(fmt::format("the header has no text at character {}", at_));
    const auto end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) fail("the header has a quote that is never closed");
    const std::string out(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return out;
  }
  bool boolean() {
    peek();
    for (const std::string_view word : {"True", "False"})
      if (text_.substr(at_).starts_with(word)) {
        at_ += word.size();
        return word == "True";
      }
    fail("'fortran_order' is neither True nor False");
  }
  Shape tuple() {
    Shape out;
    expect('(');
    while (!accept(')')) {
      peek();
      std::int64_t n = 0;
      const auto [end, code] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), n);
      if (code != std::errc{} || n < 0) fail(fmt::format("the header's shape is wrong at character {}", at_));
      at_ = static_cast<std::size_t>(end - text_.data());
      accept('L');  // Python 2
      out.push_back(n);
      if (!accept(',') && peek() != ')') fail("the header's shape is not a tuple");
      if (out.size() > 64) fail("the header's shape has more than 64 axes");
    }
    return out;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

template <class Raw, class To>
void read_parts(ByteStream& in, bool swap, To* to, std::uint64_t bytes, std::uint64_t from) {
  std::uint64_t got = 0;
  if (std::is_same_v<Raw, To> && !swap && !std::is_same_v<To, bool>) {
    got = in.read(to, bytes);
  } else {
    std::vector<std::byte> buffer(std::min<std::uint64_t>(bytes, 1 << 18));
    while (got < bytes) {
      const auto want = std::min<std::uint64_t>(buffer.size(), bytes - got);
      const auto n = in.read(buffer.data(), want);
      swap ? convert<Raw, true>(buffer.data(), to, n / sizeof(Raw))
           : convert<Raw, false>(buffer.data(), to, n / sizeof(Raw));
      to += n / sizeof(Raw), got += n;
      if (n < want) break;
    }
  }
  if (got < bytes)
    fail(fmt::format("truncated: {} bytes from byte {} on are needed, the file has {}", bytes, from, got));
}

/// Reads an array whose numbers are `parts` Raw each, kept as To; a view with the file's axes.
template <class Raw, class To, DType type>
Array read_as(ByteStream& in, const Header& h, bool swap) {
  const std::uint64_t parts = type == DType::c64 || type == DType::c128 ? 2 : 1;
  std::uint64_t bytes = parts * sizeof(Raw);
  bool overflow = false;
  for (const auto n : h.shape) overflow |= __builtin_mul_overflow(bytes, static_cast<std::uint64_t>(n), &bytes);
  const auto end = in.position() + bytes;
  const auto most = overflow || bytes > std::uint64_t{1} << 60 ? 0 : in.at_most(end);
  if (end > most || overflow)
    fail(fmt::format("truncated: {} numbers of {} bytes from byte {} on do not fit in a file of {} bytes",
                     to_string(h.shape), parts * sizeof(Raw), in.position(), in.file_size()));
  // C order is the same memory under the reversed shape.
  Shape stored = h.shape;
  if (!h.fortran) std::reverse(stored.begin(), stored.end());
  Array array = Array::uninitialised(type, stored);  // filled, or an error is thrown
  const auto from = in.position();
  read_parts<Raw>(in, swap, static_cast<To*>(array.raw()), bytes, from);
  if (h.fortran || stored.size() < 2) return array;
  std::vector<int> order(stored.size());
  std::iota(order.rbegin(), order.rend(), 0);
  const Axes names = array.axes();
  return array.permuted(order).with_axes(names);
}

Array read_array(ByteStream& in, const Header& h) {
  const char order = h.descr.empty() ? ' ' : h.descr[0];
  const std::string type = h.descr.empty() ? "" : h.descr.substr(1);
  const bool swap = order == '>';
  if (std::string_view("<>|=").find(order) == std::string_view::npos) fail(fmt::format("unknown type '{}'", h.descr));
  if (type == "b1") return read_as<std::uint8_t, bool, DType::boolean>(in, h, swap);
  if (type == "u1") return read_as<std::uint8_t, std::uint8_t, DType::u8>(in, h, swap);
  if (type == "i1") return read_as<std::int8_t, std::int16_t, DType::i16>(in, h, swap);
  if (type == "i2") return read_as<std::int16_t, std::int16_t, DType::i16>(in, h, swap);
  if (type == "u2") return read_as<std::uint16_t, std::int32_t, DType::i32>(in, h, swap);
  if (type == "i4") return read_as<std::int32_t, std::int32_t, DType::i32>(in, h, swap);
  if (type == "u4") return read_as<std::uint32_t, double, DType::f64>(in, h, swap);
  if (type == "i8") return read_as<std::int64_t, double, DType::f64>(in, h, swap);
  if (type == "u8") return read_as<std::uint64_t, double, DType::f64>(in, h, swap);
  if (type == "f2") return read_as<Half, float, DType::f32>(in, h, swap);
  if (type == "f4") return read_as<float, float, DType::f32>(in, h, swap);
  if (type == "f8") return read_as<double, double, DType::f64>(in, h, swap);
  if (type == "c8") return read_as<float, float, DType::c64>(in, h, swap);
  if (type == "c16") return read_as<double, double, DType::c128>(in, h, swap);
  fail(fmt::format(
      "the array is of type '{}', which is not read; bool, integers, floats to 8 and complex to 16 bytes are",
      h.descr));
}

Array read(const std::filesystem::path& path) {
  ByteStream in(path);
  unsigned char head[12] = {};
  const auto got = in.read(head, 8);
  if (got < 6 || std::memcmp(head, "\x93NUMPY", 6) != 0)
    throw Error(Errc::format, fmt::format("this is not a .npy file{}", got == 0 ? ": it is empty" : ""),
                "give a file made by numpy.save");
  const int version = head[6];
  if (got < 8 || version < 1 || version > 3) fail(fmt::format("version {} of the format is unknown", version));
  const std::size_t width = version == 1 ? 2 : 4;
  read_exactly(in, head + 8, width, "header");
  std::size_t size = 0;
  for (std::size_t i = width; i-- > 0;) size = size << 8 | head[8 + i];
  // NumPy itself refuses more than 10,000 characters unless told otherwise.
  if (size > 1 << 20) fail(fmt::format("the header claims {} characters", size));
  std::string text(size, '\0');
  read_exactly(in, text.data(), size, "header");
  return read_array(in, Parser(text).parse());
}

const char* descr_of(DType type) {
  switch (type) {
    case DType::boolean:
      return "|b1";
    case DType::u8:
      return "|u1";
    case DType::i16:
      return "<i2";
    case DType::i32:
      return "<i4";
    case DType::f32:
      return "<f4";
    case DType::f64:
      return "<f8";
    case DType::c64:
      return "<c8";
    case DType::c128:
      return "<c16";
  }
  throw Error(Errc::type, "numpy has no type for this array");
}

}  // namespace

Array read_npy(const std::filesystem::path& path) { return read_npy_view(path).contiguous_copy(); }

Array read_npy_view(const std::filesystem::path& path) {
  try {
    return read(path);
  } catch (const std::bad_alloc&) {
    throw Error(Errc::file, "there is not enough memory for this array").at(path.string());
  } catch (Error& e) {
    if (e.message().find(path.string()) == std::string::npos) e.at(path.string());
    throw;
  }
}

void write_npy(const std::filesystem::path& path, const Array& array) {
  const Array data = array.to(Device::cpu()).contiguous_copy();
  std::string shape;
  for (const auto n : data.shape()) shape += fmt::format("{}, ", n);
  if (data.rank() > 1) shape.resize(shape.size() - 2);  // a tuple of one keeps its comma
  std::string dict =
      fmt::format("{{'descr': '{}', 'fortran_order': True, 'shape': ({}), }}", descr_of(data.dtype()), shape);
  // Data begin at a multiple of 64, for readers that map the file.
  dict.append(63 - (10 + dict.size()) % 64, ' ');
  dict += '\n';
  std::string head("\x93NUMPY\1\0", 8);
  head += static_cast<char>(dict.size() & 255);
  head += static_cast<char>(dict.size() >> 8);
  AtomicFile file(path);
  file.write((head + dict).data(), 10 + dict.size());
  file.write(data.raw(), data.bytes());
  file.commit();
}

}  // namespace larmor::io
