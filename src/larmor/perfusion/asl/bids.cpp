// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/units.hpp>
#include <larmor/perfusion/asl/bids.hpp>

namespace larmor::asl {
namespace {

std::optional<bool> flag(const Metadata& meta, const std::string& key) {
  const auto at = meta.find(key);
  if (at == meta.end()) return {};
  if (const auto* b = std::get_if<bool>(&at->second)) return *b;
  if (const auto* x = std::get_if<double>(&at->second)) return *x != 0;
  throw Error(Errc::usage, key + " is neither true nor false", "correct the sidecar");
}

std::optional<double> one(const Metadata& meta, const std::string& key) {
  const auto v = fact_numbers(meta, key);
  return v.empty() ? std::optional<double>() : v[0];
}

std::string lettered(std::string s) {
  std::erase_if(s, [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); });
  for (char& c : s) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return s;
}

// Numbers that were written as text would look as if they were missing.
void check_numbers(const Metadata& meta) {
  for (const char* key : {"PostLabelingDelay", "LabelingDuration", "BolusCutOffDelayTime", "LabelingEfficiency",
                          "SliceTiming", "MagneticFieldStrength", "BackgroundSuppressionNumberPulses", "FlipAngle",
                          "M0Estimate", "RepetitionTimePreparation", "EchoTime"}) {
    const auto at = meta.find(key);
    if (at == meta.end()) continue;
    if (const auto* text = std::get_if<std::string>(&at->second))
      throw Error(Errc::usage, fmt::format("{} is the text '{}', not a number", key, *text),
                  "write it without quotation marks");
    if (const auto* texts = std::get_if<std::vector<std::string>>(&at->second))
      throw Error(Errc::usage,
                  fmt::format("{} holds texts ('{}', ...), not numbers", key, texts->empty() ? "" : texts->front()),
                  "write them without quotation marks");
  }
}

// An id of this program ("pcasl", "labelling.pasl_q2tips") or a type of BIDS ("PCASL").
std::string labelling_from(const Metadata& meta, const std::string& given) {
  if (!given.empty() && given != "auto") return labellings().resolve(given);
  const std::string type = lettered(fact_text(meta, "ArterialSpinLabelingType"));
  if (type.empty())
    throw Error(Errc::usage, "the kind of labelling is not known: the sidecar has no ArterialSpinLabelingType",
                "set acquisition.labelling: pcasl, casl, pasl_quipss2, pasl_q2tips or vsasl");
  if (type == "PCASL") return "labelling.pcasl";
  if (type == "CASL") return "labelling.casl";
  if (type == "PASL") {
    const std::string cut = lettered(fact_text(meta, "BolusCutOffTechnique"));
    if (cut.empty() || cut == "QUIPSSII" || cut == "QUIPSS2") return "labelling.pasl_quipss2";
    if (cut == "Q2TIPS") return "labelling.pasl_q2tips";
    throw Error(
        Errc::usage,
        fmt::format("BolusCutOffTechnique '{}' is not quantified here", fact_text(meta, "BolusCutOffTechnique")),
        "QUIPSSII and Q2TIPS are; set acquisition.labelling if it is one of them");
  }
  if (type == "VSASL") return "labelling.vsasl";
  throw Error(Errc::usage, fmt::format("ArterialSpinLabelingType is '{}'", fact_text(meta, "ArterialSpinLabelingType")),
              "BIDS knows CASL, PCASL and PASL; set acquisition.labelling");
}

std::vector<double> LD_from(const Metadata& meta, const Labelling& labelling) {
  if (labelling.PLD_from_end) return fact_numbers(meta, "LabelingDuration");
  if (flag(meta, "BolusCutOffFlag") == false)
    throw Error(Errc::usage,
                "the bolus of pulsed labelling was not cut off (BolusCutOffFlag is false): its length is not known",
                "set acquisition.LD if you know it");
  return fact_numbers(meta, "BolusCutOffDelayTime");
}

void slices_from(const Metadata& meta, Protocol& p, std::vector<std::string>* notes) {
  const auto times = fact_numbers(meta, "SliceTiming");
  const std::string kind = lettered(fact_text(meta, "MRAcquisitionType"));
  if (kind == "3D") return;
  if (times.empty()) {
    if (kind == "2D" && notes)
      notes->push_back(
          "SliceTiming is missing of a 2-D readout: all slices are taken as read at the same time; set "
          "acquisition.slice_times");
    return;
  }
  const double first = *std::min_element(times.begin(), times.end());
  for (const double t : times) p.slice_times.push_back(t - first);
}

}  // namespace

std::vector<double> fact_numbers(const Metadata& meta, const std::string& key) {
  const auto it = meta.find(key);
  if (it == meta.end()) return {};
  if (const auto* x = std::get_if<double>(&it->second)) return std::vector<double>(1, *x);
  if (const auto* v = std::get_if<std::vector<double>>(&it->second)) return *v;
  return {};
}

