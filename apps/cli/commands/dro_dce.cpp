// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/core/units.hpp>
#include <larmor/io/table.hpp>
#include <larmor/perfusion/dce/aif_models.hpp>
#include <larmor/perfusion/dce/dro.hpp>
#include <nlohmann/json.hpp>

#include "catalogue.hpp"
#include "command.hpp"
#include "config.hpp"
#include "dro_folder.hpp"
#include "params_option.hpp"
#include "series_files.hpp"
#include "text_table.hpp"
#include "write_maps.hpp"

namespace larmor::cli {
namespace {

using json = nlohmann::ordered_json;

std::vector<double> times_of(const Call& call) {
  if (call.given("--times")) {
    const auto table = io::read_table(call.text("--times"));
    return table.numbers(table.columns.at(0));
  }
  std::vector<double> t;
  for (int i = 0; i < call.integer("--frames"); ++i) t.push_back(i * call.number("--frame-time"));
  return t;
}

dce::DroOptions options_of(const Call& call) {
  dce::DroOptions o;
  o.model = dce::reference_models().resolve(call.text("--model"));
  const auto grid = call.numbers("--grid");
  if (grid.size() != 3)
    throw Error(Errc::usage, fmt::format("larmor dro dce: --grid holds {} numbers, not 3", grid.size()),
                "give it as 64,64,24");
  for (std::size_t i = 0; i < 3; ++i) o.grid[i] = static_cast<std::int64_t>(grid[i]);
  o.times = times_of(call);
  o.values = read_params(call, "--param", dce::models().get(o.model));
  o.delay = call.number("--delay");
  o.aif = dce::aif_models().resolve(call.text("--aif"));
  o.arrival = call.number("--arrival");
  o.Hct = call.number("--Hct");
  o.signal = !call.given("--concentration");
  if (o.signal && call.given("--noise"))
    throw Error(Errc::usage, "larmor dro dce: --noise is of the concentration",
                "give --snr for a signal, or add --concentration");
  if (!o.signal && call.given("--snr"))
    throw Error(Errc::usage, "larmor dro dce: --snr is of the signal",
                "give --noise [mM] for a concentration, or leave out --concentration");
  o.noise_sd = call.number("--noise");
  o.snr = o.signal ? call.number("--snr") : 0;
  o.FA = call.number("--FA") * units::degree;
  o.TR = call.number("--TR") * units::millisecond;
  o.r1 = call.number("--r1");
  o.M0 = call.number("--M0");
  o.vfa_FA = in_rad(call.numbers("--vfa-FA"));
  o.T10 = call.numbers("--T10");
  o.seed = static_cast<unsigned>(call.integer("--seed"));
  return o;
}

// A configuration that fits the object with what is known about it.
std::string config_of(const dce::DroOptions& o, bool dual) {
  std::map<std::string, std::string> c{{"fit.model", o.model}};
  c["input.kind"] = o.signal ? "signal" : "concentration";
  if (o.signal) {
    c["t1.method"] = "t1.vfa_nonlinear";
    c["signal.r1"] = fmt::format("{}", o.r1);
  }
  c["aif.Hct"] = fmt::format("{}", o.Hct);
  if (dual) {
    c["aif.source"] = "file", c["aif.file"] = "aif.csv", c["aif.venous_file"] = "portal.csv", c["aif.plasma"] = "true";
  } else {
    c["aif.source"] = "model", c["aif.model"] = o.aif, c["aif.arrival"] = fmt::format("{}", o.arrival);
  }
  if (o.delay != 0) {
    c["fit.fit_delay"] = "true";
    c["fit.delay_bounds"] = o.delay < 0 ? "[-15, 15]" : fmt::format("[0, {}]", std::max(15.0, 2 * o.delay));
  }
  return config_yaml(
      dce_config(), c, true,
      "How larmor dce fits the digital reference object in this folder.\nlarmor dce --defaults prints every key.");
}

json describe(const dce::DroOptions& o) {
  json values = json::object();
  const auto& reference = dce::reference_models().get(o.model);
  for (const auto& p : reference.params) {
    const auto it = o.values.find(p.name);
    const std::string unit = units::display_unit(p.name, p.unit);
    json levels = json::array();
    for (const double x : it == o.values.end() ? p.levels : it->second)
      levels.push_back(x * units::factor(p.unit, unit));
    values[p.name] = {{"unit", unit}, {"levels", levels}};
  }
  json j{{"software", "larmor"},
         {"version", LARMOR_VERSION},
         {"model", o.model},
         {"source", reference.source},
         {"parameters", values},
         {"grid", o.grid},
         {"times_s", o.times},
         {"aif", o.aif},
         {"arrival_s", o.arrival},
         {"Hct", o.Hct},
         {"delay_s", o.delay},
         {"seed", o.seed},
         {"kind", o.signal ? "signal" : "concentration"}};
  if (o.signal)
    j.update({{"FA_deg", o.FA / units::degree},
              {"TR_ms", o.TR / units::millisecond},
              {"r1", o.r1},
              {"M0", o.M0},
              {"T10_s", o.T10},
              {"snr", o.snr}});
  else
    j["noise_sd_mM"] = o.noise_sd;
  return j;
}

int run(const Call& call) {
  const auto options = options_of(call);
  const auto& cancel = Cancel::interrupt();
  const auto dro = dce::make_dro(options);
  cancel.check();
  const json about = describe(options);
  const std::string provenance = provenance_json("larmor dro dce", {{"object", about.dump()}}, {});
  DroFolder out(call.text("--out"), provenance);
  out.series("dynamic", dro.dynamic);
  if (!dro.vfa.data.empty()) out.series("vfa", dro.vfa);
  cancel.check();
  out.mask(dro.mask);
  out.truth(dro.truth, options.model);
  write_curve(out.path() / "aif.csv", dro.aif, "plasma_mM");
  const bool dual = dro.portal.size() > 0;
  if (dual) write_curve(out.path() / "portal.csv", dro.portal, "plasma_mM");
  cancel.check();
  out.finish(about.dump(2), config_of(options, dual));
  const auto mask = dro.mask.data.span<std::uint8_t>();
  const auto tissue = std::count(mask.begin(), mask.end(), 1);
  if (call.json)
    print_dro(call, about);
  else
    fmt::print("{}: {} x {} x {} voxels ({} with tissue), {} frames, {}\n", call.text("--out"), options.grid[0],
               options.grid[1], options.grid[2], with_commas(tissue), options.times.size(), options.model);
  return 0;
}

std::vector<std::string> reference_ids() { return dce::reference_models().ids(); }

}  // namespace

void register_dro_dce(Commands& commands) {
  const dce::DroOptions d;
  commands.add(
      {.name = "dro dce",
       .does =
           "Digital reference object for DCE: images with known parameters, by a calculation independent of the fit",
       .opt = {folder("--out", "folder that receives dynamic, vfa, mask, truth/, aif.csv, dro.json and config.yaml")
                   .output()
                   .as("-o")
                   .need(),
               text("--model", "which model", d.model).suggest(reference_ids),
               params_option(
                   "levels of a parameter in the unit of `larmor list models`, or with a unit: Ktrans=0.05,0.25"),
               Option{.name = "--grid",
                      .what = "voxels along x, y and z",
                      .kind = Kind::integer,
                      .start = "64,64,24",
                      .lower = 1,
                      .upper = 2048}
                   .many(),
               integer("--frames", "number of frames", 60, 3, 100000),
               number("--frame-time", "time between frames [s]", 5, 0.01, 600),
               file("--times", "frame times instead: first column of a CSV [s]"),
               text("--aif", "population input function", d.aif).suggest(aif_ids),
               number("--arrival", "when the bolus arrives in the artery [s]", d.arrival, 0, 3600),
               number("--Hct", "haematocrit [1]", d.Hct, 0, 0.9),
               number("--delay", "further delay to the tissue [s]", 0, -60, 120),
               flag("--concentration", "write concentration instead of signal"),
               number("--noise", "standard deviation of the noise of the concentration [mM]", 0, 0, 100),
               number("--snr", "baseline signal over noise of the signal; 0: no noise", 0, 0, 1e6),
               number("--FA", "flip angle of the dynamic series [deg]", 15, 0.01, 180),
               number("--TR", "repetition time [ms]", 5, 0.1, 20000),
               number("--r1", "relaxivity [1/(s mM)]", d.r1, 0.01, 200),
               number("--M0", "equilibrium signal [a.u.]", d.M0, 1e-6, 1e9),
               Option{.name = "--vfa-FA",
                      .what = "flip angles of the T1 series [deg]",
                      .kind = Kind::number,
                      .start = "2,5,10,15",
                      .lower = 0.01,
                      .upper = 180}
                   .many(),
               Option{.name = "--T10",
                      .what = "levels of T1 before contrast [s]",
                      .kind = Kind::number,
                      .start = "0.8,1.2,1.6",
                      .lower = 0.01,
                      .upper = 20}
                   .many(),
               integer("--seed", "of the noise", 1, 0, 2147483647)},
       .examples =
           {"larmor dro dce -o phantom --snr 100",
            "larmor dro dce -o phantom --model tofts --concentration --noise 0.002 --param Ktrans=0.05,0.1,0.25",
            "larmor dce phantom/config.yaml phantom -o maps && larmor validate maps phantom/truth"},
       .run = run});
}

}  // namespace larmor::cli
