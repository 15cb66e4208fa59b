// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/cancel.hpp>
#include <larmor/core/progress.hpp>
#include <larmor/data/image.hpp>
#include <larmor/data/parameter_maps.hpp>
#include <larmor/perfusion/dce/aif_detect.hpp>
#include <larmor/perfusion/dce/fit.hpp>
#include <larmor/perfusion/dce/signal.hpp>
#include <larmor/perfusion/dce/t1.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace larmor::dce {

/// What was measured. Empty members were not.
struct PipelineData {
  Image dynamic;                   // (x, y, z, t) with times [s]: signal, or concentration [mM]
  Image t1_series;                 // (x, y, z, n) for options.t1_method
  std::vector<float> T10;          // [s] one a voxel, or one for all; used when there is no series
  std::vector<float> B1;           // actual / nominal flip angle, one a voxel
  std::vector<std::uint8_t> mask;  // voxels to fit; empty: all
  std::vector<std::uint8_t> aif_region;
  std::vector<Aif> curves;  // measured: arterial, then venous for dual-input models
};

enum class AifSource { model, curve, region, automatic };

struct PipelineOptions {
  bool concentration = false;  // the dynamic series is concentration already: no T1, no conversion
  std::string t1_method = "t1.vfa_nonlinear";
  T1Protocol t1_protocol;
  Spgr spgr;
  ConversionOptions conversion;
  AifSource aif_source = AifSource::model;
  std::string aif_model = "aif.parker";
  double Hct = 0.42;
  std::optional<double> arrival;  // [s] of a population curve; empty: where the mean tissue curve begins to rise
  double aif_delay = 0;           // [s]
  double aif_step = 1;            // [s] sampling of a population curve around its bolus, where frames are further apart
  std::vector<std::string> models{"dce.extended_tofts"};
  FitOptions fit;
  bool descriptors = true;
};

struct PipelineResult {
  /// Parameters of the model (of each voxel's best model when there are several), derived quantities, descriptors, T10,
  /// M0, R2, AICc, residual_sd and, with several models, model_index (0, 1, ... as in `models`). Engine units.
  ParameterMaps maps;
  Array concentration;      // (x, y, z, t) f32 [mM]
  std::vector<Aif> inputs;  // plasma curves that were used
  std::optional<AifDetection> detection;
  double arrival = 0;  // [s] of the bolus in the mean tissue curve
  int baseline_first = 0, baseline_last = 0;
  std::vector<std::string> models;
  std::vector<FitResult> fits;                          // one a model
  std::vector<std::uint8_t> best;                       // [voxel] index of the model; empty with one model
  std::vector<double> mean_tissue;                      // [frame] mean concentration of the mask [mM]
  std::vector<std::pair<std::string, double>> seconds;  // by stage
  double fit_seconds = 0;
  std::int64_t fitted = 0;  // voxels that were given to the fit

  /// The fit of a voxel at the frame times [mM]; empty where there is none.
  std::vector<double> fitted_curve(std::int64_t voxel, double fixed_delay) const;
};

/// T1, concentration, arterial input, fit, derived maps and descriptors: arrays in, maps out.
/// Errors   Errc::shape, Errc::range (frames, times, empty mask), and those of the steps with an `at:` line
PipelineResult run_pipeline(const PipelineData& data, const PipelineOptions& options, const Progress& progress = {},
                            const Cancel* cancel = nullptr);

/// A population curve as plasma concentration, sampled at `frames` and every `step` [s] for 45 s from its arrival:
/// a first pass is narrower than most frame intervals.
Aif sampled_for_fit(const std::string& model, std::span<const double> frames, double arrival, double Hct, double step);

/// Mean over the mask of f32 (voxels..., t), skipping what is not finite.
std::vector<double> mean_curve(const Array& series, std::span<const std::uint8_t> mask);

}  // namespace larmor::dce