std::string fact_text(const Metadata& meta, const std::string& key) {
  const auto it = meta.find(key);
  if (it == meta.end()) return {};
  if (const auto* s = std::get_if<std::string>(&it->second)) return *s;
  if (const auto* v = std::get_if<std::vector<std::string>>(&it->second); v && v->size() == 1) return v->front();
  return {};
}

Protocol protocol_from(const Metadata& meta, std::size_t n_volumes, const Given& given,
                       std::vector<std::string>* notes) {
  check_numbers(meta);
  Protocol p;
  const auto note = [&](std::string text) {
    if (notes) notes->push_back(std::move(text));
  };
  p.labelling = labelling_from(meta, given.labelling);
  const Labelling& labelling = labellings().get(p.labelling);
  if (given.encoding) p.encoding = hadamard_encoding(given.encoding);
  p.LD = given.LD.empty() ? LD_from(meta, labelling) : given.LD;
  if (p.LD.empty())
    throw Error(Errc::usage,
                labelling.PLD_from_end ? "the labelling duration is not known: the sidecar has no LabelingDuration"
                                       : "the bolus cut-off is not known: the sidecar has no BolusCutOffDelayTime",
                "set acquisition.LD [s]");
  if (given.LD.empty() && !labelling.PLD_from_end && p.LD.size() == 2 &&
      (n_volumes != 2 || p.labelling == "labelling.pasl_q2tips"))
    p.LD.resize(1);  // begin and end of the saturation train of Q2TIPS: the bolus ends with the first
  p.PLD = given.PLD.empty() ? fact_numbers(meta, "PostLabelingDelay") : given.PLD;
  if (p.PLD.empty())
    throw Error(Errc::usage, "the post-labelling delay is not known: the sidecar has no PostLabelingDelay",
                "set acquisition.PLD [s]");
  // BIDS gives 0 for volumes that are not labelled (M0): they take no part in differences.
  if (!labelling.PLD_from_end && p.PLD.size() == n_volumes && p.LD.size() == 1) p.LD.assign(n_volumes, p.LD[0]);
  for (std::size_t i = 0; i < std::min(p.LD.size(), n_volumes); ++i)
    if (p.LD.size() == n_volumes && p.LD[i] == 0) p.LD[i] = *std::max_element(p.LD.begin(), p.LD.end());
  if (!labelling.PLD_from_end && p.PLD.size() == n_volumes)
    for (double& t : p.PLD)
      if (t == 0) t = *std::max_element(p.PLD.begin(), p.PLD.end());

  p.label_eff = given.label_eff ? given.label_eff : one(meta, "LabelingEfficiency");
  const bool suppressed = flag(meta, "BackgroundSuppression").value_or(false);
  auto pulses = one(meta, "BackgroundSuppressionNumberPulses");
  if (const auto times = fact_numbers(meta, "BackgroundSuppressionPulseTime"); !pulses && !times.empty())
    pulses = static_cast<double>(times.size());
  if (given.suppression_pulses) {
    p.suppression_pulses = *given.suppression_pulses;
  } else if (suppressed && !pulses) {
    note(
        "background suppression with an unknown number of pulses: what they take of the label is not corrected; set "
        "acquisition.suppression_pulses");
  } else if (suppressed && !given.label_eff && one(meta, "LabelingEfficiency")) {
    // A LabelingEfficiency that was measured or chosen for the sequence may include them: nobody can tell.
    note(fmt::format("LabelingEfficiency {:g} is taken without the {} background-suppression pulses", *p.label_eff,
                     *pulses));
    p.suppression_pulses = static_cast<int>(*pulses);
  } else if (suppressed) {
    p.suppression_pulses = static_cast<int>(*pulses);
  }
  if (given.suppression_eff) p.suppression_eff = *given.suppression_eff;
  if (given.T1_blood) {
    p.T1_blood = *given.T1_blood;
  } else if (const auto B0 = one(meta, "MagneticFieldStrength")) {
    p.T1_blood = blood_T1(*B0);
  } else {
    note("MagneticFieldStrength is missing: T1 of blood is taken as 1.65 s (3 T)");
  }
  if (!given.slice_times.empty())
    p.slice_times = given.slice_times;
  else
    slices_from(meta, p, notes);
  if (given.readout_FA) {
    p.readout_FA = given.readout_FA;
  } else if (flag(meta, "LookLocker").value_or(false)) {
    const auto FA = one(meta, "FlipAngle");
    if (!FA)
      throw Error(Errc::usage, "LookLocker is true, but the sidecar has no FlipAngle",
                  "set acquisition.readout_FA [deg]");
    p.readout_FA = *FA * units::degree;
  }
  if (p.readout_FA) {
    p.M0_FA = given.M0_FA;
    if (given.readout_interval) {
      p.readout_interval = *given.readout_interval;
    } else {
      auto t = p.PLD;
      std::sort(t.begin(), t.end());
      t.erase(std::unique(t.begin(), t.end()), t.end());
      if (t.size() < 2)
        throw Error(Errc::usage, "the interval of the Look-Locker pulses is not known",
                    "set acquisition.readout_interval [s]");
      p.readout_interval = (t.back() - t.front()) / static_cast<double>(t.size() - 1);
    }
  }
  timings_of(p, n_volumes);  // says what is wrong, now
  return p;
}

