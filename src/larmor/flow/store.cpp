// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <cmath>
#include <larmor/flow/store.hpp>
#include <vector>

namespace larmor::flow {

double Store::now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Value Store::put(const Hash& hash, const Value& value, const Keep& keep) {
  Value kept;
  {
    const std::lock_guard lock(mutex_);
    auto [it, added] = entries_.try_emplace(hash);
    Entry& e = it->second;
    if (added) {
      e.value = value, e.bytes = value.bytes();
      resident_ += e.bytes;
      peak_ = std::max(peak_, resident_);
    }
    e.seconds = std::max(e.seconds, keep.seconds);
    e.spill = e.spill && keep.spill, e.on_disk = e.on_disk || keep.on_disk, e.dropped = false;
    ++e.pins, e.used = now();
    kept = e.value;
  }
  shrink();
  return kept;
}

Value Store::pin(const Hash& hash) {
  const std::lock_guard lock(mutex_);
  const auto it = entries_.find(hash);
  if (it == entries_.end()) return {};
  ++it->second.pins, it->second.used = now();
  return it->second.value;
}

void Store::erase(Map::iterator it) {
  resident_ -= it->second.bytes;
  entries_.erase(it);
}

void Store::unpin(const Hash& hash) {
  {
    const std::lock_guard lock(mutex_);
    const auto it = entries_.find(hash);
    if (it == entries_.end()) return;
    if (--it->second.pins == 0 && it->second.dropped && !claims_.count(hash)) {
      erase(it);
      return;
    }
    if (resident_ <= budget_) return;
  }
  shrink();
}

void Store::claim(const Hash& hash) {
  const std::lock_guard lock(mutex_);
  ++claims_[hash];
}

void Store::unclaim(const Hash& hash, bool drop) {
  const std::lock_guard lock(mutex_);
  const auto claim = claims_.find(hash);
  if (claim != claims_.end() && --claim->second == 0) claims_.erase(claim);
  if (!drop || claims_.count(hash)) return;
  const auto it = entries_.find(hash);
  if (it == entries_.end()) return;
  it->second.dropped = true;
  if (it->second.pins == 0) erase(it);
}

void Store::drop(const Hash& hash) {
  const std::lock_guard lock(mutex_);
  const auto it = entries_.find(hash);
  if (it == entries_.end() || claims_.count(hash)) return;
  it->second.dropped = true;
  if (it->second.pins == 0) erase(it);
}

void Store::mark_on_disk(const Hash& hash) {
  const std::lock_guard lock(mutex_);
  if (const auto it = entries_.find(hash); it != entries_.end()) it->second.on_disk = true;
}

bool Store::has(const Hash& hash) const {
  const std::lock_guard lock(mutex_);
  return entries_.count(hash) > 0;
}

void Store::account(std::ptrdiff_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    resident_ += static_cast<std::size_t>(bytes);
    peak_ = std::max(peak_, resident_);
    if (bytes <= 0 || resident_ <= budget_) return;
  }
  shrink();
}

std::size_t Store::resident() const {
  const std::lock_guard lock(mutex_);
  return resident_;
}
std::size_t Store::peak_since_reset() {
  const std::lock_guard lock(mutex_);
  return peak_;
}
void Store::reset_peak() {
  const std::lock_guard lock(mutex_);
  peak_ = resident_;
}

void Store::set_budget(std::size_t bytes) {
  budget_ = bytes;
  shrink();
}

void Store::clear() {
  const std::lock_guard lock(mutex_);
  for (auto it = entries_.begin(); it != entries_.end();) {
    const auto next = std::next(it);
    if (it->second.pins == 0 && !claims_.count(it->first)) erase(it);
    it = next;
  }
}

// Seconds per megabyte that dropping it would cost later, halved for every minute that nobody asked for it. Reading
// back from disk costs about a second a gigabyte, whatever it cost to make.
double Store::score(const Entry& e, bool claimed, double at) const {
  constexpr double half_life = 60, disk = 1e-9;  // [s], [s/byte]
  const double bytes = static_cast<double>(std::max<std::size_t>(e.bytes, 1));
  const double seconds = e.on_disk ? std::min(e.seconds, disk * bytes) : e.seconds;
  const double worth = (seconds + 1e-6) / bytes * std::exp2(-(at - e.used) / half_life);
  return claimed ? worth + 1e3 : worth;  // whoever waits for it will ask for sure
}

void Store::shrink() {
  for (;;) {
    Hash victim;
    Value value;
    double seconds = 0;
    bool must_spill = false;
    {
      const std::lock_guard lock(mutex_);
      if (resident_ <= budget_) return;
      // A little more than needed: looking through all values for each one that comes would be slow.
      const std::size_t low = budget_ - budget_ / 20;
      const double at = now();
      std::vector<std::pair<double, Map::iterator>> order;
      for (auto it = entries_.begin(); it != entries_.end(); ++it)
        if (it->second.pins == 0) order.emplace_back(score(it->second, claims_.count(it->first) > 0, at), it);
      if (order.empty()) return;
      std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
      for (auto& [worth, it] : order) {
        const bool claimed = claims_.count(it->first) > 0;
        if (resident_ <= (claimed ? budget_.load() : low)) return;
        Entry& e = it->second;
        if (claimed && e.spill && !e.on_disk && spill_) {
          victim = it->first, value = e.value, seconds = e.seconds, must_spill = true;
          ++e.pins;  // stays while it is written, without the lock
          break;
        }
        erase(it);
      }
    }
    if (!must_spill) return;
    const bool written = spill_(victim, value, seconds);
    const std::lock_guard lock(mutex_);
    const auto it = entries_.find(victim);
    if (it == entries_.end()) continue;
    --it->second.pins;
    if (written) it->second.on_disk = true;
    if (it->second.pins == 0 && resident_ > budget_) erase(it);  // not written: whoever needs it has it made again
  }
}

}  // namespace larmor::flow
