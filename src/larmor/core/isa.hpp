// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>

namespace larmor {

/// Instruction sets that kernels are compiled for: x86-64, x86-64-v3 (AVX2 + FMA), x86-64-v4 (AVX-512).
enum class Isa { baseline, v3, v4 };

/// The widest one that this processor has and LARMOR_ISA_LEVEL (baseline, v3, v4) allows. Read once, unless forced.
/// Errors   Errc::usage when the variable names none, or one this processor does not have
Isa isa();
/// For tests: runs everything afterwards at `level`. Errors   Errc::device when the processor lacks it
void force_isa(Isa level);
bool isa_available(Isa level);
std::string_view to_string(Isa level);

}  // namespace larmor
