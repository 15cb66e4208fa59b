// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/perfusion/dce/fit_maps.hpp>
#include <utility>

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

struct PipelineOptions {
  bool concentration = false;  // the dynamic series is concentration already: no T1, no conversion
  std::string t1_method = "t1.vfa_nonlinear";
  T1Protocol t1_protocol;
  Spgr spgr;
  ConversionOptions conversion;
  InputOptions input;
  std::vector<std::string> models{"dce.extended_tofts"};
  FitOptions fit;
  bool descriptors = true;
};

struct PipelineResult {
  /// Parameters of the model (of each voxel's best model when there are several), derived quantities, R2, AICc,
  /// residual_sd and, with several models, model_index; T10 and M0; descriptors. Engine units.
  ParameterMaps maps;
  Array concentration;      // (x, y, z, t) f32 [mM]
  std::vector<Aif> inputs;  // plasma curves that were used
  std::optional<AifDetection> detection;
  double arrival = 0;  // [s] of the bolus in the mean tissue curve
  int baseline_first = 0, baseline_last = 0;
  Fits fit;
  std::vector<double> mean_tissue;                      // [frame] mean concentration of the mask [mM]
  std::vector<std::pair<std::string, double>> seconds;  // by stage
};

/// T1, concentration, arterial input, fit, derived maps and descriptors: arrays in, maps out. The shipped graph
/// graphs/dce.json does the same step by step.
/// Errors   Errc::shape, Errc::range (frames, times, empty mask), and those of the steps with an `at:` line
PipelineResult run_pipeline(const PipelineData& data, const PipelineOptions& options, const Progress& progress = {},
                            const Cancel* cancel = nullptr);

}  // namespace larmor::dce
