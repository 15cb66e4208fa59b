// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <larmor/flow/machine.hpp>

namespace larmor::flow {

double Times::sd() const { return runs > 1 ? std::sqrt(m2 / (runs - 1)) : 0; }

Machine::Machine(const NodeTypes& types_, EngineOptions options_)
    : types(types_),
      options(std::move(options_)),
      store(options.memory_budget,
            [this](const Hash& hash, const Value& value, double seconds) { return write(hash, value, seconds); }) {
  if (!options.disk_cache.empty())
    disk_ = std::make_unique<DiskCache>(options.disk_cache, options.disk_budget,
                                        std::min(std::size_t{256} << 20, options.memory_budget / 4));
}

Machine::~Machine() {
  disk_.reset();
  scratch_.reset();
  std::error_code ignored;
  if (!scratch_folder_.empty()) std::filesystem::remove_all(scratch_folder_, ignored);
}

DiskCache* Machine::spill() {
  if (disk_) return disk_.get();
  const std::lock_guard lock(mutex_);
  if (!scratch_) {
    static std::atomic<int> number{0};
    std::error_code failed;
    auto folder = std::filesystem::temp_directory_path(failed);
    if (failed) folder = "/tmp";
    scratch_folder_ = folder / ("larmor-" + std::to_string(::getpid()) + "-" + std::to_string(number++));
    scratch_ = std::make_unique<DiskCache>(scratch_folder_, options.disk_budget);
  }
  return scratch_.get();
}

RecordPtr Machine::find(const Hash& key) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto it = records_.find(key); it != records_.end()) return it->second;
  }
  if (!disk_) return nullptr;
  auto record = disk_->read_record(key);
  if (record) remember(record, false);
  return record;
}

void Machine::remember(const RecordPtr& record, bool on_disk) {
  // A record is some hundred bytes: this many are 100 MB or less. All at once is crude, and happens once in 200,000.
  constexpr std::size_t most = 200'000;
  {
    const std::lock_guard lock(mutex_);
    if (records_.size() >= most) records_.clear();
    records_[record->key] = record;
  }
  if (on_disk && disk_) disk_->queue_record(record);
}

Value Machine::pin(const Hash& hash) {
  if (Value value = store.pin(hash); !value.none()) return value;
  DiskCache* from = disk_.get();
  if (!from) {
    const std::lock_guard lock(mutex_);
    from = scratch_.get();
  }
  if (!from) return {};
  double seconds = 0;
  const Value value = from->read_value(hash, &seconds);
  if (value.none()) return {};
  return store.put(hash, value, {seconds, true, true});
}

bool Machine::write(const Hash& hash, const Value& value, double seconds) {
  const bool written = spill()->write_value(hash, value, seconds);
  if (written) store.mark_on_disk(hash);
  return written;
}

void Machine::write_behind(const Hash& hash, const Value& value, double seconds, const Cancel& cancel) {
  if (!disk_) return;
  store.pin(hash);  // what the queue holds is counted once, and not let go in vain
  disk_->queue_value(hash, value, seconds, cancel, [this, hash](bool written) {
    if (written) store.mark_on_disk(hash);
    store.unpin(hash);
  });
}

RecordPtr Machine::last(const std::string& session, const std::string& node) {
  Hash key;
  {
    const std::lock_guard lock(mutex_);
    if (const auto it = last_.find(session + '\n' + node); it != last_.end()) return it->second;
    load_session(session);
    if (const auto it = sessions_[session].find(node); it != sessions_[session].end()) key = it->second;
  }
  return key.zero() ? nullptr : find(key);
}

void Machine::set_last(const std::string& session, const std::string& node, RecordPtr record) {
  const std::lock_guard lock(mutex_);
  last_[session + '\n' + node] = std::move(record);
}

// Called with the lock.
void Machine::load_session(const std::string& session) {
  if (!disk_ || session.empty() || sessions_.count(session)) return;
  auto& keys = sessions_[session];
  const Value note = disk_->read_note("session-" + Value(session).hash().str());
  if (note.kind() != Value::Kind::record) return;
  for (const auto& [node, key] : note.fields())
    if (key.kind() == Value::Kind::text) keys[node] = Hash::parse(key.text());
}

void Machine::load_times() {
  if (times_loaded_ || !disk_) return;
  times_loaded_ = true;
  const Value note = disk_->read_note("times");
  if (note.kind() != Value::Kind::record) return;
  for (const auto& [node, v] : note.fields()) {
    if (v.kind() != Value::Kind::list || v.list().size() != 3 || times_.count(node)) continue;
    times_[node] = {static_cast<int>(v.list()[0].number()), v.list()[1].number(), v.list()[2].number()};
  }
}

Times Machine::times(const std::string& session, const std::string& node) {
  const std::lock_guard lock(mutex_);
  load_times();
  const auto it = times_.find(session + '\n' + node);
  return it == times_.end() ? Times{} : it->second;
}

void Machine::add_time(const std::string& session, const std::string& node, double seconds) {
  const std::lock_guard lock(mutex_);
  times_[session + '\n' + node].add(seconds);
  times_changed_ = true;
}

Hash Machine::exchange_hash(const std::string& session, const std::string& port, const Hash& hash) {
  const std::lock_guard lock(mutex_);
  return std::exchange(port_hashes_[session + '\n' + port], hash);
}

void Machine::save_notes(const std::string& session) {
  if (!disk_) return;
  constexpr std::size_t most = 20'000;  // nodes whose times are kept
  Value::Fields times, keys;
  bool keys_changed = false;
  {
    const std::lock_guard lock(mutex_);
    if (times_changed_)
      for (const auto& [node, t] : times_) {
        if (times.size() >= most) break;
        times.emplace_back(node, Value::List{t.runs, t.mean, t.m2});
      }
    times_changed_ = false;
    if (!session.empty()) {
      load_session(session);
      auto& known = sessions_[session];
      const std::string begin = session + '\n';
      for (const auto& [node, record] : last_)
        if (node.starts_with(begin))
          if (auto& key = known[node.substr(begin.size())]; key != record->key) key = record->key, keys_changed = true;
      if (keys_changed)
        for (const auto& [node, key] : known) keys.emplace_back(node, key.str());
    }
  }
  if (!times.empty()) disk_->queue_note("times", Value::record("", std::move(times)));
  if (keys_changed) disk_->queue_note("session-" + Value(session).hash().str(), Value::record("", std::move(keys)));
}

void Machine::clear(bool disk_too) {
  store.clear();
  {
    const std::lock_guard lock(mutex_);
    records_.clear(), last_.clear(), sessions_.clear();
  }
  if (disk_too && disk_) disk_->clear();
}

}  // namespace larmor::flow
