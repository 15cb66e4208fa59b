// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <chrono>
#include <larmor/core/log.hpp>
#include <larmor/io/file.hpp>
#include <larmor/nodes/shipped_graphs.hpp>

#include "command.hpp"
#include "config.hpp"
#include "dce_job.hpp"
#include "dce_outputs.hpp"
#include "text_table.hpp"

namespace larmor::cli {
namespace {

namespace fs = std::filesystem;

double since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// What --check prints: the files and values a run would use.
std::string plan(const DceJob& job) {
  const auto& d = job.data.dynamic;
  const auto g = d.grid();
  std::vector<std::vector<std::string>> rows{{"what", "taken"}};
  for (const auto& s : job.sources) rows.push_back({s.role, fmt::format("{} ({})", s.path, s.found)});
  rows.push_back(
      {"series", fmt::format("{} x {} x {} voxels, {} frames, {} to {} s from {}", g[0], g[1], g[2], d.volumes(),
                             short_number(d.times.front()), short_number(d.times.back()), job.times_from)});
  rows.push_back({"mask", job.mask_from});
  rows.push_back({"T10", job.options.concentration ? "not needed" : job.t1_from});
  rows.push_back({"AIF", job.aif_from});
  rows.push_back({"model", fmt::format("{}", fmt::join(job.options.models, ", "))});
  return text_table(rows);
}

int run(const Call& call) {
  if (call.given("--defaults")) {
    fmt::print("{}", default_config(dce_config()));
    return 0;
  }
  const bool check = call.given("--check"), graph = call.given("--graph");
  if (graph && !call.given("CONFIG")) {
    fmt::print("{}", flow::to_json(nodes::shipped_graph("dce")));
    return 0;
  }
  if (!call.given("CONFIG"))
    throw Error(Errc::usage, "larmor dce: CONFIG is missing",
                "larmor dce --defaults prints one; larmor wizard asks for it");
  const Config config = Config::read(call.text("CONFIG"), dce_config());
  if (check && !call.given("DATA")) {
    fmt::print("{}: correct\n", config.source());
    return 0;
  }
  if (!call.given("DATA"))
    throw Error(Errc::usage, "larmor dce: DATA is missing (folder of the images, or the dynamic series)",
                "usage: larmor dce CONFIG DATA -o OUT");
  if (!check && !graph && !call.given("--out"))
    throw Error(Errc::usage, "larmor dce: --out is missing (folder that receives the maps)", "add -o OUT");

  const auto start = std::chrono::steady_clock::now();
  const DceJob job = prepare_dce(config, call.text("DATA"), call.device);
  for (const auto& n : job.notes) log::info(n);
  if (check) {
    fmt::print("{}: correct\n{}", config.source(), plan(job));
    return 0;
  }
  if (graph) {
    fmt::print("{}", flow::to_json(dce_graph(job)));
    return 0;
  }
  const double read_seconds = since(start);
  const Cancel& cancel = Cancel::interrupt();
  cancel.check();
  const DceResult result = run_dce_graph(job, console_progress(call.quiet), cancel);

  DceSummary summary = summarise_dce(job, result, config, read_seconds);
  summary.total_seconds = since(start);
  io::OutputFolder out(call.text("--out"));
  auto from = std::chrono::steady_clock::now();
  write_dce_files(out.path(), job, result, config, summary);
  cancel.check();
  if (config.boolean("output.report")) write_dce_report(out.path() / "report.html", job, result, config, summary);
  cancel.check();
  out.commit();
  summary.seconds.emplace_back("write", since(from));
  summary.total_seconds = since(start);

  for (const auto& [name, t] : summary.seconds) log::debug(fmt::format("{}: {:.3f} s", name, t));
  fmt::print("{}", call.json ? summary_json(summary, job, result) : summary_text(summary));
  if (!call.quiet)
    fmt::print(stderr, "{}: {}\n", call.text("--out"),
               config.boolean("output.report") ? "maps and report.html" : "maps");
  return 0;
}

}  // namespace

void register_dce(Commands& commands) {
  commands.add(
      {.name = "dce",
       .does = "Dynamic contrast-enhanced MRI from image files to quantitative maps with uncertainties and a report",
       .in = {{.name = "CONFIG", .what = "configuration in YAML", .kind = Kind::file, .optional = true},
              {.name = "DATA",
               .what = "folder with the images (flat, or one subject in BIDS layout), or the dynamic series itself",
               .kind = Kind::folder,
               .optional = true}},
       .opt = {folder("--out", "folder that receives the maps, their sidecars, summary.json and report.html").as("-o"),
               flag("--defaults", "print a complete configuration with every key at its default"),
               flag("--graph",
                    "print the graph that runs, as JSON: the shipped one, or with CONFIG and DATA the one of this run"),
               flag("--check",
                    "check the configuration, and with DATA the files and values it would use; fit nothing")},
       .refs = {"Tofts et al., JMRI 10:223 (1999)", "Sourbron and Buckley, PMB 57:R1 (2012)",
                "OSIPI CAPLEX: Dickie et al., MRM 91:1761 (2024)"},
       .examples = {"larmor dce --defaults > config.yaml", "larmor dce --check config.yaml sub-01",
                    "larmor dce config.yaml sub-01 -o maps/sub-01"},
       .more =
           "Names in the configuration are relative to DATA. What it does not name is found there: the dynamic series "
           "(*dce*.nii*, dynamic.nii*), a flip-angle series (*vfa*.nii*), mask, T1 map, B1 map, AIF mask. Sidecars "
           "give "
           "FlipAngle, RepetitionTime and frame times; the configuration wins over them, and the run says so.\n"
           "The output folder appears whole or not at all.\n"
           "The work is the shipped graph \"dce\": larmor graph show dce, larmor run dce, or open it in Studio.",
       .run = run});
}

}  // namespace larmor::cli
