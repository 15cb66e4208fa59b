// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <larmor/core/log.hpp>
#include <larmor/flow/disk_cache.hpp>
#include <larmor/flow/value_file.hpp>

namespace larmor::flow {
namespace fs = std::filesystem;
namespace {

Value value_of(const Record& r) {
  Value::List ports, warnings(r.warnings.begin(), r.warnings.end()), written;
  for (const auto& p : r.ports)
    ports.push_back(Value::record("", {{"name", p.name},
                                       {"type", p.type},
                                       {"describe", p.describe},
                                       {"hash", p.hash.str()},
                                       {"bytes", static_cast<double>(p.bytes)},
                                       {"small", p.small}}));
  for (const auto& [path, stamp] : r.written) written.push_back(Value::List{path.string(), stamp.str()});
  return Value::record("", {{"key", r.key.str()},
                            {"op", r.op},
                            {"version", r.version},
                            {"seconds", r.seconds},
                            {"ports", std::move(ports)},
                            {"warnings", std::move(warnings)},
                            {"written", std::move(written)}});
}

RecordPtr record_of(const Value& v) {
  auto r = std::make_shared<Record>();
  r->key = Hash::parse(v.field("key").text());
  r->op = v.field("op").text(), r->version = static_cast<int>(v.field("version").number());
  r->seconds = v.field("seconds").number();
  for (const auto& p : v.field("ports").list())
    r->ports.push_back({p.field("name").text(), p.field("type").text(), p.field("describe").text(),
                        Hash::parse(p.field("hash").text()), static_cast<std::size_t>(p.field("bytes").number()),
                        p.field("small")});
  for (const auto& w : v.field("warnings").list()) r->warnings.push_back(w.text());
  for (const auto& w : v.field("written").list())
    r->written.emplace_back(w.list().at(0).text(), Hash::parse(w.list().at(1).text()));
  return r;
}

void remove_file(const fs::path& path) {
  std::error_code ignored;
  fs::remove(path, ignored);
}

}  // namespace

DiskCache::DiskCache(const fs::path& folder, std::size_t budget, std::size_t most_queued)
    : folder_(folder / "v1"), budget_(budget), most_queued_(most_queued) {}

DiskCache::~DiskCache() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (writer_.joinable()) writer_.join();
}

fs::path DiskCache::place(const char* kind, const Hash& hash) const {
  const auto name = hash.str();
  return folder_ / kind / name.substr(0, 2) / name;
}

RecordPtr DiskCache::read_record(const Hash& key) {
  const auto path = place("records", key);
  struct stat s {};
  if (::stat(path.c_str(), &s) != 0) return nullptr;
  try {
    auto record = record_of(read_value_file(path));
    if (record->key == key) return record;
  } catch (const std::exception&) {  // damaged: as if it were not there
  }
  remove_file(path);
  return nullptr;
}

bool DiskCache::has_value(const Hash& hash) const {
  struct stat s {};
  return ::stat(place("values", hash).c_str(), &s) == 0;
}

Value DiskCache::read_value(const Hash& hash, double* seconds) {
  const auto path = place("values", hash);
  struct stat s {};
  if (::stat(path.c_str(), &s) != 0) return {};
  try {
    Value value = read_value_file(path, seconds);
    if (value.hash() == hash) {
      ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);  // used now: stays longer
      return value;
    }
  } catch (const Error& e) {
    if (e.code() == Errc::numeric) return {};  // no memory to read it: the file is good
  } catch (const std::exception&) {
  }
  remove_file(path);
  return {};
}

bool DiskCache::write(const Job& job) {
  try {
    const Value value = job.record ? value_of(*job.record) : job.value;
    std::error_code failed;
    fs::create_directories(job.path.parent_path(), failed);
    write_value_file(job.path, value, job.seconds);
    const std::lock_guard lock(size_mutex_);
    if (size_) *size_ += fs::file_size(job.path, failed);
  } catch (const std::exception& e) {
    static std::once_flag once;
    std::call_once(once, [&] { log::warning(std::string("results are not kept on disk: ") + e.what()); });
    return false;
  }
  trim();
  return true;
}

bool DiskCache::write_value(const Hash& hash, const Value& value, double seconds) {
  const auto path = place("values", hash);
  if (has_value(hash)) {
    ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
    return true;
  }
  return write({path, value, nullptr, seconds, 0, {}});
}

