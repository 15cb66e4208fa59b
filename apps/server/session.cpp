// SPDX-License-Identifier: Apache-2.0
#include "session.hpp"

#include <fmt/format.h>

#include <larmor/core/log.hpp>
#include <larmor/io/file.hpp>

#include "describe.hpp"
#include "touch.hpp"

namespace larmor::server {
namespace {

using namespace std::chrono_literals;

constexpr auto kept_probe = 10s;

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

Session::Session(Workshop& workshop, std::string id, json content, fs::path file)
    : workshop_(workshop),
      id_(std::move(id)),
      file_(std::move(file)),
      document_(std::move(content),
                [this](const json& c) { graph_ = std::make_shared<const flow::Graph>(flow::parse_graph(c.dump())); }),
      runner_(workshop.engine, {[this](int run) {
                                  {
                                    std::lock_guard lock(nodes_mutex_);
                                    run_started_ = now_seconds();
                                  }
                                  events_.publish({{"t", "run"}, {"run", run}, {"state", "running"}});
                                },
                                [this](int run, const flow::RunReport& report) { on_finished(run, report); },
                                [this](int run, const Error& error) { on_failed(run, error); }}) {
  issues_ = flow::check(*graph_, workshop_.types, workshop_.library, base());
  run_due_ = Clock::now();
}
Session::~Session() { events_.close_all(); }

fs::path Session::file() const {
  std::lock_guard lock(mutex_);
  return file_;
}
fs::path Session::base() const { return file_.empty() ? workshop_.roots.all().front() : file_.parent_path(); }
std::shared_ptr<const flow::Graph> Session::graph() const {
  std::lock_guard lock(mutex_);
  return graph_;
}
json Session::content() const {
  std::lock_guard lock(mutex_);
  return document_.content();
}

json Session::history() const {
  const auto label = [](const std::optional<std::string>& l) { return l ? json(*l) : json(); };
  return {{"undo", label(document_.undo_label())}, {"redo", label(document_.redo_label())}};
}

json Session::brief() const {
  std::lock_guard lock(mutex_);
  return {{"id", id_},
          {"path", file_.string()},
          {"title", graph_->title},
          {"rev", document_.rev()},
          {"saved_rev", document_.saved_rev()},
          {"clients", events_.clients()}};
}

json Session::state() const {
  std::lock_guard lock(mutex_);
  json s{{"id", id_},
         {"path", file_.string()},
         {"rev", document_.rev()},
         {"saved_rev", document_.saved_rev()},
         {"seq", events_.seq()},
         {"graph", document_.content()},
         {"issues", describe(issues_)},
         {"auto", auto_},
         {"running", runner_.running()},
         {"nodes", json::object()}};
  s.update(history());
  std::lock_guard nodes_lock(nodes_mutex_);
  for (const auto& [path, report] : nodes_) s["nodes"][path] = json::parse(flow::to_json(report));
  return s;
}

void Session::soon(Clock::time_point& due, std::chrono::milliseconds in) {
  due = std::min(due, Clock::now() + in);
  workshop_.wake();
}

void Session::changed(const Document::Change& change, const std::string& client) {
  json message{
      {"t", "patch"}, {"rev", change.rev}, {"patch", change.patch}, {"label", change.label}, {"client", client}};
  message.update(history());
  events_.publish(std::move(message));
  soon(check_due_, 100ms);
  soon(recovery_due_, 2000ms);
  const Touch touch = touched(change.patch);
  if (!touch.any()) return;
  const auto stale = with_dependents(*graph_, touch);
  if (auto_) {
    run_due_ = Clock::now() + 120ms;  // from the last edit: a drag runs when it pauses
    workshop_.wake();
  }
  mark_stale(stale);
}

void Session::mark_stale(const std::set<std::string>& stale) {
  bool running = false;
  {
    std::lock_guard lock(nodes_mutex_);
    std::erase_if(
        nodes_, [&](const auto& entry) { return !graph_->nodes.count(entry.first.substr(0, entry.first.find('/'))); });
    for (auto& [path, report] : nodes_) {
      if (!stale.count(path.substr(0, path.find('/')))) continue;
      running |= report.state == flow::State::running || report.state == flow::State::waiting;
      if (auto_ || report.state == flow::State::running || report.state == flow::State::idle) continue;
      report.state = flow::State::idle;
      unsent_.insert(path);
    }
    if (!unsent_.empty()) soon(flush_due_, 0ms);
  }
  // What is being computed would be thrown away. A run that others started by hand goes on: its results stay good.
  if (auto_ && running && runner_.running()) runner_.cancel();
}

json Session::edit(const json& patch, const std::string& label, const std::string& merge, const std::string& client) {
  std::lock_guard lock(mutex_);
  const auto change = document_.edit(patch, label, merge);
  changed(change, client);
  return {{"rev", change.rev}};
}
json Session::undo(const std::string& client) {
  std::lock_guard lock(mutex_);
  const auto change = document_.undo();
  changed(change, client);
  return {{"rev", change.rev}, {"label", change.label}};
}
json Session::redo(const std::string& client) {
  std::lock_guard lock(mutex_);
  const auto change = document_.redo();
  changed(change, client);
  return {{"rev", change.rev}, {"label", change.label}};
}

json Session::save(const std::string& path) {
  std::lock_guard lock(mutex_);
  fs::path to = file_;
  if (!path.empty()) {
    to = workshop_.roots.allow(path);
    if (to.extension() != ".json") to += ".json";
  }
  if (to.empty()) throw Error(Errc::usage, "the graph has no file yet", "say where: {\"path\": \"name.json\"}");
  // A shipped graph is opened where it lies, which may be outside of what may be written.
  workshop_.roots.allow(to);
  io::write_text(to, flow::to_json(*graph_));
  file_ = to;
  document_.saved(document_.rev());
  recovery_due_ = Clock::time_point::max();
  forget();
  const json saved{{"path", file_.string()}, {"saved_rev", document_.rev()}};
  events_.publish({{"t", "saved"}, {"path", file_.string()}, {"rev", document_.rev()}});
  return saved;
}

flow::RunOptions Session::run_options() const {
  flow::RunOptions o;
  o.policy = flow::Policy::keep;
  o.base = base();
  o.session = id_;
  o.on_node = [self = const_cast<Session*>(this)](const flow::NodeReport& r) { self->on_node(r); };
  return o;
}

int Session::run(std::vector<std::string> targets, bool force) {
  std::lock_guard lock(mutex_);
  for (const auto& target : targets) {
    if (graph_->nodes.count(target.substr(0, target.find('/')))) continue;
    std::vector<std::string> names;
    for (const auto& [id, node] : graph_->nodes) names.push_back(id);
    throw unknown_name("node", target, names);
  }
  Runner::Job job{graph_, run_options()};
  job.options.targets = std::move(targets);
  job.options.force = force;
  run_due_ = Clock::time_point::max();
  return runner_.start(std::move(job));
}

void Session::start_automatic() {
  Runner::Job job{graph_, run_options()};
  const auto safe = harmless(*graph_, workshop_.types, workshop_.library);
  if (!safe.all && safe.nodes.empty()) return;
  if (graph_->nodes.empty()) return;
  if (!safe.all) job.options.targets = safe.nodes;
  runner_.start(std::move(job), false);
}

void Session::cancel() {
  {
    std::lock_guard lock(mutex_);
    run_due_ = Clock::time_point::max();
  }
  runner_.cancel();
}

void Session::set_auto(bool on) {
  std::lock_guard lock(mutex_);
  auto_ = on;
  if (on) soon(run_due_, 0ms);
  events_.publish({{"t", "auto"}, {"on", on}});
}

void Session::operations_changed() {
  std::lock_guard lock(mutex_);
  events_.publish({{"t", "catalogue"}});
  soon(check_due_, 0ms);
  if (auto_) soon(run_due_, 50ms);
}

json Session::form(const std::string& node) const {
  const flow::Form form = workshop_.engine.form(*graph(), node);
  json settings = json::array();
  for (const auto& s : form.all()) {
    json one = describe(s);
    one["value"] = plain(form.setting(s.name).value());
    settings.push_back(std::move(one));
  }
  return {{"settings", settings}, {"hidden", form.hidden()}, {"warnings", form.warnings()}};
}

flow::Value Session::value(const std::string& port) const {
  Probe probe;
  flow::RunOptions options;
  {
    std::lock_guard lock(mutex_);
    probe.graph = graph_;
    options = run_options();
    options.on_node = {};  // looking is no run
  }
  probe.port = port;
  {
    std::lock_guard lock(nodes_mutex_);
    probe.runs = runs_ended_;
  }
  {
    std::lock_guard lock(probe_mutex_);
    if (probe_.graph == probe.graph && probe_.port == port && probe_.runs == probe.runs) {
      probe_due_ = Clock::now() + kept_probe;
      return probe_.value;
    }
    probe_ = {};  // before the next one needs the memory
  }
  probe.value = workshop_.engine.value(*probe.graph, port, options);
  const flow::Value value = probe.value;
  {
    std::lock_guard lock(probe_mutex_);
    if (!value.none()) probe_ = std::move(probe);
    probe_due_ = Clock::now() + kept_probe;
  }
  workshop_.wake();
  return value;
}

int Session::rounds(const std::string& port) const {
  std::shared_ptr<const flow::Graph> graph;
  flow::RunOptions options;
  {
    std::lock_guard lock(mutex_);
    graph = graph_;
    options = run_options();
    options.on_node = {};
  }
  return workshop_.engine.rounds(*graph, port, options);
}

fs::path Session::recovery_file() const { return workshop_.recovery / (id_ + ".json"); }

void Session::write_recovery() {
  if (workshop_.recovery.empty()) return;
  json copy;
  {
    std::lock_guard lock(mutex_);
    if (document_.rev() == document_.saved_rev()) return;
    copy = {{"id", id_}, {"path", file_.string()}, {"graph", document_.content()}};
  }
  try {
    io::write_text(recovery_file(), copy.dump(-1, ' ', false, json::error_handler_t::replace));
  } catch (const Error& e) {
    log::warning("studio: no recovery copy: " + e.message());
  }
}
void Session::forget() {
  std::error_code ignored;
  if (!workshop_.recovery.empty()) fs::remove(recovery_file(), ignored);
}

Session::Clock::time_point Session::tick(Clock::time_point now) {
  bool recover = false;
  std::shared_ptr<const flow::Graph> to_check;
  fs::path folder;
  Clock::time_point next = Clock::time_point::max();
  const auto take = [&](Clock::time_point& due) {
    const bool is_due = due <= now;
    if (is_due) due = Clock::time_point::max();
    next = std::min(next, due);
    return is_due;
  };
  {
    std::lock_guard lock(nodes_mutex_);
    if (take(flush_due_)) flush_nodes();
  }
  {
    std::lock_guard lock(mutex_);
    recover = take(recovery_due_);
    if (take(check_due_)) to_check = graph_, folder = base();
    if (take(run_due_) && auto_) start_automatic();
  }
  {
    std::lock_guard lock(probe_mutex_);
    if (take(probe_due_)) probe_ = {};
  }
  if (to_check) {
    auto issues = flow::check(*to_check, workshop_.types, workshop_.library, folder);
    std::lock_guard lock(mutex_);
    const json before = describe(issues_);
    issues_ = std::move(issues);
    const json after = describe(issues_);
    if (before != after) events_.publish({{"t", "issues"}, {"issues", after}});
  }
  if (recover) write_recovery();
  return next;
}

}  // namespace larmor::server
