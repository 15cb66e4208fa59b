// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <larmor/flow/run.hpp>
#include <new>

namespace larmor::flow {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Views are copied: a slice that is kept must not hold the whole.
Value compact(const Value& value) {
  if (value.kind() == Value::Kind::array)
    return value.array().contiguous() ? value : Value(value.array().contiguous_copy());
  if (value.kind() != Value::Kind::record) return value;
  bool strided = false;
  for (const auto& [name, v] : value.fields())
    strided = strided || (v.kind() == Value::Kind::array && !v.array().contiguous());
  if (!strided) return value;
  Value::Fields fields;
  for (const auto& [name, v] : value.fields()) fields.emplace_back(name, compact(v));
  return Value::record(value.type() == "record" ? "" : value.type(), std::move(fields));
}

}  // namespace

std::shared_ptr<const Error> Run::error_of(const std::exception_ptr& thrown, const std::string& path,
                                           const std::string& where) {
  const auto placed = [&](Error e) {
    if (!where.empty()) e.at(where);
    return std::make_shared<const Error>(std::move(e.at("node '" + path + "'")));
  };
  try {
    std::rethrow_exception(thrown);
  } catch (const Error& e) {
    return placed(e);
  } catch (const std::bad_alloc&) {
    return placed(Error(Errc::numeric, "out of memory",
                        "work on less at a time: map the node over an axis, or use a machine with more memory"));
  } catch (const std::exception& e) {
    return placed(Error(Errc::internal, std::string("failed: ") + e.what()));
  } catch (...) {
    return placed(Error(Errc::internal, "failed without saying why"));
  }
}

void Run::execute(const InstancePtr& instance, int number, Mode mode) {
  Instance& in = *instance;
  const Step& step = in.plan->steps[static_cast<std::size_t>(number)];
  StepState& st = in.states[static_cast<std::size_t>(number)];
  if (step.kind == Step::Kind::sink) {
    for (std::size_t i = 0; i < step.inputs.size(); ++i) in.outputs[step.inputs[i].name] = st.slots[i].value;
    return resolve(instance, number, std::make_shared<const Record>(), State::done);
  }
  Made made;
  std::map<std::string, Value> inputs, settings = step.settings;
  for (std::size_t i = 0; i < step.inputs.size(); ++i) {
    const Value& v = st.slots[i].value;
    if (v.none()) continue;
    made.in_bytes += v.bytes();
    inputs.emplace(step.inputs[i].name, v);
  }
  std::vector<std::filesystem::path> writes = step.writes;
  for (std::size_t i = 0; i < step.wired_settings.size(); ++i) {
    Value v = st.slots[step.inputs.size() + i].value;
    const Setting* s = step.type->setting(step.wired_settings[i].name);
    if (v.none() || !s) continue;
    const bool written = s->kind == SettingKind::file_save || (s->kind == SettingKind::folder && step.type->effect);
    if ((written || s->kind == SettingKind::file_open || s->kind == SettingKind::folder) &&
        v.kind() == Value::Kind::text && !v.text().empty()) {
      std::filesystem::path path = v.text();
      const auto& folder = written && !options_.out.empty() ? options_.out : options_.base;
      if (path.is_relative() && !folder.empty()) path = folder / path;
      if (written) writes.push_back(path);
      v = path.string();
    }
    settings[s->name] = std::move(v);
  }
  const std::string& path = in.plan->paths->names[static_cast<std::size_t>(step.path)];
  Ports::Services services;
  services.cancel = options_.cancel;
  services.progress = Progress([this, &step](const std::string& what, std::size_t done, std::size_t total) {
    if (!step.part) reporter_.progress(step.path, what, static_cast<double>(done) / static_cast<double>(total));
  });
  services.warn = [this, &step, &made](const std::string& text) {
    reporter_.warn(step.path, text);
    made.warnings.push_back(text);
  };
  services.log = [this, &step](const std::string& text) { reporter_.log(step.path, text); };
  if (provenance) services.provenance = [this, &path] { return provenance(path); };
  services.node = path + step.index;
  services.device = machine_.options.device;
  reporter_.begin(step.path);
  const auto start = Clock::now();
  try {
    made.outputs = run_operation(*step.type, machine_.types.types, inputs, std::move(settings), std::move(services));
    made.seconds = seconds_since(start);
    inputs.clear();
    for (const auto& file : writes) made.written.emplace_back(file, file_stamp(file));
    finish_made(instance, number, mode, std::move(made));
  } catch (...) {
    const auto error = error_of(std::current_exception(), path, in.where);
    const bool cancelled = error->code() == Errc::cancelled && options_.cancel.requested();
    fail(instance, number, mode, error, cancelled ? State::cancelled : State::error, seconds_since(start), true);
  }
}