bool DiskCache::queue(Job job, const Cancel* cancel) {
  // More than this and the run makes values faster than the disk takes them: it waits then.
  std::unique_lock lock(mutex_);
  while (queued_bytes_ > 0 && queued_bytes_ + job.bytes > most_queued_ && !stopping_) {
    if (cancel && cancel->requested()) return false;
    changed_.wait_for(lock, std::chrono::milliseconds(20));
  }
  queued_bytes_ += job.bytes;
  jobs_.push_back(std::move(job));
  if (!writer_.joinable()) writer_ = std::thread([this] { work(); });
  changed_.notify_all();
  return true;
}

void DiskCache::queue_value(const Hash& hash, const Value& value, double seconds, const Cancel& cancel,
                            const std::function<void(bool)>& done) {
  if (has_value(hash)) {
    done(true);
    return;
  }
  if (!queue({place("values", hash), value, nullptr, seconds, value.bytes(), done}, &cancel)) done(false);
}

void DiskCache::queue_record(const RecordPtr& record) {
  queue({place("records", record->key), {}, record, record->seconds, 0, {}});
}

void DiskCache::queue_note(const std::string& name, const Value& value) {
  queue({folder_ / "notes" / name, value, nullptr, 0, 0, {}});
}

Value DiskCache::read_note(const std::string& name) {
  const auto path = folder_ / "notes" / name;
  std::error_code failed;
  if (!fs::exists(path, failed)) return {};
  try {
    return read_value_file(path);
  } catch (const std::exception&) {
    remove_file(path);
    return {};
  }
}

void DiskCache::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return !jobs_.empty() || stopping_; });
    if (jobs_.empty()) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    busy_ = true;
    lock.unlock();
    const bool written = write(job);
    if (job.done) job.done(written);
    const std::size_t bytes = job.bytes;
    job = {};
    lock.lock();
    busy_ = false;
    queued_bytes_ -= bytes;
    changed_.notify_all();
  }
}

void DiskCache::flush() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return jobs_.empty() && !busy_; });
}

std::size_t DiskCache::bytes_on_disk() {
  std::size_t sum = 0;
  std::error_code failed;
  for (auto it = fs::recursive_directory_iterator(folder_, failed); !failed && it != fs::recursive_directory_iterator();
       it.increment(failed)) {
    std::error_code gone;
    if (const auto n = it->is_regular_file(gone) ? it->file_size(gone) : 0; !gone) sum += n;
  }
  return sum;
}

// Goes by what a file would cost to make again per byte, halved for every week that nobody read it.
void DiskCache::trim() {
  const std::lock_guard lock(size_mutex_);
  if (!size_) size_ = bytes_on_disk();
  if (*size_ <= budget_) return;
  struct File {
    fs::path path;
    double worth;
    std::size_t bytes;
  };
  constexpr double week = 7 * 24 * 3600.0, leftover_after = 3600;  // [s]
  std::vector<File> files;
  std::size_t sum = 0;
  const auto now = static_cast<double>(std::time(nullptr));
  std::error_code failed;
  for (auto it = fs::recursive_directory_iterator(folder_, failed); !failed && it != fs::recursive_directory_iterator();
       it.increment(failed)) {
    struct stat s {};
    if (::stat(it->path().c_str(), &s) != 0 || !S_ISREG(s.st_mode)) continue;
    const double age = now - static_cast<double>(s.st_mtime);
    if (it->path().filename().string().find(".part-") != std::string::npos) {
      if (age > leftover_after) remove_file(it->path());  // of a process that ended while it wrote
      continue;
    }
    const auto bytes = static_cast<std::size_t>(s.st_size);
    const double seconds = std::max(seconds_of_value_file(it->path()), 0.0);
    files.push_back({it->path(), (seconds + 1e-3) / static_cast<double>(bytes + 1) * std::exp2(-age / week), bytes});
    sum += bytes;
  }
  std::sort(files.begin(), files.end(), [](const File& a, const File& b) { return a.worth < b.worth; });
  const std::size_t low = budget_ / 10 * 9;  // room for the next ones, or every write would look through all files
  for (const auto& file : files) {
    if (sum <= low) break;
    remove_file(file.path);
    sum -= file.bytes;
  }
  size_ = sum;
}

void DiskCache::clear() {
  flush();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
  const std::lock_guard lock(size_mutex_);
  size_ = 0;
}

}  // namespace larmor::flow
