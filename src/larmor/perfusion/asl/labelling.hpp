// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/registry.hpp>
#include <string>

namespace larmor::asl {

/// How blood is labelled, and what follows from it for quantification.
struct Labelling {
  std::string title, source;
  std::string bids;              // ArterialSpinLabelingType; empty when BIDS has no name for it
  std::string cut_off;           // BolusCutOffTechnique, of pulsed labelling
  double label_eff;              // usual efficiency [1]
  std::string model;             // kinetic model: "asl.pcasl" or "asl.pasl"
  bool PLD_from_end = true;      // PLD counts from the end of the bolus; else from the start of labelling (TI of PASL)
  bool arrives_at_once = false;  // label is made in the tissue's own vessels: ATT is 0
};
using Labellings = Registry<Labelling>;
/// labelling.pcasl labelling.casl labelling.pasl_quipss2 labelling.pasl_q2tips labelling.vsasl
const Labellings& labellings();

/// From the start of labelling to the readout [s].
double signal_time(const Labelling& labelling, double LD, double PLD);

/// CBF [mm3/(g s)] of a difference signal (control - label) / M0 of arterial blood, by the formula of one delay: all
/// label has arrived and decays with T1 of blood.
///
///   continuous  f = dM exp(PLD / T1) / (2 eff T1 (1 - exp(-LD / T1)))
///   pulsed      f = dM exp(t / T1) / (2 eff LD), t from the start of labelling
///
/// Source   Alsop et al., MRM 73:102 (2015), eqs. 1 and 2
double consensus_CBF(const Labelling& labelling, double difference, double LD, double time, double efficiency,
                     double T1_blood);
/// What a difference signal of 1 is, for many voxels.
double consensus_factor(const Labelling& labelling, double LD, double time, double efficiency, double T1_blood);

}  // namespace larmor::asl
