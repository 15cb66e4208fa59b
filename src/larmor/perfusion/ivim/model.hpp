// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/registry.hpp>
#include <larmor/fit/curve_fit.hpp>
#include <span>
#include <string>

namespace larmor::ivim {

/// A signal model of diffusion and perfusion. Samples are described by b [s/mm2] and, for models that say so, by the
/// flow weighting c [s/mm] too. Parameters: S0 [a.u.], f [1], D and D_star [mm2/s]; all are proportional to S0.
using Model = fit::CurveModel;
using Models = Registry<Model>;
/// ivim.biexponential ivim.simplified ivim.triexponential ivim.kurtosis ivim.ballistic ivim.adc
const Models& models();

/// What b-values must be, whatever the method: not below 0, and in s/mm2. Those of other units are far from any that
/// show diffusion. Errors   Errc::range
void check_b_values(std::span<const double> b);
/// A fit of `free` parameters by samples of `per` numbers each needs as many that differ. Errors   Errc::range
void check_samples(std::span<const double> design, std::size_t per, std::size_t free, const std::string& title);

}  // namespace larmor::ivim
