// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <larmor/perfusion/dce/fit_setup.hpp>

namespace larmor::dce {

using TileFit = std::function<void(const Tile&)>;

/// Linear least squares on the integrated differential equation of the model: Murase (2004) for Tofts and extended
/// Tofts, Flouri (2016) for 2CXM and 2CUM, closed form for Patlak and one compartment. Errors   Errc::usage for a model
/// without such a form, with a fitted delay, with fixed parameters
TileFit linear_fit(const FitSetup& setup, double delay);

}  // namespace larmor::dce
