// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <larmor/core/progress.hpp>
#include <mutex>
#include <string_view>

namespace larmor {

struct Progress::State {
  Sink sink;
  std::mutex mutex;
  std::string what;
  std::atomic<std::size_t> done{0};
  std::size_t total = 0;
  std::chrono::steady_clock::time_point last_report{};
};

Progress::Progress(Sink sink) {
  if (!sink) return;
  state_ = std::make_shared<State>();
  state_->sink = std::move(sink);
}

void Progress::begin(std::string what, std::size_t total) const {
  if (!state_) return;
  const std::lock_guard lock(state_->mutex);
  state_->what = std::move(what), state_->total = std::max<std::size_t>(total, 1), state_->done = 0;
  state_->last_report = std::chrono::steady_clock::now();
  state_->sink(state_->what, 0, state_->total);
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

namespace {

struct Console {
  bool terminal = isatty(STDERR_FILENO) == 1 && std::getenv("TERM") && std::string_view(std::getenv("TERM")) != "dumb";
  int last_tenth = 0;
  bool open = false;  // a bar without its line end
  std::chrono::steady_clock::time_point start;

  // Work that failed leaves its bar where it was; what is printed next begins on a line of its own.
  ~Console() {
    if (open) std::fputc('\n', stderr);
  }

  void show(const std::string& what, std::size_t done, std::size_t total) {
    const auto now = std::chrono::steady_clock::now();
    if (done == 0) start = now, last_tenth = 0, open = terminal;
    const double part = static_cast<double>(done) / static_cast<double>(total);
    const double seconds = std::chrono::duration<double>(now - start).count();
    if (terminal && open) {
      constexpr int width = 30;
      const int filled = static_cast<int>(part * width);
      // 79 columns: a line that wraps could not be drawn over.
      fmt::print(stderr, "\r\033[K{:<28.28} [{:#<{}}{:.<{}}] {:3.0f} %  {:.1f} s", what, "", filled, "", width - filled,
                 100 * part, seconds);
      if (done >= total) std::fputc('\n', stderr), open = false;
    } else if (const int tenth = static_cast<int>(part * 10); !terminal && tenth > last_tenth) {
      fmt::print(stderr, "{}: {:.0f} %  {:.1f} s\n", what, 100 * part, seconds);
      last_tenth = tenth;
    }
    std::fflush(stderr);
  }
};

}  // namespace

Progress console_progress(bool quiet) {
  if (quiet) return {};
  return Progress([console = std::make_shared<Console>()](const std::string& what, std::size_t done,
                                                          std::size_t total) { console->show(what, done, total); });
}

}  // namespace larmor
