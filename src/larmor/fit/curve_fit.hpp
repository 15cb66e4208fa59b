// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <larmor/core/progress.hpp>
#include <larmor/fit/curve_types.hpp>
#include <larmor/fit/param.hpp>
#include <larmor/fit/status.hpp>
#include <span>
#include <string>
#include <vector>

/// Fits of signals that are a formula of a few parameters at given samples (b-values, delays, echo times), voxel by
/// voxel.
namespace larmor::fit {

/// The kernels of one model, for the host to choose from (curve_model_kernel.hpp makes them).
struct CurveModelKernels {
  const CurveKernels* (*baseline)();
  const CurveKernels* (*v3)();
  const CurveKernels* (*v4)();
  void (*fit_cuda)(const CurveTile&, const LmOptions&, const Candidates&, int device);  // null without CUDA
  int n_params, n_design, n_covariates;
  /// Those for the instruction set in use.
  const CurveKernels& now() const;
};

struct CurveModel {
  std::string title, source;
  std::vector<Param> params;
  int scale = -1;                            // index of the parameter that the signal is proportional to; -1: none
  std::vector<int> scale_too = {};           // amplitudes it is proportional to only together with that one; the values
                                             // of their grids are those at a scale of 1
  int second_scale = -1;                     // of a signal that is a sum of two curves: the amplitude of the second
  std::vector<int> second_of = {};           // and its other parameters
  std::vector<std::string> design;           // what describes a sample, with units: "b [s/mm2]"
  std::vector<std::string> covariates = {};  // what else is known of a voxel
  const CurveModelKernels* kernels = nullptr;
};

/// Signal at every sample, and its Jacobian (n_samples, n_params) row-major when `jacobian` is not empty. Scalar
/// double.
///
/// design (n_samples, numbers that describe a sample) row-major
/// Errors   Errc::shape for lengths that do not fit the model
void curve_signal(const CurveModel& model, std::span<const double> design, std::span<const double> params,
                  std::span<const double> covariates, std::span<double> signal, std::span<double> jacobian = {});

struct CurveFitOptions {
  ParamSettings params = {};
  bool map = false;                     // maximum a posteriori, with priors, instead of least squares
  std::optional<double> noise_sd = {};  // for map; estimated from the residual of a first fit when absent
  std::vector<double> weights = {};     // one a sample, relative inverse variances; empty: equal
  int max_iterations = 200;
  double tolerance = 1e-6;       // relative parameter step that counts as converged
  bool match_curvature = false;  // damping for models that are curved where residuals are large
  Device device = {};
  // Slow, for comparison:
  bool scalar = false;        // one number a lane
  bool cuda_threads = false;  // what a thread of CUDA does, voxel by voxel on the CPU
};

/// Fits of V voxels, parameter-major; NaN where the status is not usable.
struct CurveFit {
  std::vector<Param> params;                       // with the bounds that were used
  std::vector<std::vector<float>> values;          // [param][voxel]
  std::vector<std::vector<float>> standard_error;  // [param][voxel]; NaN for a fixed parameter or one on its bound, and
                                                   // where no degree of freedom is left
  std::vector<FitStatus> status;                   // [voxel]
  std::vector<float> residual_sd, R2, AICc;        // R2 about the mean of the samples
  std::vector<std::uint8_t> iterations;
  std::int64_t count(FitStatus s) const;
};

/// Bounded Levenberg-Marquardt in every masked voxel, from the best of the grid of starts that the parameters name.
///
/// data        real (voxels..., sample) with the samples last, any number of leading axes, on any device
/// design      (n_samples, numbers that describe a sample) row-major
/// covariates  one span a covariate of the model, one value a voxel; NaN makes a voxel bad_data
/// mask        one a voxel, or empty for all
/// Errors      Errc::shape, Errc::range (fewer samples than free parameters, weights not above 0, empty mask),
///             Errc::unknown_name (parameter)
CurveFit fit_curves(const CurveModel& model, const Array& data, std::span<const double> design,
                    std::span<const std::span<const float>> covariates = {}, std::span<const std::uint8_t> mask = {},
                    const CurveFitOptions& options = {}, const Progress& progress = {}, const Cancel* cancel = nullptr);

}  // namespace larmor::fit
