// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <larmor/flow/expand.hpp>
#include <set>

namespace larmor::flow {
namespace {

std::string_view node_of(std::string_view reference) { return reference.substr(0, reference.find('.')); }
std::string_view port_of(std::string_view reference) {
  const auto dot = reference.find('.');
  return dot == std::string_view::npos ? std::string_view() : reference.substr(dot + 1);
}

template <class Map>
std::vector<std::string> keys_of(const Map& map) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : map) keys.push_back(key);
  return keys;
}

// Ids so that each comes after those it reads; what is left has a cycle upstream.
struct Order {
  std::vector<std::string> ids, left;
};

Order order_of(const Graph& g) {
  std::map<std::string_view, int> missing;
  std::map<std::string_view, std::vector<std::string_view>> readers;
  for (const auto& [id, node] : g.nodes) missing[id] = 0;
  for (const auto& [to, from] : g.wires) {
    const auto reader = missing.find(node_of(to));
    if (reader == missing.end() || !missing.count(node_of(from))) continue;
    ++reader->second;
    readers[node_of(from)].push_back(reader->first);
  }
  std::vector<std::string_view> ready;
  for (const auto& [id, n] : missing)
    if (n == 0) ready.push_back(id);
  Order out;
  for (std::size_t k = 0; k < ready.size(); ++k) {
    out.ids.emplace_back(ready[k]);
    for (const auto reader : readers[ready[k]])
      if (--missing[reader] == 0) ready.push_back(reader);
  }
  for (const auto& [id, n] : missing)
    if (n > 0) out.left.emplace_back(id);
  return out;
}

// Nodes of one cycle through `start`, in the order of the wires; empty when it is only downstream of one.
std::vector<std::string> cycle_through(const Graph& g, const std::string& start, const std::set<std::string>& among) {
  std::map<std::string, std::string> came_from;
  std::vector<std::string> queue{start};
  for (std::size_t k = 0; k < queue.size(); ++k) {
    const std::string at = queue[k];
    for (auto it = g.wires.lower_bound(at + "."); it != g.wires.end() && it->first.starts_with(at + "."); ++it) {
      const std::string from(node_of(it->second));
      if (from == start) {
        std::vector<std::string> cycle{start};
        for (std::string n = at; n != start; n = came_from.at(n)) cycle.push_back(n);
        return cycle;
      }
      if (!among.count(from) || !came_from.try_emplace(from, at).second) continue;
      queue.push_back(from);
    }
  }
  return {};
}

}  // namespace

const NodeType* Planner::type(const std::string& op, std::shared_ptr<const NodeType>* shared) {
  auto it = types_in_use_->find(op);
  if (it == types_in_use_->end()) {
    std::shared_ptr<const NodeType> found;
    if (types_.has(op)) found = std::make_shared<const NodeType>(types_.get(op));
    it = types_in_use_->emplace(op, std::move(found)).first;
  }
  if (shared) *shared = it->second;
  return it->second.get();
}

void Planner::refuse(const Scope& scope, const std::string& id, const std::string& op, Error error,
                     const std::string& code) {
  Step step;
  step.path = plan.paths->number(scope.prefix + id, op);
  step.op = op;
  const std::string path = scope.prefix + id;
  plan.issues.push_back({Issue::Kind::error, path, {}, error.message(), error.advice(), code});
  step.refused = std::make_shared<const Error>(std::move(error));
  step.cacheable = false;
  // Its wires stay: whoever reads one of them is skipped and says why.
  std::set<std::string> ports;
  for (const auto& [to, from] : scope.graph->wires)
    if (node_of(from) == id) ports.emplace(port_of(from));
  for (const auto& [name, output] : scope.graph->outputs)
    for (const auto& from : output.inside)
      if (node_of(from) == id) ports.emplace(port_of(from));
  step.outputs.assign(ports.begin(), ports.end());
  step.policy.assign(step.outputs.size(), Policy::automatic);
  const int number = static_cast<int>(plan.steps.size());
  for (std::size_t k = 0; k < step.outputs.size(); ++k)
    plan.ports[path + "." + step.outputs[k]] = {{}, {Source::of_step(number, static_cast<int>(k))}};
  plan.steps.push_back(std::move(step));
}

void Planner::graph(const Scope& scope) {
  const Graph& g = *scope.graph;
  const Order order = order_of(g);
  const std::set<std::string> left(order.left.begin(), order.left.end());
  // First, so that those downstream find the ports of those in a cycle.
  std::vector<std::string> downstream;
  for (const auto& id : order.left) {
    auto cycle = cycle_through(g, id, left);
    if (cycle.empty()) {
      downstream.push_back(id);
      continue;
    }
    std::string names;
    for (const auto& n : cycle) names += n + " -> ";
    refuse(scope, id, g.nodes.at(id).op,
           Error(Errc::usage, "part of a cycle: " + names + id,
                 "put these nodes into a sub-graph and make it a loop, with the wire back as its feedback"),
           "cycle");
  }
  for (const auto& id : order.ids) node(scope, id, g.nodes.at(id));
  // Downstream of a cycle: each is skipped, so any order in which sources exist will do.
  for (std::size_t tries = downstream.size() + 1; !downstream.empty() && tries > 0; --tries)
    std::erase_if(downstream, [&](const std::string& id) {
      for (auto it = g.wires.lower_bound(id + "."); it != g.wires.end() && it->first.starts_with(id + "."); ++it)
        if (std::find(downstream.begin(), downstream.end(), node_of(it->second)) != downstream.end()) return false;
      node(scope, id, g.nodes.at(id));
      return true;
    });
}

