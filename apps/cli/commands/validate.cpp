// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/units.hpp>
#include <larmor/io/bids.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "text_table.hpp"

namespace larmor::cli {
namespace {

namespace fs = std::filesystem;
using json = nlohmann::ordered_json;

// |estimate - truth| <= absolute + relative |truth|, in the unit of the truth.
struct Tolerance {
  double absolute = 0, relative = 0.1;
};
struct Named {
  const char* name;
  const char* unit;
  Tolerance tolerance;
};
// What the OSIPI collection asks of DCE implementations (van Houdt et al., MRM 91:1774, 2024).
constexpr Named usual[] = {{"Ktrans", "1/min", {0.005, 0.1}},
                           {"ve", "1", {0.05, 0}},
                           {"vp", "1", {0.025, 0}},
                           {"vb", "1", {0.025, 0}},
                           {"Fp", "mL/min/100mL", {5, 0.1}},
                           {"Fb", "mL/min/100mL", {5, 0.1}},
                           {"PS", "mL/min/100mL", {0.5, 0.1}},
                           {"delay", "s", {1, 0}},
                           {"T10", "s", {0.05, 0.05}},
                           {"T1", "s", {0.05, 0.05}}};

struct Row {
  std::string name, unit;
  Tolerance tolerance;
  std::int64_t n = 0, missing = 0, within = 0;
  double truth = 0, estimate = 0;                // means
  double bias = 0, sd = 0, median = 0, p95 = 0;  // of the error; p95 and median of |error|
  bool good = false;
};

std::string stem_of(const fs::path& p) {
  std::string n = p.filename().string();
  return n.ends_with(".nii.gz") ? n.substr(0, n.size() - 7) : n.ends_with(".nii") ? n.substr(0, n.size() - 4) : "";
}

std::map<std::string, fs::path> maps_in(const std::string& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error))
    throw Error(Errc::file, fmt::format("'{}' is no folder", folder), "give a folder with <name>.nii.gz files");
  std::map<std::string, fs::path> out;
  for (const auto& e : fs::directory_iterator(folder))
    if (const auto stem = stem_of(e.path()); !stem.empty()) out[stem] = e.path();
  return out;
}

Tolerance parse_tolerance(const std::string& text, std::string& name) {
  const auto equals = text.find('=');
  if (equals == std::string::npos)
    throw Error(Errc::usage, fmt::format("larmor validate: --tol '{}' has no '='", text),
                "write it like Ktrans=0.005+10%");
  name = text.substr(0, equals);
  std::string rest = text.substr(equals + 1), relative;
  Tolerance t{0, 0};
  // The plus of an exponent (1e+3) belongs to the number.
  for (std::size_t i = 1; i < rest.size(); ++i)
    if (rest[i] == '+' && rest[i - 1] != 'e' && rest[i - 1] != 'E') {
      relative = rest.substr(i + 1), rest.resize(i);
      break;
    }
  const auto part = [&](std::string s) {
    const bool percent = s.ends_with('%');
    if (percent) s.pop_back();
    const double x = parse_number(s, "larmor validate: --tol " + name);
    if (x < 0)
      throw Error(Errc::usage, fmt::format("larmor validate: --tol {} is {}; it must be 0 or more", name, x),
                  "give sizes");
    return percent ? x / 100 : x;
  };
  if (relative.empty() && rest.ends_with('%'))
    t.relative = part(rest);
  else
    t.absolute = part(rest), t.relative = relative.empty() ? 0 : part(relative);
  return t;
}

std::string unit_of(const Image& i) {
  const auto it = i.meta.find("Units");
  const auto* text = it == i.meta.end() ? nullptr : std::get_if<std::string>(&it->second);
  return text ? *text : "";
}

Row compare(const std::string& name, const fs::path& map_path, const fs::path& truth_path,
            const std::vector<std::uint8_t>& mask, const std::map<std::string, Tolerance>& given) {
  const Image map = io::read_image(map_path), truth = io::read_image(truth_path);
  require_same_space(map, truth, map_path.string(), truth_path.string());
  if (map.data.size() != truth.data.size())
    throw Error(Errc::shape,
                fmt::format("{} is {}, its truth {}", name, to_string(map.data.shape()), to_string(truth.data.shape())),
                "compare maps of one object");
  Row r;
  r.name = name;
  const std::string map_unit = unit_of(map), truth_unit = unit_of(truth);
  r.unit = truth_unit.empty() ? map_unit : truth_unit;
  const double k = map_unit.empty() || truth_unit.empty() ? 1.0 : units::factor(map_unit, truth_unit);
  if (const auto it = given.find(name); it != given.end()) {
    r.tolerance = it->second;
  } else {
    for (const auto& u : usual)
      if (name == u.name) {
        r.tolerance = u.tolerance;
        if (!r.unit.empty()) r.tolerance.absolute *= units::factor(u.unit, r.unit);
      }
  }
  const Array a = map.data.cast(DType::f32).contiguous_copy(), b = truth.data.cast(DType::f32).contiguous_copy();
  const auto x = a.span<float>(), y = b.span<float>();
  if (!mask.empty() && mask.size() != y.size())
    throw Error(Errc::shape, fmt::format("the mask holds {} voxels, {} {}", mask.size(), name, y.size()),
                "give a mask on the grid of the maps");
  std::vector<double> size;
  double sum = 0, squares = 0;
  for (std::size_t v = 0; v < y.size(); ++v) {
    if (!std::isfinite(y[v]) || (!mask.empty() && !mask[v])) continue;
    if (!std::isfinite(x[v])) {
      ++r.missing;
      continue;
    }
    const double t = static_cast<double>(y[v]), error = k * static_cast<double>(x[v]) - t;
    sum += error, squares += error * error, r.truth += t;
    size.push_back(std::abs(error));
    // Files hold float32: a value exactly on the border may be one rounding outside.
    r.within += std::abs(error) <= r.tolerance.absolute + r.tolerance.relative * std::abs(t) + 1e-6 * std::abs(t);
  }
  r.n = static_cast<std::int64_t>(size.size());
  if (r.n == 0) return r;
  const auto n = static_cast<double>(r.n);
  r.bias = sum / n;
  r.truth /= n;
  r.estimate = r.truth + r.bias;
  r.sd = std::sqrt(std::max(0.0, squares / n - r.bias * r.bias));
  std::sort(size.begin(), size.end());
  r.median = size[size.size() / 2];
  r.p95 = size[std::min(size.size() - 1, static_cast<std::size_t>(0.95 * n))];
  return r;
}

