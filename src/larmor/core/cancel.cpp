// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <larmor/core/cancel.hpp>
#include <larmor/core/error.hpp>

namespace larmor {

void Cancel::check() const {
  if (requested()) throw Error(Errc::cancelled, "cancelled", "run it again; nothing is left half written");
}

const Cancel& Cancel::interrupt() {
  static const Cancel flag;
  return flag;
}

namespace {
extern "C" void on_interrupt(int signal) {
  if (Cancel::interrupt().requested()) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
    return;
  }
  Cancel::interrupt().request();
}
}  // namespace

void Cancel::catch_interrupts() {
  Cancel::interrupt();  // made here: a handler must not run a static initialiser
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
}

}  // namespace larmor
