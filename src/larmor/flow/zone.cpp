// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <larmor/core/parallel.hpp>
#include <larmor/flow/run.hpp>
#include <larmor/flow/stack.hpp>

namespace larmor::flow {

/// A zone on its way: rounds of a loop, or slices of a map.
struct Run::ZoneRun {
  InstancePtr instance;
  int number = -1;
  Mode mode = Mode::first;
  const Step* step = nullptr;
  std::vector<Value> inputs;  // of the body, with what was fed back
  std::vector<bool> sliced;   // which inputs give one element to each round
  std::string axis;           // of the slices
  std::int64_t rounds = 0, next = 0, ended = 0;
  int in_flight = 0, most = 1;
  bool sequential = true, stopped = false;
  std::map<std::string, std::unique_ptr<Stacker>> stacks;  // outputs that are collected
  std::map<std::string, Value> last;                       // the others
  std::map<std::string, RecordPtr> inside;
  std::vector<std::string> warnings;
  std::shared_ptr<const Error> error;
  bool cancelled = false, met = false, incomplete = false;
  std::size_t most_held = 0;
  std::size_t whole = 0;  // bytes of the stacks, counted with the store
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
};

namespace {

// Which inputs are sliced, how often the body runs, and what the outputs become.
struct Slicing {
  std::vector<bool> sliced;
  std::int64_t count = -1;
  Axes before;
  Value like;
  bool list = true;  // only lists are sliced
};

Slicing slicing_of(const Zone& zone, const std::vector<Value>& inputs, const std::string& axis,
                   const std::vector<std::string>& over) {
  Slicing out;
  out.sliced.assign(inputs.size(), false);
  std::string counted;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::string& name = zone.inputs[i];
    const bool named = std::find(over.begin(), over.end(), name) != over.end();
    const bool constant = std::find(zone.constant.begin(), zone.constant.end(), name) != zone.constant.end();
    if (constant || inputs[i].none() || (!over.empty() && !named)) continue;
    // Lists are sliced when they are named, or when there is no axis to look for.
    if (inputs[i].kind() == Value::Kind::list && !named && !axis.empty()) continue;
    const std::int64_t n = elements_along(inputs[i], axis);
    if (n < 0 && !named) continue;
    if (n < 0)
      throw Error(Errc::shape, "in-port '" + name + "' has no axis '" + axis + "': it is " + inputs[i].describe(),
                  "name an axis that it has, or wire a list");
    if (out.count >= 0 && n != out.count)
      throw Error(Errc::shape,
                  "in-port '" + name + "' has " + std::to_string(n) + " elements and '" + counted + "' has " +
                      std::to_string(out.count),
                  "what is gone over together has one length");
    const bool list = inputs[i].kind() == Value::Kind::list;
    if (out.count < 0) counted = name;
    if (!list && (out.list || out.before.empty())) out.before = axes_before(inputs[i], axis), out.like = inputs[i];
    out.list = out.list && list;
    out.count = n, out.sliced[i] = true;
  }
  if (out.count < 0) {
    std::string all;
    for (std::size_t i = 0; i < inputs.size(); ++i)
      all += (all.empty() ? "" : ", ") + zone.inputs[i] + ": " + inputs[i].describe();
    throw Error(Errc::shape, axis.empty() ? "no input is a list to go over" : "no input has an axis '" + axis + "'",
                "the inputs are " + all);
  }
  return out;
}

bool is_true(const Value& value) {
  return value.kind() == Value::Kind::boolean ? value.boolean() : ValueTraits<double>::from(value) != 0;
}

}  // namespace

