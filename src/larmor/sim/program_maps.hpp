// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/sim/program.hpp>

namespace larmor::sim {

/// Replaces runs of a pulse and the precession after it that occur five times or more by one affine map of each spin.
/// The phase of the pulse may change from one to the next: everything else in a run commutes with turns about z.
void make_maps(Program& program);

}  // namespace larmor::sim
