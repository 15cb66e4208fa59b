// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/units.hpp>
#include <larmor/fit/status.hpp>
#include <larmor/io/bids.hpp>
#include <larmor/io/file.hpp>
#include <larmor/io/nifti.hpp>
#include <larmor/nodes/map_files.hpp>
#include <map>
#include <nlohmann/json.hpp>

namespace larmor::nodes {
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

ParameterMaps read_maps(const std::filesystem::path& folder) {
  std::error_code ec;
  if (!std::filesystem::is_directory(folder, ec))
    throw Error(Errc::file, fmt::format("'{}' is no folder", folder.string()),
                "give a folder with <name>.nii.gz files");
  std::map<std::string, std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    for (const char* ending : {".nii.gz", ".nii"})
      if (name.ends_with(ending)) {
        found[name.substr(0, name.size() - std::string_view(ending).size())] = entry.path();
        break;
      }
  }
  ParameterMaps out;
  std::string first;
  const auto read = [&](const std::string& name) {
    Image image = io::read_image(found.at(name));
    if (out.reference.data.empty())
      out.reference = image, first = name;
    else
      require_same_space(out.reference, image, first, name);
    return image;
  };
  const auto text = [](const Image& image, const char* key) {
    const auto it = image.meta.find(key);
    const auto* value = it == image.meta.end() ? nullptr : std::get_if<std::string>(&it->second);
    return value ? *value : std::string();
  };
  for (const auto& [name, path] : found) {
    const bool error = name.ends_with("_se") && found.count(name.substr(0, name.size() - 3));
    if (error || name == "status") continue;
    const Image image = read(name);
    if (image.data.rank() > 3) continue;  // a series, not a map
    const std::string shown = text(image, "Units").empty() ? "1" : text(image, "Units");
    const auto* known = units::find_quantity(name);
    const auto engine_of = [&] {
      try {
        return units::engine_unit(shown);
      } catch (const Error&) {  // a unit of someone else's
        return shown;
      }
    };
    const std::string engine = known ? std::string(known->engine) : engine_of();
    const double k = shown == engine ? 1.0 : units::factor(shown, engine);
    ParameterMap m{.name = name,
                   .symbol = text(image, "Symbol").empty() ? name : text(image, "Symbol"),
                   .unit = engine,
                   .title = text(image, "Description"),
                   .values = scaled(image.data.cast(DType::f32), k),
                   .standard_error = {}};
    if (found.count(name + "_se")) m.standard_error = scaled(read(name + "_se").data.cast(DType::f32), k);
    out.maps.push_back(std::move(m));
  }
  if (found.count("status")) out.status = read("status").data.cast(DType::u8).contiguous_copy();
  if (out.maps.empty())
    throw Error(Errc::file, fmt::format("no map in folder {}", folder.string()), "give one with <name>.nii.gz files");
  return out;
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

}  // namespace larmor::nodes