// Hashes what a step made, puts it where its policy says, and lets those go on that wait for it.
void Run::finish_made(const InstancePtr& instance, int number, Mode mode, Made made) {
  Instance& in = *instance;
  const Step& step = in.plan->steps[static_cast<std::size_t>(number)];
  StepState& st = in.states[static_cast<std::size_t>(number)];
  const bool known = !st.key.zero();
  const bool impure = step.kind == Step::Kind::operation ? step.type->impure : !step.cacheable;
  const double worth = machine_.options.disk_from_seconds;
  auto record = std::make_shared<Record>();
  record->key = st.key, record->op = step.op, record->version = step.type ? step.type->version : 1;
  record->seconds = made.seconds, record->impure = impure || !made.cacheable;
  record->warnings = made.warnings, record->written = made.written, record->inside = std::move(made.inside);
  std::vector<Value> values(step.outputs.size());
  std::size_t out_bytes = 0;
  bool spilled = false;
  for (std::size_t p = 0; p < step.outputs.size(); ++p) {
    PortRecord port;
    port.name = step.outputs[p];
    const auto it = made.outputs.find(port.name);
    if (it != made.outputs.end() && !it->second.none()) {
      const Value value = compact(it->second);
      it->second = Value();
      port.type = value.type(), port.describe = value.describe(), port.bytes = value.bytes();
      out_bytes += port.bytes;
      values[p] = value;
      if (step.part) {  // of a slice, on its way into the whole: held by the round alone
        port.small = value;
        machine_.store.account(static_cast<std::ptrdiff_t>(port.bytes));
        const std::lock_guard lock(mutex_);
        in.held += port.bytes;
      } else {
        port.hash = value.hash();
        if (port.bytes < small_bytes) port.small = value;
      }
    }
    record->ports.push_back(std::move(port));
  }
  const bool whole_step = known && step.kind != Step::Kind::sink && !step.part;
  for (std::size_t p = 0; p < values.size(); ++p) {
    const PortRecord& port = record->ports[p];
    if (port.hash.zero() || !port.small.none()) continue;
    const Policy policy = policy_of(in, step, p), own = step.policy[p];
    Store::Keep keep;
    keep.seconds = made.seconds, keep.spill = policy != Policy::recompute;
    machine_.store.put(port.hash, values[p], keep);  // pinned until this is finished
    if (!whole_step) continue;
    const bool cheap = made.seconds < worth;
    if (own == Policy::spill)
      spilled = machine_.write(port.hash, values[p], made.seconds) || spilled;
    else if (!cheap && !record->impure && own != Policy::free && own != Policy::recompute &&
             (!in.plan->inner || own == Policy::keep || in.keep))
      machine_.write_behind(port.hash, values[p], made.seconds, options_.cancel);
  }
  if (whole_step)
    machine_.remember(record, spilled || !made.written.empty() || (made.seconds >= worth && !record->impure));

  Reporter::End end;
  end.state = made.warnings.empty() ? State::done : State::warning;
  end.seconds = made.seconds, end.peak_bytes = made.in_bytes + out_bytes + made.extra_bytes;
  end.record = record.get(), end.ran = step.kind == Step::Kind::operation && !step.stacks, end.began = made.began;
  end.part = step.part, end.index = step.index;
  reporter_.end(step.path, end);
  if (mode == Mode::first) {
    resolve(instance, number, record, State::running);  // its end is told
  } else {
    {
      const std::lock_guard lock(mutex_);
      st.made_again = record;
    }
    serve_waiters(instance, number, nullptr);
    for (std::size_t p = 0; p < record->ports.size(); ++p)
      if (drops(policy_of(in, step, p)) && !record->ports[p].hash.zero()) machine_.store.drop(record->ports[p].hash);
  }
  for (const auto& port : record->ports)
    if (!port.hash.zero() && port.small.none()) machine_.store.unpin(port.hash);
}

void Run::release(std::vector<Slot> slots) {
  for (auto& slot : slots) {
    slot.value = Value();
    if (!slot.pinned.zero()) machine_.store.unpin(slot.pinned);
  }
}

// The outputs of a step are known: its consumers may go on, and its inputs may go.
void Run::resolve(const InstancePtr& instance, int number, RecordPtr record, State state) {
  Instance& in = *instance;
  const Step& step = in.plan->steps[static_cast<std::size_t>(number)];
  StepState& st = in.states[static_cast<std::size_t>(number)];
  if (state == State::cached || state == State::frozen) {
    Reporter::End end;
    end.state = state, end.record = record.get(), end.index = step.index;
    reporter_.end(step.path, end);
  }
  if (step.path >= 0 && !step.part) {
    const auto& path = in.plan->paths->names[static_cast<std::size_t>(step.path)];
    if (!in.plan->inner && !looking) machine_.set_last(options_.session, path + step.index, record);
  }
  settle(instance, number, [&] {
    st.record = record, st.resolved = true;
    if (in.plan->inner && step.path >= 0 && !step.part) {
      const auto& path = in.plan->paths->names[static_cast<std::size_t>(step.path)];
      // The loop of a node that is mapped too has the path of the map: "".
      in.records[path.size() > in.prefix.size() ? path.substr(in.prefix.size()) : std::string()] = record;
    }
    for (std::size_t p = 0; p < record->ports.size() && p < st.uses.size(); ++p) {
      const auto& port = record->ports[p];
      if (port.hash.zero() || !port.small.none()) continue;
      if (st.uses[p] > 0)
        machine_.store.claim(port.hash);
      else if (drops(policy_of(in, step, p)))
        machine_.store.drop(port.hash);
    }
  });
}

