// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <larmor/core/progress.hpp>
#include <larmor/fit/status.hpp>
#include <larmor/perfusion/dsc/basis.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace larmor::dsc {

/// A way from tissue curves and an arterial input to blood flow.
struct DeconvolutionMethod {
  enum class Kind { truncation, oscillation, l_curve, gcv, parametric };
  std::string title, source;
  Kind kind = Kind::truncation;
  Structure structure = Structure::circulant;
  double threshold = 0.2;    // truncation: singular values below this share of the largest are left out
  double oscillation = 0.0;  // oscillation index allowed
  std::string residue = {};  // parametric: the model that is fitted
};
using DeconvolutionMethods = Registry<DeconvolutionMethod>;
/// dsc.ssvd dsc.csvd dsc.osvd dsc.tikhonov_l_curve dsc.tikhonov_gcv dsc.fit_exponential dsc.fit_gamma dsc.fit_box
const DeconvolutionMethods& deconvolutions();

struct DeconvolutionOptions {
  std::string method = "dsc.osvd";
  Rule rule = Rule::trapezoid;
  std::optional<Structure> structure = {};  // empty: the method's own
  std::optional<double> threshold = {};     // of truncation
  std::optional<double> oscillation = {};   // index allowed, of oscillation
  /// Regularisation lowers the peak of the residue, the more so the shorter the transit. What it does to residues of
  /// this model is known, and taken back; "none": as it comes.
  std::string correction = "residue.exponential";
  double earliest = -5, latest = 30;  // [s] delays that are looked for; before 0 for the circulant structure and fits
  int baseline_frames = 0;            // whose mean is the zero of the curves: its error is in all frames; 0: none
  bool keep_residue = false;
  Device device = {};
  bool scalar = false;  // what the threads of CUDA do, one after another on the CPU: slow, for comparison
};

/// Flow, volume and times of every voxel, without factors for haematocrit and density; NaN where the status is not
/// usable.
struct Deconvolved {
  std::vector<float> CBF, CBF_se;      // [1/s]
  std::vector<float> CBV, CBV_se;      // [1] area of the tissue curve over that of the input
  std::vector<float> MTT, MTT_se;      // [s] CBV / CBF
  std::vector<float> Tmax;             // [s] of the residue's peak
  std::vector<float> delay;            // [s] Tmax less what the peak of the correction's residue is late by; fitted
  std::vector<float> first_moment;     // [s] of the tissue curve, less that of the input: MTT + delay
  std::vector<float> TTP;              // [s] of the tissue curve's peak, from the arrival
  std::vector<float> residual_sd;      // in the unit of the curves
  std::vector<float> regularisation;   // singular values kept, or lambda over the largest one; shape of a gamma fit
  std::vector<fit::FitStatus> status;  // at_bound: no residue of the correction (or the fit) reaches that transit time
  Array residue = {};                  // (voxels..., 2 n | n) [1/s], when asked for
  int residue_before = 0;              // samples of it before time 0
  std::int64_t count(fit::FitStatus s) const;
};

/// Deconvolution of every masked voxel.
///
/// curves   real (voxels..., t), in the unit of the input
/// times    [s], evenly spaced to 2 %
/// aif      (n) values at those times
/// arrival  [s] of the bolus in the artery: areas and moments begin one frame before
/// Errors   Errc::shape, Errc::range (times that are not even, options), Errc::unknown_name, Errc::numeric (an input
///          that is 0, or of no area), Errc::device
/// Sources  of each method: deconvolutions()
Deconvolved deconvolve(const Array& curves, std::span<const double> times, std::span<const double> aif, double arrival,
                       std::span<const std::uint8_t> mask = {}, const DeconvolutionOptions& options = {},
                       const Progress& progress = {}, const Cancel* cancel = nullptr);

}  // namespace larmor::dsc
