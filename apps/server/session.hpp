// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <set>

#include "document.hpp"
#include "events.hpp"
#include "roots.hpp"
#include "runner.hpp"

namespace larmor::server {

/// What all sessions share.
struct Workshop {
  const flow::NodeTypes& types;
  flow::Engine& engine;
  const Roots& roots;
  flow::Library library;
  fs::path recovery;                   // folder of recovery copies; empty: none
  std::function<void()> wake = [] {};  // tick() has to be called earlier than it said
};

/// One open graph: its document, its clients, its runs. Thread-safe.
class Session {
 public:
  using Clock = std::chrono::steady_clock;

  /// `file` empty: not saved yet. Errors   Errc::format for content that is no graph
  Session(Workshop& workshop, std::string id, json content, fs::path file);
  ~Session();

  const std::string& id() const { return id_; }
  fs::path file() const;
  json brief() const;
  json state() const;
  json content() const;
  std::shared_ptr<const flow::Graph> graph() const;

  json edit(const json& patch, const std::string& label, const std::string& merge, const std::string& client);
  json undo(const std::string& client);
  json redo(const std::string& client);
  /// Errors   HttpError 403 outside the roots; Errc::usage without a path
  json save(const std::string& path);

  /// Returns the number of the run. Errors   Errc::unknown_name for a target that is not there
  int run(std::vector<std::string> targets, bool force);
  void cancel();
  void set_auto(bool on);
  /// Operations of users changed: what uses them is checked and, when runs are automatic, run again.
  void operations_changed();
  /// A line in the log, to all clients.
  void say(const char* level, const std::string& text);

  json form(const std::string& node) const;
  flow::Value value(const std::string& port) const;
  /// Rounds of the loop around a port that can be looked at: "port@0", ...
  int rounds(const std::string& port) const;
  json runs() const;
  /// Errors   HttpError 404
  std::string run_report(int number) const;
  json log(std::uint64_t since) const;
  Events& events() { return events_; }

  /// Does what is due (messages held back, checks, automatic runs, the recovery copy); says when it wants to be called
  /// again.
  Clock::time_point tick(Clock::time_point now);
  /// Removes the recovery copy: closed on purpose.
  void forget();
  void write_recovery();

 private:
  struct Done {
    int run;
    double started, seconds;
    std::string state;
    std::size_t peak_bytes;
    std::string report;
  };
  struct Line {
    std::uint64_t number;
    double time;
    std::string level, text, node;
  };

  void changed(const Document::Change& change, const std::string& client);
  json history() const;
  flow::RunOptions run_options() const;
  fs::path base() const;
  fs::path recovery_file() const;
  void start_automatic();
  void on_node(const flow::NodeReport& report);
  void on_finished(int run, const flow::RunReport& report);
  void on_failed(int run, const Error& error);
  void remember(Done done, json message);
  void add_line(const char* level, const std::string& text, const std::string& node);
  void flush_nodes();
  void mark_stale(const std::set<std::string>& nodes);
  void soon(Clock::time_point& due, std::chrono::milliseconds in);

  Workshop& workshop_;
  const std::string id_;
  Events events_;

  mutable std::mutex mutex_;  // of the document and what is due
  fs::path file_;
  std::shared_ptr<const flow::Graph> graph_;
  Document document_;
  std::vector<flow::Issue> issues_;
  bool auto_ = true;
  Clock::time_point check_due_ = Clock::time_point::max(), run_due_ = check_due_, recovery_due_ = check_due_;

  mutable std::mutex nodes_mutex_;  // of what runs report
  std::map<std::string, flow::NodeReport> nodes_;
  std::set<std::string> unsent_;
  Clock::time_point flush_due_ = Clock::time_point::max();
  std::deque<Done> done_;
  double run_started_ = 0;
  std::deque<Line> lines_;
  std::uint64_t line_count_ = 0;
  int runs_ended_ = 0;

  // The value that was looked at last. One that is larger than the engine's budget would be computed for every slice.
  struct Probe {
    std::shared_ptr<const flow::Graph> graph;
    std::string port;
    int runs = 0;
    flow::Value value;
  };
  mutable std::mutex probe_mutex_;
  mutable Probe probe_;
  mutable Clock::time_point probe_due_ = Clock::time_point::max();

  Runner runner_;  // last: its thread uses all of the above
};

}  // namespace larmor::server
