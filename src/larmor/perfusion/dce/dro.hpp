// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <functional>
#include <larmor/core/array.hpp>
#include <larmor/core/registry.hpp>
#include <larmor/data/aif.hpp>
#include <larmor/data/image.hpp>
#include <larmor/data/parameter_maps.hpp>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace larmor::dce {

/// Digital reference object: known parameters, an independent high-resolution forward calculation, noise.
struct DroOptions {
  std::string model = "dce.extended_tofts";
  std::array<std::int64_t, 3> grid{64, 64, 24};
  std::vector<double> times = {};  // [s]; empty: 60 frames of 5 s
  std::map<std::string, std::vector<double>> values =
      {};              // levels of each parameter (engine units); defaults for what is absent
  double delay = 0.0;  // [s]
  std::string aif = "aif.parker";
  double arrival = 20.0, Hct = 0.42;  // [s], fraction
  double noise_sd = 0.0;              // of the concentration [mM] (output "concentration")
  double snr = 0.0;                   // baseline signal / noise sd of the signal (output "signal"); 0: none
  bool signal = true;                 // make SPGR signal and a VFA series; else concentration only
  double FA = 0.2617993877991494, TR = 0.005, r1 = 4.5, M0 = 1000.0;
  std::vector<double> vfa_FA = {0.0349066, 0.0872665, 0.1745329, 0.2617994};  // [rad]
  std::vector<double> T10 = {0.8, 1.2, 1.6};                                  // [s] levels
  unsigned seed = 1;
};
struct Dro {
  Image dynamic;        // (x, y, z, t): signal or concentration
  Image vfa;            // (x, y, z, flip angle), empty for concentration
  Image mask;           // u8
  ParameterMaps truth;  // every parameter, T10, M0
  Aif aif;              // plasma, at the frame times, not delayed
  Aif portal;           // dce.dual_input only: plasma of the portal vein at the frame times, not delayed
};
/// The tissue curve is computed without the fitting code: Gauss quadrature of the model's differential equations on a
/// grid that is halved until no value changes by more than 1e-7 of the peak, driven by the continuous AIF.
///
/// Blocks of constant parameters: x runs through the levels of the first parameter (and within each through those of
/// the fourth), y of the second (and T10), z of the third; every combination occurs when the grid has room. A rim of
/// two voxels is background. Noise depends on seed, voxel and frame only.
/// Errors   Errc::unknown_name (model, parameter, AIF), Errc::range, Errc::shape (levels or grid empty)
Dro make_dro(const DroOptions& options);

/// What the calculation knows of a model: its parameters and the levels of a default object.
struct ReferenceModel {
  struct Parameter {
    std::string name, unit, title;
    std::vector<double> levels;
  };
  std::string title, source;
  std::vector<Parameter> params;
};
using ReferenceModels = Registry<ReferenceModel>;
const ReferenceModels& reference_models();

/// Tissue curve by that independent calculation. `input(t)` is the continuous plasma input [mM], 0 before it begins;
/// `portal` is the second one of dce.dual_input.
/// Errors   Errc::unknown_name (model; a parameter missing or too many), Errc::range
std::vector<double> reference_curve(const std::string& model, const std::map<std::string, double>& params,
                                    const std::function<double(double)>& input, std::span<const double> times,
                                    const std::function<double(double)>& portal = {});

/// The same for many parameter sets and one input, which is evaluated once.
class ReferenceCurves {
 public:
  ReferenceCurves(const std::string& model, std::function<double(double)> input, std::vector<double> times,
                  std::function<double(double)> portal = {});
  /// params in the order of the model. Thread-safe.
  std::vector<double> operator()(std::span<const double> params) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace larmor::dce
