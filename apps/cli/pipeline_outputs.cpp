// SPDX-License-Identifier: Apache-2.0
#include "pipeline_outputs.hpp"

#include <fmt/format.h>

#include <cmath>
#include <larmor/flow/provenance.hpp>
#include <larmor/io/file.hpp>
#include <larmor/nodes/operations.hpp>
#include <nlohmann/json.hpp>

#include "text_table.hpp"

namespace larmor::cli {
namespace {

using json = nlohmann::ordered_json;

json number(double x) { return std::isfinite(x) ? json(x) : json(nullptr); }

// The graph that ran beside the settings of the configuration: `larmor graph from` gives it back.
std::string with_graph(const std::string& provenance, const PipelineJob& job, const flow::Graph& graph) {
  json all = json::parse(provenance);
  auto made = flow::provenance_of(graph, job.targets().at(0), nodes::operations());
  for (const auto& f : job.facts().sources)
    if (const auto hash = flow::hash_file(f.path); !hash.zero()) made.files[f.path] = hash.str();
  all.update(json::parse(flow::to_json(made)));
  return all.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

RunSummary summarise_run(const Pipeline& pipeline, const PipelineJob& job, const PipelineRun& run, const Config& config,
                         double read_seconds) {
  RunSummary s;
  s.counts = nodes::count_voxels(run.maps.status);
  s.fitted = run.fitted;
  for (const auto& m : run.maps.maps) s.maps.push_back(summarise(m, config.text("output.units") == "engine"));
  s.seconds.emplace_back("read", read_seconds);
  for (const auto& stage : run.seconds) s.seconds.push_back(stage);
  s.voxels_per_second = run.fit_seconds > 0 ? static_cast<double>(run.fitted) / run.fit_seconds : 0;
  auto settings = config.in_use();
  for (const auto& [name, p] : config.params()) {
    json j = json::object();
    const auto set = [&](const char* key, const std::optional<double>& x) {
      if (x) j[key] = *x;
    };
    set("fixed", p.fixed), set("lower", p.lower), set("upper", p.upper), set("start", p.start);
    set("prior_mean", p.prior_mean), set("prior_sd", p.prior_sd);
    settings["fit.params." + name] = j.dump();
  }
  for (const auto& [name, text] : job.used()) settings["used." + name] = text;
  std::vector<std::pair<std::string, std::string>> sources;
  for (const auto& f : job.facts().sources) sources.emplace_back(f.role, f.path);
  s.provenance = with_graph(provenance_json("larmor " + pipeline.name, settings, sources), job, run.graph);
  return s;
}

void write_run(const std::filesystem::path& folder, const Pipeline& pipeline, const PipelineJob& job,
               const PipelineRun& run, const Config& config, const RunSummary& summary) {
  MapFiles files{.folder = folder,
                 .engine_units = config.text("output.units") == "engine",
                 .standard_errors = config.boolean("output.standard_errors"),
                 .provenance = summary.provenance,
                 .model = job.method(),
                 .sources = {}};
  for (const auto& s : job.facts().sources) files.sources.push_back(s.path);
  job.write_more(folder, run, config, summary);
  write_maps(run.maps, files);
  write_dataset_description(folder, pipeline.dataset, fmt::format("larmor {}: {}", pipeline.name, files.model));
  io::write_text(folder / "config.yaml", config.yaml());
  io::write_text(folder / "summary.json", summary_json(summary, job, run));
}

std::string summary_json(const RunSummary& s, const PipelineJob& job, const PipelineRun& run) {
  json by_status, maps, seconds, inputs = json::array();
  for (int i = 0; i < fit::n_fit_status; ++i)
    by_status[std::string(fit::to_string(static_cast<fit::FitStatus>(i)))] =
        s.counts.by_status[static_cast<std::size_t>(i)];
  for (const auto& m : s.maps)
    maps[m.name] = {
        {"unit", m.unit}, {"n", m.n}, {"median", number(m.median)}, {"p5", number(m.p5)}, {"p95", number(m.p95)}};
  for (const auto& [name, t] : s.seconds) seconds[name] = t;
  for (const auto& f : job.facts().sources) inputs.push_back({{"role", f.role}, {"file", f.path}, {"found", f.found}});
  json all{{"software", "larmor"}, {"version", LARMOR_VERSION}};
  for (const auto& [name, text] : job.summary(run)) all[name] = json::parse(text);
  all["voxels"] = {{"all", s.counts.voxels},
                   {"mask", s.counts.masked},
                   {"fitted", run.fitted},
                   {"usable", s.counts.usable},
                   {"by_status", by_status}};
  all["maps"] = maps;
  all["seconds"] = seconds;
  all["voxels_per_second"] = number(s.voxels_per_second);
  all["notes"] = job.facts().notes;
  all["files"] = inputs;
  return all.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

std::string summary_text(const RunSummary& s) {
  std::vector<std::vector<std::string>> rows{{"map", "unit", "median", "5 %", "95 %", "voxels"}};
  for (const auto& m : s.maps)
    rows.push_back({m.name, m.unit, short_number(m.median), short_number(m.p5), short_number(m.p95),
                    with_commas(static_cast<long long>(m.n))});
  std::string out = text_table(rows);
  out += fmt::format("\n{} voxels in the mask", with_commas(s.counts.masked));
  for (std::size_t i = 1; i < s.counts.by_status.size(); ++i)
    if (s.counts.by_status[i])
      out += fmt::format(", {} {}", with_commas(s.counts.by_status[i]), fit::to_string(static_cast<fit::FitStatus>(i)));
  out += fmt::format("\nfit {} voxels/s; {:.2f} s in all", with_commas(static_cast<long long>(s.voxels_per_second)),
                     s.total_seconds);
  return out + "\n";
}

void fill_report(nodes::MapsReport& r, const PipelineJob& job, const PipelineRun& run, const Config& config,
                 const RunSummary& summary) {
  if (config.has("output.title")) r.title = config.text("output.title");
  r.maps = run.maps;
  r.engine_units = config.text("output.units") == "engine";
  r.seconds = summary.seconds, r.total_seconds = summary.total_seconds;
  r.voxels_per_second = summary.voxels_per_second;
  r.notes = job.facts().notes;
  r.files = {.columns = {"role", "file", "chosen by"}, .rows = {}, .source = {}};
  for (const auto& s : job.facts().sources) r.files.rows.push_back({s.role, s.path, s.found});
  std::string all;
  for (const auto& [key, value] : config.in_use()) all += fmt::format("{} = {}\n", key, value);
  r.details = {{"Configuration as given", config.yaml()},
               {"Every setting in use", all},
               {"Graph", flow::to_json(run.graph)},
               {"Provenance (also in every NIfTI file)", summary.provenance}};
}

}  // namespace larmor::cli
