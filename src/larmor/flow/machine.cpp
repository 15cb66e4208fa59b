// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/flow/machine.hpp>

namespace larmor::flow {

double Times::sd() const { return runs > 1 ? std::sqrt(m2 / (runs - 1)) : 0; }

Machine::Machine(const NodeTypes& types_, EngineOptions options_)
    : types(types_),
      options(std::move(options_)),
      store(options.memory_budget, [this](const Hash& hash, const Value& value, double seconds) {
        return write(hash, value, seconds, true);
      }) {}
Machine::~Machine() = default;

RecordPtr Machine::find(const Hash& key) {
  const std::lock_guard lock(mutex_);
  const auto it = records_.find(key);
  return it == records_.end() ? nullptr : it->second;
}

void Machine::remember(const RecordPtr& record, bool) {
  // A record is some hundred bytes: this many are 100 MB or less. All at once is crude, and happens once in 100,000.
  constexpr std::size_t most = 200'000;
  const std::lock_guard lock(mutex_);
  if (records_.size() >= most) records_.clear();
  records_[record->key] = record;
}

Value Machine::pin(const Hash& hash) { return store.pin(hash); }

bool Machine::write(const Hash&, const Value&, double, bool) { return false; }

RecordPtr Machine::last(const std::string& session, const std::string& node) {
  const std::lock_guard lock(mutex_);
  const auto it = last_.find(session + '\n' + node);
  return it == last_.end() ? nullptr : it->second;
}
void Machine::set_last(const std::string& session, const std::string& node, RecordPtr record) {
  const std::lock_guard lock(mutex_);
  last_[session + '\n' + node] = std::move(record);
}

Times Machine::times(const std::string& session, const std::string& node) {
  const std::lock_guard lock(mutex_);
  const auto it = times_.find(session + '\n' + node);
  return it == times_.end() ? Times{} : it->second;
}
void Machine::add_time(const std::string& session, const std::string& node, double seconds) {
  const std::lock_guard lock(mutex_);
  times_[session + '\n' + node].add(seconds);
}

Hash Machine::exchange_hash(const std::string& session, const std::string& port, const Hash& hash) {
  const std::lock_guard lock(mutex_);
  return std::exchange(port_hashes_[session + '\n' + port], hash);
}

void Machine::clear(bool) {
  store.clear();
  const std::lock_guard lock(mutex_);
  records_.clear();
}

}  // namespace larmor::flow
