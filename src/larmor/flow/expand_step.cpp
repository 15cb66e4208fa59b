// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <larmor/flow/expand.hpp>

namespace larmor::flow {
namespace fs = std::filesystem;
namespace {

// All sweeps that reach a node, and the number of combinations.
struct Combinations {
  Sweeps sweeps;
  int count = 1;

  void add(const Bundle& bundle) {
    for (const auto& sweep : bundle.sweeps)
      if (std::find(sweeps.begin(), sweeps.end(), sweep) == sweeps.end()) {
        sweeps.push_back(sweep);
        count *= sweep->count;
      }
  }
  // The bundle's source at combination `k`.
  const Source& of(const Bundle& bundle, int k) const {
    int place = 0, step = 1;
    for (const auto& sweep : bundle.sweeps) {
      int rest = k;
      for (const auto& s : sweeps) {
        if (s == sweep) break;
        rest /= s->count;
      }
      place += step * (rest % sweep->count);
      step *= sweep->count;
    }
    return bundle.at.at(static_cast<std::size_t>(place));
  }
  std::string index(int k) const {
    std::string text;
    for (const auto& s : sweeps) text += (text.empty() ? "[" : ",") + std::to_string(k % s->count), k /= s->count;
    return text.empty() ? text : text + "]";
  }
};

constexpr int most_combinations = 100'000;

void require_few(const Combinations& all) {
  double n = 1;
  for (const auto& sweep : all.sweeps) n *= sweep->count;
  if (n > most_combinations)
    throw Error(Errc::range, "the sweeps make " + std::to_string(static_cast<std::int64_t>(n)) + " combinations",
                "sweep fewer values: at most " + std::to_string(most_combinations) + " combinations run");
}

std::vector<std::string> names_of(const std::vector<Setting>& settings) {
  std::vector<std::string> names;
  for (const auto& s : settings) names.push_back(s.name);
  return names;
}

}  // namespace

// Settings checked and files found, for everything that stands in the graph.
void Planner::describe(Step& step, const Scope& scope) {
  const NodeType& type = *step.type;
  Hasher base;
  base.add(step.op).add(&type.version, sizeof type.version).add(options_.device.str());
  for (const auto& s : type.settings) {
    const bool wired = std::any_of(step.wired_settings.begin(), step.wired_settings.end(),
                                   [&](const Feed& feed) { return feed.name == s.name; });
    if (wired) continue;
    const auto given = step.settings.find(s.name);
    Value value = given == step.settings.end() ? s.value : s.checked(given->second);
    const bool file =
        s.kind == SettingKind::file_open || s.kind == SettingKind::file_save || s.kind == SettingKind::folder;
    if (file && value.kind() == Value::Kind::text && !value.text().empty()) {
      const bool written = s.kind == SettingKind::file_save || (s.kind == SettingKind::folder && type.effect);
      fs::path path = value.text();
      const fs::path& folder = written && !options_.out.empty() ? options_.out : options_.base;
      if (path.is_relative() && !folder.empty()) path = folder / path;
      value = path.string();
      if (written)
        step.writes.push_back(path);
      else
        base.add(input_stamp(path));
    }
    base.add(s.name).add(value.hash());
    if (given != step.settings.end() || file) step.settings[s.name] = std::move(value);
  }
  step.base = base.done();
  step.frozen = scope.frozen;
}

std::map<std::string, Bundle> Planner::operation(const Scope& scope, const std::string& id, const Node& node,
                                                 NodeInputs in) {
  Step model;
  type(node.op, &model.type);
  const NodeType& type = *model.type;
  const std::string path = scope.prefix + id;
  if (type.user && !options_.allow_user_code)
    throw Error(Errc::usage, "'" + node.op + "' is a user's operation, and those may not run here",
                "allow user code where you trust the graph");
  for (const auto& [name, bundle] : in.settings)
    if (!type.setting(name)) throw unknown_name("setting", name, names_of(type.settings));
  model.path = plan.paths->number(path, node.op);
  model.op = node.op;
  model.cacheable = !type.impure && !type.effect;
  for (const auto& port : type.outputs) {
    model.outputs.push_back(port.name);
    const auto policy = node.policy.find(port.name);
    model.policy.push_back(policy == node.policy.end() ? Policy::automatic : policy->second);
  }
  Combinations all;
  // What leaves the graph is written once: results of a sweep arrive stacked.
  for (auto& input : in.inputs) {
    Bundle& bundle = input.second;
    if (type.effect && !bundle.sweeps.empty()) bundle = {{}, {stacked(plan, bundle, path, types_)}};
    all.add(bundle);
  }
  for (const auto& [name, bundle] : in.settings) all.add(bundle);
  require_few(all);
  const int first = static_cast<int>(plan.steps.size());
  for (int k = 0; k < all.count; ++k) {
    Step step = model;
    step.index = all.index(k);
    for (const auto& [name, bundle] : in.inputs) step.inputs.push_back({name, all.of(bundle, k)});
    for (const auto& [name, bundle] : in.settings) {
      const Source& source = all.of(bundle, k);
      if (source.kind == Source::Kind::constant)
        step.settings[name] = source.constant;
      else if (source.kind != Source::Kind::nothing)
        step.wired_settings.push_back({name, source});
    }
    describe(step, scope);
    plan.steps.push_back(std::move(step));
  }
  Outputs out;
  for (std::size_t p = 0; p < type.outputs.size(); ++p) {
    Bundle bundle{all.sweeps, {}};
    for (int k = 0; k < all.count; ++k) bundle.at.push_back(Source::of_step(first + k, static_cast<int>(p)));
    out[type.outputs[p].name] = std::move(bundle);
  }
  return out;
}

namespace {

void add_zone(Hasher& h, const Zone& zone) {
  if (zone.map) {
    h.add("map").add(zone.map->axis);
    for (const auto& name : zone.map->inputs) h.add(name);
  }
  if (zone.loop) {
    const Loop& l = *zone.loop;
    const int facts[] = {static_cast<int>(l.kind), l.times};
    h.add("loop").add(facts, sizeof facts).add(l.axis).add(l.condition);
    for (const auto& name : l.over) h.add(name);
    for (const auto& [to, from] : l.feedback) h.add(to).add(from);
  }
}

void require_loop(const Loop& loop, const Graph& inner) {
  std::vector<std::string> in, out;
  for (const auto& [name, port] : inner.inputs) in.push_back(name);
  for (const auto& [name, port] : inner.outputs) out.push_back(name);
  for (const auto& name : loop.over)
    if (!inner.inputs.count(name)) throw unknown_name("in-port", name, in).at("what the loop goes over");
  for (const auto& [to, from] : loop.feedback) {
    if (!inner.inputs.count(to)) throw unknown_name("in-port", to, in).at("feedback of the loop");
    if (!inner.outputs.count(from)) throw unknown_name("out-port", from, out).at("feedback of the loop");
  }
  if (loop.kind == Loop::Kind::until && !inner.outputs.count(loop.condition))
    throw unknown_name("out-port", loop.condition, out).at("condition of the loop");
  if (loop.kind == Loop::Kind::each && loop.over.empty())
    throw Error(Errc::usage, "the loop goes over nothing", "name the inputs of which each round gets one element");
  if (loop.times < 0 || (loop.kind == Loop::Kind::until && loop.times < 1))
    throw Error(Errc::range, "a loop of " + std::to_string(loop.times) + " rounds", "give 1 or more");
}

}  // namespace

std::shared_ptr<const Zone> Planner::body(const Scope& scope, const std::string& id, const Node& node,
                                          const Graph* inner, NodeInputs in, std::vector<std::string>& outputs) {
  auto zone = std::make_shared<Zone>();
  Planner planner(types_, options_, plan.paths);
  planner.types_in_use_ = types_in_use_;
  planner.plan.inner = true;
  const auto replace = [&](const std::string& name, Bundle& bundle) {
    bundle = {{}, {Source::of_input(static_cast<int>(zone->inputs.size()))}};
    zone->inputs.push_back(name);
  };
  for (auto& [name, bundle] : in.inputs) replace(name, bundle);
  if (node.loop && !node.map)
    for (const auto& [to, from] : node.loop->feedback)
      if (!in.inputs.count(to)) replace(to, in.inputs[to]);
  for (auto* settings : {&in.settings, &in.deep})
    for (auto& [name, bundle] : *settings)
      if (bundle.at[0].kind != Source::Kind::constant) {
        replace("setting " + name, bundle);
        zone->constant.push_back(zone->inputs.back());
      }
  Node once = node;
  once.mode = Mode::normal, once.sweeps.clear();
  Outputs made;
  if (node.map) {
    zone->map = node.map;
    once.map.reset();
    made = planner.emit(scope, id, once, std::move(in));
  } else {
    zone->loop = node.loop;
    require_loop(*node.loop, *inner);
    once.loop.reset();
    made = planner.inline_graph(scope, id, once, *inner, std::move(in));
  }
  std::vector<Feed> feeds;
  for (const auto& [name, bundle] : made) {
    outputs.push_back(name);
    feeds.push_back({name, stacked(planner.plan, bundle, scope.prefix + id, types_)});
  }
  planner.plan.add_sink(std::move(feeds));
  planner.plan.finish();
  for (const auto& issue : planner.plan.issues) plan.issues.push_back(issue);
  if (node.map && !inner)
    for (auto& step : planner.plan.steps) step.part = true;
  zone->body = std::make_shared<const Plan>(std::move(planner.plan));
  return zone;
}

std::map<std::string, Bundle> Planner::zone(const Scope& scope, const std::string& id, const Node& node,
                                            const std::shared_ptr<const Graph>& inner, NodeInputs in) {
  if (node.loop && !inner)
    throw Error(Errc::usage, "an operation can not be a loop", "put it into a sub-graph, and loop that");
  if (node.map) {
    std::vector<std::string> wired;
    for (const auto& [name, bundle] : in.inputs) wired.push_back(name);
    for (const auto& name : node.map->inputs)
      if (!in.inputs.count(name)) throw unknown_name("wired in-port", name, wired).at("what the node is mapped over");
    if (node.map->in_flight < 0)
      throw Error(Errc::range, std::to_string(node.map->in_flight) + " slices in flight",
                  "give 0 (all threads) or more");
  }
  Combinations all;
  for (auto* bundles : {&in.inputs, &in.settings, &in.deep})
    for (const auto& [name, bundle] : *bundles) all.add(bundle);
  require_few(all);
  const int first = static_cast<int>(plan.steps.size());
  std::vector<std::string> names;
  for (int k = 0; k < all.count; ++k) {
    NodeInputs one;
    for (const auto& [name, bundle] : in.inputs) one.inputs[name] = {{}, {all.of(bundle, k)}};
    for (const auto& [name, bundle] : in.settings) one.settings[name] = {{}, {all.of(bundle, k)}};
    for (const auto& [name, bundle] : in.deep) one.deep[name] = {{}, {all.of(bundle, k)}};
    Step step;
    step.kind = Step::Kind::zone;
    step.op = node.op.empty() ? node.graph : node.op;
    step.path = plan.paths->number(scope.prefix + id, step.op);
    step.index = all.index(k);
    step.frozen = scope.frozen;
    const NodeInputs sources = one;
    step.zone = body(scope, id, node, inner.get(), std::move(one), step.outputs);
    for (const auto& name : step.zone->inputs) {
      Source from;
      if (const auto it = sources.inputs.find(name); it != sources.inputs.end()) from = it->second.at[0];
      if (name.starts_with("setting ")) {
        const auto key = name.substr(8);
        const auto& where = sources.settings.count(key) ? sources.settings : sources.deep;
        from = where.at(key).at[0];
      }
      step.inputs.push_back({name, from});
    }
    for (const auto& name : step.outputs) {
      const auto policy = node.policy.find(name);
      step.policy.push_back(policy == node.policy.end() ? Policy::automatic : policy->second);
    }
    step.cacheable = step.zone->body->told();
    Hasher base;
    base.add("zone").add(step.zone->body->fingerprint());
    add_zone(base, *step.zone);
    step.base = base.done();
    names = step.outputs;
    plan.steps.push_back(std::move(step));
  }
  Outputs out;
  for (std::size_t p = 0; p < names.size(); ++p) {
    Bundle bundle{all.sweeps, {}};
    for (int k = 0; k < all.count; ++k) bundle.at.push_back(Source::of_step(first + k, static_cast<int>(p)));
    out[names[p]] = std::move(bundle);
  }
  return out;
}

}  // namespace larmor::flow
