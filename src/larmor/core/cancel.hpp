// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <memory>

namespace larmor {

/// A flag that asks long work to stop. Copies share the flag. Work polls `requested()` and throws through `check()`.
class Cancel {
 public:
  Cancel() : flag_(std::make_shared<std::atomic<bool>>(false)) {}
  void request() const noexcept { flag_->store(true, std::memory_order_relaxed); }
  bool requested() const noexcept { return flag_->load(std::memory_order_relaxed); }
  /// Errors   Errc::cancelled once requested
  void check() const;

  /// The flag that Ctrl-C sets (after `catch_interrupts()`); a second Ctrl-C ends the process at once.
  static const Cancel& interrupt();
  static void catch_interrupts();

 private:
  std::shared_ptr<std::atomic<bool>> flag_;
};

}  // namespace larmor
