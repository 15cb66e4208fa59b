// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <larmor/core/parallel.hpp>
#include <larmor/flow/run.hpp>

namespace larmor::flow {

Run::Run(Machine& machine, const RunOptions& options, std::shared_ptr<const Plan> plan, std::vector<bool> needed)
    : machine_(machine),
      options_(options),
      scheduler_(thread_count()),
      top_(std::make_shared<Instance>()),
      reporter_(machine, *plan->paths, options) {
  for (const auto& name : plan->inputs) {
    const auto given = options.inputs.find(name);
    top_->inputs.push_back(given == options.inputs.end() ? Value() : given->second);
  }
  top_->plan = std::move(plan);
  top_->needed = std::move(needed);
}

Run::~Run() {
  for (auto& st : top_->states) release(std::move(st.slots));
}

RunReport Run::go() {
  for (const int path : top_->plan->bypassed) reporter_.set_state(path, State::bypassed);
  for (std::size_t s = 0; s < top_->plan->steps.size(); ++s) {
    const Step& step = top_->plan->steps[s];
    if (!top_->needed[s] || step.path < 0 || step.part) continue;
    reporter_.waiting(step.path);
    if (step.zone) wait_inside(*step.zone->body);
  }
  top_->done = [this](Instance&) { scheduler_.stop(); };
  start(top_);
  scheduler_.work();
  scheduler_.join();
  const bool cancelled = options_.cancel.requested() && top_->cancelled;
  return reporter_.finish(cancelled ? "cancelled" : top_->errors ? "failed" : "done", top_->plan->issues, !looking);
}

std::map<std::string, Value> Run::sink(int step) const {
  std::map<std::string, Value> out;
  const auto& slots = top_->states[static_cast<std::size_t>(step)].slots;
  const auto& feeds = top_->plan->steps[static_cast<std::size_t>(step)].inputs;
  for (std::size_t i = 0; i < slots.size() && i < feeds.size(); ++i) out[feeds[i].name] = slots[i].value;
  return out;
}

void Run::wait_inside(const Plan& plan) {
  for (const auto& step : plan.steps) {
    if (step.path < 0 || step.part) continue;
    reporter_.waiting(step.path);
    if (step.zone) wait_inside(*step.zone->body);
  }
}

void Run::hits_inside(const Plan& plan) {
  for (const auto& step : plan.steps) {
    if (step.path < 0 || step.part) continue;
    Reporter::End end;
    end.state = State::cached;
    reporter_.end(step.path, end);
    if (step.zone) hits_inside(*step.zone->body);
  }
}

void Run::start(const InstancePtr& instance) {
  Instance& in = *instance;
  const auto& steps = in.plan->steps;
  in.states = std::vector<StepState>(steps.size());
  if (in.needed.empty()) in.needed.assign(steps.size(), true);
  std::vector<int> ready;
  for (std::size_t s = 0; s < steps.size(); ++s) {
    if (!in.needed[s]) continue;
    ++in.left;
    StepState& st = in.states[s];
    st.missing = steps[s].producers;
    for (const auto& consumers : steps[s].consumers)
      st.uses.push_back(static_cast<int>(std::count_if(consumers.begin(), consumers.end(),
                                                       [&](int c) { return in.needed[static_cast<std::size_t>(c)]; })));
    if (st.missing == 0) ready.push_back(static_cast<int>(s));
  }
  if (in.left == 0) {
    in.done(in);
    return;
  }
  // The task pushed last runs first.
  for (auto s = ready.rbegin(); s != ready.rend(); ++s)
    scheduler_.push([this, instance, step = *s] { process(instance, step, Mode::first); });
}

bool Run::source_failed(const Instance& in, const Step& step, bool& cancelled) const {
  bool failed = false;
  for (const auto* feeds : {&step.inputs, &step.wired_settings})
    for (const auto& feed : *feeds) {
      if (feed.from.kind != Source::Kind::step) continue;
      const StepState& from = in.states[static_cast<std::size_t>(feed.from.step)];
      failed = failed || from.failed, cancelled = cancelled || from.cancelled;
    }
  return failed;
}

Hash Run::key_of(const Instance& in, const Step& step) const {
  Hasher h;
  h.add(step.base);
  for (const auto* feeds : {&step.inputs, &step.wired_settings})
    for (const auto& feed : *feeds) {
      Value known;
      Hash hash;
      if (feed.from.kind == Source::Kind::constant) known = feed.from.constant;
      if (feed.from.kind == Source::Kind::input) known = in.inputs[static_cast<std::size_t>(feed.from.port)];
      if (feed.from.kind == Source::Kind::step) {
        const auto& record = *in.states[static_cast<std::size_t>(feed.from.step)].record;
        const auto& port = record.ports[static_cast<std::size_t>(feed.from.port)];
        known = port.small, hash = port.hash;
      }
      if (!known.none()) hash = known.hash();
      if (hash.zero()) continue;  // nothing comes: as if it were not wired
      h.add(feed.name).add(hash);
      const Setting* s = step.type ? step.type->setting(feed.name) : nullptr;
      if (s && feeds == &step.wired_settings && known.kind() == Value::Kind::text &&
          (s->kind == SettingKind::file_open || (s->kind == SettingKind::folder && !step.type->effect))) {
        std::filesystem::path path = known.text();
        if (path.is_relative() && !options_.base.empty()) path = options_.base / path;
        h.add(input_stamp(path));
      }
    }
  return h.done();
}

RecordPtr Run::lookup(const Instance& in, const Step& step, const Hash& key) {
  if (options_.force || captures_inside(step)) return nullptr;
  RecordPtr record = machine_.find(key);
  if (!record || (record->impure && !looking)) return nullptr;
  // A record without content (an operation that changed its ports without counting up) is none.
  if (record->ports.size() != step.outputs.size()) return nullptr;
  for (std::size_t p = 0; p < step.outputs.size(); ++p)
    if (record->ports[p].name != step.outputs[p]) return nullptr;
  for (const auto& [path, stamp] : record->written)
    if (file_stamp(path) != stamp) return nullptr;
  // A value inside a zone that somebody wants to see has to be there, not only known.
  const auto& path = in.plan->paths->names[static_cast<std::size_t>(step.path)];
  if (in.plan->inner && std::find(captured.begin(), captured.end(), path) != captured.end())
    for (const auto& port : record->ports) {
      if (port.hash.zero() || !port.small.none()) continue;
      if (machine_.pin(port.hash).none()) return nullptr;
      machine_.store.unpin(port.hash);
    }
  return record;
}

bool Run::captures_inside(const Step& step) const {
  if (!step.zone) return false;
  const std::string prefix = top_->plan->paths->names[static_cast<std::size_t>(step.path)] + "/";
  return std::any_of(captured.begin(), captured.end(), [&](const auto& path) { return path.starts_with(prefix); });
}

void Run::process(const InstancePtr& instance, int number, Mode mode) {
  try {
    advance(instance, number, mode);
  } catch (...) {  // no memory for a key, a record or an input: the steps themselves have said what they had to
    const int path = instance->plan->steps[static_cast<std::size_t>(number)].path;
    const auto& name = path < 0 ? std::string() : instance->plan->paths->names[static_cast<std::size_t>(path)];
    fail(instance, number, mode, error_of(std::current_exception(), name, instance->where), State::error);
  }
}

// The last result of a frozen step, on disk from now on: it could not be made again from other inputs.
RecordPtr Run::frozen_record(const Instance& in, const Step& step) {
  const auto& path = in.plan->paths->names[static_cast<std::size_t>(step.path)];
  const auto record = machine_.last(options_.session, path + step.index);
  if (!record || record->ports.size() != step.outputs.size()) return nullptr;
  for (const auto& port : record->ports) {
    if (port.hash.zero() || !port.small.none()) continue;
    const Value value = machine_.pin(port.hash);
    if (value.none()) return nullptr;  // lost before it was frozen
    machine_.write(port.hash, value, record->seconds);
    machine_.store.unpin(port.hash);
  }
  return record;
}

void Run::advance(const InstancePtr& instance, int number, Mode mode) {
  Instance& in = *instance;
  const Step& step = in.plan->steps[static_cast<std::size_t>(number)];
  StepState& st = in.states[static_cast<std::size_t>(number)];
  const auto cancelled = [] { return std::make_shared<const Error>(Errc::cancelled, "cancelled", "run it again"); };
  if (options_.cancel.requested()) return fail(instance, number, mode, cancelled(), State::cancelled);
  if (mode == Mode::first && st.slots.empty()) {
    if (step.refused) return fail(instance, number, mode, step.refused, State::error);
    bool by_cancel = false;
    if (source_failed(in, step, by_cancel))
      return fail(instance, number, mode,
                  by_cancel ? cancelled() : std::make_shared<const Error>(Errc::usage, "not run: an input failed"),
                  by_cancel ? State::cancelled : State::skipped);
    if (step.frozen && step.path >= 0 && !step.part && !in.plan->inner)
      if (const auto record = frozen_record(in, step)) return resolve(instance, number, record, State::frozen);
    if (step.kind != Step::Kind::sink && !step.part) {
      st.key = key_of(in, step);
      if (const auto record = lookup(in, step, st.key)) {
        if (step.zone) hits_inside(*step.zone->body);
        return resolve(instance, number, record, State::cached);
      }
      if (only_known)
        return fail(instance, number, mode, std::make_shared<const Error>(Errc::usage, "has not run"), State::skipped);
    }
  }
  if (st.wait_error) return fail(instance, number, mode, st.wait_error, State::error);
  if (!acquire(instance, number, mode)) return;
  if (step.kind == Step::Kind::zone)
    start_zone(instance, number, mode);
  else
    execute(instance, number, mode);
}

Value Run::value_of(const Instance& in, const Source& source, Hash& pinned) {
  switch (source.kind) {
    case Source::Kind::nothing:
      return {};
    case Source::Kind::constant:
      return source.constant;
    case Source::Kind::input:
      return in.inputs[static_cast<std::size_t>(source.port)];
    case Source::Kind::step:
      break;
  }
  const auto& record = *in.states[static_cast<std::size_t>(source.step)].record;
  const auto& port = record.ports[static_cast<std::size_t>(source.port)];
  if (!port.small.none() || port.hash.zero()) return port.small;
  const Value value = machine_.pin(port.hash);
  if (!value.none()) pinned = port.hash;
  return value;
}

// Takes every input of a step. False when some have to be made again first: the step goes on when they are there.
bool Run::acquire(const InstancePtr& instance, int number, Mode mode) {
  Instance& in = *instance;
  const Step& step = in.plan->steps[static_cast<std::size_t>(number)];
  StepState& st = in.states[static_cast<std::size_t>(number)];
  st.slots.resize(step.inputs.size() + step.wired_settings.size());
  struct Missing {
    std::size_t slot;
    Source from;
  };
  std::vector<Missing> missing;
  for (std::size_t i = 0; i < st.slots.size(); ++i) {
    if (st.slots[i].ready) continue;
    const Source& from =
        i < step.inputs.size() ? step.inputs[i].from : step.wired_settings[i - step.inputs.size()].from;
    st.slots[i].value = value_of(in, from, st.slots[i].pinned);
    const bool nothing =
        st.slots[i].value.none() && from.kind == Source::Kind::step &&
        !in.states[static_cast<std::size_t>(from.step)].record->ports[static_cast<std::size_t>(from.port)].hash.zero();
    st.slots[i].ready = !nothing;
    if (nothing) missing.push_back({i, from});
  }
  if (missing.empty()) return true;
  const std::lock_guard lock(mutex_);
  st.waits = static_cast<int>(missing.size());
  st.resumes_again = mode == Mode::again;
  for (const auto& m : missing) {
    StepState& from = in.states[static_cast<std::size_t>(m.from.step)];
    from.waiters.push_back({number, m.slot, m.from.port});
    if (from.making_again) continue;
    from.making_again = true;
    scheduler_.push([this, instance, step = m.from.step] { process(instance, step, Mode::again); });
  }
  return false;
}

Policy Run::policy_of(const Instance& in, const Step& step, std::size_t port) const {
  if (in.keep) return Policy::keep;
  if (step.policy[port] != Policy::automatic) return step.policy[port];
  if (in.plan->inner) return Policy::free;
  if (!step.wanted.empty() && step.wanted[port]) return Policy::keep;
  return options_.policy == Policy::automatic ? Policy::keep : options_.policy;
}

}  // namespace larmor::flow
