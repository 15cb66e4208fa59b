// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/asl/labelling.hpp>
#include <larmor/perfusion/asl/m0.hpp>
#include <larmor/perfusion/asl/steps.hpp>

#include "asl_job.hpp"
#include "config_table.hpp"

namespace larmor::cli {
namespace {

std::map<std::string, std::string> param_units() {
  std::map<std::string, std::string> units;
  for (const auto& [id, m] : asl::models())
    for (const auto& p : m.params) units.emplace(p.name, p.unit);
  return units;
}

std::vector<std::string> with_auto(std::vector<std::string> ids) {
  ids.insert(ids.begin(), "auto");
  return ids;
}
std::vector<std::string> labelling_names() { return with_auto(asl::labellings().ids()); }
std::vector<std::string> model_names() { return with_auto(asl::models().ids()); }
std::vector<std::string> difference_names() { return asl::difference_methods().ids(); }
std::vector<std::string> m0_names() { return asl::m0_methods().ids(); }
std::string full_labelling(const std::string& s) { return s == "auto" ? s : asl::labellings().resolve(s); }
std::string full_model(const std::string& s) { return s == "auto" ? s : asl::models().resolve(s); }
std::string full_difference(const std::string& s) { return asl::difference_methods().resolve(s); }
std::string full_m0(const std::string& s) { return asl::m0_methods().resolve(s); }

// path, kind, unit, default, lower, upper, meaning, choices, words instead of a value
std::vector<Key> keys() {
  using enum KeyKind;
  std::vector<Key> all{
      {"input.series", file, "", "", 0, 0, "4-D NIfTI (x, y, z, t); found as *asl.nii*"},
      {"input.context_file", file, "", "", 0, 0, "type of each volume (aslcontext.tsv); found beside the series"},
      {"input.context", texts, "", "", 0, 0,
       "type of each volume instead, repeated as often as it fits: control, label, m0scan, deltam, n/a"},
      mask_key("quantify"),

      name_key("acquisition.labelling", "auto",
               "how blood is labelled (larmor list labellings); auto: the sidecar says", labelling_names,
               full_labelling),
      {"acquisition.LD", numbers, "s", "", 0.001, 20,
       "length of the bolus, one for all or one a volume; PASL: time of its cut-off (TI1); time-encoded: of each "
       "sub-bolus"},
      {"acquisition.PLD", numbers, "s", "", 0, 20,
       "post-labelling delay, one for all or one a volume; PASL: inversion time (TI)"},
      {"acquisition.label_eff", number, "1", "", 0.01, 1,
       "labelling efficiency; default: the sidecar's, else usual for the labelling"},
      {"acquisition.suppression_pulses", integer, "", "", 0, 20,
       "background-suppression pulses after labelling; default: the sidecar's"},
      {"acquisition.suppression_eff", number, "1", "0.95", 0.01, 1, "what each of them leaves of the label"},
      {"acquisition.T1_blood", number, "s", "", 0.1, 10,
       "T1 of arterial blood; default: by the field strength, 1.65 s at 3 T"},
      {"acquisition.slice_times", numbers, "s", "", 0, 20,
       "readout of each slice after the first excitation; default: the sidecar's"},
      {"acquisition.readout_FA", number, "deg", "", 0.1, 89,
       "flip angle of a Look-Locker readout; default: the sidecar's"},
      {"acquisition.readout_interval", number, "s", "", 0.001, 10,
       "time between its pulses; default: that of the delays"},
      {"acquisition.M0_FA", number, "deg", "", 0.1, 90,
       "flip angle of the M0 scan of such a readout; default: the same"},
      {"acquisition.encoding", integer, "", "0", 0, 192, "steps of a time-encoded (Hadamard) series; 0: none"},

      name_key("differences.method", "difference.pairwise", "how volumes are subtracted (larmor list differences)",
               difference_names, full_difference),
      {"differences.outlier_sd", number, "", "3.5", 0, 100,
       "differences further from the others of their timing are left out [robust sd]; 0: keep all"},

      {"m0.source", text, "", "auto", 0, 0,
       "scan: an image of its own; included: volumes of the series; estimate: a number; control: the control images; "
       "auto: "
       "what M0Type of the sidecar says, else the first there is",
       words({"auto", "scan", "included", "estimate", "control"})},
      name_key("m0.method", "m0.voxelwise", "how it becomes M0 of blood (larmor list m0-methods)", m0_names, full_m0),
      optional_file_key("m0.file", "M0 scan; found as *m0scan.nii*"),
      {"m0.region", file, "", "", 0, 0, "tissue that one M0 is taken from: CSF, white matter; default: the mask"},
      {"m0.estimate", number, "", "", 1e-12, 1e12, "M0 of tissue as a number, in units of the series"},
      {"m0.TR", number, "s", "", 0.01, 100,
       "repetition time of the M0 image; default: the sidecar's, or none to correct for"},
      {"m0.T1", number, "s", "", 0.01, 20, "T1 of its tissue; default: the method's, or the T1 map's"},
      {"m0.partition", number, "", "", 0.1, 2, "its partition coefficient [mL/g]; default: the method's"},
      {"m0.echo", boolean, "", "false", 0, 0, "bring one M0 from T2* of its tissue to that of blood, at the echo time"},

      {"fit.method", text, "", "kinetic", 0, 0, "kinetic model, or formula: the 2015 consensus for one delay",
       words({"kinetic", "formula"})},
      name_key("fit.model", "auto", "kinetic model (larmor list asl-models); auto: that of the labelling", model_names,
               full_model),
      {"fit.fitter", text, "", "auto", 0, 0,
       "least squares (lm), or with priors (map); auto: with priors when more than two parameters are free",
       words({"auto", "lm", "map"})},
      {"fit.T1", number, "s", "1.33", 0.1, 10, "T1 of tissue where there is no map"},
      optional_file_key("fit.T1_map", "T1 map; found as *T1map*.nii*; none: not used"),
      {"fit.T1_map_unit", text, "", "s", 0, 0, "unit of the map", words({"s", "ms"})},
      {"fit.partition", number, "", "0.9", 0.1, 2, "partition coefficient of water [mL/g]"},
      {"fit.params", params, "", "", 0, 0,
       "settings of single parameters, in the unit of `larmor list asl-models` or with a unit: "
       "fixed, lower, upper, start, prior_mean, prior_sd, prior_log"},

      optional_file_key("tissue.GM",
                        "fraction of grey matter on the grid of the series; found as *label-GM*.nii* or *gm*.nii*"),
      optional_file_key("tissue.WM", "fraction of white matter; found as *label-WM*.nii* or *wm*.nii*"),
      optional_file_key("tissue.CSF", "fraction of CSF; found as *label-CSF*.nii* or *csf*.nii*"),

      {"partial_volume.on", boolean, "", "false", 0, 0, "separate grey and white matter by linear regression"},
      {"partial_volume.radius",
       numbers,
       "",
       "[2, 2, 0]",
       0,
       50,
       "voxels of the window either side, along x, y and z",
       {},
       {},
       true},
      {"partial_volume.least", number, "1", "0.05", 0, 1, "fraction below which a voxel has no value of a tissue"},
  };
  for (auto& k : output_keys()) all.push_back(k);
  return all;
}

}  // namespace

const ConfigTable& asl_config() {
  static const ConfigTable table{
      .command = "larmor asl",
      .sections = {{"input", "The ASL series. File names are relative to DATA; what is not named is looked for there."},
                   {"acquisition", "How blood was labelled. What is not given is read from the sidecar (BIDS)."},
                   {"differences", "From control and label images to their differences."},
                   {"m0", "Equilibrium magnetisation of arterial blood."},
                   {"fit", "From differences to blood flow."},
                   {"tissue", "Fractions of tissue, for the quality figures and partial volumes."},
                   {"partial_volume", "Blood flow of pure tissues."},
                   {"output", "What is written."}},
      .keys = keys(),
      .params = param_units,
      .params_example = "  #   ATT: {fixed: 1.1}\n  #   CBF: {upper: 150 mL/min/100g}\n"};
  return table;
}

}  // namespace larmor::cli
