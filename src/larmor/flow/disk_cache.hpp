// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <larmor/core/cancel.hpp>
#include <larmor/flow/record.hpp>
#include <mutex>
#include <optional>
#include <thread>

namespace larmor::flow {

/// Records by key and values by content in a folder that processes may share: files are written whole or not at all,
/// and one that is damaged is removed and was never there.
///
///   records/3f/3f08...   what a step gave for a key: port hashes, small values
///   values/a1/a1c4...    a value, by its hash
class DiskCache {
 public:
  /// Nothing is touched before the first use.
  DiskCache(const std::filesystem::path& folder, std::size_t budget, std::size_t most_queued = std::size_t{256} << 20);
  ~DiskCache();  // writes what is queued
  DiskCache(const DiskCache&) = delete;
  DiskCache& operator=(const DiskCache&) = delete;

  RecordPtr read_record(const Hash& key);
  Value read_value(const Hash& hash, double* seconds = nullptr);
  bool has_value(const Hash& hash) const;
  /// Now. False when it could not be written.
  bool write_value(const Hash& hash, const Value& value, double seconds);
  /// Soon, on a thread of its own. `done` is called there. Waits when so much is queued that the disk is the limit, but
  /// not after a cancel: it is not written then.
  void queue_value(const Hash& hash, const Value& value, double seconds, const Cancel& cancel,
                   const std::function<void(bool)>& done);
  void queue_record(const RecordPtr& record);
  /// A small value under a name of its own ("times").
  void queue_note(const std::string& name, const Value& value);
  Value read_note(const std::string& name);
  /// Returns when everything queued is written.
  void flush();
  void clear();
  std::size_t bytes_on_disk();

 private:
  struct Job {
    std::filesystem::path path;
    Value value;
    RecordPtr record;
    double seconds = 0;
    std::size_t bytes = 0;
    std::function<void(bool)> done;
  };
  std::filesystem::path place(const char* kind, const Hash& hash) const;
  bool queue(Job job, const Cancel* cancel = nullptr);
  void work();
  bool write(const Job& job);
  void trim();

  std::filesystem::path folder_;
  std::size_t budget_, most_queued_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  std::size_t queued_bytes_ = 0;
  bool busy_ = false, stopping_ = false;
  std::thread writer_;
  std::mutex size_mutex_;
  std::optional<std::size_t> size_;  // of the folder as far as this process knows
};

}  // namespace larmor::flow
