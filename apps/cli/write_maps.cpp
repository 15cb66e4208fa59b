// SPDX-License-Identifier: Apache-2.0
#include "write_maps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/units.hpp>
#include <larmor/fit/status.hpp>
#include <larmor/io/file.hpp>
#include <larmor/io/nifti.hpp>
#include <nlohmann/json.hpp>

namespace larmor::cli {
namespace {

using json = nlohmann::ordered_json;

Array scaled(const Array& values, double factor) {
  Array out = values.contiguous_copy();
  if (factor == 1.0) return out;
  out = out.clone();
  for (float& x : out.span<float>()) x *= static_cast<float>(factor);
  return out;
}

void write_json(const std::filesystem::path& path, const json& j) {
  io::write_text(path, j.dump(2, ' ', false, json::error_handler_t::replace) + "\n");
}

void write_one(const MapFiles& files, const Image& reference, const std::string& name, const Array& values,
               const std::string& description, json facts) {
  Image image = reference.like(values);
  image.times.clear();
  io::write_nifti(files.folder / (name + ".nii.gz"), image,
                  {.description = description, .provenance = files.provenance});
  if (!files.model.empty()) facts["Model"] = files.model;
  if (!files.sources.empty()) facts["Sources"] = files.sources;
  facts["GeneratedBy"] = json{{"Name", "larmor"}, {"Version", LARMOR_VERSION}};
  if (!files.provenance.empty()) facts["Provenance"] = json::parse(files.provenance);
  write_json(files.folder / (name + ".json"), facts);
}

}  // namespace

std::string written_unit(const ParameterMap& map, bool engine_units) {
  return engine_units ? map.unit : units::display_unit(map.name, map.unit);
}

void write_maps(const ParameterMaps& maps, const MapFiles& files) {
  for (const auto& m : maps.maps) {
    const std::string unit = written_unit(m, files.engine_units);
    const double k = units::factor(m.unit, unit);
    const std::string line = fmt::format("{} [{}]", m.name, unit);
    write_one(files, maps.reference, m.name, scaled(m.values, k), line,
              {{"Description", m.title}, {"Symbol", m.symbol}, {"Units", unit}});
    if (files.standard_errors && !m.standard_error.empty())
      write_one(
          files, maps.reference, m.name + "_se", scaled(m.standard_error, k), "standard error of " + line,
          {{"Description", fmt::format("Standard error of {} (from the Jacobian of the fit, Cramer-Rao)", m.name)},
           {"Units", unit}});
  }
  if (maps.status.empty()) return;
  json levels;
  for (int s = 0; s < fit::n_fit_status; ++s) {
    const auto status = static_cast<fit::FitStatus>(s);
    levels[std::to_string(s)] = fmt::format("{}: {}", fit::to_string(status), fit::explain(status));
  }
  write_one(files, maps.reference, "status", maps.status, "status of the fit",
            {{"Description", "What became of the fit of each voxel"}, {"Units", "1"}, {"Levels", levels}});
}

void write_dataset_description(const std::filesystem::path& folder, const std::string& name, const std::string& what) {
  write_json(
      folder / "dataset_description.json",
      {{"Name", name},
       {"BIDSVersion", "1.9.0"},
       {"DatasetType", "derivative"},
       {"GeneratedBy", json::array({{{"Name", "larmor"}, {"Version", LARMOR_VERSION}, {"Description", what}}})}});
}

std::string provenance_json(const std::string& command, const std::map<std::string, std::string>& settings,
                            const std::vector<std::pair<std::string, std::string>>& sources) {
  json set = json::object(), from = json::array();
  for (const auto& [key, value] : settings) set[key] = json::parse(value);
  for (const auto& [role, path] : sources) {
    std::error_code error;
    const auto bytes = std::filesystem::file_size(path, error);
    json s{{"role", role}, {"file", path}};
    if (!error) s["bytes"] = bytes;
    from.push_back(s);
  }
  return json{
      {"software", "larmor"}, {"version", LARMOR_VERSION}, {"command", command}, {"settings", set}, {"sources", from}}
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

MapSummary summarise(const ParameterMap& map, bool engine_units) {
  MapSummary s{.name = map.name, .unit = written_unit(map, engine_units)};
  const double k = units::factor(map.unit, s.unit);
  std::vector<float> values;
  for (const float x : map.values.span<float>())
    if (std::isfinite(x)) values.push_back(x);
  s.n = values.size();
  const auto percentile = [&](double part) {
    if (values.empty()) return std::nan("");
    const auto at = static_cast<std::ptrdiff_t>(std::lround(part * static_cast<double>(values.size() - 1)));
    std::nth_element(values.begin(), values.begin() + at, values.end());
    return k * static_cast<double>(values[static_cast<std::size_t>(at)]);
  };
  s.p5 = percentile(0.05), s.median = percentile(0.5), s.p95 = percentile(0.95);
  return s;
}

}  // namespace larmor::cli
