// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/data/aif.hpp>
#include <larmor/data/image.hpp>
#include <larmor/data/parameter_maps.hpp>
#include <map>
#include <string>
#include <vector>

namespace larmor::dce {

/// Digital reference object: known parameters, an independent high-resolution forward calculation, noise.
struct DroOptions {
  std::string model = "dce.extended_tofts";
  std::array<std::int64_t, 3> grid{64, 64, 24};
  std::vector<double> times;  // [s]; empty: 60 frames of 5 s
  std::map<std::string, std::vector<double>>
      values;          // levels of each parameter (engine units); defaults for what is absent
  double delay = 0.0;  // [s]
  std::string aif = "aif.parker";
  double arrival = 20.0, Hct = 0.42;  // [s], fraction
  double noise_sd = 0.0;              // of the concentration [mM] (output "concentration")
  double snr = 0.0;                   // baseline signal / noise sd of the signal (output "signal"); 0: none
  bool signal = true;                 // make SPGR signal and a VFA series; else concentration only
  double FA = 0.2617993877991494, TR = 0.005, r1 = 4.5, M0 = 1000.0;
  std::vector<double> vfa_FA{0.0349066, 0.0872665, 0.1745329, 0.2617994};  // [rad]
  std::vector<double> T10{0.8, 1.2, 1.6};                                  // [s] levels
  unsigned seed = 1;
};
struct Dro {
  Image dynamic;        // (x, y, z, t): signal or concentration
  Image vfa;            // (x, y, z, flip angle), empty for concentration
  Image mask;           // u8
  ParameterMaps truth;  // every parameter, T10, M0
  Aif aif;              // plasma, at the frame times
};
/// The tissue curve is computed without the fitting code: fine-grid numerical integration of the model's differential
/// equations (or of its impulse response) until the answer no longer changes by more than 1e-6 of its peak.
/// Errors   Errc::unknown_name, Errc::range
Dro make_dro(const DroOptions& options);

/// Tissue curve by that independent calculation. `input(t)` is the continuous plasma input [mM].
std::vector<double> reference_curve(const std::string& model, const std::map<std::string, double>& params,
                                    const std::function<double(double)>& input, std::span<const double> times);

}  // namespace larmor::dce