void Run::start_zone(const InstancePtr& instance, int number, Mode mode) {
  Instance& in = *instance;
  const Step& step = in.plan->steps[static_cast<std::size_t>(number)];
  const Zone& z = *step.zone;
  auto zone = std::make_shared<ZoneRun>();
  zone->instance = instance, zone->number = number, zone->mode = mode, zone->step = &step;
  for (const auto& slot : in.states[static_cast<std::size_t>(number)].slots) zone->inputs.push_back(slot.value);
  reporter_.begin(step.path);
  try {
    zone->sliced.assign(zone->inputs.size(), false);
    const bool each = z.map || z.loop->kind == Loop::Kind::each;
    const int threads = std::max(1, thread_count());
    if (each) {
      zone->axis = z.map ? z.map->axis : z.loop->axis;
      const auto slicing = slicing_of(z, zone->inputs, zone->axis, z.map ? z.map->inputs : z.loop->over);
      zone->sliced = slicing.sliced, zone->rounds = slicing.count;
      zone->sequential = !z.map && !z.loop->feedback.empty();
      zone->most = zone->sequential ? 1 : z.map && z.map->in_flight > 0 ? z.map->in_flight : threads;
      for (const auto& name : step.outputs) {
        const bool fed_back = z.loop && std::any_of(z.loop->feedback.begin(), z.loop->feedback.end(),
                                                    [&](const auto& f) { return f.second == name; });
        if (!fed_back)
          zone->stacks[name] = std::make_unique<Stacker>(machine_.types.types, zone->axis, slicing.count,
                                                         slicing.before, slicing.like, slicing.list);
      }
    } else {
      zone->rounds = z.loop->times;
    }
    // No round: what is fed back is what came.
    if (zone->rounds == 0 && z.loop)
      for (const auto& [to, from] : z.loop->feedback)
        for (std::size_t i = 0; i < z.inputs.size(); ++i)
          if (z.inputs[i] == to) zone->last[from] = zone->inputs[i];
  } catch (...) {
    zone->error =
        error_of(std::current_exception(), in.plan->paths->names[static_cast<std::size_t>(step.path)], in.where);
  }
  push_rounds(zone, false);
}

// Starts rounds while there are places; ends the zone after the last.
void Run::push_rounds(const std::shared_ptr<ZoneRun>& zone, bool one_ended) {
  std::vector<std::int64_t> begin;
  bool end = false;
  {
    const std::lock_guard lock(mutex_);
    if (one_ended) --zone->in_flight;  // only now: with the last one the zone may end on any thread
    if (options_.cancel.requested()) zone->cancelled = zone->stopped = true;
    if (zone->error) zone->stopped = true;
    while (!zone->stopped && zone->next < zone->rounds && zone->in_flight < zone->most)
      begin.push_back(zone->next++), ++zone->in_flight;
    end = begin.empty() && zone->in_flight == 0 && (zone->stopped || zone->next >= zone->rounds);
    if (end) zone->in_flight = -1;  // once
  }
  for (auto round = begin.rbegin(); round != begin.rend(); ++round)
    scheduler_.push([this, zone, r = *round] { start_round(zone, r); });
  if (end) end_zone(zone);
}

void Run::start_round(const std::shared_ptr<ZoneRun>& zone, std::int64_t round) {
  const Step& step = *zone->step;
  const Zone& z = *step.zone;
  auto body = std::make_shared<Instance>();
  body->plan = z.body;
  const auto& path = z.body->paths->names[static_cast<std::size_t>(step.path)];
  body->prefix = path + "/";
  body->where = (z.map ? "slice " : "round ") + std::to_string(round);
  if (!zone->instance->where.empty()) body->where += ", " + zone->instance->where;
  body->keep = zone->instance->keep || (z.loop && z.loop->history) || captures_inside(step);
  try {
    for (std::size_t i = 0; i < zone->inputs.size(); ++i)
      body->inputs.push_back(zone->sliced[i] ? slice_of(zone->inputs[i], zone->axis, round, machine_.types.types)
                                             : zone->inputs[i]);
  } catch (...) {
    body->inputs.clear();
    {
      const std::lock_guard lock(mutex_);
      if (!zone->error) zone->error = error_of(std::current_exception(), path, body->where);
    }
    return push_rounds(zone, true);
  }
  body->done = [this, zone, round](Instance& ended) { end_round(zone, round, ended); };
  start(body);
}

