// SPDX-License-Identifier: Apache-2.0
#include "dce_outputs.hpp"

#include <fmt/format.h>

#include <cmath>
#include <larmor/flow/provenance.hpp>
#include <larmor/io/file.hpp>
#include <larmor/io/nifti.hpp>
#include <larmor/nodes/operations.hpp>
#include <nlohmann/json.hpp>

#include "series_files.hpp"
#include "text_table.hpp"

namespace larmor::cli {
namespace {

using json = nlohmann::ordered_json;

json number(double x) { return std::isfinite(x) ? json(x) : json(nullptr); }

// The graph that ran beside the settings of the configuration: `larmor graph from` gives it back.
std::string with_graph(const std::string& provenance, const DceJob& job, const flow::Graph& graph) {
  json all = json::parse(provenance);
  auto made = flow::provenance_of(graph, "maps", nodes::operations());
  for (const auto& f : job.sources)
    if (const auto hash = flow::hash_file(f.path); !hash.zero()) made.files[f.path] = hash.str();
  all.update(json::parse(flow::to_json(made)));
  return all.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

DceSummary summarise_dce(const DceJob& job, const DceResult& result, const Config& config, double read_seconds) {
  DceSummary s;
  s.counts = nodes::count_voxels(result.maps.status);
  for (const auto& m : result.maps.maps) s.maps.push_back(summarise(m, config.text("output.units") == "engine"));
  s.seconds.emplace_back("read", read_seconds);
  for (const auto& stage : result.seconds) s.seconds.push_back(stage);
  s.voxels_per_second = result.fit_seconds > 0 ? static_cast<double>(result.fitted) / result.fit_seconds : 0;
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
  const auto& o = job.options;
  if (!o.concentration) {
    settings["used.FA_rad"] = json(o.spgr.FA).dump();
    settings["used.TR_s"] = json(o.spgr.TR).dump();
    settings["used.baseline_frames"] = json::array({result.baseline_first, result.baseline_last}).dump();
  }
  settings["used.arrival_s"] = number(o.input.arrival.value_or(result.arrival)).dump();
  std::vector<std::pair<std::string, std::string>> sources;
  for (const auto& f : job.sources) sources.emplace_back(f.role, f.path);
  s.provenance = with_graph(provenance_json("larmor dce", settings, sources), job, result.graph);
  return s;
}

void write_dce_files(const std::filesystem::path& folder, const DceJob& job, const DceResult& result,
                     const Config& config, const DceSummary& summary) {
  MapFiles files{.folder = folder,
                 .engine_units = config.text("output.units") == "engine",
                 .standard_errors = config.boolean("output.standard_errors"),
                 .provenance = summary.provenance,
                 .model = fmt::format("{}", fmt::join(result.models(), ", ")),
                 .sources = {}};
  for (const auto& s : job.sources) files.sources.push_back(s.path);
  if (config.boolean("output.concentration")) {
    const Image& c = result.concentration;
    io::write_nifti(folder / "concentration.nii.gz", c,
                    {.description = "concentration [mM]", .provenance = summary.provenance});
    io::write_text(
        folder / "concentration.json",
        json{{"Description", "Contrast agent concentration"}, {"Units", "mM"}, {"VolumeTiming", c.times}}.dump(2) +
            "\n");
  }
  write_maps(result.maps, files);
  write_dataset_description(folder, "DCE perfusion", "larmor dce: " + files.model);
  for (std::size_t i = 0; i < result.inputs.size(); ++i) {
    write_curve(folder / (i == 0 ? "aif.csv" : "venous.csv"), result.inputs[i], "plasma_mM");
  }
  io::write_text(folder / "config.yaml", config.yaml());
  io::write_text(folder / "summary.json", summary_json(summary, job, result));
}

std::string summary_json(const DceSummary& s, const DceJob& job, const DceResult& result) {
  json by_status, maps, seconds, inputs = json::array();
  for (int i = 0; i < fit::n_fit_status; ++i)
    by_status[std::string(fit::to_string(static_cast<fit::FitStatus>(i)))] =
        s.counts.by_status[static_cast<std::size_t>(i)];
  for (const auto& m : s.maps)
    maps[m.name] = {
        {"unit", m.unit}, {"n", m.n}, {"median", number(m.median)}, {"p5", number(m.p5)}, {"p95", number(m.p95)}};
  for (const auto& [name, t] : s.seconds) seconds[name] = t;
  for (const auto& f : job.sources) inputs.push_back({{"role", f.role}, {"file", f.path}, {"found", f.found}});
  return json{{"software", "larmor"},
              {"version", LARMOR_VERSION},
              {"models", result.models()},
              {"fitter", job.options.fit.fitter},
              {"T1", job.options.concentration ? "not needed" : job.t1_from},
              {"AIF", job.aif_from},
              {"mask", job.mask_from},
              {"arrival_s", number(job.options.input.arrival.value_or(result.arrival))},
              {"baseline_frames", {result.baseline_first, result.baseline_last}},
              {"voxels",
               {{"all", s.counts.voxels},
                {"mask", s.counts.masked},
                {"fitted", result.fitted},
                {"usable", s.counts.usable},
                {"by_status", by_status}}},
              {"maps", maps},
              {"seconds", seconds},
              {"voxels_per_second", number(s.voxels_per_second)},
              {"notes", job.notes},
              {"files", inputs}}
             .dump(2, ' ', false, json::error_handler_t::replace) +
         "\n";
}

std::string summary_text(const DceSummary& s) {
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

}  // namespace larmor::cli
