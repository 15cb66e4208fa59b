// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <larmor/core/progress.hpp>
#include <mutex>

namespace larmor {

struct Progress::State {
  Sink sink;
  std::mutex mutex;
  std::string what;
  std::atomic<std::size_t> done{0};
  std::size_t total = 0;
  std::chrono::steady_clock::time_point last_report{};
};

Progress::Progress(Sink sink) : state_(std::make_shared<State>()) { state_->sink = std::move(sink); }

void Progress::begin(std::string what, std::size_t total) const {
  if (!state_) return;
  const std::lock_guard lock(state_->mutex);
  state_->what = std::move(what), state_->total = total, state_->done = 0;
  state_->last_report = std::chrono::steady_clock::now();
  state_->sink(state_->what, 0, total);
}

void Progress::add(std::size_t steps) const {
  if (!state_) return;
  const std::size_t done = state_->done.fetch_add(steps) + steps;
  // A report costs a write to a terminal; ten a second are as good as all.
  std::unique_lock lock(state_->mutex, std::try_to_lock);
  if (!lock) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - state_->last_report < std::chrono::milliseconds(100)) return;
  state_->last_report = now;
  state_->sink(state_->what, std::min(done, state_->total), state_->total);
}

void Progress::end() const {
  if (!state_) return;
  const std::lock_guard lock(state_->mutex);
  state_->sink(state_->what, state_->total, state_->total);
}

Progress console_progress(bool quiet) {
  if (quiet) return {};
  struct Shown {
    bool terminal = isatty(STDERR_FILENO) == 1;
    int last_tenth = -1;
    std::chrono::steady_clock::time_point start;
  };
  auto shown = std::make_shared<Shown>();
  return Progress([shown](const std::string& what, std::size_t done, std::size_t total) {
    const double part = total ? static_cast<double>(done) / static_cast<double>(total) : 1.0;
    const auto now = std::chrono::steady_clock::now();
    if (done == 0) shown->start = now, shown->last_tenth = -1;
    const double seconds = std::chrono::duration<double>(now - shown->start).count();
    if (shown->terminal) {
      constexpr int width = 30;
      const int filled = static_cast<int>(part * width);
      fmt::print(stderr, "\r\033[K{:<28} [{}{}] {:3.0f} %  {:.1f} s", what,
                 std::string(static_cast<std::size_t>(filled), '#'),
                 std::string(static_cast<std::size_t>(width - filled), '.'), 100 * part, seconds);
      if (done >= total) fmt::print(stderr, "\n");
    } else if (const int tenth = static_cast<int>(part * 10); tenth != shown->last_tenth && done > 0) {
      fmt::print(stderr, "{}: {:.0f} %  {:.1f} s\n", what, 100 * part, seconds);
      shown->last_tenth = tenth;
    }
    std::fflush(stderr);
  });
}

}  // namespace larmor
