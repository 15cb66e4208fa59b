// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace larmor::flow {

/// Runs tasks on the calling thread and as many more as there is work for, up to thread_count() in all. The task pushed
/// last runs first, so that a result is used while it is warm and before more are made. Threads without work sleep.
class Scheduler {
 public:
  explicit Scheduler(int threads) : most_(threads) {}
  ~Scheduler();
  using Task = std::function<void()>;
  void push(Task task);
  /// Works until stop().
  void work();
  void stop();
  /// Waits for the tasks under way; after stop().
  void join();
  /// 0 for the thread that called work(), then 1, 2, ...
  static int thread();

 private:
  void loop(int number);
  int most_, idle_ = 0;
  bool stopped_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Task> tasks_;
  std::vector<std::thread> threads_;
};

}  // namespace larmor::flow