void Planner::node(const Scope& scope, const std::string& id, const Node& node) {
  const Graph& g = *scope.graph;
  NodeInputs in;
  const auto is_setting = [&](const std::string& name) {
    return std::find(node.ports.begin(), node.ports.end(), name) != node.ports.end();
  };
  for (const auto& [name, value] : node.settings) in.settings[name] = {{}, {Source::of_constant(value)}};
  for (const auto& [name, values] : node.sweeps) {
    if (values.empty()) continue;
    Bundle bundle{{std::make_shared<const Sweep>(Sweep{name, static_cast<int>(values.size())})}, {}};
    for (const auto& value : values) bundle.at.push_back(Source::of_constant(value));
    in.settings[name] = std::move(bundle);
  }
  for (const auto& [where, bundle] : scope.settings) {
    const auto line = where.find('\n');
    const auto path = std::string_view(where).substr(0, line);
    if (path == id)
      in.settings[where.substr(line + 1)] = bundle;
    else if (path.starts_with(id + "/"))
      in.deep[where.substr(id.size() + 1)] = bundle;
  }
  const auto feed = [&](const std::string& name, const Bundle& bundle) {
    (is_setting(name) ? in.settings : in.inputs)[name] = bundle;
  };
  const std::string stem = id + ".";
  for (auto it = scope.fed.lower_bound(stem); it != scope.fed.end() && it->first.starts_with(stem); ++it)
    feed(it->first.substr(stem.size()), it->second);
  for (auto it = g.wires.lower_bound(stem); it != g.wires.end() && it->first.starts_with(stem); ++it) {
    const auto found = plan.ports.find(scope.prefix + it->second);
    if (found != plan.ports.end()) {
      feed(it->first.substr(stem.size()), found->second);
      continue;
    }
    const std::string from(node_of(it->second)), port(port_of(it->second));
    if (!g.nodes.count(from)) {
      refuse(scope, id, node.op, unknown_name("node", from, keys_of(g.nodes)).at("wire into '" + it->first + "'"),
             "wire");
      return;
    }
    std::vector<std::string> ports;
    const std::string begin = scope.prefix + from + ".";
    for (auto p = plan.ports.lower_bound(begin); p != plan.ports.end() && p->first.starts_with(begin); ++p)
      ports.push_back(p->first.substr(begin.size()));
    refuse(scope, id, node.op,
           unknown_name("out-port", port, ports).at("wire from '" + from + "' into '" + it->first + "'"), "wire");
    return;
  }
  try {
    for (auto& [name, bundle] : emit(scope, id, node, std::move(in)))
      plan.ports[scope.prefix + id + "." + name] = std::move(bundle);
  } catch (Error& e) {
    const char* code = e.code() == Errc::unknown_name ? "unknown_op" : "setting";
    refuse(scope, id, node.op.empty() ? node.graph : node.op, std::move(e), code);
  }
}

std::shared_ptr<const Graph> Planner::definition(const Scope& scope, const std::string& name) const {
  std::vector<std::string> names;
  for (const Scope* s = &scope; s; s = s->parent) {
    const auto found = s->graph->definitions.find(name);
    if (found != s->graph->definitions.end() && found->second) return found->second;
    for (const auto& key : keys_of(s->graph->definitions)) names.push_back(key);
  }
  if (options_.library)
    if (auto found = options_.library(name)) return found;
  throw unknown_name("graph", name, names);
}

std::map<std::string, Bundle> Planner::emit(const Scope& scope, const std::string& id, const Node& node,
                                            NodeInputs in) {
  std::shared_ptr<const Graph> inner;
  if (node.op.empty()) {
    inner = definition(scope, node.graph);
    for (const Scope* s = &scope; s; s = s->parent)
      if (s->graph == inner.get())
        throw Error(Errc::usage, "graph '" + node.graph + "' contains itself", "a graph that repeats is a loop");
    for (const auto& [name, bundle] : in.settings)
      if (!inner->settings.count(name)) throw unknown_name("promoted setting", name, keys_of(inner->settings));
    for (const auto& [name, bundle] : in.inputs)
      if (!inner->inputs.count(name)) throw unknown_name("in-port", name, keys_of(inner->inputs));
  } else if (!type(node.op)) {
    (void)types_.resolve(node.op);  // throws, naming the nearest
    throw Error(Errc::unknown_name, "operation '" + node.op + "' is not written in full",
                "write " + types_.resolve(node.op));
  }
  if (node.mode == Mode::bypass) return bypass(scope, id, node, inner.get(), in);
  Scope frozen = scope;
  frozen.frozen = scope.frozen || node.mode == Mode::freeze;
  if (node.map || node.loop) return zone(frozen, id, node, inner, std::move(in));
  if (inner) return inline_graph(frozen, id, node, *inner, std::move(in));
  return operation(frozen, id, node, std::move(in));
}

