// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <functional>
#include <larmor/core/cancel.hpp>
#include <larmor/core/progress.hpp>
#include <larmor/flow/graph.hpp>
#include <larmor/io/report.hpp>
#include <larmor/nodes/maps_report.hpp>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "command.hpp"
#include "job_files.hpp"
#include "write_maps.hpp"

/// What `larmor dce`, `larmor ivim` and their like have in common: a configuration and data files become a shipped
/// graph with its settings and inputs; the engine runs it; its maps become files, a summary and a report. A file of
/// pipelines/ says what is special to one.
namespace larmor::cli {

/// What a run gave.
struct PipelineRun {
  flow::Graph graph;
  ParameterMaps maps;  // engine units
  std::int64_t fitted = 0;
  double fit_seconds = 0;
  std::vector<std::pair<std::string, double>> seconds;  // by stage
};

/// What it amounts to, for the terminal, summary.json and the report.
struct RunSummary {
  nodes::VoxelCounts counts;
  std::vector<MapSummary> maps;
  std::vector<std::pair<std::string, double>> seconds;
  std::int64_t fitted = 0;
  double total_seconds = 0, voxels_per_second = 0;
  std::string provenance;  // JSON
};

/// One run: the configuration with the files that it names or finds, read, and what the run leaves.
class PipelineJob {
 public:
  /// Value of an output port of a node of the graph, by name ("fit.maps").
  using Values = std::function<flow::Value(const char* port)>;
  using Rows = std::vector<std::vector<std::string>>;
  using Pairs = std::vector<std::pair<std::string, std::string>>;

  virtual ~PipelineJob() = default;
  virtual const JobFacts& facts() const = 0;
  virtual Rows plan() const = 0;  // what --check tells below the files: what, taken
  virtual Device device() const { return Device::cpu(); }
  /// The shipped graph with the settings of the job.
  virtual flow::Graph graph() const = 0;
  virtual std::map<std::string, flow::Value> inputs() const = 0;
  virtual std::string maps_port() const { return "maps.out"; }           // a node's output that gives the maps
  virtual std::vector<std::string> targets() const { return {"maps"}; }  // nodes that are wanted
  /// The node whose time is that of the fit.
  virtual std::string fit_node() const { return "fit"; }
  /// Nodes and the stages by which their times are told.
  virtual Pairs stages() const = 0;
  /// Takes what else it wants of the run; by default nothing.
  virtual void take(const Values&, PipelineRun&) {}

  virtual std::string method() const = 0;               // named in the sidecars of the maps
  virtual Pairs used() const { return {}; }             // values in use beside the configuration's: name, JSON
  virtual Pairs summary(const PipelineRun&) const = 0;  // head of summary.json: name, JSON
  virtual void write_more(const std::filesystem::path& /*folder*/, const PipelineRun&, const Config&,
                          const RunSummary&) const {}
  virtual io::HtmlReport report(const PipelineRun&, const Config&, const RunSummary&) const = 0;
};

class Wizard;
/// A command of the form `larmor NAME CONFIG DATA -o OUT`.
struct Pipeline {
  std::string name;              // "dce": of the command and of the shipped graph
  std::string dataset;           // name of the BIDS derivative: "DCE perfusion"
  std::string does, data, more;  // texts of the help
  std::vector<std::string> refs;
  const ConfigTable& (*config)();
  std::unique_ptr<PipelineJob> (*prepare)(const Config&, const std::filesystem::path& data, Device device);
  void (*ask)(Wizard&) = nullptr;                                // questions of `larmor wizard`; none: not asked for
  bool (*suits)(const std::filesystem::path& folder) = nullptr;  // its data lie in that folder
};
class Pipelines {
 public:
  void add(Pipeline p) { all_.push_back(std::move(p)); }
  const std::vector<Pipeline>& all() const { return all_; }
  std::vector<std::string> names() const;
  const Pipeline& get(std::string_view name) const;  // Errors   Errc::unknown_name

 private:
  std::vector<Pipeline> all_;
};
const Pipelines& pipelines();

/// The command of a pipeline, for commands/<name>.cpp.
Command pipeline_command(std::string_view name);

/// Settings on the surface of a graph, by name.
class SurfaceSettings {
 public:
  explicit SurfaceSettings(flow::Graph& graph) : graph_(graph) {}
  /// One that is the default is left out of the graph.
  void set(const char* key, const flow::Value& value);
  /// The same of a number in the units of people, without the digits that a conversion made: 15 deg, not
  /// 14.999999999999998.
  void set_shown(const char* key, double engine, double unit);
  void set_shown(const char* key, const std::vector<double>& engine, double unit);

 private:
  flow::Graph& graph_;
};
flow::Value volume_value(const Image& like, const std::vector<float>& values);
flow::Value region_value(const Image& like, const std::vector<std::uint8_t>& values);
flow::Value list_value(const std::vector<double>& numbers);

/// Fills what every report shows: title, maps, units, times, notes, files, and the drawers with configuration,
/// settings, graph and provenance.
void fill_report(nodes::MapsReport& report, const PipelineJob& job, const PipelineRun& run, const Config& config,
                 const RunSummary& summary);

}  // namespace larmor::cli
