// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace larmor {

/// Receives how far a piece of work is: done of total, in any unit. Thread-safe; cheap to call from inner loops.
/// A default-made Progress goes nowhere.
class Progress {
 public:
  Progress() = default;
  using Sink = std::function<void(const std::string& what, std::size_t done, std::size_t total)>;
  explicit Progress(Sink sink);

  /// Begins a stage of `total` steps (0 counts as 1), named as the user reads it: the sink gets (what, 0, total), then
  /// what add() has counted at most ten times a second, and from end() (what, total, total).
  void begin(std::string what, std::size_t total) const;
  void add(std::size_t steps) const;
  void end() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// A bar on stderr: redrawn in place on a terminal, a line every 10 % otherwise; silent when `quiet`.
Progress console_progress(bool quiet = false);

}  // namespace larmor
