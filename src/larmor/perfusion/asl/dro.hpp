// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <larmor/data/parameter_maps.hpp>
#include <larmor/perfusion/asl/protocol.hpp>
#include <string>
#include <vector>

namespace larmor::asl {

/// Digital reference object: known flow, an independent forward calculation, noise.
struct DroOptions {
  std::string labelling = "labelling.pcasl";
  std::array<std::int64_t, 3> grid{48, 48, 10};
  std::vector<double> LD{1.8}, PLD{1.8};  // [s] LD one or one a PLD; the PLDs are acquired one after the other
  int repeats = 8;                        // label and control pairs at each PLD, or rounds of a time encoding
  int encoding = 0;                       // steps of a time encoding; LD of its sub-boluses, one PLD
  std::vector<double> CBF{10 / 6.0, 20 / 6.0, 40 / 6.0, 60 / 6.0, 90 / 6.0};  // [mm3/(g s)] levels
  std::vector<double> ATT{0.5, 0.8, 1.1, 1.4, 1.7};                           // [s] levels
  /// Instead of the levels: grey and white matter in changing fractions, of 60 and 20 mL/100g/min, ATT 0.8 and 1.2 s,
  /// T1 1.33 and 0.83 s, partition 0.98 and 0.82 mL/g.
  bool tissues = false;
  double T1 = 1.33, T1_blood = 1.65, partition = 0.9;  // [s], [s], [mL/g]
  double label_eff = 0.85;
  int suppression_pulses = 0;  // each leaves 0.95 of the label; any leaves 0.1 of the static signal
  double slice_interval = 0;   // [s] between slices of a 2-D readout; 0: 3-D
  double M0 = 1000;            // of tissue
  double M0_TR = 6;            // [s] of the M0 scan
  double snr = 0;              // M0 over noise sd of one volume; 0: no noise
  bool M0_included = false;    // the M0 image is the first volume of the series, not a scan of its own
  unsigned seed = 1;
};
struct Dro {
  Image series;               // (x, y, z, t), with every field that BIDS requires and VolumeType in meta
  Image M0;                   // (x, y, z); empty when included
  Image mask;                 // u8
  std::vector<Image> tissue;  // fractions GM and WM, of `tissues`
  ParameterMaps truth;        // CBF, ATT (or CBF_GM, CBF_WM, ATT_GM, ATT_WM, CBF), M0_blood
};
/// The difference signal is the convolution integral of Buxton et al. by Gauss quadrature of its smooth pieces, not the
/// fitted closed form. Blocks of levels and a rim of background as in dce::make_dro. Volumes are label, control, ...;
/// noise is Rician and depends on seed, voxel and volume only.
/// Errors   Errc::unknown_name, Errc::range, Errc::shape
Dro make_dro(const DroOptions& options);

/// That integral: (control - label) / M0 of blood. T1 of tissue and blood, partition, f in mL/(g s).
double reference_signal(bool pulsed, double f, double ATT, const Sample& sample, double T1, double T1_blood,
                        double partition);

}  // namespace larmor::asl