std::map<std::string, Bundle> Planner::bypass(const Scope& scope, const std::string& id, const Node& node,
                                              const Graph* inner, const NodeInputs& in) {
  plan.bypassed.push_back(plan.paths->number(scope.prefix + id, node.op));
  const auto input_type = [&](const std::string& name) -> std::string {
    if (inner) return inner->inputs.at(name).type;
    const Port* port = type(node.op)->input(name);
    return port ? port->type : "any";
  };
  std::vector<std::string> order;  // as the operation names its ports, for "first"
  if (inner)
    order = keys_of(inner->inputs);
  else
    for (const auto& port : type(node.op)->inputs)
      for (const auto& [name, bundle] : in.inputs)
        if (type(node.op)->input(name) == &port) order.push_back(name);
  std::map<std::string, Bundle> out;
  const auto hand_through = [&](const std::string& name, const std::string& wanted) {
    for (const auto& input : order) {
      const auto found = in.inputs.find(input);
      if (found == in.inputs.end() || !types_.types.accepts(wanted, input_type(input))) continue;
      out[name] = found->second;
      return;
    }
    out[name] = Bundle{};  // whoever reads it gets nothing, and says so when that matters
  };
  if (inner)
    for (const auto& [name, port] : inner->outputs) hand_through(name, port.type);
  else
    for (const auto& port : type(node.op)->outputs) hand_through(port.name, port.type);
  return out;
}

std::map<std::string, Bundle> Planner::inline_graph(const Scope& scope, const std::string& id, const Node& node,
                                                    const Graph& inner, NodeInputs in) {
  Scope child{&inner, &scope, scope.prefix + id + "/", {}, std::move(in.deep), scope.frozen};
  for (const auto& [name, port] : inner.inputs) {
    const auto fed = in.inputs.find(name);
    if (fed == in.inputs.end()) continue;
    for (const auto& inside : port.inside) child.fed[inside] = fed->second;
  }
  for (auto& [name, bundle] : in.settings) {
    const Promoted& p = inner.settings.at(name);
    child.settings[p.node + "\n" + p.setting] = std::move(bundle);
  }
  graph(child);
  std::map<std::string, Bundle> out;
  for (const auto& [name, port] : inner.outputs) {
    if (port.inside.size() != 1)
      throw Error(Errc::usage,
                  "out-port '" + name + "' of graph '" + node.graph + "' comes from " +
                      std::to_string(port.inside.size()) + " ports",
                  "it comes from exactly one");
    const auto found = plan.ports.find(child.prefix + port.inside[0]);
    if (found == plan.ports.end())
      throw unknown_name("port", port.inside[0], {}).at("out-port '" + name + "' of graph '" + node.graph + "'");
    out[name] = found->second;
    if (const auto policy = node.policy.find(name); policy != node.policy.end())
      for (const auto& source : found->second.at)
        if (source.kind == Source::Kind::step)
          plan.steps[static_cast<std::size_t>(source.step)].policy[static_cast<std::size_t>(source.port)] =
              policy->second;
  }
  return out;
}

Plan make_plan(const Graph& graph, const NodeTypes& types, const PlanOptions& options) {
  const auto reading = types.reading();  // operations of users may be replaced; the plan holds copies
  Planner planner(types, options, std::make_shared<Paths>());
  Scope scope{&graph, nullptr, {}, {}, {}, false};
  for (const auto& [name, input] : graph.inputs) {
    const int number = static_cast<int>(planner.plan.inputs.size());
    planner.plan.inputs.push_back(name);
    for (const auto& inside : input.inside) scope.fed[inside] = {{}, {Source::of_input(number)}};
  }
  planner.graph(scope);
  for (const auto& [name, output] : graph.outputs) {
    const auto found = output.inside.empty() ? planner.plan.ports.end() : planner.plan.ports.find(output.inside[0]);
    if (found != planner.plan.ports.end()) {
      planner.plan.outputs[name] = found->second;
      for (const auto& source : found->second.at) {
        if (source.kind != Source::Kind::step) continue;
        Step& step = planner.plan.steps[static_cast<std::size_t>(source.step)];
        step.wanted.resize(step.outputs.size());
        step.wanted[static_cast<std::size_t>(source.port)] = true;
      }
    } else {
      planner.plan.issues.push_back({Issue::Kind::error,
                                     {},
                                     name,
                                     "out-port '" + name + "' of the graph comes from nowhere",
                                     "name the port of a node that it comes from",
                                     "output"});
    }
  }
  planner.plan.finish();
  return std::move(planner.plan);
}

}  // namespace larmor::flow
