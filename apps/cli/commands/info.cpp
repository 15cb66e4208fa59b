// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/io/bids.hpp>
#include <larmor/io/file.hpp>
#include <larmor/io/nifti.hpp>
#include <larmor/io/npy.hpp>
#include <larmor/io/table.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "text_table.hpp"

namespace larmor::cli {
namespace {

using json = nlohmann::ordered_json;

json statistics(const Array& a) {
  if (a.dtype() == DType::c64 || a.dtype() == DType::c128 || a.empty()) return json::object();
  const Array f = a.cast(DType::f64).contiguous_copy();
  double lo = INFINITY, hi = -INFINITY, sum = 0;
  std::int64_t n = 0, bad = 0;
  for (const double x : f.span<double>()) {
    if (!std::isfinite(x)) {
      ++bad;
      continue;
    }
    lo = std::min(lo, x), hi = std::max(hi, x), sum += x, ++n;
  }
  json j{{"finite", n}, {"not_finite", bad}};
  if (n) j.update({{"min", lo}, {"max", hi}, {"mean", sum / static_cast<double>(n)}});
  return j;
}

json nifti_info(const std::string& path) {
  io::NiftiInfo head;
  io::read_nifti(path, &head);
  const Image i = io::read_image(path);
  json j{{"file", path},
         {"format", fmt::format("NIfTI-{}", head.version)},
         {"shape", i.data.shape()},
         {"type", std::string(to_string(i.data.dtype()))}};
  const auto mm = i.affine.spacing();
  j["spacing_mm"] = mm;
  j["orientation"] = i.affine.orientation();
  json affine = json::array();
  for (const auto& row : i.affine.m) affine.push_back(row);
  j["affine"] = affine;
  if (!i.times.empty()) j["times_s"] = i.times;
  if (!head.description.empty()) j["description"] = head.description;
  if (head.scl_slope != 1 || head.scl_inter != 0)
    j["scaling"] = {{"slope", head.scl_slope}, {"intercept", head.scl_inter}};
  j["values"] = statistics(i.data);
  json meta = json::object();
  for (const auto& entry : i.meta) std::visit([&](const auto& v) { meta[entry.first] = v; }, entry.second);
  if (!meta.empty()) j["sidecar"] = meta;
  for (const auto& e : head.extensions)
    if (e.code == 6) {
      auto p = json::parse(e.data, nullptr, false);
      j["provenance"] = p.is_discarded() ? json(e.data) : p;
    }
  return j;
}

void print(const json& j, int indent) {
  for (const auto& [key, value] : j.items()) {
    if (value.is_object()) {
      fmt::print("{:{}}{}:\n", "", indent, key);
      print(value, indent + 2);
      continue;
    }
    std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    if (text.size() > 160)
      text = text.substr(0, 150) + fmt::format(" ... ({} characters; --json shows all)", text.size());
    fmt::print("{:{}}{:<{}}  {}\n", "", indent, key, 22 - indent, text);
  }
}

int run(const Call& call) {
  const std::string path = call.text("FILE");
  json j;
  if (path.ends_with(".npy")) {
    const Array a = io::read_npy(path);
    j = {{"file", path},
         {"format", "npy"},
         {"shape", a.shape()},
         {"type", std::string(to_string(a.dtype()))},
         {"values", statistics(a)}};
  } else if (path.ends_with(".csv") || path.ends_with(".tsv")) {
    const auto t = io::read_table(path);
    j = {{"file", path}, {"format", "table"}, {"columns", t.columns}, {"rows", t.rows.size()}};
  } else {
    j = nifti_info(path);
  }
  if (call.json)
    fmt::print("{}\n", j.dump(2, ' ', false, json::error_handler_t::replace));
  else
    print(j, 0);
  return 0;
}

}  // namespace

void register_info(Commands& commands) {
  commands.add({.name = "info",
                .does = "What a file holds: shape, geometry, times, values, sidecar, and how larmor made it",
                .in = {{.name = "FILE", .what = ".nii, .nii.gz, .npy, .csv or .tsv"}},
                .examples = {"larmor info maps/Ktrans.nii.gz", "larmor info maps/Ktrans.nii.gz --json"},
                .run = run});
}

}  // namespace larmor::cli
