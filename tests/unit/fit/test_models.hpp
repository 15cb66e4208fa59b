// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/fit/curve_fit.hpp>

namespace larmor::fit::test {

/// A exp(-R x) + C, A the scale when C is held at 0.
CurveModel decay();
/// The same with a gradient written by hand.
CurveModel decay_by_hand();
/// s a + b x with a covariate s of every voxel; no scale.
CurveModel line();

}  // namespace larmor::fit::test
