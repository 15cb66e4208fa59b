// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/io/convert.hpp>
#include <larmor/io/nifti_header.hpp>

namespace larmor::io {
namespace {

// How a voxel lies in the file (Raw, `parts` of them) and what it becomes without and with scaling.
template <class RawPart, int n_parts, class PlainPart, class ScaledPart>
struct Stored {
  using Raw = RawPart;
  using Plain = PlainPart;
  using Scaled = ScaledPart;
  static constexpr int parts = n_parts;
};

template <class F>
void visit(int datatype, F&& f) {
  switch (static_cast<NiftiType>(datatype)) {
    case NiftiType::u8:
      return f(Stored<std::uint8_t, 1, std::uint8_t, float>{});
    case NiftiType::i8:
      return f(Stored<std::int8_t, 1, std::int16_t, float>{});
    case NiftiType::i16:
      return f(Stored<std::int16_t, 1, std::int16_t, float>{});
    case NiftiType::u16:
      return f(Stored<std::uint16_t, 1, std::int32_t, float>{});
    case NiftiType::i32:
      return f(Stored<std::int32_t, 1, std::int32_t, double>{});
    case NiftiType::u32:
      return f(Stored<std::uint32_t, 1, double, double>{});
    case NiftiType::i64:
      return f(Stored<std::int64_t, 1, double, double>{});
    case NiftiType::u64:
      return f(Stored<std::uint64_t, 1, double, double>{});
    case NiftiType::f32:
      return f(Stored<float, 1, float, float>{});
    case NiftiType::f64:
      return f(Stored<double, 1, double, double>{});
    case NiftiType::f128:
      return f(Stored<Quad, 1, double, double>{});
    case NiftiType::c64:
      return f(Stored<float, 2, float, float>{});
    case NiftiType::c128:
      return f(Stored<double, 2, double, double>{});
    case NiftiType::c256:
      return f(Stored<Quad, 2, double, double>{});
    case NiftiType::rgb24:
    case NiftiType::rgba32:
      break;
  }
  throw Error(Errc::format,
              fmt::format("the data are of type {}, which has no numbers to read", nifti_type_name(datatype)),
              "convert to a numeric type first");
}

template <class Part, int parts>
constexpr DType array_type() {
  if constexpr (parts == 2)
    return dtype_of<std::complex<Part>>;
  else
    return dtype_of<Part>;
}

[[noreturn]] void truncated(const NiftiHeader& h, const Shape& shape, std::uint64_t need, std::uint64_t have,
                            const char* how) {
  throw Error(Errc::format,
              fmt::format("truncated: {} voxels of {} need {} bytes from byte {} on, the file has {}{}",
                          to_string(shape), nifti_type_name(h.datatype), need, h.vox_offset, how, have),
              "copy or download the file again");
}

struct Layout {
  Shape shape;
  std::uint64_t count = 1, bytes = 0;  // voxels; bytes in the file
};

Layout layout_of(const NiftiHeader& h) {
  Layout out;
  bool overflow = false;
  for (std::size_t i = 1; i <= static_cast<std::size_t>(h.dim[0]); ++i) {
    out.shape.push_back(h.dim[i]);
    overflow |= __builtin_mul_overflow(out.count, static_cast<std::uint64_t>(h.dim[i]), &out.count);
  }
  overflow |= __builtin_mul_overflow(out.count, static_cast<std::uint64_t>(nifti_size(h.datatype)), &out.bytes);
  if (overflow || out.bytes > std::uint64_t{1} << 60)
    throw Error(Errc::format,
                fmt::format("the header announces {} voxels, more than any file holds", to_string(out.shape)));
  while (out.shape.size() < 3) out.shape.push_back(1);
  while (out.shape.size() > 3 && out.shape.back() == 1) out.shape.pop_back();
  return out;
}

}  // namespace

Array read_nifti_data(ByteStream& in, const NiftiHeader& h) {
  Array array;
  visit(h.datatype, [&](auto stored) {
    using S = decltype(stored);
    using Raw = typename S::Raw;
    const Layout layout = layout_of(h);
    const auto end = in.position() + layout.bytes, most = in.at_most(end);
    if (end > most)
      truncated(h, layout.shape, layout.bytes, most - std::min(most, in.position()), in.packed() ? "at most " : "");
    if (!std::isfinite(h.scl_inter) && h.scl_slope != 0 && std::isfinite(h.scl_slope))
      throw Error(Errc::format, fmt::format("the header scales by {} and adds {}", h.scl_slope, h.scl_inter));
    // Slope 0 means "not scaled"; so does one that is not finite.
    const bool scaled = h.scl_slope != 0 && std::isfinite(h.scl_slope) && (h.scl_slope != 1 || h.scl_inter != 0);
    const auto fill = [&]<class Part>(Part) {
      array = Array::uninitialised(array_type<Part, S::parts>(), layout.shape);  // filled, or an error is thrown
      auto* to = static_cast<Part*>(array.raw());
      std::uint64_t got = 0;
      if (std::is_same_v<Raw, Part> && !scaled && !h.big_endian) {
        got = in.read(to, layout.bytes);
      } else {
        std::vector<std::byte> buffer(std::min<std::uint64_t>(layout.bytes, 1 << 18));  // stays in cache
        while (got < layout.bytes) {
          const auto want = std::min<std::uint64_t>(buffer.size(), layout.bytes - got);
          const auto n = in.read(buffer.data(), want);
          const std::size_t count = n / sizeof(Raw);
          if (scaled && h.big_endian)
            convert_scaled<Raw, true>(buffer.data(), to, count, h.scl_slope, h.scl_inter);
          else if (scaled)
            convert_scaled<Raw, false>(buffer.data(), to, count, h.scl_slope, h.scl_inter);
          else if (h.big_endian)
            convert<Raw, true>(buffer.data(), to, count);
          else
            convert<Raw, false>(buffer.data(), to, count);
          to += count, got += n;
          if (n < want) break;
        }
      }
      if (got < layout.bytes) truncated(h, layout.shape, layout.bytes, got, "");
    };
    if (scaled)
      fill(typename S::Scaled{});
    else
      fill(typename S::Plain{});
  });
  return array;
}

}  // namespace larmor::io
