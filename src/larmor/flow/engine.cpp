// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <larmor/flow/engine.hpp>
#include <larmor/flow/inside.hpp>
#include <larmor/flow/provenance.hpp>
#include <larmor/flow/run.hpp>

namespace larmor::flow {

struct Engine::Impl {
  Impl(const NodeTypes& types, EngineOptions options) : machine(types, std::move(options)) {}
  Machine machine;

  Plan plan(const Graph& graph, const RunOptions& run) {
    const std::shared_lock lock(machine.types_in_use);
    return make_plan(
        graph, machine.types,
        {run.base, run.out, machine.options.library, machine.options.device, machine.options.allow_user_code});
  }
  Value inside(Plan plan, int zone, const PortPath& path, const RunOptions& options);
};

namespace {

template <class Map>
std::vector<std::string> keys_of(const Map& map) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : map) keys.push_back(key);
  return keys;
}

// The steps wanted and all they need.
std::vector<bool> closure(const Plan& plan, const std::vector<int>& wanted) {
  std::vector<bool> needed(plan.steps.size());
  for (const int s : wanted) needed[static_cast<std::size_t>(s)] = true;
  for (std::size_t s = plan.steps.size(); s-- > 0;) {  // sources come before those that read them
    if (!needed[s]) continue;
    for (const auto* feeds : {&plan.steps[s].inputs, &plan.steps[s].wired_settings})
      for (const auto& feed : *feeds)
        if (feed.from.kind == Source::Kind::step) needed[static_cast<std::size_t>(feed.from.step)] = true;
  }
  return needed;
}

std::vector<bool> needed_for(const Plan& plan, const std::vector<std::string>& targets) {
  if (targets.empty()) return std::vector<bool>(plan.steps.size(), true);
  std::vector<int> wanted;
  for (const auto& target : targets) {
    bool found = false;
    for (std::size_t s = 0; s < plan.steps.size(); ++s) {
      const int number = plan.steps[s].path;
      if (number < 0) continue;
      const auto& path = plan.paths->names[static_cast<std::size_t>(number)];
      if (path != target && !path.starts_with(target + "/")) continue;
      wanted.push_back(static_cast<int>(s)), found = true;
    }
    for (const int path : plan.bypassed)
      if (plan.paths->names[static_cast<std::size_t>(path)] == target) {
        found = true;
        for (const auto& [port, bundle] : plan.ports)
          if (port.starts_with(target + "."))
            for (const auto& source : bundle.at)
              if (source.kind == Source::Kind::step) wanted.push_back(source.step);
      }
    if (found) continue;
    // A node inside a zone runs with the zone.
    for (std::size_t s = 0; s < plan.steps.size() && !found; ++s)
      if (plan.steps[s].kind == Step::Kind::zone && plan.paths->numbers.count(target) &&
          target.starts_with(plan.paths->names[static_cast<std::size_t>(plan.steps[s].path)] + "/"))
        wanted.push_back(static_cast<int>(s)), found = true;
    if (!found) throw unknown_name("node", target, plan.paths->names).at("what to run");
  }
  return closure(plan, wanted);
}

}  // namespace

// A value of a node inside a zone: as the last run left it, else the zone runs once more and keeps it.
Value Engine::Impl::inside(Plan plan, int zone, const PortPath& path, const RunOptions& options) {
  const auto names = all_ports(plan);
  if (std::find(names.begin(), names.end(), path.plain()) == names.end())
    throw unknown_name("port", path.plain(), names);
  plan.finish();
  const auto shared = std::make_shared<const Plan>(std::move(plan));
  const auto& name = shared->paths->names[static_cast<std::size_t>(shared->steps[static_cast<std::size_t>(zone)].path)];
  const auto begin = static_cast<std::size_t>(std::count(name.begin(), name.end(), '/')) + 1;
  bool known = true;
  for (const bool again : {false, true}) {
    if (!known) return {};
    Run run(machine, options, shared, closure(*shared, {zone}));
    run.looking = true, run.only_known = !again;
    if (again) run.captured = {path.node()};
    run.go();
    const auto record = run.record(zone);
    known = record != nullptr;
    const auto inner = record ? record_inside(*record, path, begin) : nullptr;
    if (!inner) continue;
    for (const auto& port : inner->ports) {
      if (port.name != path.port) continue;
      if (!port.small.none() || port.hash.zero()) return port.small;
      const Value value = machine.pin(port.hash);
      if (value.none()) continue;
      machine.store.unpin(port.hash);
      return value;
    }
  }
  return {};
}

Engine::Engine(const NodeTypes& types, EngineOptions options)
    : impl_(std::make_unique<Impl>(types, std::move(options))) {}
Engine::~Engine() = default;

RunReport Engine::run(const Graph& graph, const RunOptions& options) {
  Machine& machine = impl_->machine;
  for (const auto& [name, value] : options.inputs)
    if (!graph.inputs.count(name)) throw unknown_name("input of the graph", name, keys_of(graph.inputs));
  auto plan = std::make_shared<const Plan>(impl_->plan(graph, options));
  auto needed = needed_for(*plan, options.targets);
  machine.store.reset_peak();
  Run run(machine, options, plan, std::move(needed));
  run.provenance = [&](const std::string& node) {
    const std::shared_lock lock(machine.types_in_use);
    return flow::to_json(provenance_of(graph, node, machine.types, machine.options.library, options.base));
  };
  RunReport report = run.go();
  report.peak_bytes = machine.store.peak_since_reset();
  report.resident_bytes = machine.store.resident();
  machine.save_notes(options.session);
  return report;
}