void Run::fail(const InstancePtr& instance, int number, Mode mode, std::shared_ptr<const Error> error, State state,
               double seconds, bool began) {
  Instance& in = *instance;
  const Step& step = in.plan->steps[static_cast<std::size_t>(number)];
  StepState& st = in.states[static_cast<std::size_t>(number)];
  if (step.path >= 0) {
    Reporter::End end;
    end.state = state, end.seconds = seconds, end.began = began, end.part = step.part;
    if (state != State::cancelled) end.error = error.get();
    reporter_.end(step.path, end);
  }
  if (mode == Mode::again) {
    serve_waiters(instance, number, error);
    return;
  }
  settle(instance, number, [&] {
    st.failed = true, st.cancelled = state == State::cancelled;
    in.cancelled = in.cancelled || st.cancelled;
    if (state == State::error) ++in.errors;
    if (!in.error && state != State::skipped) in.error = error;
  });
}

// Under the lock: what `change` does, then consumers and inputs are told. The last step ends the instance.
void Run::settle(const InstancePtr& instance, int number, const std::function<void()>& change) {
  Instance& in = *instance;
  const Step& step = in.plan->steps[static_cast<std::size_t>(number)];
  StepState& st = in.states[static_cast<std::size_t>(number)];
  bool last = false;
  std::vector<Slot> slots;  // let go without the lock: that may write to disk
  {
    const std::lock_guard lock(mutex_);
    change();
    for (const auto* feeds : {&step.inputs, &step.wired_settings})
      for (const auto& feed : *feeds) {
        if (feed.from.kind != Source::Kind::step) continue;
        StepState& from = in.states[static_cast<std::size_t>(feed.from.step)];
        const auto p = static_cast<std::size_t>(feed.from.port);
        if (--from.uses[p] > 0 || !from.record) continue;
        const auto& port = from.record->ports[p];
        const Step& producer = in.plan->steps[static_cast<std::size_t>(feed.from.step)];
        if (!port.hash.zero() && port.small.none())
          machine_.store.unclaim(port.hash, drops(policy_of(in, producer, p)));
      }
    // A wanted value stays with its sink.
    if (step.kind != Step::Kind::sink || in.plan->inner) slots = std::exchange(st.slots, {});
    std::vector<int> ready;
    for (const auto& consumers : step.consumers)
      for (const int c : consumers)
        if (in.needed[static_cast<std::size_t>(c)] && --in.states[static_cast<std::size_t>(c)].missing == 0)
          ready.push_back(c);
    for (auto c = ready.rbegin(); c != ready.rend(); ++c)
      scheduler_.push([this, instance, next = *c] { process(instance, next, Mode::first); });
    last = --in.left == 0;
  }
  release(std::move(slots));
  if (last) in.done(in);
}

// A step has been made again, or could not be: those that wait for it take what they need.
void Run::serve_waiters(const InstancePtr& instance, int number, const std::shared_ptr<const Error>& error) {
  Instance& in = *instance;
  StepState& st = in.states[static_cast<std::size_t>(number)];
  std::vector<Slot> slots;
  {
    const std::lock_guard lock(mutex_);
    slots = std::exchange(st.slots, {});
    st.making_again = false;
    if (st.resolved) st.wait_error = nullptr;
    for (const auto& waiter : std::exchange(st.waiters, {})) {
      StepState& to = in.states[static_cast<std::size_t>(waiter.step)];
      Slot& slot = to.slots[waiter.slot];
      slot.ready = true;
      if (error) {
        to.wait_error = error;
      } else {
        const auto p = static_cast<std::size_t>(waiter.port);
        const auto& port = st.made_again->ports[p];
        if (port.hash != st.record->ports[p].hash) to.key = {};  // not what it was: its key is of something else
        slot.value = port.small;
        if (slot.value.none() && !port.hash.zero()) {
          slot.value = machine_.store.pin(port.hash);
          slot.pinned = port.hash;
        }
      }
      if (--to.waits > 0) continue;
      scheduler_.push([this, instance, step = waiter.step, again = to.resumes_again] {
        process(instance, step, again ? Mode::again : Mode::first);
      });
    }
  }
  release(std::move(slots));
}

}  // namespace larmor::flow
