// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/perfusion/dce/fit_setup.hpp>
#include <vector>

/// Plain scalar double Levenberg-Marquardt (Ceres, DENSE_QR, analytic Jacobian, bounds, one voxel after the other, from
/// the model's start values) with the same exact convolution. y (n, frames); returns the parameters (n, n_params) and
/// the processor seconds used.
double ceres_fit(const larmor::dce::FitSetup& setup, const std::vector<std::vector<double>>& y,
                 std::vector<std::vector<double>>& params, std::vector<double>& sse);
