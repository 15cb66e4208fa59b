// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/io/cfl.hpp>
#include <larmor/io/file.hpp>
#include <larmor/io/npy.hpp>
#include <larmor/io/pulseq.hpp>
#include <larmor/io/report.hpp>
#include <larmor/nodes/axes.hpp>
#include <larmor/nodes/axis_names.hpp>
#include <larmor/nodes/sidecar.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/table.hpp>
#include <larmor/nodes/write.hpp>

namespace larmor::nodes {
namespace {

namespace fs = std::filesystem;
using flow::Value;
using flow::ValueTraits;

std::string number_text(double x) { return std::isnan(x) ? "nan" : fmt::format("{:.9g}", x); }

std::string column_name(std::string label, const std::string& unit) {
  std::replace(label.begin(), label.end(), ' ', '_');
  return unit.empty() ? label : label + "_" + unit;
}

io::Table table_of(const Curve& c) {
  io::Table t;
  t.columns.push_back(c.x_label == "time" && c.x_unit == "s" ? "time" : column_name(c.x_label, c.x_unit));
  for (std::size_t s = 0; s < c.y.size(); ++s)
    t.columns.push_back(column_name(s < c.series.size() ? c.series[s]
                                    : c.y.size() > 1    ? fmt::format("{}{}", c.label, s + 1)
                                    : c.label.empty()   ? "value"
                                                        : c.label,
                                    c.unit));
  for (std::size_t i = 0; i < c.x.size(); ++i) {
    t.rows.push_back({number_text(c.x[i])});
    for (const auto& s : c.y) t.rows.back().push_back(number_text(s[i]));
  }
  return t;
}

}  // namespace

io::Table table_from(const Value& value) {
  if (value.type() == "curve") return table_of(ValueTraits<Curve>::from(value));
  if (value.type() == "table") return ValueTraits<io::Table>::from(value);
  if (value.kind() == Value::Kind::number || value.kind() == Value::Kind::list || value.kind() == Value::Kind::array) {
    io::Table t{.columns = {"value"}, .rows = {}, .source = {}};
    for (const double x : ValueTraits<std::vector<double>>::from(value)) t.rows.push_back({number_text(x)});
    return t;
  }
  return ValueTraits<io::Table>::from(value);
}

void write_npy_file(const fs::path& path, const Array& array, const std::string& provenance) {
  io::write_npy(path, array);
  Metadata facts;
  if (!array.axes().empty()) facts["Axes"] = array.axes();
  io::write_text(path.string() + ".json", sidecar_json(facts, provenance));
}

void write_cfl_file(const fs::path& path, const Array& array, const std::string& provenance) {
  io::write_cfl(path, array);
  if (!provenance.empty()) io::write_text(path.string() + ".json", sidecar_json({}, provenance));
}

void write_table_file(const fs::path& path, const Value& value, const std::string& provenance) {
  std::vector<std::string> comments;
  if (!provenance.empty()) comments.push_back("larmor provenance " + provenance);
  io::write_table(path, table_from(value), comments);
}

void write_pulseq_file(const fs::path& path, Sequence sequence, const std::string& provenance) {
  if (!provenance.empty()) {
    // A # begins a comment in this format; JSON has another way to write one.
    std::string text;
    for (const char c : provenance) text += c == '#' ? std::string("\\u0023") : std::string(1, c);
    sequence.define("Provenance", text);
  }
  io::write_pulseq(path, sequence);
}

void write_png_file(const fs::path& path, const io::Picture& picture, const std::string& provenance) {
  std::vector<std::pair<std::string, std::string>> texts{{"Software", "larmor " LARMOR_VERSION}};
  if (!provenance.empty()) texts.emplace_back("Provenance", provenance);
  io::write_png(path, picture, texts);
}

void write_report_file(const fs::path& path, const Page& page, const std::string& provenance) {
  std::string html = page.html;
  if (const auto at = html.find("<head>"); !provenance.empty() && at != std::string::npos)
    html.insert(at + 6, "\n<meta name=\"provenance\" content=\"" + io::escape_html(provenance) + "\">");
  io::write_text(path, html);
}

namespace {

/// With the names of the sidecar, if it has some.
Array named_beside(const Array& array, const fs::path& path) {
  const fs::path beside = path.string() + ".json";
  if (!fs::exists(beside)) return array;
  const Value facts = read_json_file(beside);
  if (facts.kind() != Value::Kind::record) return array;
  const Value names = facts.field("Axes");
  if (names.kind() != Value::Kind::list) return array;
  std::string text;
  for (const Value& name : names.list()) text += ValueTraits<std::string>::from(name) + " ";
  try {
    return with_axis_names(array, text);
  } catch (Error& e) {
    e.at("Axes of " + beside.string());
    throw;
  }
}

}  // namespace

Array read_npy_ordered(const fs::path& path, const std::string& names, const std::string& order) {
  const Array view = io::read_npy_view(path);
  const Array named = names.empty() ? named_beside(view, path) : with_axis_names(view, names);
  return (order.empty() ? named : named.permuted(all_axes_in(named, order))).contiguous_copy();
}
Array read_npy_file(const fs::path& path) { return read_npy_ordered(path, "", ""); }

Value read_json_file(const fs::path& path) {
  try {
    return flow::from_json(io::read_text(path));
  } catch (Error& e) {
    if (e.code() == Errc::format) e.at(path.string());
    throw;
  }
}

}  // namespace larmor::nodes