int run(const Call& call) {
  const auto maps = maps_in(call.text("MAPS")), truths = maps_in(call.text("TRUTH"));
  std::map<std::string, Tolerance> given;
  for (const auto& t : call.texts("--tol")) {
    std::string name;
    const auto tolerance = parse_tolerance(t, name);
    given[name] = tolerance;
    std::vector<std::string> names;
    for (const auto& [n, p] : truths) names.push_back(n);
    if (!truths.count(name)) throw unknown_name("truth map", name, names);
  }
  std::vector<std::uint8_t> mask;
  if (call.given("--mask")) mask = mask_from(io::read_image(call.text("--mask")));
  const double need = call.number("--need") / 100;

  std::vector<Row> rows;
  std::vector<std::string> alone;
  for (const auto& [name, truth] : truths) {
    const auto it = maps.find(name);
    if (it == maps.end()) {
      alone.push_back(name);
      continue;
    }
    Row r = compare(name, it->second, truth, mask, given);
    const auto all = r.n + r.missing;
    r.good = r.n > 0 && static_cast<double>(r.within) >= need * static_cast<double>(all);
    rows.push_back(r);
  }
  std::int64_t compared = 0;
  bool good = true;
  for (const auto& r : rows) compared += r.n, good = good && r.good;
  // A tolerance that was asked for must have been tested.
  for (const auto& name : alone) good = good && !given.count(name);

  if (call.json) {
    json list = json::array();
    for (const auto& r : rows)
      list.push_back({{"name", r.name},
                      {"unit", r.unit},
                      {"n", r.n},
                      {"missing", r.missing},
                      {"mean_truth", r.truth},
                      {"mean_estimate", r.estimate},
                      {"bias", r.bias},
                      {"sd", r.sd},
                      {"median_abs", r.median},
                      {"p95_abs", r.p95},
                      {"within", r.within},
                      {"atol", r.tolerance.absolute},
                      {"rtol", r.tolerance.relative},
                      {"good", r.good}});
    fmt::print("{}\n", json{{"maps", list}, {"not_estimated", alone}, {"good", good && compared > 0}}.dump(2));
  } else {
    std::vector<std::vector<std::string>> table{{"map", "unit", "voxels", "missing", "truth", "estimate", "bias", "sd",
                                                 "median |e|", "95 % |e|", "within", "tolerance", ""}};
    for (const auto& r : rows)
      table.push_back(
          {r.name, r.unit, with_commas(r.n), with_commas(r.missing), short_number(r.truth), short_number(r.estimate),
           short_number(r.bias), short_number(r.sd), short_number(r.median), short_number(r.p95),
           fmt::format("{:.2f} %", r.n + r.missing
                                       ? 100.0 * static_cast<double>(r.within) / static_cast<double>(r.n + r.missing)
                                       : 0.0),
           fmt::format("{} + {:g} %", short_number(r.tolerance.absolute), 100 * r.tolerance.relative),
           r.good ? "ok" : "OUT"});
    fmt::print("{}", text_table(table));
    if (!alone.empty()) fmt::print("no estimate of: {}\n", fmt::join(alone, ", "));
  }
  if (compared == 0) {
    std::fflush(stdout);
    throw Error(Errc::numeric,
                fmt::format("nothing was compared: {} maps, {} truths, no voxel in common", maps.size(), truths.size()),
                "give a folder of maps and a folder of truth maps with the same names");
  }
  return good ? 0 : 1;
}

}  // namespace

void register_validate(Commands& commands) {
  commands.add(
      {.name = "validate",
       .does = "Compares maps with the truth, voxel by voxel; fails when they differ too much or nothing was compared",
       .in = {{.name = "MAPS", .what = "folder of estimated maps", .kind = Kind::folder},
              {.name = "TRUTH", .what = "folder of true maps of the same names", .kind = Kind::folder}},
       .opt = {Option{.name = "--tol",
                      .what = "tolerance NAME=ABSOLUTE+RELATIVE, in the unit of the truth: Ktrans=0.005+10%; default: "
                              "those of the OSIPI collection, else 10 %",
                      .kind = Kind::text}
                   .many(),
               number("--need",
                      "part of the voxels that must be within tolerance; a voxel without an estimate is not [%]", 95, 0,
                      100),
               file("--mask", "voxels to compare; default: where the truth is finite")},
       .refs = {"van Houdt et al., MRM 91:1774 (2024)"},
       .examples = {"larmor validate maps phantom/truth",
                    "larmor validate maps phantom/truth --tol Ktrans=0.01+5% --need 99"},
       .more = "Exit code 1 when a map is out of tolerance or nothing was compared. Units are read from the sidecars "
               "and converted.",
       .run = run});
}

}  // namespace larmor::cli
