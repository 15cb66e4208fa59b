// SPDX-License-Identifier: Apache-2.0
// https://mrirecon.github.io/bart/: doc/data-format of the BART toolbox
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <larmor/io/atomic_file.hpp>
#include <larmor/io/cfl.hpp>
#include <larmor/io/file.hpp>
#include <larmor/io/stream.hpp>
#include <new>

namespace larmor::io {
namespace {

static_assert(std::endian::native == std::endian::little);

const std::vector<std::string> names{"x",    "y",      "z", "coil", "map",   "te",    "coeff", "coeff2",
                                     "iter", "cshift", "t", "t2",   "level", "slice", "avg",   "batch"};

struct Pair {
  fs::path header, data;
};
Pair pair_of(const fs::path& path) {
  fs::path base = path;
  if (const auto ending = path.extension(); ending == ".cfl" || ending == ".hdr") base.replace_extension();
  return {fs::path(base) += ".hdr", fs::path(base) += ".cfl"};
}

// The line after "# Dimensions", as BART reads it.
Shape dimensions(const std::string& text) {
  const auto mark = text.find("# Dimensions");
  const auto begin = mark == std::string::npos ? mark : text.find('\n', mark);
  if (begin == std::string::npos)
    throw Error(Errc::format, "no line '# Dimensions' with one that follows", "is this the header of a BART file?");
  const auto end = std::min(text.find('\n', begin + 1), text.size());
  Shape out;
  const char *at = text.data() + begin + 1, *last = text.data() + end;
  while (at < last) {
    if (*at == ' ' || *at == '\t' || *at == '\r') {
      ++at;
      continue;
    }
    std::int64_t n = 0;
    const auto [next, error] = std::from_chars(at, last, n);
    if (error != std::errc() || n < 1 || (next < last && *next != ' ' && *next != '\t' && *next != '\r'))
      throw Error(Errc::format,
                  fmt::format("dimension {} is '{}'", out.size() + 1, std::string(at, std::min(at + 12, last))),
                  "write whole numbers of 1 or more, separated by spaces");
    out.push_back(n);
    at = next;
  }
  if (out.empty() || out.size() > names.size())
    throw Error(Errc::format, fmt::format("{} dimensions", out.size()), fmt::format("give 1 to {}", names.size()));
  return out;
}

Array read_pair(const Pair& files) {
  Shape all, shape;
  try {
    require_file(files.header);
    all = dimensions(read_text(files.header));
  } catch (Error& e) {
    throw e.at(files.header.string());
  }
  std::size_t last_space = 0;
  for (std::size_t a = 0; a < std::min<std::size_t>(all.size(), 3); ++a)
    if (all[a] > 1) last_space = a;
  Axes axes;
  for (std::size_t a = 0; a < all.size(); ++a) {
    if (all[a] == 1 && a > last_space) continue;
    shape.push_back(all[a]), axes.push_back(names[a]);
  }
  try {
    double bytes = 8;
    for (const auto n : shape) bytes *= static_cast<double>(n);
    const auto size = require_file(files.data);
    if (bytes != static_cast<double>(size))
      throw Error(
          Errc::format,
          fmt::format("the file holds {} bytes, and {} complex numbers take {:.0f}", size, to_string(shape), bytes),
          "is it truncated, or does another header belong to it?");
    Array out = Array::uninitialised(DType::c64, shape, axes);
    ByteStream in(files.data);
    if (const auto got = in.read(out.raw(), out.bytes()); got != out.bytes())
      throw Error(Errc::format, fmt::format("truncated: {} of {} bytes", got, out.bytes()));
    return out;
  } catch (Error& e) {
    throw e.at(files.data.string());
  }
}

}  // namespace

Array read_cfl(const fs::path& path) {
  const auto files = pair_of(path);
  std::error_code ec;
  if (!fs::exists(files.header, ec) && !fs::exists(files.data, ec))
    throw missing_file(path.extension() == ".cfl" ? files.data : files.header);
  return read_pair(files);
}

void write_cfl(const fs::path& path, const Array& array) {
  Shape dims(names.size(), 1);
  std::vector<std::pair<std::size_t, int>> places;  // of BART's dimension, of the array's axis
  for (int a = 0; a < array.rank(); ++a) {
    const auto& name = array.axes()[static_cast<std::size_t>(a)];
    const auto it = std::find(names.begin(), names.end(), name);
    if (it == names.end()) throw unknown_name("axis of BART", name, names).at(path.string());
    places.emplace_back(static_cast<std::size_t>(it - names.begin()), a);
    dims[places.back().first] = array.extent(a);
  }
  std::sort(places.begin(), places.end());
  std::vector<int> order;
  for (const auto& place : places) order.push_back(place.second);
  const DType type = array.dtype();
  const Array host = array.to(Device::cpu());
  const Array data = (type == DType::c128 || type == DType::c64 ? host : host.cast(DType::c64))
                         .permuted(order)
                         .cast(DType::c64)
                         .contiguous_copy();
  const auto files = pair_of(path);
  std::string header = "# Dimensions\n";
  for (const auto n : dims) header += std::to_string(n) + " ";
  write_bytes(files.data, data.raw(), data.bytes());
  write_text(files.header, header + "\n# Creator\nlarmor " LARMOR_VERSION "\n");
}

}  // namespace larmor::io
