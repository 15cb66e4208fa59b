// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <larmor/flow/user/operation.hpp>
#include <map>
#include <set>
#include <thread>

namespace larmor::flow::user {
namespace fs = std::filesystem;

namespace {

constexpr auto look_every = std::chrono::milliseconds(200);

fs::path cache_folder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache && *cache) return fs::path(cache) / "larmor" / "ops";
  const char* home = std::getenv("HOME");
  if (home && *home) return fs::path(home) / ".cache" / "larmor" / "ops";
  return fs::temp_directory_path() / ("larmor-ops-" + std::to_string(::getuid()));
}

/// Files that may be operations, the first of each name.
std::vector<fs::path> find_files(const std::vector<fs::path>& folders) {
  std::vector<fs::path> out;
  std::set<std::string> names;
  for (const auto& folder : folders) {
    std::vector<fs::path> here;
    std::error_code failed;
    for (auto it = fs::directory_iterator(folder, failed); !failed && it != fs::directory_iterator();
         it.increment(failed)) {
      const fs::path& path = it->path();
      const std::string name = path.filename().string();
      const bool kind = path.extension() == ".py" || path.extension() == ".cpp";
      std::error_code gone;
      if (kind && name[0] != '_' && name[0] != '.' && it->is_regular_file(gone)) here.push_back(path);
    }
    std::sort(here.begin(), here.end());
    for (auto& path : here)
      if (names.insert(path.stem().string()).second) out.push_back(std::move(path));
  }
  return out;
}

using Stamps = std::map<fs::path, std::pair<std::uintmax_t, fs::file_time_type>>;
void stamp(Stamps& out, const std::vector<fs::path>& files) {
  std::error_code failed;  // one that is not there has a stamp, too
  for (const auto& path : files) out[path] = {fs::file_size(path, failed), fs::last_write_time(path, failed)};
}

}  // namespace

fs::path home_folder() {
  const char* home = std::getenv("HOME");
  return home && *home ? fs::path(home) / ".larmor" / "ops" : fs::path();
}

struct UserOperations::Impl {
  struct Item {
    std::shared_ptr<Operation> operation;
    std::shared_ptr<const Operation::Described> described;
    std::string id;  // in the registry; empty when another one has it
    std::string error, error_at;
  };

  UserOptions options;
  std::mutex refreshing;     // one look at a time
  mutable std::mutex mutex;  // of items
  std::map<fs::path, Item> items;

  std::thread watcher;
  std::mutex stop_mutex;
  std::condition_variable stop_now;
  bool stopped = false;

  ~Impl() {
    {
      const std::lock_guard lock(stop_mutex);
      stopped = true;
    }
    stop_now.notify_all();
    if (watcher.joinable()) watcher.join();
  }

  /// Of the files of operations, those that nobody has read yet too unless told, and of those that these are made of.
  Stamps stamps(bool unread = true) const {
    Stamps out;
    if (unread) stamp(out, find_files(options.folders));
    const std::lock_guard lock(mutex);
    for (const auto& [file, item] : items)
      if (item.operation) stamp(out, item.operation->looked_for());
    return out;
  }

  static void tell(Item& item, const Error& e) {
    item.error = e.message(), item.error_at.clear();
    for (const auto& place : e.where())
      if (item.error_at.empty() &&
          (place.find(".py:") != std::string::npos || place.find(".cpp:") != std::string::npos))
        item.error_at = place;
  }

  /// Puts an operation into the registry, unless its id is another's.
  void enter(NodeTypes& types, const fs::path& path, Item& item, const Operation::Described& now) {
    NodeType type = now.type;
    std::string id = now.id;
    item.error.clear(), item.error_at.clear();
    if (now.error) tell(item, *now.error);
    const auto refuse = [&](const Error& e) {
      if (now.error) return;  // it has a better reason
      tell(item, e);
      type.compute = [e](Ports&) { throw e; };
      type.does = e.message();
    };
    const auto owner = std::find_if(items.begin(), items.end(),
                                    [&](const auto& other) { return other.first != path && other.second.id == id; });
    if (owner != items.end() || (types.has(id) && !types.get(id).user)) {
      refuse(Error(Errc::usage,
                   id + " is taken by " + (owner != items.end() ? owner->first.string() : "an operation of larmor"),
                   "give it another id"));
      id.clear();
    }
    for (auto* ports : {&type.inputs, &type.outputs})
      for (auto& port : *ports)
        if (port.type != "any" && !types.types.has(port.type)) {
          Error e = unknown_name("type", port.type, types.types.ids());
          refuse(e.at(path.filename().string() + ":1"));
          port.type = "any";
        }
    if (!item.id.empty() && item.id != id) types.erase(item.id);
    if (!id.empty()) types.replace(id, std::move(type));
    item.id = id;
  }
};