std::vector<std::string> missing_fields(const Metadata& meta) {
  std::vector<std::string> need{
      "ArterialSpinLabelingType", "BackgroundSuppression", "EchoTime",          "M0Type",
      "MRAcquisitionType",        "MagneticFieldStrength", "PostLabelingDelay", "RepetitionTimePreparation",
      "TotalAcquiredPairs"};
  const std::string type = lettered(fact_text(meta, "ArterialSpinLabelingType"));
  if (type == "PASL") {
    need.emplace_back("BolusCutOffFlag");
    if (flag(meta, "BolusCutOffFlag").value_or(false))
      need.emplace_back("BolusCutOffDelayTime"), need.emplace_back("BolusCutOffTechnique");
  } else if (!type.empty()) {
    need.emplace_back("LabelingDuration");
  }
  if (lettered(fact_text(meta, "MRAcquisitionType")) == "2D") need.emplace_back("SliceTiming");
  if (flag(meta, "LookLocker").value_or(false)) need.emplace_back("FlipAngle");
  if (fact_text(meta, "M0Type") == "Estimate") need.emplace_back("M0Estimate");
  std::vector<std::string> missing;
  for (const auto& key : need)
    if (!meta.contains(key)) missing.push_back(key);
  return missing;
}

std::vector<Role> roles_from(const Metadata& meta, std::size_t n, int encoding) {
  std::vector<Role> roles;
  const auto at = meta.find("VolumeType");
  if (at == meta.end()) {
    for (std::size_t i = 0; i < n; ++i) roles.push_back(encoding ? Role::encoded : i % 2 ? Role::control : Role::label);
    if (!encoding && n % 2)
      throw Error(Errc::shape, fmt::format("{} volumes are no pairs, and nothing says what each is", n),
                  "give aslcontext.tsv, or name the types with input.context");
    return roles;
  }
  std::vector<std::string> texts;
  if (const auto* v = std::get_if<std::vector<std::string>>(&at->second)) texts = *v;
  if (const auto* s = std::get_if<std::string>(&at->second)) texts = {*s};
  if (texts.size() != n)
    throw Error(Errc::shape, fmt::format("{} volume types for {} volumes", texts.size(), n),
                "give one line of aslcontext.tsv a volume");
  for (std::size_t i = 0; i < n; ++i) {
    Role r = Role::other;
    try {
      r = role_of(texts[i]);
    } catch (Error& e) {
      throw e.at(fmt::format("volume {} (aslcontext.tsv)", i + 1));
    }
    // BIDS has no word for time-encoded volumes yet: they are written as label.
    if (encoding && (r == Role::label || r == Role::control)) r = Role::encoded;
    roles.push_back(r);
  }
  return roles;
}

void note_timings(Metadata& meta, const std::vector<Sample>& samples, const std::vector<double>& weights,
                  const Protocol& protocol) {
  std::vector<double> time, LD, efficiency, start, rate;
  for (const auto& s : samples)
    time.push_back(s.time), LD.push_back(s.LD), efficiency.push_back(s.efficiency), start.push_back(s.readout_start),
        rate.push_back(s.readout_rate);
  meta["SignalTime"] = time, meta["LabelingDuration"] = LD, meta["Efficiency"] = efficiency;
  if (!rate.empty() && rate[0] > 0) meta["ReadoutStart"] = start, meta["ReadoutRate"] = rate;
  meta["Weights"] = weights;
  meta["Labelling"] = protocol.labelling;
  meta["BloodT1"] = protocol.T1_blood;
  meta.erase("SliceTiming"), meta.erase("VolumeType");
  if (!protocol.slice_times.empty()) meta["SliceTiming"] = protocol.slice_times;
}

NotedTimings noted_timings(const Metadata& meta) {
  NotedTimings t;
  const auto time = fact_numbers(meta, "SignalTime"), LD = fact_numbers(meta, "LabelingDuration"),
             efficiency = fact_numbers(meta, "Efficiency"), start = fact_numbers(meta, "ReadoutStart"),
             rate = fact_numbers(meta, "ReadoutRate");
  const auto T1 = one(meta, "BloodT1");
  if (time.empty() || LD.size() != time.size() || efficiency.size() != time.size() || !T1 ||
      (!rate.empty() && (rate.size() != time.size() || start.size() != time.size())))
    throw Error(Errc::usage, "the image does not say when it was labelled", "wire the differences of asl.differences");
  for (std::size_t i = 0; i < time.size(); ++i)
    t.samples.push_back({.time = time[i],
                         .LD = LD[i],
                         .efficiency = efficiency[i],
                         .readout_start = rate.empty() ? 0 : start[i],
                         .readout_rate = rate.empty() ? 0 : rate[i]});
  t.weights = fact_numbers(meta, "Weights");
  t.protocol.labelling = labellings().resolve(fact_text(meta, "Labelling"));
  t.protocol.T1_blood = *T1;
  t.protocol.slice_times = fact_numbers(meta, "SliceTiming");
  return t;
}

}  // namespace larmor::asl
