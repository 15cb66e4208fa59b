// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <larmor/data/aif.hpp>
#include <larmor/data/image.hpp>
#include <larmor/data/parameter_maps.hpp>
#include <larmor/perfusion/dsc/relaxation.hpp>
#include <string>
#include <vector>

namespace larmor::dsc {

/// Share of plasma in large and small vessels, and the density of tissue: from areas to volumes per mass.
struct Blood {
  double Hct_large = 0.45, Hct_small = 0.25;  // haematocrit
  double density = 1.04;                      // [g/mL]
  /// Errors   Errc::range unless 0 <= Hct < 1 and density > 0
  void check() const;
  /// (1 - Hct_large) / (1 - Hct_small)
  double kappa() const { return (1 - Hct_large) / (1 - Hct_small); }
  /// What a ratio of areas is multiplied by: kappa / density [mm3/g].
  double per_mass() const { return 1000 * kappa() / density; }
};

/// Digital reference object of a first pass: known flow, transit time, delay and leakage, continuous input, noise.
struct DroOptions {
  std::array<std::int64_t, 3> grid{64, 64, 12};
  std::vector<double> times = {};  // [s]; empty: 60 frames of 1.5 s
  std::string residue = "residue.exponential";
  double shape = 2.5;                                      // of residue.gamma
  std::vector<double> CBF = {10, 20, 30, 50, 70, 90};      // [mL/min/100g]
  std::vector<double> MTT = {2.5, 4, 5.5, 8};              // [s]
  std::vector<double> delay = {0, 1, 2, 3};                // [s]
  std::vector<double> Ktrans = {0};                        // [1/min] leakage; more than one level: runs within CBF's
  double kep = 0;                                          // [1/min] back from where it leaked; 0: it stays
  double arrival = 15, input_alpha = 3, input_beta = 1.5;  // [s], shape and scale [s] of the gamma-variate input
  double input_peak = 5;                                   // [mM] whole blood
  double recirculation = 0;                                // height of the second pass over that of the first
  Relation tissue = {}, blood = blood_1_5T;
  Blood factors = {};
  double TE = 0.03, TR = 1.5, FA = 1.2217304763960306;  // [s], [s], [rad]
  double T10 = 1.3, r1 = 4.5, r2_leak = 20;             // [s], [1/(s mM)] of what leaked, per volume of tissue
  double S0 = 1000, snr = 0;                            // baseline signal / noise sd; 0: no noise
  unsigned seed = 1;
};
struct Dro {
  Image dynamic;        // (x, y, z, t) signal
  Image mask, artery;   // u8: tissue; voxels of the artery, which are not in the mask
  Image reference;      // u8: tissue of the lowest flow that does not leak
  ParameterMaps truth;  // CBF, CBV, MTT, delay, Ktrans
  Aif aif;              // whole blood at the frame times [mM]
};
/// Tissue curves by quadrature of the continuous input with the residue every 20 ms. Signal
///   S = S0 spgr(R10 + r1 C_leak) / spgr(R10) exp(-TE (relaxation of C + r2_leak C_leak)).
/// Blocks of constant parameters as in DCE's object: CBF along x (Ktrans within), MTT along y, delay along z; a rim of
/// two voxels is background, and a column of 4 x 4 voxels in a corner is artery. Noise depends on seed, voxel and frame
/// only.
/// Errors   Errc::range, Errc::unknown_name (residue)
Dro make_dro(const DroOptions& options, const Cancel* cancel = nullptr);

/// Gamma-variate bolus of peak 1: (u / (a b))^a exp(a - u / b), u = t - arrival; its second pass 25 s later, wider.
double input_curve(double t, const DroOptions& options);

}  // namespace larmor::dsc
