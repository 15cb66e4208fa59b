// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/scheduler.hpp>
#include <system_error>

namespace larmor::flow {
namespace {
thread_local int this_thread = 0;
}

int Scheduler::thread() { return this_thread; }

void Scheduler::push(Task task) {
  const std::lock_guard lock(mutex_);
  tasks_.push_back(std::move(task));
  // One task is for the thread that pushes it, which is about to be free: a chain wakes nobody.
  if (tasks_.size() < 2 || stopped_) return;
  if (idle_ > 0) {
    changed_.notify_one();
    return;
  }
  if (static_cast<int>(threads_.size()) + 1 >= most_) return;
  const int number = static_cast<int>(threads_.size()) + 1;
  try {
    threads_.emplace_back([this, number] { loop(number); });
  } catch (const std::system_error&) {  // the machine gives no more: those that are there do the work
    most_ = number;
  }
}

void Scheduler::work() { loop(0); }

void Scheduler::loop(int number) {
  const int before = this_thread;
  this_thread = number;
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    if (tasks_.empty()) {
      ++idle_;
      changed_.wait(lock, [&] { return stopped_ || !tasks_.empty(); });
      --idle_;
      continue;
    }
    Task task = std::move(tasks_.back());
    tasks_.pop_back();
    lock.unlock();
    task();
    task = nullptr;
    lock.lock();
  }
  this_thread = before;
}

void Scheduler::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

void Scheduler::join() {
  for (auto& thread : threads_)
    if (thread.joinable()) thread.join();
}

Scheduler::~Scheduler() {
  stop();
  join();
}

}  // namespace larmor::flow
