// SPDX-License-Identifier: Apache-2.0
#include "runner.hpp"

#include <larmor/core/log.hpp>

namespace larmor::server {

Runner::Runner(flow::Engine& engine, Listener listener)
    : engine_(engine), listener_(std::move(listener)), thread_([this] { loop(); }) {}

Runner::~Runner() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
    next_.reset();
    if (current_) current_->request();
  }
  wake_.notify_all();
  thread_.join();
}

int Runner::start(Job job, bool replace) {
  std::lock_guard lock(mutex_);
  job.number = ++count_;
  if (replace && current_) current_->request();
  next_ = std::move(job);
  wake_.notify_all();
  return count_;
}

void Runner::cancel() {
  std::lock_guard lock(mutex_);
  next_.reset();
  if (current_) current_->request();
}

bool Runner::running() const {
  std::lock_guard lock(mutex_);
  return current_ || next_;
}

void Runner::loop() {
  for (;;) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      current_.reset();
      wake_.wait(lock, [&] { return stop_ || next_; });
      if (stop_) return;
      job = std::move(*next_);
      next_.reset();
      current_ = job.options.cancel = Cancel();
    }
    try {
      listener_.started(job.number);
      const flow::RunReport report = engine_.run(*job.graph, job.options);
      {
        std::lock_guard lock(mutex_);
        current_.reset();
      }
      listener_.finished(job.number, report);
    } catch (const Error& e) {
      listener_.failed(job.number, e);
    } catch (const std::exception& e) {
      listener_.failed(job.number, Error(Errc::internal, e.what()));
    }
  }
}

}  // namespace larmor::server
