// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <cstdlib>
#include <larmor/core/error.hpp>
#include <larmor/core/isa.hpp>
#include <string>

namespace larmor {

std::string_view to_string(Isa level) {
  constexpr std::string_view names[] = {"baseline", "v3", "v4"};
  return names[static_cast<int>(level)];
}

bool isa_available(Isa level) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
  const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                  __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                  __builtin_cpu_supports("avx512cd");
  return level == Isa::baseline || (level == Isa::v3 && v3) || (level == Isa::v4 && v4);
#else
  return level == Isa::baseline;
#endif
}

namespace {

Isa chosen() {
  if (const char* text = std::getenv("LARMOR_ISA_LEVEL"); text && *text) {
    for (const Isa level : {Isa::baseline, Isa::v3, Isa::v4})
      if (to_string(level) == text) {
        if (!isa_available(level))
          throw Error(Errc::usage, "LARMOR_ISA_LEVEL is " + std::string(text) + ", which this processor does not have",
                      "unset it, or set it to baseline");
        return level;
      }
    const std::vector<std::string> names{"baseline", "v3", "v4"};
    throw unknown_name("instruction set (LARMOR_ISA_LEVEL)", text, names).advise("set it to baseline, v3 or v4");
  }
  return isa_available(Isa::v4) ? Isa::v4 : isa_available(Isa::v3) ? Isa::v3 : Isa::baseline;
}

std::atomic<int>& current() {
  static std::atomic<int> level{static_cast<int>(chosen())};
  return level;
}

}  // namespace

Isa isa() { return static_cast<Isa>(current().load(std::memory_order_relaxed)); }

void force_isa(Isa level) {
  if (!isa_available(level)) throw Error(Errc::device, "this processor does not have " + std::string(to_string(level)));
  current().store(static_cast<int>(level));
}

}  // namespace larmor
