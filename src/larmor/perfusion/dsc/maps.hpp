// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/data/parameter_maps.hpp>
#include <larmor/perfusion/dce/aif_detect.hpp>
#include <larmor/perfusion/dsc/deconvolve.hpp>
#include <larmor/perfusion/dsc/dro.hpp>
#include <larmor/perfusion/dsc/leakage.hpp>
#include <optional>
#include <string>

namespace larmor::dsc {

/// The artery of a series.
struct Input {
  Aif blood;           // [mM] by the relation of blood
  double arrival = 0;  // [s]
  double deepest = 0;  // highest dR2 of the mean curve [1/s]
  std::optional<dce::AifDetection> detection = {};
};
enum class InputSource { automatic, region, curve };
struct InputOptions {
  InputSource source = InputSource::automatic;
  Relation blood = {};
  std::string arrival = "arrival.piecewise";
  bool first_pass = false;  // a gamma variate instead of the curve
  double cut = 0.3;
};
/// dR2 [1/s] f32 (voxels..., t); curve: measured [mM], at any times that cover the frames.
///
/// automatic: voxels that rise early, high and sharply, grouped by k-means of their curves (see dce::detect_aif, whose
/// heights are allowed for: an artery stands 1.5 times above tissue at least).
/// Errors  Errc::range when what the source needs is not there; those of detect_aif, aif_from_mask and first_pass
Input find_input(const Array& dR2, std::span<const double> times, const InputOptions& options, Mask mask, Mask region,
                 const Aif* curve);

/// CBF, CBV, MTT with standard errors, Tmax, delay, first_moment, TTP, residual_sd, regularisation; per mass by
/// `factors`. `before`: statuses of the steps before, or none. The meta names Models, Method and Correction.
ParameterMaps maps_of(const Deconvolved& d, const Image& reference, const Blood& factors, const std::string& method,
                      const std::string& correction, const std::vector<fit::FitStatus>& before = {});
/// K2 with its standard error and, of the bidirectional method, kep.
ParameterMaps maps_of(const Leakage& l, const Image& reference);

/// rCBF and rCBV: over the median of a reference region (white matter); and CBF and CBV scaled so that it has
/// `reference_CBF` [mm3/(g s)] when that is given.
/// Errors   Errc::range (a region without a usable voxel)
ParameterMaps normalised(ParameterMaps maps, Mask region, std::optional<double> reference_CBF = {});

/// Tissue curve that a fitted residue makes at the frames, or the data's when the method has no model; empty where
/// there is no value. flow [1/s]: maps without factors.
std::vector<double> fitted_curve(const ParameterMaps& maps, const Aif& input, std::span<const double> times,
                                 std::int64_t voxel);

/// What a reader should know before trusting the maps; every entry is a sentence.
struct Quality {
  double CNR = 0;          // median over the voxels
  double arrival = 0;      // [s]
  double input_drop = 0;   // largest loss of signal in the artery, 0..1
  double input_width = 0;  // [s] at half height
  int frames_on_rise = 0;  // of the artery, from a tenth of its height to its peak
  double usable = 0;       // share of the voxels
  std::vector<std::string> warnings = {};
};
Quality quality(const Aif& input, double deepest, double TE, double arrival, std::span<const float> CNR,
                std::span<const std::uint8_t> status);

}  // namespace larmor::dsc
