// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/dsc/arrival.hpp>
#include <larmor/perfusion/dsc/deconvolve.hpp>
#include <larmor/perfusion/dsc/leakage.hpp>
#include <larmor/perfusion/dsc/residue.hpp>

#include "config_table.hpp"
#include "dsc_job.hpp"
#include "job_files.hpp"

namespace larmor::cli {
namespace {

std::vector<std::string> with_none(std::vector<std::string> names) {
  names.emplace_back("none");
  return names;
}
std::vector<std::string> method_names() { return dsc::deconvolutions().ids(); }
std::vector<std::string> arrival_names() { return dsc::arrivals().ids(); }
std::vector<std::string> leakage_names() { return with_none(dsc::leakages().ids()); }
std::vector<std::string> correction_names() { return with_none(dsc::residues().ids()); }
std::string resolve_method(const std::string& n) { return dsc::deconvolutions().resolve(n); }
std::string resolve_arrival(const std::string& n) { return dsc::arrivals().resolve(n); }
std::string resolve_leakage(const std::string& n) { return n == "none" ? n : dsc::leakages().resolve(n); }
std::string resolve_correction(const std::string& n) { return n == "none" ? n : dsc::residues().resolve(n); }

// path, kind, unit, default, lower, upper, meaning, choices, words instead of a value
std::vector<Key> keys() {
  using enum KeyKind;
  const auto relations = words({"linear", "blood_1.5T", "blood_3T", "own"});
  return {
      {"input.dynamic", file, "", "", 0, 0, "4-D NIfTI (x, y, z, t); found as *dsc*.nii* or *perf*.nii*"},
      mask_key("look at"),
      {"input.times", numbers, "s", "", -1e6, 1e6, "time of each frame; wins over the sidecar and the header"},
      {"input.times_file", file, "", "", 0, 0,
       "CSV or TSV whose column 'time' (else the first) holds the frame times in s"},
      {"input.frame_time", number, "s", "", 1e-3, 3600, "time between frames, the first at 0"},

      {"signal.TE", number, "ms", "", 0.1, 999, "echo time; default: the sidecar's EchoTime"},
      {"signal.skip", integer, "", "0", 0, 1000, "first frames, which are not in steady state"},
      {"signal.baseline",
       numbers,
       "",
       "auto",
       0,
       1e6,
       "frames before the bolus: a count, or [first, last) counted from 0; auto: up to its arrival",
       {},
       {"auto"},
       true},
      name_key("signal.arrival", "arrival.piecewise", "how the arrival is found (larmor list arrivals)", arrival_names,
               resolve_arrival),

      name_key("leakage.method", "none", "correction for contrast agent that leaks (larmor list leakages), or none",
               leakage_names, resolve_leakage),
      {"leakage.tail", integer, "", "10", 1, 1000,
       "last frames, where voxels that do not leak are back at the baseline"},
      {"leakage.shape_terms", integer, "", "4", 0, 4,
       "curves that allow for other delays and transit times than the reference's; 0: the equation of the papers"},
      {"leakage.significance", number, "", "2", 0, 100,
       "voxels whose K2 is within this many standard errors of 0 stay as they are"},

      {"tissue.relation", text, "", "linear", 0, 0, "dR2* of tissue and concentration", relations},
      {"tissue.linear", number, "1/(s mM)", "44", 0, 1e4, "dR2* = linear C + quadratic C^2"},
      {"tissue.quadratic", number, "", "0", 0, 1e4, "of relation own [1/(s mM2)]"},
      {"tissue.first_pass", text, "", "none", 0, 0,
       "tissue curves as they are (none), or gamma variates fitted to the first pass",
       words({"none", "gamma_variate"})},
      {"tissue.cut", number, "", "0.3", 0.01, 0.99, "they are fitted down to this share of the mean curve's peak"},

      {"aif.source", text, "", "auto", 0, 0,
       "arterial input: found in the data (auto), the voxels of a mask (mask), or a table (file)",
       words({"auto", "mask", "file"})},
      {"aif.mask", file, "", "", 0, 0, "voxels of an artery, those not 0; found as *aif*.nii* or *artery*.nii*"},
      {"aif.file", file, "", "", 0, 0, "CSV or TSV: times and concentrations [mM]; found as *aif*.csv"},
      {"aif.time_unit", text, "", "s", 0, 0, "unit of its times", words({"s", "min"})},
      {"aif.relation", text, "", "linear", 0, 0,
       "dR2* of the artery and concentration: linear, that of whole blood at 1.5 or 3 T, or own", relations},
      {"aif.linear", number, "1/(s mM)", "44", 0, 1e4, "dR2* = linear C + quadratic C^2"},
      {"aif.quadratic", number, "", "0", 0, 1e4, "of relation own [1/(s mM2)]"},
      {"aif.first_pass", boolean, "", "false", 0, 0, "a gamma variate fitted to the first pass instead of the curve"},
      {"aif.cut", number, "", "0.3", 0.01, 0.99, "it is fitted down to this share of the peak"},

      name_key("deconvolution.method", "dsc.osvd", "how (larmor list deconvolutions)", method_names, resolve_method),
      {"deconvolution.rule", text, "", "trapezoid", 0, 0,
       "how the convolution is summed: input and residue linear between frames, or steps",
       words({"trapezoid", "rectangle"})},
      {"deconvolution.structure", text, "", "auto", 0, 0,
       "block-circulant allows any delay, causal none; auto: the method's own", words({"auto", "circulant", "causal"})},
      {"deconvolution.threshold", number, "", "", 0, 0.999,
       "share of the largest singular value below which others are left out (dsc.ssvd, dsc.csvd); default: the "
       "method's"},
      {"deconvolution.oscillation", number, "", "", 1e-6, 10,
       "oscillation index that the residue may have (dsc.osvd); default: the method's"},
      name_key("deconvolution.correction", "residue.exponential",
               "residue whose peak is given back what regularisation takes (larmor list residues); none: as it comes",
               correction_names, resolve_correction),
      {"deconvolution.earliest", number, "s", "-5", -60, 0, "first delay that is looked for"},
      {"deconvolution.latest", number, "s", "30", 0.1, 300, "last delay that is looked for"},

      {"blood.Hct_large", number, "", "0.45", 0, 0.99, "haematocrit of large vessels"},
      {"blood.Hct_small", number, "", "0.25", 0, 0.99, "haematocrit of small vessels"},
      {"blood.density", number, "", "1.04", 0.1, 10, "of tissue [g/mL]"},

      optional_file_key("normalise.region",
                        "reference region (white matter) for rCBF and rCBV; found as *reference*.nii* or *white*.nii*"),
      {"normalise.CBF", number, "mL/min/100g", "", 1, 200,
       "flow of that region; CBF and CBV are scaled to it. Default: no scaling"},
      {"output.concentration", boolean, "", "false", 0, 0, "write concentration.nii.gz"}};
}

}  // namespace

const ConfigTable& dsc_config() {
  static const ConfigTable table = [] {
    ConfigTable t{
        .command = "larmor dsc",
        .sections = {{"input",
                      "The dynamic series. File names are relative to DATA; what is not named is looked for "
                      "there."},
                     {"signal", "From signal to dR2*."},
                     {"leakage", "Contrast agent that leaves the vessels."},
                     {"tissue", "From dR2* to concentration in tissue."},
                     {"aif", "The arterial input."},
                     {"deconvolution", "Flow, transit time and delay."},
                     {"blood",
                      "From ratios of areas to volumes per mass: (1 - Hct_large) / (1 - Hct_small) / density."},
                     {"normalise", "Relative to a reference."},
                     {"output", "What is written."}},
        .keys = keys()};
    for (auto& k : output_keys()) t.keys.push_back(k);
    return t;
  }();
  return table;
}

DscFiles find_dsc(const std::filesystem::path& folder) {
  DscFiles found;
  for (const auto& f : data_files(folder)) {
    if (!f.image) {
      if ((f.name.ends_with(".csv") || f.name.ends_with(".tsv")) && name_holds(f.name, {"aif"}))
        found.table.push_back(f.path);
    } else if (name_holds(f.name, {"aif", "artery"})) {
      found.artery.push_back(f.path);
    } else if (name_holds(f.name, {"reference", "white"})) {
      found.reference.push_back(f.path);
    } else if (name_holds(f.name, {"mask"})) {
      found.mask.push_back(f.path);
    } else if (name_holds(f.name, {"dsc", "perf"})) {
      found.dynamic.push_back(f.path);
    }
  }
  return found;
}

}  // namespace larmor::cli
