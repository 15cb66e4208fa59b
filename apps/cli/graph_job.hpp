// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/progress.hpp>
#include <larmor/flow/engine.hpp>
#include <mutex>

#include "command.hpp"

/// What `larmor run` does around the engine: settings and inputs from the command line, progress, outputs to files.
namespace larmor::cli {

/// `fit.Hct=0.42`, or `Hct=0.42` for a setting that the graph promotes. The text is read as the setting's kind asks:
/// JSON, or a text as it stands; a list for a setting that takes one value is a sweep. Nodes inside sub-graphs are
/// named by their path and changed in that place only. Errors   Errc::usage, Errc::unknown_name, those of
/// Setting::checked
void set_in_graph(flow::Graph& graph, const std::string& assignment, const flow::NodeTypes& types,
                  const flow::Library& library);

/// `name=file`: the value for an input of the graph, read by the file's ending, into `inputs`; or the file of a node
/// that reads one. Errors   Errc::usage, Errc::unknown_name, those of the reader
void feed_graph(flow::Graph& graph, std::map<std::string, flow::Value>& inputs, const std::string& assignment,
                const flow::NodeTypes& types);

/// The file as a value of this type: a table of two columns as a curve, the .json of larmor traj as a trajectory; else
/// what its ending says. Errors   those of the reader
flow::Value read_value(const std::string& file, const std::string& type);

/// An array without axes as the number that it holds; what else comes, as it is.
flow::Value a_number(const flow::Value& value);

/// "512M", "2G", "1.5GB", or bytes. Errors   Errc::usage
std::size_t parse_size(const std::string& text, const std::string& what);
/// "1.5 GB"
std::string size_text(std::size_t bytes);

/// ~/.cache/larmor, or as XDG_CACHE_HOME says; empty when there is no home.
std::filesystem::path default_cache_folder();

/// Writes a value as the file that its type asks for (image .nii.gz, array .npy, table .csv, ..., maps a folder of
/// images) and returns where. Errors   those of the writers
std::filesystem::path write_output(const std::filesystem::path& folder, const std::string& name,
                                   const flow::Value& value, const std::string& provenance);

/// Nodes as they run, on stderr: one line redrawn on a terminal, else a line for each that ends.
class RunTalk {
 public:
  RunTalk(std::size_t n_nodes, bool quiet);
  ~RunTalk();
  void operator()(const flow::NodeReport& node);

 private:
  void draw();
  std::mutex mutex_;
  std::size_t n_nodes_;
  bool quiet_, terminal_, open_ = false;
  std::map<std::string, flow::State> states_;
  std::map<std::string, flow::NodeReport> running_;
  double drawn_ = -1;
};

}  // namespace larmor::cli
