// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <larmor/core/device.hpp>
#include <larmor/core/progress.hpp>
#include <larmor/data/aif.hpp>
#include <larmor/fit/status.hpp>
#include <larmor/perfusion/dce/model.hpp>
#include <optional>
#include <string>
#include <vector>

namespace larmor::dce {

using fit::ParamSetting;

struct FitOptions {
  std::string fitter = "fitter.lm";  // larmor list fitters
  fit::ParamSettings params = {};    // by name; "delay" too when it is fitted
  bool fit_delay = false;            // delay becomes one more parameter [s], last
  double delay_lower = 0.0, delay_upper = 15.0;
  double delay = 0.0;  // fixed delay [s] when not fitted
  int max_iterations = 500;
  double tolerance = 1e-6;                   // relative parameter step that counts as converged
  std::optional<double> noise_sd = {};       // [mM] for "map"; estimated from the residual of a first fit when absent
  std::vector<std::uint8_t> use_frame = {};  // per time point, 0 = left out of the fit; empty = all
  Device device = {};
};

/// Fits of V voxels, parameter-major; NaN where the status is not usable.
struct FitResult {
  std::vector<Param> params;                       // the fitted ones: model's, then delay when fitted
  std::vector<std::vector<float>> values;          // [param][voxel]
  std::vector<std::vector<float>> standard_error;  // [param][voxel]; NaN for a fixed or bound parameter
  std::vector<std::vector<float>> derived_error;   // [quantity derived from them][voxel], by the delta method
  std::vector<fit::FitStatus> status;              // [voxel]
  std::vector<float> residual_sd;                  // sqrt(SSE / (N - p)) [mM]
  std::vector<float> R2, AICc;
  std::vector<std::uint8_t> iterations;
  std::int64_t count(fit::FitStatus s) const;
};

/// Fits `model` to every masked voxel of `concentration`.
///
/// concentration  f32 (voxels..., t) with t last, any number of leading axes, [mM]
/// times          (t) [s] strictly increasing
/// mask           one a voxel, or empty for all
/// Errors         Errc::shape, Errc::range (times; fewer frames than parameters + 1), Errc::unknown_name (parameter,
/// fitter)
FitResult fit_model(const Model& model, const Array& concentration, std::span<const double> times,
                    std::span<const Aif> inputs, std::span<const std::uint8_t> mask = {},
                    const FitOptions& options = {}, const Progress& progress = {}, const Cancel* cancel = nullptr);

struct Fitter {
  std::string title, source;
  std::string how;  // one sentence
};
using Fitters = Registry<Fitter>;
/// fitter.lm (bounded Levenberg-Marquardt from a global start), fitter.linear (Murase / Flouri / closed form),
/// fitter.map (Gaussian or log-normal prior)
const Fitters& fitters();

/// Fits several models and keeps in every voxel the one of least AICc.
struct Selection {
  std::vector<FitResult> fits;     // as `models` was given
  std::vector<std::uint8_t> best;  // [voxel] index of the model, 255 where none is usable
};
Selection select_model(std::span<const std::string> model_ids, const Array& concentration,
                       std::span<const double> times, std::span<const Aif> inputs,
                       std::span<const std::uint8_t> mask = {}, const FitOptions& options = {},
                       const Progress& progress = {}, const Cancel* cancel = nullptr);

}  // namespace larmor::dce
