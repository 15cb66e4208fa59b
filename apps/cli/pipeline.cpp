// SPDX-License-Identifier: Apache-2.0
#include "pipeline.hpp"

#include <fmt/format.h>

#include <chrono>
#include <larmor/core/log.hpp>
#include <larmor/io/file.hpp>
#include <larmor/nodes/dce_fit.hpp>
#include <larmor/nodes/operations.hpp>
#include <larmor/nodes/shipped_graphs.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>
#include <limits>
#include <nlohmann/json.hpp>

#include "graph_run.hpp"
#include "pipeline_outputs.hpp"
#include "print_json.hpp"
#include "text_table.hpp"

namespace larmor::cli {

void register_pipelines(Pipelines&);  // generated from pipelines/

namespace {

using flow::ValueTraits;
using json = nlohmann::ordered_json;

double since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double without_noise(double engine, double unit) { return std::stod(fmt::format("{:.13g}", engine / unit)); }

// What --check prints: the files and values a run would use; without data, that the configuration is correct.
void print_check(const Call& call, const Config& config, const PipelineJob* job) {
  PipelineJob::Rows rows{{"what", "taken"}};
  json files = json::array(), values = json::object();
  if (job) {
    for (const auto& s : job->facts().sources) {
      rows.push_back({s.role, fmt::format("{} ({})", s.path, s.found)});
      files.push_back({{"role", s.role}, {"file", s.path}, {"found", s.found}});
    }
    for (auto& row : job->plan()) {
      values[row.at(0)] = row.at(1);
      rows.push_back(std::move(row));
    }
  }
  if (call.json) {
    json told{{"config", config.source()}, {"correct", true}};
    if (job) told.update({{"files", files}, {"taken", values}, {"notes", job->facts().notes}});
    return print_json(told);
  }
  fmt::print("{}: correct\n{}", config.source(), job ? text_table(rows) : "");
}

PipelineRun run_graph(PipelineJob& job, const Progress& progress, const Cancel& cancel) {
  PipelineRun out;
  out.graph = job.graph();
  flow::EngineOptions machine;
  machine.memory_budget =
      std::numeric_limits<std::size_t>::max() / 2;  // as much as there is: nothing is kept for later
  machine.device = job.device();
  flow::Engine engine(nodes::operations(), machine);
  flow::RunOptions run;
  run.inputs = job.inputs();
  run.targets = job.targets();
  run.policy = flow::Policy::free;
  run.cancel = cancel;
  const auto report = run_or_throw(engine, out.graph, std::move(run), progress, [&](const flow::RunOptions& same) {
    const PipelineJob::Values value = [&](const char* port) { return engine.value(out.graph, port, same); };
    out.maps = ValueTraits<ParameterMaps>::from(value(job.maps_port().c_str()));
    out.fitted = nodes::count_voxels(out.maps.status).masked;
    job.take(value, out);
  });
  for (const auto& [node, stage] : job.stages())
    if (const auto it = report.nodes.find(node); it != report.nodes.end())
      out.seconds.emplace_back(stage, it->second.seconds);
  if (const auto it = report.nodes.find(job.fit_node()); it != report.nodes.end())
    out.fit_seconds = nodes::fit_seconds(it->second.log).value_or(it->second.seconds);
  return out;
}

// Results among the data would be taken for data by the next run: T10.nii.gz for a T1 map.
void require_apart(const Call& call) {
  std::error_code ec;
  std::filesystem::path data = call.text("DATA");
  if (!std::filesystem::is_directory(data, ec)) data = data.has_parent_path() ? data.parent_path() : ".";
  if (std::filesystem::equivalent(data, call.text("--out"), ec))
    throw Error(Errc::usage,
                fmt::format("larmor {}: --out {} is the folder of the data", call.command->name, call.text("--out")),
                "name another folder: results would be taken for data by the next run");
}

int run(const Call& call) {
  const Pipeline& pipeline = pipelines().get(call.command->name);
  const std::string command = "larmor " + pipeline.name;
  if (call.given("--defaults")) {
    const std::string yaml = default_config(pipeline.config());
    if (call.json)
      print_json({{"config_yaml", yaml}});
    else
      fmt::print("{}", yaml);
    return 0;
  }
  const bool check = call.given("--check"), graph = call.given("--graph");
  if (graph && !call.given("CONFIG")) {
    fmt::print("{}", flow::to_json(nodes::shipped_graph(pipeline.name)));
    return 0;
  }
  if (!call.given("CONFIG"))
    throw Error(Errc::usage, command + ": CONFIG is missing",
                command + " --defaults prints one; larmor wizard asks for it");
  const Config config = Config::read(call.text("CONFIG"), pipeline.config());
  if (check && !call.given("DATA")) {
    print_check(call, config, nullptr);
    return 0;
  }
  if (!call.given("DATA"))
    throw Error(Errc::usage, fmt::format("{}: DATA is missing ({})", command, pipeline.data),
                fmt::format("usage: {} CONFIG DATA -o OUT", command));
  if (!check && !graph && !call.given("--out"))
    throw Error(Errc::usage, command + ": --out is missing (folder that receives the maps)", "add -o OUT");

  if (call.given("--out")) require_apart(call);
  const auto start = std::chrono::steady_clock::now();
  const auto job = pipeline.prepare(config, call.text("DATA"), call.device);
  for (const auto& n : job->facts().notes) log::info(n);
  if (check) {
    print_check(call, config, job.get());
    return 0;
  }
  if (graph) {
    fmt::print("{}", flow::to_json(job->graph()));
    return 0;
  }
  const double read_seconds = since(start);
  const Cancel& cancel = Cancel::interrupt();
  cancel.check();
  const PipelineRun result = run_graph(*job, console_progress(call.quiet), cancel);

  RunSummary summary = summarise_run(pipeline, *job, result, config, read_seconds);
  summary.total_seconds = since(start);
  io::OutputFolder out(call.text("--out"));
  const auto from = std::chrono::steady_clock::now();
  write_run(out.path(), pipeline, *job, result, config, summary);
  cancel.check();
  if (config.boolean("output.report")) job->report(result, config, summary).write(out.path() / "report.html");
  cancel.check();
  out.commit();
  summary.seconds.emplace_back("write", since(from));
  summary.total_seconds = since(start);

  for (const auto& [name, t] : summary.seconds) log::debug(fmt::format("{}: {:.3f} s", name, t));
  if (call.json) {
    json told{{"folder", call.text("--out")}};
    told.update(json::parse(summary_json(summary, *job, result)));
    print_json(told);
  } else {
    fmt::print("{}", summary_text(summary));
  }
  if (!call.quiet)
    fmt::print(stderr, "{}: {}\n", call.text("--out"),
               config.boolean("output.report") ? "maps and report.html" : "maps");
  return 0;
}

}  // namespace

std::vector<std::string> Pipelines::names() const {
  std::vector<std::string> out;
  for (const auto& p : all_) out.push_back(p.name);
  return out;
}

const Pipeline& Pipelines::get(std::string_view name) const {
  for (const auto& p : all_)
    if (p.name == name) return p;
  throw unknown_name("pipeline", std::string(name), names());
}

const Pipelines& pipelines() {
  static const Pipelines all = [] {
    Pipelines p;
    register_pipelines(p);
    return p;
  }();
  return all;
}

Command pipeline_command(std::string_view name) {
  const Pipeline& p = pipelines().get(name);
  return {
      .name = p.name,
      .does = p.does,
      .in = {{.name = "CONFIG", .what = "configuration in YAML", .kind = Kind::file, .optional = true},
             {.name = "DATA", .what = p.data, .kind = Kind::folder, .optional = true}},
      .opt = {folder("--out", "folder that receives the maps, their sidecars, summary.json and report.html")
                  .output()
                  .as("-o"),
              flag("--defaults", "print a complete configuration with every key at its default"),
              flag("--graph",
                   "print the graph that runs, as JSON: the shipped one, or with CONFIG and DATA the one of this run"),
              flag("--check", "check the configuration, and with DATA the files and values it would use; fit nothing")},
      .refs = p.refs,
      .examples = {fmt::format("larmor {} --defaults > config.yaml", p.name),
                   fmt::format("larmor {} --check config.yaml sub-01", p.name),
                   fmt::format("larmor {} config.yaml sub-01 -o maps/sub-01", p.name)},
      .more = p.more,
      .run = run};
}

void SurfaceSettings::set(const char* key, const flow::Value& value) {
  const auto& promoted = graph_.settings.at(key);
  auto& node = graph_.nodes.at(promoted.node);
  const auto* described = nodes::operations().get(node.op).setting(promoted.setting);
  if (described && described->value.hash() == value.hash())
    node.settings.erase(promoted.setting);
  else
    node.settings[promoted.setting] = value;
}
void SurfaceSettings::set_shown(const char* key, double engine, double unit) { set(key, without_noise(engine, unit)); }
void SurfaceSettings::set_shown(const char* key, const std::vector<double>& engine, double unit) {
  auto shown = engine;
  for (double& x : shown) x = without_noise(x, unit);
  set(key, list_value(shown));
}

flow::Value volume_value(const Image& like, const std::vector<float>& values) {
  const auto g = like.grid();
  return ValueTraits<Image>::to(nodes::place_of(like, Array::from<float>(values, {g[0], g[1], g[2]})));
}
flow::Value region_value(const Image& like, const std::vector<std::uint8_t>& values) {
  const auto g = like.grid();
  return ValueTraits<Image>::to(nodes::place_of(like, Array::from<std::uint8_t>(values, {g[0], g[1], g[2]})));
}
flow::Value list_value(const std::vector<double>& numbers) { return ValueTraits<std::vector<double>>::to(numbers); }

}  // namespace larmor::cli
