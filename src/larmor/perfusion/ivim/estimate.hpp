// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <larmor/core/registry.hpp>
#include <larmor/perfusion/ivim/grid_posterior.hpp>
#include <larmor/perfusion/ivim/model.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

/// One way in for every way to get maps of IVIM from signals.
namespace larmor::ivim {

class VoxelNetwork;

/// Signals and how they were taken.
struct Signals {
  Array data;                          // real (voxels..., sample)
  std::vector<double> b;               // [s/mm2] any order, repeats welcome
  std::vector<double> c = {};          // [s/mm] flow weighting, for ivim.ballistic
  std::vector<double> counts = {};     // volumes averaged into each sample; empty: 1
  std::span<const std::uint8_t> mask;  // one a voxel, or empty for all
};

struct EstimateOptions {
  std::string model = "ivim.biexponential";
  bool S0_from_b0 = false;   // S0 is the mean at the lowest b of each voxel instead of free (least squares only)
  double b_threshold = 200;  // [s/mm2] segmented
  double D_blood = 1.75e-3;  // [mm2/s] ballistic
  std::optional<double> noise_sd = {};  // of one volume; estimated when absent and needed
  bool magnitude = true;                // noise is Rician (posterior)
  // Ranges of f, D and D_star: bounds of a fit, prior of a posterior; absent: those of the method.
  using Range = std::optional<std::pair<double, double>>;
  Range f = {}, D = {}, D_star = {};
  bool log_D_star = true;  // prior of a posterior even in ln D_star
  std::shared_ptr<const VoxelNetwork> network = {};
  bool scalar = false;  // one number a lane: slow, for comparison

  Prior prior() const;
  fit::ParamSettings bounds() const;
};

struct Estimate {
  fit::CurveFit fit;  // R2 and residual_sd too, whatever the method
  std::string model;
  std::vector<std::uint8_t> flags = {};  // PosteriorFlag, where the method has them
  double noise_sd = 0;                   // that was used or found; 0: neither
};

/// A way to estimate: ivim.lm ivim.map ivim.segmented ivim.varpro ivim.posterior ivim.network
struct Method {
  std::string title, source;
  bool any_model = false;  // else ivim.biexponential only
  std::function<Estimate(const Signals&, const EstimateOptions&, const Progress&, const Cancel*)> run;
};
using Methods = Registry<Method>;
const Methods& methods();

/// Errors   Errc::unknown_name; Errc::usage (a model that the method does not take); those of the method
Estimate estimate(const std::string& method, const Signals& signals, const EstimateOptions& options = {},
                  const Progress& progress = {}, const Cancel* cancel = nullptr);

/// The samples of a model's design: b, or b and c. Errors   Errc::range when c is missing
std::vector<double> design_of(const Model& model, const Signals& signals);

}  // namespace larmor::ivim