Value Engine::value(const Graph& graph, std::string_view port, const RunOptions& given) {
  Machine& machine = impl_->machine;
  RunOptions options = given;
  options.on_node = {}, options.targets.clear(), options.force = false;
  Plan plan = impl_->plan(graph, options);
  Bundle bundle;
  if (port.find('.') == std::string_view::npos) {
    const auto found = plan.outputs.find(std::string(port));
    if (found == plan.outputs.end()) throw unknown_name("output of the graph", port, keys_of(plan.outputs));
    bundle = found->second;
  } else {
    PortPath path(port);
    if (const int zone = zone_of(plan, path); zone >= 0) return impl_->inside(std::move(plan), zone, path, options);
    const auto found = plan.ports.find(path.plain());
    if (found == plan.ports.end()) throw unknown_name("port", port, all_ports(plan));
    bundle = found->second;
  }
  const Source source = stacked(plan, bundle, std::string(port.substr(0, port.find('.'))), machine.types);
  const int sink = plan.add_sink({{"value", source}});
  plan.finish();
  auto shared = std::make_shared<const Plan>(std::move(plan));
  Run run(machine, options, shared, closure(*shared, {sink}));
  run.looking = run.only_known = true;
  run.go();
  const auto values = run.sink(sink);
  const auto value = values.find("value");
  return value == values.end() ? Value() : value->second;
}

int Engine::rounds(const Graph& graph, std::string_view port, const RunOptions& given) {
  RunOptions options = given;
  options.on_node = {}, options.targets.clear(), options.force = false;
  Plan plan = impl_->plan(graph, options);
  PortPath path(port);
  path.round = 0;  // an output of the loop itself is that of a node inside
  const int zone = zone_of(plan, path);
  if (zone < 0) return 0;
  plan.finish();
  const auto shared = std::make_shared<const Plan>(std::move(plan));
  const auto& name = shared->paths->names[static_cast<std::size_t>(shared->steps[static_cast<std::size_t>(zone)].path)];
  const auto begin = static_cast<std::size_t>(std::count(name.begin(), name.end(), '/')) + 1;
  Run run(impl_->machine, options, shared, closure(*shared, {zone}));
  run.looking = run.only_known = true;
  run.go();
  const auto record = run.record(zone);
  if (!record) return 0;
  int& round = path.rounds[begin - 1];
  for (path.round = -1, round = 0; record_inside(*record, path, begin);) ++round;
  return round;
}

Form Engine::form(const Graph& graph, const std::string& node, const RunOptions& options) {
  Machine& machine = impl_->machine;
  // The graph that holds the node, which may be inside of others.
  std::shared_ptr<const Graph> held;
  const Graph* at = &graph;
  Library library = machine.options.library;
  std::size_t begin = 0;
  for (auto slash = node.find('/'); slash != std::string::npos; slash = node.find('/', begin)) {
    const auto id = node.substr(begin, slash - begin);
    const auto outer = at->nodes.find(id);
    if (outer == at->nodes.end()) throw unknown_name("node", id, keys_of(at->nodes)).at(node);
    auto inner = definition_of(outer->second, *at, library);
    if (!inner) throw Error(Errc::unknown_name, "node '" + id + "' has no nodes inside").at(node);
    library = library_inside(*at, library);
    held = std::move(inner), at = held.get(), begin = slash + 1;
  }
  const auto id = node.substr(begin);
  const auto found = at->nodes.find(id);
  if (found == at->nodes.end()) throw unknown_name("node", id, keys_of(at->nodes)).at(node);
  const auto type = [&] {
    const std::shared_lock lock(machine.types_in_use);
    return type_of(found->second, *at, machine.types, library);
  }();
  if (!type) {
    if (!found->second.op.empty()) (void)machine.types.resolve(found->second.op);  // throws, naming the nearest
    throw Error(Errc::unknown_name, "no graph called '" + found->second.graph + "'").at("node '" + node + "'");
  }
  std::map<std::string, Value> inputs, settings = found->second.settings;
  if (!type->adapt) return Form(*type, {}, std::move(settings));
  for (auto it = at->wires.lower_bound(id + "."); it != at->wires.end() && it->first.starts_with(id + "."); ++it) {
    const auto name = it->first.substr(id.size() + 1);
    try {
      const Value v = value(graph, node.substr(0, begin) + it->second, options);
      if (!v.none()) (type->setting(name) && !type->input(name) ? settings : inputs)[name] = v;
    } catch (const Error&) {  // the wire comes from nowhere, or from inside of a zone: not known
    }
  }
  return Form(*type, std::move(inputs), std::move(settings));
}

void Engine::exclusively(const std::function<void()>& change) {
  const std::unique_lock lock(impl_->machine.types_in_use);
  change();
}

std::size_t Engine::resident_bytes() const { return impl_->machine.store.resident(); }
void Engine::set_memory_budget(std::size_t bytes) { impl_->machine.store.set_budget(bytes); }
void Engine::clear_cache(bool disk_too) { impl_->machine.clear(disk_too); }
const NodeTypes& Engine::types() const { return impl_->machine.types; }
const EngineOptions& Engine::options() const { return impl_->machine.options; }

}  // namespace larmor::flow
