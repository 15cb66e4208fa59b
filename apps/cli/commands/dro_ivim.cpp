// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/perfusion/ivim/simulate.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "dro_folder.hpp"
#include "pipeline.hpp"
#include "text_table.hpp"

namespace larmor::cli {
namespace {

using json = nlohmann::ordered_json;

std::pair<double, double> range_of(const Call& call, const char* name) {
  const auto r = call.numbers(name);
  if (r.size() != 2 || !(r[0] <= r[1]))
    throw Error(Errc::usage, fmt::format("larmor dro ivim: {} is not a lower and an upper number", name),
                fmt::format("give it as {} 0.1,0.4", name));
  return {r[0], r[1]};
}

int run(const Call& call) {
  const auto grid = call.numbers("--grid");
  if (grid.size() != 3)
    throw Error(Errc::usage, fmt::format("larmor dro ivim: --grid holds {} numbers, not 3", grid.size()),
                "give it as 64,64,8");
  const bool regions = call.text("--layout") == "regions";
  if (regions && (grid[0] != grid[1] || grid[2] != 1))
    throw Error(Errc::usage, "larmor dro ivim: the picture of three regions is one square slice",
                "give --grid 100,100,1");
  std::vector<double> b;
  for (int i = 0; i < call.integer("--repeats"); ++i)
    for (const double x : call.numbers("--b")) b.push_back(x);
  ivim::Prior prior;
  std::tie(prior.f_low, prior.f_high) = range_of(call, "--f");
  std::tie(prior.D_low, prior.D_high) = range_of(call, "--D");
  std::tie(prior.D_star_low, prior.D_star_high) = range_of(call, "--D-star");
  prior.log_D_star = false;
  const double noise = call.number("--noise");
  const auto seed = static_cast<std::uint64_t>(call.integer("--seed"));
  const std::vector<std::int64_t> shape{static_cast<std::int64_t>(grid[0]), static_cast<std::int64_t>(grid[1]),
                                        static_cast<std::int64_t>(grid[2])};
  const auto n = static_cast<std::size_t>(shape[0] * shape[1] * shape[2]);
  const auto s = regions ? ivim::three_regions(static_cast<std::size_t>(shape[0]), b, noise, seed)
                         : ivim::simulate(n, b, prior, noise, !call.given("--gaussian"), seed);
  Image series;
  series.data =
      s.signal.reshaped({shape[0], shape[1], shape[2], static_cast<std::int64_t>(b.size())}, {"x", "y", "z", "b"});
  series.affine = Affine::scaling(2, 2, 4);
  series.meta["bValues"] = b;
  ParameterMaps truth;
  const Shape volume{shape[0], shape[1], shape[2]};
  constexpr const char* names[] = {"S0", "f", "D", "D_star"};
  constexpr const char* units[] = {"a.u.", "1", "mm2/s", "mm2/s"};
  for (std::size_t m = 0; m < 4; ++m)
    truth.maps.push_back({names[m], names[m], units[m], "truth", Array::from<float>(s.truth[m], volume), {}});
  truth.reference = series.like(truth.maps[0].values);
  const json about{{"software", "larmor"},
                   {"version", LARMOR_VERSION},
                   {"model", "ivim.biexponential"},
                   {"layout", call.text("--layout")},
                   {"b", b},
                   {"noise_sd", noise},
                   {"rician", !call.given("--gaussian")},
                   {"f", {prior.f_low, prior.f_high}},
                   {"D", {prior.D_low, prior.D_high}},
                   {"D_star", {prior.D_star_low, prior.D_star_high}},
                   {"grid", shape},
                   {"seed", seed}};
  DroFolder out(call.text("--out"), provenance_json("larmor dro ivim", {{"object", about.dump()}}, {}));
  out.series("dwi", series);
  std::string bval;
  for (const double x : b) bval += fmt::format("{} ", x);
  bval.back() = '\n';
  io::write_text(out.path() / "dwi.bval", bval);
  out.mask(series.like(Array::from<std::uint8_t>(std::vector<std::uint8_t>(n, 1), volume)));
  out.truth(truth, "ivim.biexponential");
  std::map<std::string, std::string> c{{"fit.method", "ivim.posterior"}, {"fit.log_D_star", "false"}};
  const auto list = [](double low, double high) { return fmt::format("[{}, {}]", low, high); };
  if (!regions) {
    c["fit.f"] = list(prior.f_low, prior.f_high), c["fit.D"] = list(prior.D_low, prior.D_high);
    c["fit.D_star"] = list(prior.D_star_low, prior.D_star_high);
  }
  if (noise > 0)
    c["fit.noise_sd"] = fmt::format("{}", noise);
  else
    c["fit.method"] = "ivim.lm";  // a posterior needs noise
  if (call.given("--gaussian")) c["fit.magnitude"] = "false";
  out.finish(about.dump(2),
             config_yaml(pipelines().get("ivim").config(), c, true,
                         "How larmor ivim fits the digital reference object in this folder.\nlarmor ivim --defaults "
                         "prints every key."));
  if (call.json)
    print_dro(call, about);
  else
    fmt::print("{}: {} x {} x {} voxels, {} volumes\n", call.text("--out"), shape[0], shape[1], shape[2], b.size());
  return 0;
}

Option pair_of(const char* name, const char* what, const char* start, double upper) {
  return Option{.name = name, .what = what, .kind = Kind::number, .start = start, .lower = 0, .upper = upper}.many();
}

}  // namespace

void register_dro_ivim(Commands& commands) {
  commands.add(
      {.name = "dro ivim",
       .does = "Digital reference object for IVIM: signals of known parameters with Rician noise",
       .opt = {folder("--out", "folder that receives dwi with its .bval, mask, truth/, dro.json and config.yaml")
                   .output()
                   .as("-o")
                   .need(),
               Option{.name = "--grid",
                      .what = "voxels along x, y and z",
                      .kind = Kind::integer,
                      .start = "64,64,8",
                      .lower = 1,
                      .upper = 2048}
                   .many(),
               text("--layout", "parameters drawn evenly (random), or the picture of three regions (regions)", "random")
                   .one_of([] {
                     return std::vector<std::string>{"random", "regions"};
                   }),
               Option{.name = "--b",
                      .what = "b-values [s/mm2]",
                      .kind = Kind::number,
                      .start = "0,10,20,60,150,300,500,1000",
                      .lower = 0,
                      .upper = 1e5}
                   .many(),
               integer("--repeats", "of all b-values", 1, 1, 1000),
               number("--noise", "standard deviation of the noise of one channel, S0 = 1 [1]", 0.01, 0, 10),
               flag("--gaussian", "Gaussian noise instead of Rician"), pair_of("--f", "range of f [1]", "0.1,0.4", 1),
               pair_of("--D", "range of D [mm2/s]", "0.0005,0.002", 0.1),
               pair_of("--D-star", "range of D* [mm2/s]", "0.01,0.1", 10),
               integer("--seed", "of the random numbers", 1, 0, 2147483647)},
       .refs = {"Barbieri et al., Magn. Reson. Med. 83:312 (2020)"},
       .examples = {"larmor dro ivim -o phantom --noise 0.02",
                    "larmor ivim phantom/config.yaml phantom -o maps && larmor validate maps phantom/truth"},
       .run = run});
}

}  // namespace larmor::cli
