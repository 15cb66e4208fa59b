// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/perfusion/dce/fit.hpp>
#include <larmor/perfusion/dce/steps.hpp>
#include <string>
#include <vector>

namespace larmor::dce {

/// Fits of one model or several to a concentration series.
struct Fits {
  std::vector<std::string> models;
  std::vector<FitResult> fits;     // one a model
  std::vector<std::uint8_t> best;  // [voxel] index of the model of least AICc, 255: none; empty with one model
  Statuses status;                 // [voxel] of its best model, or why there is none
  std::int64_t fitted = 0;         // voxels that were given to the fit
};
/// concentration  f32 (x, y, z, t) [mM]; inputs plasma, arterial first; before: statuses of the steps before, or none
/// Errors   Errc::range (too few inputs), Errc::numeric (no voxel with a usable signal), those of fit_model
Fits fit_voxels(const std::vector<std::string>& models, const Array& concentration, std::span<const double> times,
                std::span<const Aif> inputs, Mask mask, const Statuses& before, const FitOptions& options,
                const Progress& progress, const Cancel* cancel);

/// The fits as maps in engine units: parameters of every voxel's best model, what derives from them, R2, AICc,
/// residual_sd and, with several models, model_index (0, 1, ... as in `models`), and the status. `reference` gives the
/// geometry. The meta of the maps names Models, Fitter and, when it was not fitted, FixedDelay [s].
ParameterMaps maps_of(const Fits& fits, const Image& reference, const FitOptions& options);

/// The fit of a voxel at `times` [mM], from the maps of its parameters; empty where there is none.
/// Errors   Errc::usage for maps that no fit has made
std::vector<double> fitted_curve(const ParameterMaps& maps, std::span<const Aif> inputs, std::span<const double> times,
                                 std::int64_t voxel);

/// Models that the maps are of. Errors   Errc::usage when they do not say
std::vector<std::string> models_of(const ParameterMaps& maps);

}  // namespace larmor::dce
