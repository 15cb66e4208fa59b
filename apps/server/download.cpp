// SPDX-License-Identifier: Apache-2.0
#include "download.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <larmor/io/nifti.hpp>
#include <larmor/io/npy.hpp>
#include <larmor/io/png.hpp>
#include <larmor/io/table.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/picture.hpp>
#include <larmor/nodes/values/report.hpp>
#include <larmor/nodes/values/table.hpp>

#include "statistics.hpp"
#include "value_tree.hpp"

namespace larmor::server {
namespace {

namespace fs = std::filesystem;
using flow::Value;
using flow::ValueTraits;

/// What a writer of files makes, as bytes.
template <class Write>
std::string written(const std::string& name, Write&& write) {
  std::string folder = (fs::temp_directory_path() / "larmor-XXXXXX").string();
  if (!::mkdtemp(folder.data())) throw Error(Errc::file, fmt::format("no folder below {}", folder));
  struct Clean {
    std::string folder;
    ~Clean() {
      std::error_code ignored;
      fs::remove_all(folder, ignored);
    }
  } clean{folder};
  const fs::path file = fs::path(folder) / name;
  write(file);
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

Image image_of(const Value& value, const std::string& path) {
  if (value.type() == "image" && (path.empty() || path == "data")) return ValueTraits<Image>::from(value);
  Image image;
  image.data = array_at(value, path);
  return image;
}

std::string number(double v) { return std::isnan(v) ? "nan" : fmt::format("{}", v); }

io::Table curve_table(const nodes::Curve& c) {
  io::Table t;
  const auto with_unit = [](const std::string& label, const std::string& unit) {
    return unit.empty() ? label : label + " [" + unit + "]";
  };
  t.columns.push_back(with_unit(c.x_label, c.x_unit));
  for (std::size_t k = 0; k < c.y.size(); ++k)
    t.columns.push_back(with_unit(k < c.series.size() ? c.series[k]
                                  : c.label.empty()   ? fmt::format("y{}", k + 1)
                                                      : c.label,
                                  c.unit));
  for (std::size_t i = 0; i < c.x.size(); ++i) {
    t.rows.push_back({number(c.x[i])});
    for (const auto& y : c.y) t.rows.back().push_back(number(y[i]));
  }
  return t;
}

io::Table array_table(const Array& array) {
  if (array.rank() > 2)
    throw Error(Errc::type, fmt::format("a table has two axes and this is {}", array.describe()),
                "take it as npy, or choose a plane first");
  io::Table t;
  const bool complex = array.dtype() == DType::c64 || array.dtype() == DType::c128;
  const Array a = array.to(Device::cpu());
  const std::int64_t rows = a.extent(0), columns = a.extent(1);
  std::vector<std::vector<double>> parts;
  for (std::int64_t c = 0; c < columns; ++c)
    for (const Part part : complex ? std::vector{Part::real, Part::imag} : std::vector{Part::native}) {
      const std::string name = a.rank() < 2 ? "value" : fmt::format("{}{}", a.axes()[1], c);
      t.columns.push_back(!complex ? name : name + (part == Part::real ? "_re" : "_im"));
      auto& column = parts.emplace_back(static_cast<std::size_t>(rows));
      read_row(a, a.rank() > 1 ? c * a.strides()[1] : 0, rows, a.rank() ? a.strides()[0] : 0, part, column.data());
    }
  for (std::size_t r = 0; r < static_cast<std::size_t>(rows); ++r) {
    auto& row = t.rows.emplace_back();
    for (const auto& column : parts) row.push_back(number(column[r]));
  }
  return t;
}

io::Table table_of(const Value& value, const std::string& path) {
  if (path.empty() && value.type() == "curve") return curve_table(ValueTraits<nodes::Curve>::from(value));
  if (path.empty() && value.type() == "table") return ValueTraits<io::Table>::from(value);
  if (path.empty() && (value.kind() == Value::Kind::list || value.kind() == Value::Kind::number))
    return array_table(ValueTraits<Array>::from(value));
  return array_table(array_at(value, path));
}

std::string png_of(const Value& value, const Download& how) {
  const auto bytes_of = [](const io::Picture& p) {
    const auto bytes = io::encode_png(p);
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  if (value.type() == "picture") return bytes_of(ValueTraits<io::Picture>::from(value));
  const Array array = array_at(value, how.path);
  SliceQuery q = how.slice;
  if (q.axes.empty())
    for (int i = 0; i < std::min(2, array.rank()); ++i) q.axes.push_back(array.axes()[static_cast<std::size_t>(i)]);
  if (q.axes.size() != 2)
    throw Error(Errc::shape, fmt::format("a picture has two axes and this is {}", array.describe()), "give axes=x,y");
  q.dtype = "u8";
  const bool complex = array.dtype() == DType::c64 || array.dtype() == DType::c128;
  if (complex && q.part == Part::native) q.part = Part::abs;
  if (!q.window) {
    SliceQuery plane = q;
    plane.dtype = "f32", plane.max = 0;
    const auto s = statistics(view_of(array, plane), {.part = q.part, .bins = 1});
    if (s.count && s.min < s.max) q.window = {s.min, s.max};
  }
  const Slice slice = read_slice(array, q, how.most_bytes / 4);
  io::Picture p{static_cast<int>(slice.shape[0]), static_cast<int>(slice.shape[1]), 3, {}};
  p.pixels.reserve(slice.bytes.size() * 3);
  std::array<std::array<std::uint8_t, 3>, 256> map;
  for (std::size_t i = 0; i < 256; ++i) map[i] = io::colour(how.colours, static_cast<double>(i) / 255);
  // Rows from the top: y grows upwards in images, as viewers show them.
  for (std::int64_t y = slice.shape[1] - 1; y >= 0; --y)
    for (std::int64_t x = 0; x < slice.shape[0]; ++x) {
      const auto& c = map[static_cast<unsigned char>(slice.bytes[static_cast<std::size_t>(x + slice.shape[0] * y)])];
      p.pixels.insert(p.pixels.end(), c.begin(), c.end());
    }
  return bytes_of(p);
}

}  // namespace

Response download(const Value& value, const Download& how) {
  if (value.none()) throw HttpError(404, Errc::unknown_name, "there is nothing to download", "run the node first");
  if (value.bytes() > how.most_bytes && how.format != "png")
    throw HttpError(
        413, Errc::range,
        fmt::format("{} are {} bytes; one download holds at most {}", value.describe(), value.bytes(), how.most_bytes),
        "write it with an output operation instead");
  Response r;
  const auto as = [&](const char* type, std::string bytes) {
    r.type = type;
    r.body = std::move(bytes);
  };
  if (how.format == "nii.gz" || how.format == "nii") {
    const Image image = image_of(value, how.path);
    as(how.format == "nii" ? "application/octet-stream" : "application/gzip",
       written("a." + how.format, [&](const fs::path& file) { io::write_nifti(file, image); }));
  } else if (how.format == "npy") {
    const Array array = array_at(value, how.path);
    as("application/octet-stream", written("a.npy", [&](const fs::path& file) { io::write_npy(file, array); }));
  } else if (how.format == "csv") {
    const io::Table table = table_of(value, how.path);
    as("text/csv; charset=utf-8", written("a.csv", [&](const fs::path& file) { io::write_table(file, table); }));
  } else if (how.format == "png") {
    as("image/png", png_of(value, how));
  } else if (how.format == "json") {
    as("application/json", flow::to_json(value, std::size_t{1} << 22));
  } else if (how.format == "txt" && value.kind() == Value::Kind::text) {
    as("text/plain; charset=utf-8", value.text());
  } else if (how.format == "html" && value.type() == "report") {
    // A page that user code may have made: shown, it could use the API with our origin.
    as("application/octet-stream", ValueTraits<nodes::Page>::from(value).html);
  } else if (how.format == "txt" || how.format == "html") {
    throw Error(Errc::type, fmt::format("{} cannot be written as {}", value.describe(), how.format), "try json");
  } else {
    const std::vector<std::string> formats{"nii.gz", "nii", "npy", "csv", "png", "json", "txt", "html"};
    throw unknown_name("format", how.format, formats);
  }
  r.headers.emplace_back("Content-Disposition", fmt::format("attachment; filename=\"{}.{}\"", how.name, how.format));
  r.headers.emplace_back("Cache-Control", "no-store");
  return r;
}

}  // namespace larmor::server
