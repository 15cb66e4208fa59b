// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/units.hpp>
#include <larmor/io/bids.hpp>
#include <larmor/perfusion/dce/compare.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "print_json.hpp"
#include "text_table.hpp"

namespace larmor::cli {
namespace {

namespace fs = std::filesystem;
using json = nlohmann::ordered_json;

struct Row {
  std::string name, unit;
  dce::Comparison c;
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

dce::Tolerance parse_tolerance(const std::string& text, std::string& name) {
  const auto equals = text.find('=');
  if (equals == std::string::npos)
    throw Error(Errc::usage, fmt::format("larmor validate: --tol '{}' has no '='", text),
                "write it like Ktrans=0.005+10%");
  name = text.substr(0, equals);
  std::string rest = text.substr(equals + 1), relative;
  dce::Tolerance t{0, 0};
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
            const std::vector<std::uint8_t>& mask, const std::map<std::string, dce::Tolerance>& given) {
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
  const auto it = given.find(name);
  const auto tolerance = it != given.end() ? it->second : dce::usual_tolerance(name, r.unit);
  const Array a = map.data.cast(DType::f32).contiguous_copy(), b = truth.data.cast(DType::f32).contiguous_copy();
  r.c = dce::compare_map(a.span<const float>(), b.span<const float>(), tolerance, k, mask);
  return r;
}

int run(const Call& call) {
  const auto maps = maps_in(call.text("MAPS")), truths = maps_in(call.text("TRUTH"));
  std::map<std::string, dce::Tolerance> given;
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
    r.good = r.c.good(need);
    rows.push_back(r);
  }
  std::int64_t compared = 0;
  bool good = true;
  for (const auto& r : rows) compared += r.c.n, good = good && r.good;
  // A tolerance that was asked for must have been tested.
  for (const auto& name : alone) good = good && !given.count(name);

  if (call.json) {
    json list = json::array();
    for (const auto& r : rows)
      list.push_back({{"name", r.name},
                      {"unit", r.unit},
                      {"n", r.c.n},
                      {"missing", r.c.missing},
                      {"mean_truth", r.c.truth},
                      {"mean_estimate", r.c.estimate},
                      {"bias", r.c.bias},
                      {"sd", r.c.sd},
                      {"median_abs", r.c.median},
                      {"p95_abs", r.c.p95},
                      {"within", r.c.within},
                      {"atol", r.c.tolerance.absolute},
                      {"rtol", r.c.tolerance.relative},
                      {"good", r.good}});
    print_json({{"maps", list}, {"not_estimated", alone}, {"good", good && compared > 0}});
  } else {
    std::vector<std::vector<std::string>> table{{"map", "unit", "voxels", "missing", "truth", "estimate", "bias", "sd",
                                                 "median |e|", "95 % |e|", "within", "tolerance", ""}};
    for (const auto& r : rows)
      table.push_back({r.name, r.unit, with_commas(r.c.n), with_commas(r.c.missing), short_number(r.c.truth),
                       short_number(r.c.estimate), short_number(r.c.bias), short_number(r.c.sd),
                       short_number(r.c.median), short_number(r.c.p95),
                       fmt::format("{:.2f} %", r.c.n + r.c.missing ? 100.0 * static_cast<double>(r.c.within) /
                                                                         static_cast<double>(r.c.n + r.c.missing)
                                                                   : 0.0),
                       fmt::format("{} + {:g} %", short_number(r.c.tolerance.absolute), 100 * r.c.tolerance.relative),
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
