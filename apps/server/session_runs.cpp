// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "session.hpp"

namespace larmor::server {
namespace {

using namespace std::chrono_literals;
constexpr std::size_t most_runs = 50, most_lines = 2000;

}  // namespace

void Session::on_node(const flow::NodeReport& report) {
  std::lock_guard lock(nodes_mutex_);
  flow::NodeReport& mine = nodes_[report.path];
  if (!report.error.empty() && report.error != mine.error) add_line("error", report.error, report.path);
  for (std::size_t i = 0; i < report.warnings.size(); ++i)
    if (i >= mine.warnings.size() || mine.warnings[i] != report.warnings[i])
      add_line("warning", report.warnings[i], report.path);
  if (!report.log.empty() && report.log != mine.log)
    add_line("info", report.log.starts_with(mine.log) ? report.log.substr(mine.log.size()) : report.log, report.path);
  mine = report;
  unsent_.insert(report.path);
  // Small nodes go from waiting to done in no time: what they are at the end of a frame is enough.
  if (flush_due_ == Clock::time_point::max()) soon(flush_due_, 25ms);
}

void Session::flush_nodes() {
  for (const auto& path : unsent_)
    if (const auto it = nodes_.find(path); it != nodes_.end())
      events_.publish({{"t", "node"}, {"node", json::parse(flow::to_json(it->second))}});
  unsent_.clear();
  flush_due_ = Clock::time_point::max();
}

void Session::add_line(const char* level, const std::string& text, const std::string& node) {
  lines_.push_back({++line_count_,
                    std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(), level,
                    text.substr(0, 8192), node});
  if (lines_.size() > most_lines) lines_.pop_front();
  events_.publish({{"t", "log"}, {"level", level}, {"text", lines_.back().text}, {"node", node}});
}

void Session::say(const char* level, const std::string& text) {
  std::lock_guard lock(nodes_mutex_);
  add_line(level, text, "");
}

void Session::remember(Done done, json message) {
  ++runs_ended_;
  done.started = run_started_;
  done_.push_back(std::move(done));
  if (done_.size() > most_runs) done_.pop_front();
  flush_nodes();
  events_.publish(std::move(message));
}

void Session::on_finished(int run, const flow::RunReport& report) {
  std::lock_guard lock(nodes_mutex_);
  for (const auto& [path, node] : report.nodes) {
    flow::NodeReport& mine = nodes_[path];
    if (mine.path.empty() || flow::to_json(mine) != flow::to_json(node)) unsent_.insert(path);
    mine = node;
  }
  remember({run, 0, report.seconds, report.state, report.peak_bytes, report.to_json()},
           {{"t", "run"},
            {"run", run},
            {"state", report.state},
            {"seconds", report.seconds},
            {"ran", report.ran},
            {"cached", report.cached},
            {"failed", report.failed},
            {"skipped", report.skipped},
            {"resident_bytes", report.resident_bytes},
            {"peak_bytes", report.peak_bytes}});
  events_.publish({{"t", "memory"},
                   {"resident_bytes", workshop_.engine.resident_bytes()},
                   {"budget", workshop_.engine.options().memory_budget}});
}

void Session::on_failed(int run, const Error& error) {
  std::lock_guard lock(nodes_mutex_);
  add_line("error", error.what(), "");
  const bool cancelled = error.code() == Errc::cancelled;
  const json report{{"state", cancelled ? "cancelled" : "failed"},
                    {"error", error.message()},
                    {"advice", error.advice()},
                    {"nodes", json::object()}};
  remember({run, 0, 0, report["state"], 0, report.dump(-1, ' ', false, json::error_handler_t::replace)},
           {{"t", "run"}, {"run", run}, {"state", report["state"]}, {"error", error.message()}});
}

json Session::runs() const {
  std::lock_guard lock(nodes_mutex_);
  json out = json::array();
  for (const auto& d : done_)
    out.push_back({{"run", d.run},
                   {"started", d.started},
                   {"seconds", d.seconds},
                   {"state", d.state},
                   {"peak_bytes", d.peak_bytes}});
  return out;
}

std::string Session::run_report(int number) const {
  std::lock_guard lock(nodes_mutex_);
  for (const auto& d : done_)
    if (d.run == number) return d.report;
  throw HttpError(
      404, Errc::unknown_name, fmt::format("there is no report of run {}", number),
      done_.empty() ? "nothing has run yet" : fmt::format("there are {} to {}", done_.front().run, done_.back().run));
}

json Session::log(std::uint64_t since) const {
  std::lock_guard lock(nodes_mutex_);
  json out = json::array();
  for (const auto& l : lines_)
    if (l.number > since)
      out.push_back({{"n", l.number}, {"time", l.time}, {"level", l.level}, {"text", l.text}, {"node", l.node}});
  return out;
}

}  // namespace larmor::server
