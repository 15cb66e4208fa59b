// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <larmor/flow/reporter.hpp>
#include <larmor/flow/scheduler.hpp>

namespace larmor::flow {
namespace {

// Of several steps of one node the worst state is the node's.
int rank(State state) {
  switch (state) {
    case State::idle:
      return 0;
    case State::waiting:
    case State::running:
      return 1;
    case State::frozen:
      return 2;
    case State::bypassed:
      return 3;
    case State::cached:
      return 4;
    case State::done:
      return 5;
    case State::warning:
      return 6;
    case State::skipped:
      return 7;
    case State::cancelled:
      return 8;
    case State::error:
      return 9;
  }
  return 0;
}

}  // namespace

Reporter::Reporter(Machine& machine, const Paths& paths, const RunOptions& options)
    : machine_(machine), paths_(paths), options_(options) {
  nodes_.resize(paths.names.size());
}

double Reporter::now() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

NodeReport& Reporter::node(int path) {
  auto& entry = nodes_[static_cast<std::size_t>(path)];
  NodeReport& r = entry.report;
  if (!entry.used) {
    entry.used = true;
    r.path = paths_.names[static_cast<std::size_t>(path)], r.op = paths_.ops[static_cast<std::size_t>(path)];
    const Times times = machine_.times(options_.session, r.path);
    r.expected_seconds = r.mean_seconds = times.mean, r.sd_seconds = times.sd(), r.runs = times.runs;
  }
  return r;
}

void Reporter::tell(NodeReport& report) {
  if (options_.on_node) options_.on_node(report);
}

void Reporter::waiting(int path) {
  const std::lock_guard lock(mutex_);
  NodeReport& r = node(path);
  // Told once something runs: most nodes are found in the cache before that, and never waited.
  if (r.state == State::idle) r.state = State::waiting;
}

void Reporter::set_state(int path, State state) {
  const std::lock_guard lock(mutex_);
  NodeReport& r = node(path);
  r.state = state;
  tell(r);
}

void Reporter::begin(int path) {
  const std::lock_guard lock(mutex_);
  NodeReport& r = node(path);
  auto& entry = nodes_[static_cast<std::size_t>(path)];
  if (entry.running++ > 0) return;
  if (!std::exchange(announced_, true))
    for (auto& other : nodes_)
      if (other.used && other.report.state == State::waiting) tell(other.report);
  if (r.started == 0) r.started = now(), r.thread = Scheduler::thread();
  if (rank(r.state) > rank(State::running)) return;  // a later round of one that has a state already
  r.state = State::running, r.progress = 0;
  tell(r);
}

void Reporter::progress(int path, const std::string& doing, double part) {
  constexpr double interval = 0.05;  // [s]: 20 times a second
  const std::lock_guard lock(mutex_);
  NodeReport& r = node(path);
  auto& entry = nodes_[static_cast<std::size_t>(path)];
  const double at = now();
  const bool other = r.doing != doing;
  r.doing = doing, r.progress = std::clamp(part, 0.0, 1.0);
  if (!other && entry.told >= 0 && at - entry.told < interval) return;
  if (other && entry.told >= 0 && at - entry.told < interval / 2) return;
  entry.told = at;
  tell(r);
}

void Reporter::warn(int path, const std::string& text) {
  const std::lock_guard lock(mutex_);
  auto& warnings = node(path).warnings;
  // A loop that warns a thousand times says so once.
  if (std::find(warnings.begin(), warnings.end(), text) == warnings.end() && warnings.size() < 50)
    warnings.push_back(text);
}

void Reporter::log(int path, const std::string& text) {
  constexpr std::size_t most = 16384;  // the last lines matter
  const std::lock_guard lock(mutex_);
  auto& log = node(path).log;
  log += text;
  if (!text.ends_with('\n')) log += '\n';
  if (log.size() > most) log.erase(0, log.size() - most);
}

void Reporter::describe(NodeReport& report, const Record& record) {
  for (const auto& port : record.ports) {
    PortReport& p = report.outputs[port.name];
    p.type = port.type, p.describe = port.describe, p.hash = port.hash, p.bytes = port.bytes;
  }
  report.output_bytes = 0;
  for (const auto& [name, port] : report.outputs) report.output_bytes += port.bytes;
}

// Values of a sweep are one output: how many of what, their bytes, and a hash that changes when one of them does,
// whichever of them ends last.
void Reporter::describe_swept(int path) {
  auto& entry = nodes_[static_cast<std::size_t>(path)];
  struct Sum {
    PortReport port;
    std::size_t count = 0;
    bool alike = true;
    Hasher hasher = {};
  };
  std::map<std::string, Sum> sums;
  for (const auto& [index, ports] : entry.swept)
    for (const auto& port : ports) {
      Sum& s = sums[port.name];
      if (s.count++ == 0) s.port.type = port.type, s.port.describe = port.describe;
      s.alike = s.alike && s.port.describe == port.describe;
      s.port.bytes += port.bytes;
      s.hasher.add(index).add(port.hash);
    }
  entry.report.output_bytes = 0;
  for (auto& [name, s] : sums) {
    s.port.describe = std::to_string(s.count) + " x " + (s.alike ? s.port.describe : s.port.type);
    s.port.hash = s.hasher.done();
    entry.report.output_bytes += s.port.bytes;
    entry.report.outputs[name] = std::move(s.port);
  }
}

void Reporter::end(int path, const End& end) {
  const std::lock_guard lock(mutex_);
  NodeReport& r = node(path);
  auto& entry = nodes_[static_cast<std::size_t>(path)];
  if (end.began) --entry.running;
  r.seconds += end.seconds;
  r.peak_bytes = std::max(r.peak_bytes, end.peak_bytes);
  if (end.ran) ++r.rounds;
  if (end.state == State::cached || end.state == State::frozen) ++r.cache_hits;
  if (end.record && !end.part && end.index.empty()) describe(r, *end.record);
  if (end.record && !end.part && !end.index.empty()) {
    auto& ports = entry.swept[end.index] = end.record->ports;
    for (auto& port : ports) port.small = Value();
    describe_swept(path);
  }
  if (end.record)
    for (const auto& text : end.record->warnings)
      if (std::find(r.warnings.begin(), r.warnings.end(), text) == r.warnings.end()) r.warnings.push_back(text);
  if (end.error && r.error.empty()) {
    r.error = end.error->message(), r.advice = end.error->advice();
    r.code = to_string(end.error->code()), r.where = end.error->where();
    for (const auto& place : end.error->where())
      if (place.find(".py:") != std::string::npos || place.find(".cpp:") != std::string::npos) r.error_at = place;
  }
  if (end.part && !end.error) return;
  State state = end.state;
  if (state == State::done && !r.warnings.empty()) state = State::warning;
  if (rank(state) >= rank(r.state)) r.state = state;
  if (r.state == State::done || r.state == State::warning) r.progress = 1;
  tell(r);
}

RunReport Reporter::finish(const std::string& state, std::vector<Issue> issues, bool learn) {
  const std::lock_guard lock(mutex_);
  RunReport out;
  out.state = state;
  out.issues = std::move(issues);
  out.seconds = now();
  for (auto& entry : nodes_) {
    if (!entry.used) continue;
    NodeReport& r = entry.report;
    for (auto& [name, port] : r.outputs) {
      port.resident = port.bytes < small_bytes || machine_.store.has(port.hash);
      if (!entry.swept.empty())
        port.resident =
            std::all_of(entry.swept.begin(), entry.swept.end(), [&, n = std::string_view(name)](const auto& s) {
              return std::all_of(s.second.begin(), s.second.end(), [&](const PortRecord& p) {
                return p.name != n || p.bytes < small_bytes || machine_.store.has(p.hash);
              });
            });
      if (!learn) continue;
      port.unchanged = machine_.exchange_hash(options_.session, r.path + "." + name, port.hash) == port.hash;
    }
    if (r.rounds > 0) ++out.ran;
    if (r.state == State::cached || r.state == State::frozen) ++out.cached;
    if (r.state == State::error) ++out.failed;
    if (r.state == State::skipped) ++out.skipped;
    if (learn && r.rounds > 0 && (r.state == State::done || r.state == State::warning)) {
      machine_.add_time(options_.session, r.path, r.seconds);
      const Times times = machine_.times(options_.session, r.path);
      r.mean_seconds = times.mean, r.sd_seconds = times.sd(), r.runs = times.runs;
    }
    out.nodes.emplace(r.path, std::move(r));
  }
  return out;
}

}  // namespace larmor::flow
