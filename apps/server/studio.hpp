// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/user/operations.hpp>

#include "guard.hpp"
#include "router.hpp"
#include "session.hpp"
#include "shipped.hpp"

namespace larmor::server {

struct StudioOptions {
  std::vector<fs::path> roots;
  /// Recovery copies are kept below it; empty: none.
  fs::path cache = {};
  std::vector<fs::path> shipped = {};  // folders of graphs that come with the program
  flow::EngineOptions engine = {};
  /// Folders of operations of users. Looking at a file runs it, so without folders, and without
  /// engine.allow_user_code, none is loaded.
  flow::user::UserOptions user = {};
  std::string token = {};
  std::size_t answer_limit = std::size_t{256} << 20;  // bytes of one answer
};

/// All open graphs, and the API in front of them. Thread-safe.
class Studio {
 public:
  /// Opens again what a server that ended without closing had not saved.
  Studio(flow::NodeTypes types, StudioOptions options);
  ~Studio();
  Studio(const Studio&) = delete;
  Studio& operator=(const Studio&) = delete;

  /// The graph of a file; one that is open already is joined. Errors   Errc::file, Errc::format, HttpError 403
  std::shared_ptr<Session> open(const fs::path& path);
  /// A graph that has no file yet.
  std::shared_ptr<Session> add(const json& content, const std::string& name = "untitled");
  /// A copy of one that comes with the program.
  std::shared_ptr<Session> open_example(const std::string& name);
  /// Errors   HttpError 404 with the nearest
  std::shared_ptr<Session> session(const std::string& id) const;
  std::vector<std::shared_ptr<Session>> sessions() const;
  void close(const std::string& id);
  /// Stops the runs and keeps recovery copies of what is not saved.
  void stop();

  const Router& router() const { return router_; }
  Handlers handlers();
  const Roots& roots() const { return roots_; }
  const Shipped& shipped() const { return shipped_; }
  const flow::NodeTypes& types() const { return types_; }
  const StudioOptions& options() const { return options_; }
  flow::Engine& engine() { return *engine_; }
  /// Operations of users and their files.
  std::vector<flow::user::UserOperation> user_operations() const;

 private:
  std::unique_ptr<flow::Engine> make_engine();
  void guard_files(const std::vector<std::string>& ids);
  void reload_operations();
  void recover();
  void end_recovery();
  std::shared_ptr<Session> insert(json content, fs::path file, const std::string& name);
  void tick_loop();
  Response answer(const Request& request);

  StudioOptions options_;
  flow::NodeTypes types_;
  Roots roots_;
  Shipped shipped_;
  std::unique_ptr<flow::user::UserOperations> user_;
  std::unique_ptr<flow::Engine> engine_;
  Workshop workshop_;
  Guard guard_;
  Router router_;

  int recovery_lock_ = -1;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Session>> sessions_;
  std::map<const Socket*, std::weak_ptr<Session>> followers_;

  std::mutex tick_mutex_;
  std::condition_variable tick_;
  bool woken_ = false, stop_ = false;
  std::thread ticker_;
};

/// The API as a page of the manual (Markdown).
std::string reference_page();

// What the router is made of; each in routes/.
void add_about_routes(Router& router, Studio& studio);
void add_graph_routes(Router& router, Studio& studio);
void add_run_routes(Router& router, Studio& studio);
void add_value_routes(Router& router, Studio& studio);

}  // namespace larmor::server
