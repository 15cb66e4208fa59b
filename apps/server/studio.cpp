// SPDX-License-Identifier: Apache-2.0
#include "studio.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <larmor/core/log.hpp>
#include <larmor/io/file.hpp>

#include "assets.hpp"

namespace larmor::server {
namespace {

// The document as this version writes it: older ones are brought forward, defaults left out.
json document_of(const std::string& text) { return json::parse(flow::to_json(flow::parse_graph(text))); }

std::string slug(const std::string& name) {
  std::string out;
  for (const char c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_') out += c;
  return out.empty() ? "graph" : out.substr(0, 60);
}

}  // namespace

Studio::Studio(flow::NodeTypes types, StudioOptions options)
    : options_(std::move(options)),
      types_(std::move(types)),
      roots_(options_.roots),
      shipped_(options_.shipped, roots_.all()),
      engine_(make_engine()),
      workshop_{types_,
                *engine_,
                roots_,
                shipped_.library(),
                {},
                [this] {
                  std::lock_guard lock(tick_mutex_);
                  woken_ = true;
                  tick_.notify_one();
                }},
      guard_{options_.token} {
  add_about_routes(router_, *this);
  add_graph_routes(router_, *this);
  add_run_routes(router_, *this);
  add_value_routes(router_, *this);
  recover();
  ticker_ = std::thread([this] { tick_loop(); });
  if (user_) user_->watch([this] { reload_operations(); });
}

Studio::~Studio() { stop(); }

std::unique_ptr<flow::Engine> Studio::make_engine() {
  guard_files(types_.ids());
  if (options_.engine.allow_user_code && !options_.user.folders.empty()) {
    user_ = std::make_unique<flow::user::UserOperations>(options_.user);
    guard_files(user_->refresh(types_));
    for (const auto& op : user_->list())
      if (!op.error.empty()) log::warning(fmt::format("{}: {}", op.file.string(), op.error));
  }
  options_.engine.library = shipped_.library();
  return std::make_unique<flow::Engine>(types_, options_.engine);
}

// A graph can come from anywhere, and so can the file names in it: they are looked at where they are used, whatever
// wire or sweep they came from.
void Studio::guard_files(const std::vector<std::string>& ids) {
  const auto writing = types_.writing();
  for (const auto& id : ids) {
    if (!types_.has(id)) continue;  // taken out
    flow::NodeType type = types_.get(id);
    std::vector<std::string> names;
    for (const auto& s : type.settings)
      if (s.kind == flow::SettingKind::file_open || s.kind == flow::SettingKind::file_save ||
          s.kind == flow::SettingKind::folder)
        names.push_back(s.name);
    if (names.empty()) continue;
    const auto check = [this, names](const auto& has_settings) {
      for (const auto& name : names) {
        const flow::SettingValue value = has_settings.setting(name);
        if (value.given() && value.value().kind() == flow::Value::Kind::text && !value.str().empty())
          roots_.allow(value.str());
      }
    };
    if (type.compute)
      type.compute = [inner = type.compute, check](flow::Ports& io) {
        check(io);
        inner(io);
      };
    if (type.adapt)
      type.adapt = [inner = type.adapt, check](flow::Form& form) {
        check(form);
        inner(form);
      };
    types_.replace(id, std::move(type));
  }
}

// A file of a user was saved, added or removed.
void Studio::reload_operations() {
  const auto changed = user_->refresh(types_);
  if (changed.empty()) return;
  guard_files(changed);
  for (const auto& s : sessions()) {
    for (const auto& op : user_->list())
      if (!op.error.empty() && std::find(changed.begin(), changed.end(), op.id) != changed.end())
        s->say("error", fmt::format("{}: {}", op.error_at.empty() ? op.file.string() : op.error_at, op.error));
    s->operations_changed();
  }
}

std::vector<flow::user::UserOperation> Studio::user_operations() const {
  return user_ ? user_->list() : std::vector<flow::user::UserOperation>{};
}

std::shared_ptr<Session> Studio::insert(json content, fs::path file, const std::string& name) {
  std::lock_guard lock(mutex_);
  std::string id = slug(name);
  for (int n = 2; sessions_.count(id); ++n) id = fmt::format("{}-{}", slug(name), n);
  auto session = std::make_shared<Session>(workshop_, id, std::move(content), std::move(file));
  sessions_[id] = session;
  workshop_.wake();
  return session;
}

std::shared_ptr<Session> Studio::open(const fs::path& path) {
  const fs::path file = roots_.allow(path);
  for (const auto& s : sessions())
    if (s->file() == file) return s;
  constexpr std::uint64_t most = std::uint64_t{64} << 20;
  if (const auto size = io::require_file(file); size > most)
    throw Error(Errc::file, fmt::format("'{}' holds {} bytes; a graph has at most {}", path.string(), size, most));
  try {
    return insert(document_of(io::read_text(file)), file, file.stem().string());
  } catch (Error& e) {
    e.at(file.string());
    throw;
  }
}

std::shared_ptr<Session> Studio::add(const json& content, const std::string& name) {
  return insert(document_of(content.dump(-1, ' ', false, json::error_handler_t::replace)), {}, name);
}

std::shared_ptr<Session> Studio::open_example(const std::string& name) {
  const auto& entry = shipped_.get(name);
  return insert(document_of(entry.text), {}, entry.name);
}

std::shared_ptr<Session> Studio::session(const std::string& id) const {
  std::lock_guard lock(mutex_);
  if (const auto it = sessions_.find(id); it != sessions_.end()) return it->second;
  std::vector<std::string> ids;
  for (const auto& [name, s] : sessions_) ids.push_back(name);
  throw HttpError(404, Errc::unknown_name, unknown_name("open graph", id, ids).message(),
                  "open it first: POST /api/graphs");
}
std::vector<std::shared_ptr<Session>> Studio::sessions() const {
  std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Session>> out;
  for (const auto& [id, s] : sessions_) out.push_back(s);
  return out;
}
void Studio::close(const std::string& id) {
  const auto s = session(id);
  s->cancel();
  s->forget();
  s->events().publish({{"t", "closed"}});
  s->events().close_all();
  std::lock_guard lock(mutex_);
  sessions_.erase(id);
}

void Studio::tick_loop() {
  std::unique_lock lock(tick_mutex_);
  auto next = Session::Clock::now();
  while (!stop_) {
    const auto ready = [&] { return woken_ || stop_; };
    if (next == Session::Clock::time_point::max())
      tick_.wait(lock, ready);
    else
      tick_.wait_until(lock, next, ready);
    woken_ = false;
    lock.unlock();
    next = Session::Clock::time_point::max();
    for (const auto& s : sessions()) try {
        next = std::min(next, s->tick(Session::Clock::now()));
      } catch (const std::exception& e) {
        log::warning(fmt::format("studio: {}: {}", s->id(), e.what()));
      }
    lock.lock();
  }
}

void Studio::stop() {
  {
    std::lock_guard lock(tick_mutex_);
    if (std::exchange(stop_, true)) return;
    tick_.notify_one();
  }
  if (ticker_.joinable()) ticker_.join();
  user_.reset();  // its watcher calls us
  for (const auto& s : sessions()) {
    s->write_recovery();
    s->cancel();
  }
  {
    std::lock_guard lock(mutex_);
    sessions_.clear();
  }
  end_recovery();
}

Response Studio::answer(const Request& request) {
  if (request.path.starts_with("/api/")) return router_.answer(request);
  return asset_response(request);
}

Handlers Studio::handlers() {
  Handlers h;
  h.admit = [this](const Request& r) { return guard_.admit(r); };
  h.heavy = [this](const Request& r) { return router_.heavy(r); };
  h.answer = [this](const Request& r) { return answer(r); };
  h.admit_socket = [this](const Request& r) -> std::optional<Response> {
    if (auto no = guard_.admit(r)) return no;
    try {
      if (r.path != "/api/events") throw HttpError(404, Errc::unknown_name, "WebSockets are at /api/events");
      session(std::string(r.param("graph")));
      return std::nullopt;
    } catch (const Error& e) {
      return error_response(e);
    }
  };
  h.opened = [this](const Request& r, const std::shared_ptr<Socket>& socket) {
    const auto s = session(std::string(r.param("graph")));
    {
      std::lock_guard lock(mutex_);
      followers_[socket.get()] = s;
    }
    const Call call{r, {}};
    const auto since = call.integer("since");
    s->events().join(socket, since ? std::optional<std::uint64_t>(*since) : std::nullopt);
  };
  h.message = [](Socket& socket, std::string_view text) {
    const json m = json::parse(text.begin(), text.end(), nullptr, false);
    if (m.is_object() && m.value("t", json()) == "ping") socket.send(std::string(R"({"t":"pong"})"));
  };
  h.closed = [this](Socket& socket) {
    std::shared_ptr<Session> s;
    {
      std::lock_guard lock(mutex_);
      if (const auto it = followers_.find(&socket); it != followers_.end()) {
        s = it->second.lock();
        followers_.erase(it);
      }
    }
    if (s) s->events().leave(socket);
  };
  return h;
}

}  // namespace larmor::server