void Run::end_round(const std::shared_ptr<ZoneRun>& zone, std::int64_t round, Instance& body) {
  const Zone& z = *zone->step->zone;
  const auto& path = z.body->paths->names[static_cast<std::size_t>(zone->step->path)];
  std::shared_ptr<const Error> error = body.error;
  const bool complete = !body.outputs.empty() || zone->step->outputs.empty();
  std::map<std::string, Value> outputs = std::move(body.outputs);
  bool met = false;
  if (complete && !body.cancelled) try {
      error = nullptr;
      std::size_t whole = 0;
      for (auto& [name, stack] : zone->stacks) stack->put(round, outputs[name]), whole += stack->bytes();
      count_whole(*zone, whole);
      if (z.loop && z.loop->kind == Loop::Kind::until) met = is_true(outputs[z.loop->condition]);
    } catch (...) {
      error = error_of(std::current_exception(), path, body.where);
    }
  const bool some_failed = complete && body.errors > 0;
  double part = 0;
  {
    const std::lock_guard lock(mutex_);
    part = static_cast<double>(++zone->ended) / static_cast<double>(zone->rounds);
    zone->most_held = std::max(zone->most_held, body.held * static_cast<std::size_t>(zone->in_flight));
    if (body.cancelled) zone->cancelled = zone->stopped = true;
    if (!error && !complete && !body.cancelled)
      error = std::make_shared<const Error>(Errc::usage, "its outputs were not made");
    if (error && !zone->error) zone->error = error;
    zone->incomplete = zone->incomplete || some_failed;
    if (!error && complete) {
      for (auto& [name, record] : body.records) {
        if (body.keep) zone->inside[name + "@" + std::to_string(round)] = record;
        zone->inside[name] = record;
      }
      if (zone->sequential) {
        if (z.loop)
          for (const auto& [to, from] : z.loop->feedback)
            for (std::size_t i = 0; i < z.inputs.size(); ++i)
              if (z.inputs[i] == to) zone->inputs[i] = outputs[from];
        for (auto& [name, value] : outputs)
          if (!zone->stacks.count(name)) zone->last[name] = value;
      }
      if (met) zone->met = zone->stopped = true;
    }
  }
  outputs.clear();
  machine_.store.account(-static_cast<std::ptrdiff_t>(body.held));
  if (zone->rounds > 1) reporter_.progress(zone->step->path, z.map ? "slices" : "rounds", part);
  push_rounds(zone, true);
}

void Run::count_whole(ZoneRun& zone, std::size_t bytes) {
  std::size_t before = 0;
  {
    const std::lock_guard lock(mutex_);
    before = std::exchange(zone.whole, bytes);
  }
  if (before != bytes) machine_.store.account(static_cast<std::ptrdiff_t>(bytes) - static_cast<std::ptrdiff_t>(before));
}

void Run::end_zone(const std::shared_ptr<ZoneRun>& zone) {
  const Step& step = *zone->step;
  const Zone& z = *step.zone;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - zone->start).count();
  const auto& path = z.body->paths->names[static_cast<std::size_t>(step.path)];
  count_whole(*zone, 0);
  if (zone->cancelled)
    return fail(zone->instance, zone->number, zone->mode,
                std::make_shared<const Error>(Errc::cancelled, "cancelled", "run it again"), State::cancelled, seconds,
                true);
  if (zone->error) return fail(zone->instance, zone->number, zone->mode, zone->error, State::error, seconds, true);
  Made made;
  try {
    made.outputs = std::move(zone->last);
    for (auto& [name, stack] : zone->stacks) made.outputs[name] = stack->take();
    for (const auto& name : step.outputs)
      if (!made.outputs.count(name))
        throw Error(Errc::usage, "no round ran, so out-port '" + name + "' has no value",
                    "give a loop one round or more, or feed the output back");
    made.seconds = seconds;
    for (const auto& value : zone->inputs) made.in_bytes += value.bytes();
    made.extra_bytes = zone->most_held;
    made.inside = std::move(zone->inside);
    made.cacheable = !zone->incomplete;
    if (z.loop && z.loop->kind == Loop::Kind::until && !zone->met)
      made.warnings.push_back("stopped after " + std::to_string(zone->rounds) + " rounds without meeting '" +
                              z.loop->condition + "'");
    if (zone->incomplete) made.warnings.push_back("a node inside failed");
    zone->inputs.clear();
    finish_made(zone->instance, zone->number, zone->mode, std::move(made));
  } catch (...) {
    fail(zone->instance, zone->number, zone->mode, error_of(std::current_exception(), path, zone->instance->where),
         State::error, seconds, true);
  }
}

}  // namespace larmor::flow
