// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/registry.hpp>
#include <larmor/fit/curve_fit.hpp>

namespace larmor::ivim {

/// A signal model of diffusion and perfusion. Samples are described by b [s/mm2] and, for models that say so, by the
/// flow weighting c [s/mm] too. Parameters: S0 [a.u.], f [1], D and D_star [mm2/s]; all are proportional to S0.
using Model = fit::CurveModel;
using Models = Registry<Model>;
/// ivim.biexponential ivim.simplified ivim.triexponential ivim.kurtosis ivim.ballistic ivim.adc
const Models& models();

}  // namespace larmor::ivim
