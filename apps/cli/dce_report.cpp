// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <filesystem>
#include <larmor/perfusion/dce/aif_models.hpp>

#include "dce_outputs.hpp"

namespace larmor::cli {
namespace {

std::string subtitle(const DceJob& job, const DceResult& result) {
  const auto* dynamic = job.source("dynamic series");
  std::vector<std::string> titles;
  for (const auto& m : result.models()) titles.push_back(dce::models().get(m).title);
  return fmt::format("{}: {}", dynamic ? std::filesystem::path(dynamic->path).filename().string() : "",
                     fmt::join(titles, ", "));
}

io::KeyValues references(const DceJob& job, const DceResult& result) {
  io::KeyValues list;
  const auto& o = job.options;
  if (o.input.source == dce::AifSource::model) {
    const auto& aif = dce::aif_models().get(o.input.model);
    list.emplace_back(aif.title, aif.source);
  }
  if (!o.concentration) {
    if (!job.data.t1_series.data.empty()) {
      const auto& t1 = dce::t1_methods().get(o.t1_method);
      list.emplace_back(t1.title, t1.source);
    }
    list.emplace_back("Spoiled gradient echo", "Haase et al., JMR 67:258 (1986)");
  }
  if (result.models().size() > 1) list.emplace_back("Model selection", "Hurvich and Tsai, Biometrika 76:297 (1989)");
  return list;
}

}  // namespace

void write_dce_report(const std::filesystem::path& path, const DceJob& job, const DceResult& result,
                      const Config& config, const DceSummary& summary) {
  const auto& o = job.options;
  nodes::DceReport r;
  if (config.has("output.title")) r.title = config.text("output.title");
  r.subtitle = subtitle(job, result);
  if (!o.concentration) r.dynamic = job.data.dynamic;
  r.concentration = result.concentration;
  r.maps = result.maps;
  r.inputs = result.inputs;
  r.detected = result.detected;
  r.mean_tissue = result.mean_tissue;
  r.arrival = result.arrival;
  r.baseline_first = result.baseline_first, r.baseline_last = result.baseline_last;
  r.engine_units = config.text("output.units") == "engine";
  r.mask_from = job.mask_from, r.aif_from = job.aif_from;
  r.t1_from = o.concentration ? "not needed: the series is concentration" : job.t1_from;
  r.Hct = o.input.Hct;
  r.references = references(job, result);
  r.seconds = summary.seconds, r.total_seconds = summary.total_seconds;
  r.voxels_per_second = summary.voxels_per_second;
  r.notes = job.notes;
  r.files = {.columns = {"role", "file", "chosen by"}, .rows = {}, .source = {}};
  for (const auto& s : job.sources) r.files.rows.push_back({s.role, s.path, s.found});
  std::string all;
  for (const auto& [key, value] : config.in_use()) all += fmt::format("{} = {}\n", key, value);
  r.details = {{"Configuration as given", config.yaml()},
               {"Every setting in use", all},
               {"Graph", flow::to_json(result.graph)},
               {"Provenance (also in every NIfTI file)", summary.provenance}};
  nodes::dce_report(r).write(path);
}

}  // namespace larmor::cli
