// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <larmor/perfusion/asl/differences.hpp>
#include <larmor/perfusion/asl/labelling.hpp>
#include <larmor/perfusion/asl/model.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace larmor::asl {

/// How a series was acquired.
struct Protocol {
  std::string labelling = "labelling.pcasl";
  /// [s] one for all volumes or one a volume; of time-encoded labelling LD of each sub-bolus (or one for all) and PLD
  /// of the last. PASL: LD is the time of the bolus cut-off and PLD the inversion time, as BIDS has them.
  std::vector<double> LD{1.8}, PLD{1.8};
  std::optional<double> label_eff = {};   // [1] instead of the labelling's usual one
  int suppression_pulses = 0;             // inversions of background suppression after labelling
  double suppression_eff = 0.95;          // of each
  double T1_blood = 1.65;                 // [s]
  std::vector<double> slice_times = {};   // [s] from the first excitation, one a slice; empty: all at once
  std::optional<double> readout_FA = {};  // [rad] of a Look-Locker readout
  double readout_interval = 0;            // [s] between its pulses
  std::optional<double> M0_FA = {};       // [rad] of the M0 scan of such a readout; none: the same
  std::vector<std::vector<std::uint8_t>> encoding = {};  // time-encoded labelling: hadamard_encoding() or one's own
};

/// Efficiency with background suppression: label_eff x suppression_eff ^ pulses.
/// Source   Garcia et al., MRM 54:366 (2005)
double efficiency_of(const Protocol& protocol);

/// T1 of arterial blood [s] at a field strength [T]: 1.35 at 1.5, 1.65 at 3, 2.09 at 7, linear between and beyond.
/// Source   Lu et al., MRM 52:679 (2004); Zhang et al., MRM 70:1082 (2013)
double blood_T1(double B0);

/// When and how each volume was made (of time-encoded labelling: each sub-bolus), and which of them are alike.
struct Timings {
  std::vector<Sample> samples;
  std::vector<int> group;  // equal numbers: same timing
};
/// Errors   Errc::unknown_name; Errc::shape (values that are neither one nor one a volume); Errc::range (not above 0, a
/// PASL inversion time before the bolus is cut off, a flip angle that is none)
Timings timings_of(const Protocol& protocol, std::size_t n_volumes);

/// Errors   Errc::shape unless there are no slice times or one a slice; Errc::range for one below 0
void check_slice_times(const Protocol& protocol, std::int64_t n_slices);

}  // namespace larmor::asl
