// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/disk_cache.hpp>
#include <larmor/flow/engine.hpp>
#include <larmor/flow/plan.hpp>
#include <larmor/flow/store.hpp>
#include <shared_mutex>
#include <unordered_map>

namespace larmor::flow {

/// Times of earlier runs of a node: mean and standard deviation by Welford's recurrence.
struct Times {
  int runs = 0;
  double mean = 0, m2 = 0;
  void add(double seconds) {
    ++runs;
    const double d = seconds - mean;
    mean += d / runs;
    m2 += d * (seconds - mean);
  }
  double sd() const;
};

/// What an engine knows and holds, shared by its runs. Thread-safe.
class Machine {
 public:
  Machine(const NodeTypes& types, EngineOptions options);
  ~Machine();

  const NodeTypes& types;
  EngineOptions options;
  std::shared_mutex types_in_use;  // exclusively held while operations change
  Store store;

  /// What is known for a key, from memory or disk.
  RecordPtr find(const Hash& key);
  void remember(const RecordPtr& record, bool on_disk);
  /// A value that a record names, pinned in the store; none when it has to be made again.
  Value pin(const Hash& hash);
  /// Writes a value to disk, to a scratch folder when there is no cache. False: it can not be written.
  bool write(const Hash& hash, const Value& value, double seconds);
  /// The same behind the run, to the cache; nothing when there is none. The value is in the store.
  void write_behind(const Hash& hash, const Value& value, double seconds, const Cancel& cancel);

  /// The record that a node ended with in the last run of a session.
  RecordPtr last(const std::string& session, const std::string& node);
  void set_last(const std::string& session, const std::string& node, RecordPtr record);

  Times times(const std::string& session, const std::string& node);
  void add_time(const std::string& session, const std::string& node, double seconds);
  /// The hash that a port had after the run before; it has this one now.
  Hash exchange_hash(const std::string& session, const std::string& port, const Hash& hash);

  void clear(bool disk_too);
  /// After a run: what the next process should know.
  void save_notes(const std::string& session);

 private:
  DiskCache* spill();  // the same, or a folder that goes with this object
  void load_times();
  void load_session(const std::string& session);
  std::mutex mutex_;
  std::unordered_map<Hash, RecordPtr, HashOfHash> records_;
  std::unordered_map<std::string, RecordPtr> last_;
  std::unordered_map<std::string, Times> times_;
  std::unordered_map<std::string, Hash> port_hashes_;
  bool times_loaded_ = false, times_changed_ = false;
  std::map<std::string, std::map<std::string, Hash>> sessions_;  // keys of the last run by node, as on disk
  std::unique_ptr<DiskCache> disk_, scratch_;
  std::filesystem::path scratch_folder_;
};

}  // namespace larmor::flow
