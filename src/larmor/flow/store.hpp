// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <functional>
#include <larmor/flow/record.hpp>
#include <larmor/flow/value.hpp>
#include <map>
#include <mutex>
#include <unordered_map>

namespace larmor::flow {

struct HashOfHash {
  std::size_t operator()(const Hash& h) const { return static_cast<std::size_t>(h.lo); }
};

/// Values by content, under one budget. What a running step holds is pinned and stays; what waits for a reader is
/// claimed and is spilled before it goes; the rest goes by cost: seconds to make it again per byte, and age.
class Store {
 public:
  /// Writes a value to disk so that `fetch` finds it again; false when it can not.
  using Spill = std::function<bool(const Hash&, const Value&, double seconds)>;
  Store(std::size_t budget, Spill spill) : budget_(budget), spill_(std::move(spill)) {}

  struct Keep {
    double seconds = 0;    // to make it again
    bool spill = true;     // may be written to disk when memory is short
    bool on_disk = false;  // is there already
  };
  /// Adds a value, pinned once. Returns the one that is kept: an equal one may have been here.
  Value put(const Hash& hash, const Value& value, const Keep& keep);
  /// The value, pinned; none when it is not here.
  Value pin(const Hash& hash);
  void unpin(const Hash& hash);
  /// A reader will come; `drop`: once the last has been, nobody else wants it.
  void claim(const Hash& hash);
  void unclaim(const Hash& hash, bool drop);
  void drop(const Hash& hash);
  void mark_on_disk(const Hash& hash);
  bool has(const Hash& hash) const;

  /// Bytes held outside the store that count (slices in flight); negative to give back.
  void account(std::ptrdiff_t bytes);

  std::size_t resident() const;
  std::size_t peak_since_reset();
  void reset_peak();
  std::size_t budget() const { return budget_; }
  void set_budget(std::size_t bytes);
  void clear();
  /// Makes room; called after everything that adds.
  void shrink();

 private:
  struct Entry {
    Value value;
    std::size_t bytes = 0;
    double seconds = 0;
    int pins = 0;
    bool spill = true, on_disk = false, dropped = false;
    double used = 0;
  };
  using Map = std::unordered_map<Hash, Entry, HashOfHash>;
  void erase(Map::iterator it);
  double score(const Entry& entry, bool claimed, double now) const;
  static double now();

  mutable std::mutex mutex_;
  Map entries_;
  std::unordered_map<Hash, int, HashOfHash> claims_;
  std::size_t resident_ = 0, peak_ = 0;
  std::atomic<std::size_t> budget_;
  Spill spill_;
};

}  // namespace larmor::flow
