// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/dce/model.hpp>

#include "catalogue.hpp"
#include "config_table.hpp"

namespace larmor::cli {
namespace {

std::map<std::string, std::string> param_units() {
  std::map<std::string, std::string> units{{"delay", "s"}};
  for (const auto& [id, m] : dce::models())
    for (const auto& p : m.params) units.emplace(p.name, p.unit);
  return units;
}

// path, kind, unit, default, lower, upper, meaning, choices, words instead of a value
std::vector<Key> keys() {
  using enum KeyKind;
  return {
      {"input.kind", text, "", "signal", 0, 0, "what the dynamic series holds: signal, or concentration in mM",
       words({"signal", "concentration"})},
      {"input.dynamic", file, "", "", 0, 0, "4-D NIfTI (x, y, z, t); found as *dce*.nii* or dynamic.nii*"},
      mask_key("fit"),
      {"input.times", numbers, "s", "", -1e6, 1e6, "time of each frame; wins over the sidecar and the header"},
      {"input.times_file", file, "", "", 0, 0,
       "CSV or TSV whose column 'time' (else the first) holds the frame times in s"},
      {"input.frame_time", number, "s", "", 1e-3, 3600, "time between frames, the first at 0 (this is not TR)"},

      {"t1.source", text, "", "auto", 0, 0,
       "where T10 comes from: a series (series), a map, or one value (fixed); auto: the map when there is one, else "
       "the "
       "series, else the value",
       words({"auto", "series", "map", "fixed"})},
      {"t1.method", text, "", "t1.vfa_nonlinear", 0, 0, "how a series becomes T1 (larmor list t1)", t1_ids},
      {"t1.files", files, "", "", 0, 0, "the series: one 4-D file, or one 3-D file a volume; found as *vfa*.nii*"},
      {"t1.FA", numbers, "deg", "", 0.01, 360, "flip angle of each volume; default: the sidecar's FlipAngle"},
      {"t1.TR", numbers, "ms", "", 0.1, 60000, "repetition time, one for all or one a volume; default: the sidecar's"},
      {"t1.TI", numbers, "ms", "", 0.1, 60000, "inversion time of each volume (inversion recovery, Look-Locker)"},
      {"t1.map", file, "", "", 0, 0, "T1 map; found as *T1map*.nii* or T10.nii*"},
      {"t1.map_unit", text, "", "s", 0, 0, "unit of the map", words({"s", "ms"})},
      {"t1.fixed", number, "s", "", 0.01, 20, "T10 of every voxel"},
      optional_file_key("t1.B1", "map of actual / nominal flip angle; found as *B1map*.nii*; none: not used"),
      {"t1.B1_unit", text, "", "1", 0, 0, "unit of the B1 map: fraction, or percent", words({"1", "%"})},

      {"signal.method", text, "", "spgr", 0, 0,
       "spgr: exact steady state of a spoiled gradient echo; linear: C = (S/S0 - 1)/(T10 r1)",
       words({"spgr", "linear"})},
      {"signal.FA", number, "deg", "", 0.01, 180, "flip angle of the dynamic series"},
      {"signal.TR", number, "ms", "", 0.1, 20000, "repetition time between excitations (this is not the frame time)"},
      {"signal.r1", number, "1/(s mM)", "4.5", 0.01, 200, "longitudinal relaxivity of the contrast agent"},
      {"signal.baseline",
       numbers,
       "",
       "auto",
       0,
       100000,
       "frames before contrast: a count, or [first, last) counted from 0; auto: up to the arrival of the bolus",
       {},
       {"auto"},
       true},

      {"aif.source", text, "", "model", 0, 0,
       "model: population curve; file: a measured curve; mask: mean over a region; auto: found in the data",
       words({"model", "file", "mask", "auto"})},
      {"aif.model", text, "", "aif.parker", 0, 0, "population curve (larmor list aifs)", aif_ids},
      {"aif.file", file, "", "", 0, 0,
       "CSV or TSV with a column of times (named time or t, else the first) and one of concentrations in mM"},
      {"aif.time_unit", text, "", "s", 0, 0, "unit of the times in the file", words({"s", "min"})},
      {"aif.plasma", boolean, "", "false", 0, 0, "the measured curve is plasma already (true) or whole blood (false)"},
      {"aif.mask", file, "", "", 0, 0, "region in an artery, voxels not 0; found as *aif*.nii*"},
      {"aif.Hct", number, "1", "0.42", 0, 0.9, "haematocrit: plasma = blood / (1 - Hct)"},
      {"aif.arrival",
       number,
       "s",
       "auto",
       -1e6,
       1e6,
       "when the bolus of a population curve arrives; auto: where the mean tissue curve begins to rise",
       {},
       {"auto"}},
      {"aif.delay", number, "s", "0", -300, 300, "moves the curve to later times"},
      {"aif.step", number, "s", "1", 0.01, 60,
       "sampling of a population curve around its bolus, where frames are further apart"},
      {"aif.venous_file", file, "", "", 0, 0, "second input of dual-input models (portal vein), as aif.file"},

      {"fit.model",
       texts,
       "",
       "dce.extended_tofts",
       0,
       0,
       "model (larmor list models); of several, each voxel keeps the one of least AICc",
       model_ids,
       {},
       false,
       [](const std::string& name) { return dce::models().resolve(name); }},
      {"fit.fitter", text, "", "fitter.lm", 0, 0, "how (larmor list fitters)", fitter_ids},
      {"fit.fit_delay", boolean, "", "false", 0, 0, "fit the arrival of the bolus in the tissue as one more parameter"},
      {"fit.delay_bounds", numbers, "s", "[0, 15]", -60, 120, "[lower, upper] of a fitted delay"},
      {"fit.delay", number, "s", "0", -60, 120, "delay of the tissue after the artery when it is not fitted"},
      {"fit.max_iterations", integer, "", "500", 1, 10000, "iterations before a voxel counts as not converged"},
      {"fit.tolerance", number, "", "1e-6", 1e-12, 0.1, "relative step of the parameters that counts as converged"},
      {"fit.noise_sd", number, "mM", "", 1e-9, 100,
       "noise of the concentration for fitter.map; default: from the residual of a first fit"},
      {"fit.skip_frames", numbers, "", "", 0, 100000, "frames left out of the fit, counted from 0", {}, {}, true},
      {"fit.params", params, "", "", 0, 0,
       "settings of single parameters, in the unit of `larmor list models` or with a unit: "
       "fixed, lower, upper, start, prior_mean, prior_sd, prior_log"},

      {"output.units", text, "", "lexicon", 0, 0, "units of the maps: lexicon (1/min, mL/min/100mL) or engine (1/s)",
       words({"lexicon", "engine"})},
      {"output.standard_errors", boolean, "", "true", 0, 0, "write <name>_se.nii.gz, of fitted and of derived maps"},
      {"output.descriptors", boolean, "", "true", 0, 0,
       "write iAUC60, iAUC90, iAUC180, TTP, peak, wash_in and wash_out"},
      {"output.concentration", boolean, "", "false", 0, 0, "write the concentration series"},
      {"output.report", boolean, "", "true", 0, 0, "write report.html"},
      {"output.title", text, "", "", 0, 0, "title of the report"},
  };
}

}  // namespace

const ConfigTable& dce_config() {
  static const ConfigTable table{
      .command = "larmor dce",
      .sections =
          {
              {"input", "The dynamic series. File names are relative to DATA; what is not named is looked for there."},
              {"t1", "T1 of the tissue before contrast."},
              {"signal",
               "From signal to concentration. Values not given are read from the sidecar of the dynamic series."},
              {"aif", "Arterial input function."},
              {"fit", "Tracer-kinetic model and how it is fitted."},
              {"output", "What is written."},
          },
      .keys = keys(),
      .params = param_units,
      .params_example =
          "  #   ve: {lower: 0.01, upper: 0.8}\n  #   Ktrans: {upper: 2 1/min, start: 0.1}\n  #   vp: {fixed: 0.02}\n"};
  return table;
}

}  // namespace larmor::cli
