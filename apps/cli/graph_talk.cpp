// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <larmor/nodes/files.hpp>
#include <larmor/nodes/values/maps.hpp>

#include "graph_job.hpp"
#include "write_maps.hpp"

namespace larmor::cli {

using flow::State;

RunTalk::RunTalk(std::size_t n_nodes, bool quiet)
    : n_nodes_(n_nodes),
      quiet_(quiet),
      terminal_(isatty(STDERR_FILENO) == 1 && std::getenv("TERM") && std::string_view(std::getenv("TERM")) != "dumb") {}

RunTalk::~RunTalk() {
  if (open_) fmt::print(stderr, "\r\033[K");
  std::fflush(stderr);
}

void RunTalk::operator()(const flow::NodeReport& node) {
  if (quiet_) return;
  const std::lock_guard lock(mutex_);
  const State before = states_[node.path];
  states_[node.path] = node.state;
  if (node.state == State::running)
    running_[node.path] = node;
  else
    running_.erase(node.path);
  const bool ended =
      node.state != before && (node.state == State::done || node.state == State::warning || node.state == State::error);
  // Nodes of loops end many times: they are told of once, and counted at the end.
  const bool inside = node.path.find('/') != std::string::npos;
  if (!terminal_) {
    if (ended && !inside) fmt::print(stderr, "{}  {}  {:.2f} s\n", node.path, to_string(node.state), node.seconds);
    return;
  }
  const double now = std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  if (now - drawn_ < 0.1) return;
  drawn_ = now;
  draw();
}

void RunTalk::draw() {
  std::size_t ended = 0;
  for (const auto& [path, state] : states_)
    if (state != State::idle && state != State::waiting && state != State::running) ++ended;
  std::string text = fmt::format("[{}/{}]", ended, std::max(n_nodes_, states_.size()));
  for (const auto& [path, node] : running_) {
    std::string one = "  " + path;
    if (node.progress > 0) one += fmt::format(" {:.0f} %", 100 * node.progress);
    if (node.expected_seconds > 1) one += fmt::format(" of {:.0f} s", node.expected_seconds);
    if (text.size() + one.size() > 78) break;  // a line that wraps could not be drawn over
    text += one;
  }
  fmt::print(stderr, "\r\033[K{}", text);
  std::fflush(stderr);
  open_ = true;
}

std::filesystem::path write_output(const std::filesystem::path& folder, const std::string& name,
                                   const flow::Value& value, const std::string& provenance) {
  const std::string& type = value.type();
  if (type == "maps") {
    MapFiles files;
    files.folder = folder / name, files.provenance = provenance;
    write_maps(flow::ValueTraits<ParameterMaps>::from(value), files);
    return folder / name;
  }
  const std::string ending = type == "image"                      ? ".nii.gz"
                             : type == "array"                    ? ".npy"
                             : type == "table" || type == "curve" ? ".csv"
                             : type == "picture"                  ? ".png"
                             : type == "report"                   ? ".html"
                             : type == "text"                     ? ".txt"
                                                                  : ".json";
  const auto path = folder / (name + ending);
  nodes::write_file(path, value, provenance);
  return path;
}

}  // namespace larmor::cli
