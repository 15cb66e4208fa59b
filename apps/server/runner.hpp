// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <condition_variable>
#include <functional>
#include <larmor/flow/engine.hpp>
#include <mutex>
#include <optional>
#include <thread>

namespace larmor::server {

/// Runs the graph of one session, one run after the other on a thread of its own. A new run takes the place of the one
/// under way: that is cancelled and what it has computed stays in the engine's cache.
class Runner {
 public:
  struct Job {
    std::shared_ptr<const flow::Graph> graph;
    flow::RunOptions options;
    int number = 0;
  };
  struct Listener {
    std::function<void(int run)> started;
    std::function<void(int run, const flow::RunReport&)> finished;
    std::function<void(int run, const Error&)> failed;  // could not be started
  };
  Runner(flow::Engine& engine, Listener listener);
  ~Runner();

  /// The number of the run; `replace`: cancels the one under way, else waits for it.
  int start(Job job, bool replace = true);
  void cancel();
  bool running() const;

 private:
  void loop();
  flow::Engine& engine_;
  Listener listener_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::optional<Job> next_;
  std::optional<Cancel> current_;
  int count_ = 0;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace larmor::server
