// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/core/units.hpp>
#include <larmor/io/file.hpp>
#include <larmor/io/nifti.hpp>
#include <larmor/io/table.hpp>
#include <larmor/perfusion/asl/dro.hpp>
#include <nlohmann/json.hpp>

#include "asl_job.hpp"
#include "dro_folder.hpp"
#include "pipeline.hpp"
#include "text_table.hpp"

namespace larmor::cli {
namespace {

using json = nlohmann::ordered_json;

constexpr double shown = 6;  // mL/min/100g a mm3/(g s)

asl::DroOptions options_of(const Call& call) {
  asl::DroOptions o;
  o.labelling = asl::labellings().resolve(call.text("--labelling"));
  const auto& labelling = asl::labellings().get(o.labelling);
  const auto grid = call.numbers("--grid");
  if (grid.size() != 3)
    throw Error(Errc::usage, fmt::format("larmor dro asl: --grid holds {} numbers, not 3", grid.size()),
                "give it as 48,48,10");
  for (std::size_t i = 0; i < 3; ++i) o.grid[i] = static_cast<std::int64_t>(grid[i]);
  o.encoding = call.integer("--encoding");
  const bool pulsed = labelling.bids == "PASL";
  o.LD = call.given("--LD") ? call.numbers("--LD") : std::vector<double>{o.encoding ? 0.5 : pulsed ? 0.7 : 1.8};
  o.PLD = call.given("--PLD") ? call.numbers("--PLD") : std::vector<double>{o.encoding ? 0.3 : 1.8};
  o.repeats = call.integer("--repeats");
  o.CBF = call.numbers("--CBF");
  for (double& x : o.CBF) x /= shown;
  o.ATT = labelling.arrives_at_once && !call.given("--ATT") ? std::vector<double>{0.0} : call.numbers("--ATT");
  o.tissues = call.given("--tissues");
  o.T1 = call.number("--T1"), o.T1_blood = call.number("--T1-blood"), o.partition = call.number("--partition");
  o.label_eff = call.given("--label-eff") ? call.number("--label-eff") : labelling.label_eff;
  o.suppression_pulses = call.integer("--suppression");
  o.slice_interval = call.number("--slice-interval");
  o.M0 = call.number("--M0"), o.M0_TR = call.number("--M0-TR");
  o.snr = call.number("--snr");
  o.M0_included = call.given("--m0-included");
  o.seed = static_cast<unsigned>(call.integer("--seed"));
  return o;
}

json describe(const asl::DroOptions& o) {
  std::vector<double> cbf = o.CBF;
  for (double& x : cbf) x *= shown;
  return {{"software", "larmor"},
          {"version", LARMOR_VERSION},
          {"labelling", o.labelling},
          {"source", "Buxton et al., MRM 40:383 (1998)"},
          {"grid", o.grid},
          {"LD_s", o.LD},
          {"PLD_s", o.PLD},
          {"repeats", o.repeats},
          {"encoding", o.encoding},
          {"tissues", o.tissues},
          {"CBF_mL_min_100g", cbf},
          {"ATT_s", o.ATT},
          {"T1_s", o.T1},
          {"T1_blood_s", o.T1_blood},
          {"partition_mL_g", o.partition},
          {"label_eff", o.label_eff},
          {"suppression_pulses", o.suppression_pulses},
          {"slice_interval_s", o.slice_interval},
          {"M0", o.M0},
          {"M0_TR_s", o.M0_TR},
          {"snr", o.snr},
          {"seed", o.seed}};
}

// How larmor asl quantifies it: what the sidecar does not say.
std::map<std::string, std::string> config_of(const asl::DroOptions& o) {
  std::map<std::string, std::string> c;
  const auto& labelling = asl::labellings().get(o.labelling);
  if (labelling.bids.empty()) c["acquisition.labelling"] = o.labelling;
  c["acquisition.T1_blood"] = fmt::format("{}", o.T1_blood);
  c["fit.T1"] = fmt::format("{}", o.T1), c["fit.partition"] = fmt::format("{}", o.partition);
  c["m0.T1"] = fmt::format("{}", o.T1), c["m0.partition"] = fmt::format("{}", o.partition);
  if (o.encoding) c["acquisition.encoding"] = fmt::format("{}", o.encoding);
  if (o.repeats < 4) c["differences.outlier_sd"] = "0";
  if (o.tissues) c["partial_volume.on"] = "true";
  const bool many = o.encoding > 2 || o.PLD.size() > 1;
  if (!many && !labelling.arrives_at_once) {
    if (o.ATT.size() == 1 && !o.tissues)
      c["fit.params"] = fmt::format("{{ATT: {{fixed: {}}}}}", o.ATT[0]);
    else
      c["fit.method"] = "formula";
  }
  return c;
}

int run(const Call& call) {
  const auto options = options_of(call);
  asl::Dro dro;
  try {
    dro = asl::make_dro(options);
  } catch (const Error& e) {  // of the options: the call was wrong
    throw Error(e.code() == Errc::unknown_name ? e.code() : Errc::usage, e.message(), e.advice());
  }
  Cancel::interrupt().check();
  const json about = describe(options);
  DroFolder out(call.text("--out"), provenance_json("larmor dro asl", {{"object", about.dump()}}, {}));
  io::Table context{.columns = {"volume_type"}, .rows = {}, .source = {}};
  for (const auto& type : std::get<std::vector<std::string>>(dro.series.meta.at("VolumeType")))
    context.rows.push_back({type});
  dro.series.meta.erase("VolumeType");  // aslcontext.tsv says it
  const std::string perf = "sub-01/perf/sub-01_";
  std::filesystem::create_directories(out.path() / "sub-01" / "perf");
  write_dataset_description(out.path(), "digital reference object", "larmor dro asl");
  out.series(perf + "asl", dro.series);
  io::write_table(out.path() / (perf + "aslcontext.tsv"), context);
  if (!dro.M0.data.empty()) out.series(perf + "m0scan", dro.M0);
  if (!dro.tissue.empty()) {
    out.series(perf + "label-GM_probseg", dro.tissue[0]);
    out.series(perf + "label-WM_probseg", dro.tissue[1]);
  }
  out.mask(dro.mask);
  out.truth(dro.truth, options.labelling);
  out.finish(about.dump(2),
             config_yaml(asl_config(), config_of(options), true,
                         "How larmor asl quantifies the digital reference object in this folder.\nlarmor "
                         "asl --defaults prints every key."));
  const auto mask = dro.mask.data.span<std::uint8_t>();
  if (call.json)
    print_dro(call, about);
  else
    fmt::print("{}: {} x {} x {} voxels ({} with tissue), {} volumes, {}\n", call.text("--out"), options.grid[0],
               options.grid[1], options.grid[2], with_commas(std::count(mask.begin(), mask.end(), 1)),
               dro.series.volumes(), options.labelling);
  return 0;
}

std::vector<std::string> labelling_ids() { return asl::labellings().ids(); }

}  // namespace

void register_dro_asl(Commands& commands) {
  const asl::DroOptions d;
  const auto list = [](const char* name, const char* what, const char* start, double lower, double upper) {
    return Option{.name = name, .what = what, .kind = Kind::number, .start = start, .lower = lower, .upper = upper}
        .many();
  };
  commands.add(
      {.name = "dro asl",
       .does =
           "Digital reference object for ASL: a BIDS subject of known flow, by a calculation independent of the fit",
       .opt = {folder("--out", "folder that receives sub-01/perf, mask, truth/, dro.json and config.yaml")
                   .output()
                   .as("-o")
                   .need(),
               text("--labelling", "how blood is labelled", d.labelling).suggest(labelling_ids),
               Option{.name = "--grid",
                      .what = "voxels along x, y and z",
                      .kind = Kind::integer,
                      .start = "48,48,10",
                      .lower = 5,
                      .upper = 2048}
                   .many(),
               list("--LD", "labelling duration, one or one a delay; PASL: bolus cut-off (0.7) [s]", "1.8", 0.001, 20),
               list("--PLD", "post-labelling delays; PASL: inversion times [s]", "1.8", 0, 20),
               integer("--repeats", "pairs at each delay, or rounds of a time encoding", d.repeats, 1, 10000),
               integer("--encoding", "steps of a time encoding; 0: none", 0, 0, 192),
               list("--CBF", "levels of flow [mL/min/100g]", "10,20,40,60,90", 0, 1000),
               list("--ATT", "levels of arrival [s]", "0.5,0.8,1.1,1.4,1.7", 0, 10),
               flag("--tissues", "grey and white matter in changing fractions instead of levels"),
               number("--T1", "T1 of tissue [s]", d.T1, 0.05, 20),
               number("--T1-blood", "T1 of arterial blood [s]", d.T1_blood, 0.05, 20),
               number("--partition", "partition coefficient [mL/g]", d.partition, 0.1, 2),
               Option{.name = "--label-eff",
                      .what = "labelling efficiency; default: usual for the labelling [1]",
                      .kind = Kind::number,
                      .lower = 0.01,
                      .upper = 1},
               integer("--suppression", "background-suppression pulses", 0, 0, 20),
               number("--slice-interval", "between slices of a 2-D readout; 0: 3-D [s]", 0, 0, 1),
               number("--M0", "equilibrium signal of tissue [a.u.]", d.M0, 1e-6, 1e9),
               number("--M0-TR", "repetition time of the M0 image [s]", d.M0_TR, 0.1, 100),
               flag("--m0-included", "M0 is the first volume of the series"),
               number("--snr", "M0 over noise of one volume; 0: no noise", 0, 0, 1e6),
               integer("--seed", "of the noise", 1, 0, 2147483647)},
       .refs = {"Buxton et al., MRM 40:383 (1998)"},
       .examples = {"larmor dro asl -o phantom --PLD 0.5,1,1.5,2 --snr 300",
                    "larmor dro asl -o phantom --tissues --labelling pasl_q2tips --PLD 0.8,1.2,1.6,2,2.4",
                    "larmor asl phantom/config.yaml phantom -o maps && larmor validate maps phantom/truth"},
       .run = run});
}

}  // namespace larmor::cli
