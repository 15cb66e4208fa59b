// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/data/image.hpp>
#include <larmor/perfusion/asl/protocol.hpp>
#include <optional>
#include <string>
#include <vector>

namespace larmor::asl {

/// What somebody says about an acquisition; empty: nothing.
struct Given {
  std::string labelling = {};
  std::vector<double> LD = {}, PLD = {}, slice_times = {};  // [s]
  std::optional<double> label_eff = {}, suppression_eff = {}, T1_blood = {};
  std::optional<int> suppression_pulses = {};
  std::optional<double> readout_FA = {}, readout_interval = {}, M0_FA = {};  // [rad], [s], [rad]
  int encoding = 0;                                                          // steps of a time-encoded series; 0: none
};

/// The protocol of a series of n_volumes from its sidecar (BIDS names and units, meta of the image); `given` wins.
///
///   ArterialSpinLabelingType, BolusCutOffTechnique     labelling
///   LabelingDuration, or BolusCutOffDelayTime (PASL)   LD
///   PostLabelingDelay                                  PLD
///   LabelingEfficiency                                 label_eff, all that is lost included
///   BackgroundSuppression, ...NumberPulses, PulseTime  suppression_pulses
///   SliceTiming, MRAcquisitionType                     slice_times, from the earliest slice
///   MagneticFieldStrength                              T1_blood
///   LookLocker, FlipAngle                              readout
///
/// Errors   Errc::usage when LD or PLD is not known, PASL has no bolus cut-off, or a value has no meaning, naming the
/// field; those of timings_of
Protocol protocol_from(const Metadata& meta, std::size_t n_volumes, const Given& given,
                       std::vector<std::string>* notes = nullptr);

/// Required fields of BIDS 1.9 that a sidecar lacks, given what it says.
std::vector<std::string> missing_fields(const Metadata& meta);

/// What volumes are by a list of texts in the metadata ("VolumeType", where readers of aslcontext.tsv put it), or in
/// turns label and control when it holds nothing. Errors   Errc::shape, Errc::unknown_name
std::vector<Role> roles_from(const Metadata& meta, std::size_t n_volumes, int encoding);

/// Timings of difference images as facts of their image, and back: a graph carries them so.
void note_timings(Metadata& meta, const std::vector<Sample>& samples, const std::vector<double>& weights,
                  const Protocol& protocol);
struct NotedTimings {
  std::vector<Sample> samples;
  std::vector<double> weights;
  Protocol protocol;  // labelling, T1_blood, slice_times
};
/// Errors   Errc::usage when the image is not of note_timings
NotedTimings noted_timings(const Metadata& meta);

/// Numbers and texts under a key; empty when there are none.
std::vector<double> fact_numbers(const Metadata& meta, const std::string& key);
std::string fact_text(const Metadata& meta, const std::string& key);

}  // namespace larmor::asl