UserOperations::UserOperations(UserOptions options) : impl_(std::make_shared<Impl>()) {
  std::error_code failed;
  if (fs::is_symlink(options.program, failed)) options.program = fs::read_symlink(options.program, failed);
  if (options.cache.empty()) options.cache = cache_folder();
  impl_->options = std::move(options);
}
UserOperations::~UserOperations() = default;

std::vector<std::string> UserOperations::refresh(NodeTypes& types) {
  Impl& impl = *impl_;
  const std::lock_guard one(impl.refreshing);
  const auto files = find_files(impl.options.folders);
  std::vector<std::pair<fs::path, std::shared_ptr<Operation>>> all;
  {
    const std::lock_guard lock(impl.mutex);
    for (const auto& file : files) {
      auto& item = impl.items[file];
      if (!item.operation) item.operation = std::make_shared<Operation>(file, impl.options);
      all.emplace_back(file, item.operation);
    }
  }
  // Describing starts processes and compilers: nobody waits for that.
  std::vector<std::pair<fs::path, std::shared_ptr<const Operation::Described>>> changed;
  for (const auto& [file, operation] : all)
    if (auto described = operation->refresh(operation)) changed.emplace_back(file, std::move(described));
  std::vector<std::string> ids;
  const auto writing = types.writing();
  const std::lock_guard lock(impl.mutex);
  for (auto it = impl.items.begin(); it != impl.items.end();) {
    if (std::find(files.begin(), files.end(), it->first) != files.end()) {
      ++it;
      continue;
    }
    if (!it->second.id.empty()) types.erase(it->second.id), ids.push_back(it->second.id);
    it = impl.items.erase(it);
  }
  for (auto& [file, described] : changed) {
    auto& item = impl.items.at(file);
    impl.enter(types, file, item, *described);
    item.described = described;
    ids.push_back(item.id.empty() ? described->id : item.id);
  }
  return ids;
}

void UserOperations::watch(std::function<void()> changed) {
  if (impl_->watcher.joinable()) throw Error(Errc::internal, "user operations are watched already");
  // A look at a few files costs less than being told does, and works on every file system.
  // What changes from now on is noticed, also before the thread has begun.
  impl_->watcher = std::thread([impl = impl_.get(), known = impl_->stamps(), changed = std::move(changed)]() mutable {
    Stamps seen = known;
    std::unique_lock lock(impl->stop_mutex);
    while (!impl->stop_now.wait_for(lock, look_every, [&] { return impl->stopped; })) {
      lock.unlock();
      const Stamps now = impl->stamps();
      // Twice the same: whoever writes is done.
      if (now != known && now == seen) {
        changed();
        // Other files may count now. What was saved while that went on is new: it may have been read before.
        known = impl->stamps(false);
        const Stamps after = impl->stamps();
        for (const auto& [path, when] : now)
          if (after.count(path)) known[path] = when;
      }
      seen = now;
      lock.lock();
    }
  });
}

std::vector<UserOperation> UserOperations::list() const {
  const std::lock_guard lock(impl_->mutex);
  std::vector<UserOperation> out;
  for (const auto& [file, item] : impl_->items) {
    if (!item.described) continue;
    out.push_back({.id = item.id.empty() ? item.described->id : item.id,
                   .file = file,
                   .python = item.operation->python(),
                   .lines = item.described->lines,
                   .error = item.error,
                   .error_at = item.error_at});
  }
  return out;
}

int UserOperations::lines_of(const std::string& id) const {
  for (const auto& op : list())
    if (op.id == id) return op.lines;
  return 0;
}

int UserOperations::process_of(const std::string& id) const {
  const std::lock_guard lock(impl_->mutex);
  for (const auto& [file, item] : impl_->items)
    if (item.id == id) return item.operation->process();
  return 0;
}

}  // namespace larmor::flow::user
