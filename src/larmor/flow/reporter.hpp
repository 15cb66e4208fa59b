// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <larmor/flow/machine.hpp>

namespace larmor::flow {

/// Keeps the report of every node of a run and tells of changes, in order. A node may be many steps at once (slices,
/// rounds, values of a sweep): times and counts add up, and the worst state is the node's.
class Reporter {
 public:
  Reporter(Machine& machine, const Paths& paths, const RunOptions& options);

  double now() const;  // [s] since the run began
  void waiting(int path);
  void begin(int path);
  void progress(int path, const std::string& doing, double part);
  void warn(int path, const std::string& text);
  void log(int path, const std::string& text);
  struct End {
    State state = State::done;
    double seconds = 0;
    std::size_t peak_bytes = 0;
    const Record* record = nullptr;
    const Error* error = nullptr;
    bool ran = false;        // computed, rather than found or refused
    bool began = false;      // begin() was called for it
    bool part = false;       // of a node that reports its own state
    std::string index = {};  // "[1,0]": which values of the sweeps that reach it
  };
  void end(int path, const End& end);
  void set_state(int path, State state);

  /// `learn`: times and hashes are those of the last run from now on.
  RunReport finish(const std::string& state, std::vector<Issue> issues, bool learn);

 private:
  NodeReport& node(int path);
  void tell(NodeReport& report);
  void describe(NodeReport& report, const Record& record);
  void describe_swept(int path);

  Machine& machine_;
  const Paths& paths_;
  const RunOptions& options_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::mutex mutex_;
  struct Entry {
    NodeReport report;
    bool used = false;
    int running = 0;
    double told = -1;
    std::map<std::string, std::vector<PortRecord>> swept = {};  // by index, without values
  };
  std::vector<Entry> nodes_;
  bool announced_ = false;
};

}  // namespace larmor::flow
