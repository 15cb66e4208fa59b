// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/core/units.hpp>
#include <larmor/perfusion/dsc/dro.hpp>
#include <larmor/perfusion/dsc/residue.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "dro_folder.hpp"
#include "pipeline.hpp"
#include "series_files.hpp"
#include "text_table.hpp"
#include "write_maps.hpp"

namespace larmor::cli {
namespace {

using json = nlohmann::ordered_json;

dsc::DroOptions options_of(const Call& call) {
  dsc::DroOptions o;
  const auto grid = call.numbers("--grid");
  if (grid.size() != 3)
    throw Error(Errc::usage, fmt::format("larmor dro dsc: --grid holds {} numbers, not 3", grid.size()),
                "give it as 64,64,12");
  for (std::size_t i = 0; i < 3; ++i) o.grid[i] = static_cast<std::int64_t>(grid[i]);
  for (int i = 0; i < call.integer("--frames"); ++i) o.times.push_back(i * call.number("--frame-time"));
  o.residue = dsc::residues().resolve(call.text("--residue"));
  o.shape = call.number("--shape");
  o.CBF = call.numbers("--CBF"), o.MTT = call.numbers("--MTT"), o.delay = call.numbers("--delay");
  o.Ktrans = call.numbers("--Ktrans"), o.kep = call.number("--kep");
  o.arrival = call.number("--arrival"), o.recirculation = call.number("--recirculation");
  o.TE = call.number("--TE") * units::millisecond;
  o.snr = call.number("--snr");
  o.seed = static_cast<unsigned>(call.integer("--seed"));
  return o;
}

json describe(const dsc::DroOptions& o) {
  return {{"software", "larmor"},
          {"version", LARMOR_VERSION},
          {"residue", o.residue},
          {"parameters",
           {{"CBF", {{"unit", "mL/min/100g"}, {"levels", o.CBF}}},
            {"MTT", {{"unit", "s"}, {"levels", o.MTT}}},
            {"delay", {{"unit", "s"}, {"levels", o.delay}}},
            {"Ktrans", {{"unit", "1/min"}, {"levels", o.Ktrans}}}}},
          {"kep_per_min", o.kep},
          {"grid", o.grid},
          {"times_s", o.times},
          {"arrival_s", o.arrival},
          {"input_peak_mM", o.input_peak},
          {"recirculation", o.recirculation},
          {"TE_ms", 1e3 * o.TE},
          {"tissue_relation", {o.tissue.linear, o.tissue.quadratic}},
          {"blood_relation", {o.blood.linear, o.blood.quadratic}},
          {"Hct", {o.factors.Hct_large, o.factors.Hct_small}},
          {"density", o.factors.density},
          {"snr", o.snr},
          {"seed", o.seed}};
}

// A configuration that fits the object with what is known about it.
std::string config_of(const dsc::DroOptions& o) {
  std::map<std::string, std::string> c{{"aif.source", "mask"}, {"aif.relation", "blood_1.5T"}};
  if (o.residue != "residue.exponential") c["deconvolution.correction"] = o.residue;
  if (std::any_of(o.Ktrans.begin(), o.Ktrans.end(), [](double k) { return k > 0; }))
    c["leakage.method"] = o.kep > 0 ? "leakage.bidirectional" : "leakage.bsw";
  if (o.recirculation > 0) c["aif.first_pass"] = "true", c["tissue.first_pass"] = "gamma_variate";
  return config_yaml(
      pipelines().get("dsc").config(), c, true,
      "How larmor dsc fits the digital reference object in this folder.\nlarmor dsc --defaults prints every key.");
}

int run(const Call& call) {
  const auto options = options_of(call);
  const auto& cancel = Cancel::interrupt();
  const auto dro = dsc::make_dro(options, &cancel);
  const json about = describe(options);
  const std::string provenance = provenance_json("larmor dro dsc", {{"object", about.dump()}}, {});
  DroFolder out(call.text("--out"), provenance);
  out.series("dsc", dro.dynamic);
  cancel.check();
  out.mask(dro.mask);
  out.series("artery", dro.artery);
  out.series("reference", dro.reference);
  out.truth(dro.truth, options.residue);
  write_curve(out.path() / "input.csv", dro.aif, "blood_mM");
  cancel.check();
  out.finish(about.dump(2), config_of(options));
  const auto mask = dro.mask.data.span<std::uint8_t>();
  if (call.json)
    print_dro(call, about);
  else
    fmt::print("{}: {} x {} x {} voxels ({} of tissue), {} frames\n", call.text("--out"), options.grid[0],
               options.grid[1], options.grid[2], with_commas(std::count(mask.begin(), mask.end(), 1)),
               options.times.size());
  return 0;
}

std::vector<std::string> residue_ids() { return dsc::residues().ids(); }
Option levels(const char* name, const char* what, const char* start, double upper) {
  return Option{.name = name, .what = what, .kind = Kind::number, .start = start, .lower = 0, .upper = upper}.many();
}

}  // namespace

void register_dro_dsc(Commands& commands) {
  const dsc::DroOptions d;
  commands.add(
      {.name = "dro dsc",
       .does = "Digital reference object for DSC: a first pass through blocks of known flow, transit time and delay",
       .opt = {folder("--out",
                      "folder that receives dsc, mask, artery, reference, truth/, input.csv, dro.json and "
                      "config.yaml")
                   .output()
                   .as("-o")
                   .need(),
               Option{.name = "--grid",
                      .what = "voxels along x, y and z",
                      .kind = Kind::integer,
                      .start = "64,64,12",
                      .lower = 1,
                      .upper = 2048}
                   .many(),
               integer("--frames", "number of frames", 60, 8, 100000),
               number("--frame-time", "time between frames [s]", 1.5, 0.05, 60),
               text("--residue", "residue of the tissue", d.residue).suggest(residue_ids),
               number("--shape", "of residue.gamma [1]", d.shape, 0.1, 100),
               levels("--CBF", "levels of flow [mL/min/100g]", "10,20,30,50,70,90", 1000),
               levels("--MTT", "levels of transit time [s]", "2.5,4,5.5,8", 100),
               levels("--delay", "levels of delay [s]", "0,1,2,3", 100),
               levels("--Ktrans", "levels of leakage [1/min]", "0", 10),
               number("--kep", "rate at which what leaked comes back [1/min]", 0, 0, 60),
               number("--arrival", "of the bolus in the artery [s]", d.arrival, 0, 3600),
               number("--recirculation", "height of the second pass over that of the first [1]", 0, 0, 1),
               number("--TE", "echo time [ms]", 30, 1, 200),
               number("--snr", "baseline signal over the sd of the noise; 0: no noise [1]", 50, 0, 1e6),
               integer("--seed", "of the noise", 1, 0, 2147483647)},
       .refs = {"Wu et al., MRM 50:164 (2003)"},
       .examples = {"larmor dro dsc -o phantom --snr 50",
                    "larmor dsc phantom/config.yaml phantom -o maps && larmor validate maps phantom/truth"},
       .run = run});
}

}  // namespace larmor::cli
