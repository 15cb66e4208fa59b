// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/units.hpp>
#include <larmor/io/bids.hpp>
#include <larmor/io/nifti.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "print_json.hpp"
#include "series_files.hpp"
#include "text_table.hpp"
#include "write_maps.hpp"

namespace larmor::cli {
namespace {

int run(const Call& call) {
  if (const std::string out = call.text("OUT"); !out.ends_with(".nii") && !out.ends_with(".nii.gz"))
    throw Error(Errc::usage, fmt::format("larmor conc: OUT is {}", out), "end the name in .nii or .nii.gz");
  const Image signal = io::read_image(call.text("DYNAMIC"));
  if (signal.data.rank() != 4)
    throw Error(Errc::shape, fmt::format("the dynamic series is {}, not 4-D", to_string(signal.data.shape())),
                "give a 4-D file (x, y, z, t)")
        .at(call.text("DYNAMIC"));
  const auto times = frame_times(call, "--frame-time", signal);
  dce::Spgr spgr;
  spgr.FA = option_or(call, "--FA", units::degree, in_rad(meta_numbers(signal.meta, "FlipAngle")), true)[0];
  spgr.TR = option_or(call, "--TR", units::millisecond, meta_TR(signal.meta), true)[0];
  spgr.r1 = call.number("--r1");
  spgr.check();
  if (call.given("--T1") == call.given("--T1-map"))
    throw Error(Errc::usage, "larmor conc: give either --T1 or --T1-map",
                "--T1 1.4 for one value [s], --T1-map T1.nii.gz for a map [s]");
  std::vector<float> T10;
  if (call.given("--T1"))
    T10.push_back(static_cast<float>(call.number("--T1")));
  else
    T10 = read_map(call.text("--T1-map"), signal, "T1 map");
  try {
    require_middle(T10, T1_middle.first, T1_middle.second, "T1 map in s", "give a map in s, not in ms");
  } catch (Error& e) {
    throw e.at("larmor conc: --T1-map");
  }
  std::vector<float> B1;
  if (call.given("--B1")) B1 = read_B1(call, signal);
  const auto mask = read_mask(call, "--mask", signal);
  dce::ConversionOptions o;
  o.device = call.device;
  o.method = call.text("--method");
  if (call.given("--baseline")) o.baseline_last = call.integer("--baseline");
  if (o.baseline_last >= signal.volumes())
    throw Error(
        Errc::usage,
        fmt::format("larmor conc: --baseline is {} and the series has {} frames", o.baseline_last, signal.volumes()),
        "leave frames behind it");
  const auto& cancel = Cancel::interrupt();
  const auto c = dce::signal_to_concentration(signal.data, times, spgr, T10, B1, mask, o, &cancel);
  cancel.check();
  std::int64_t good = 0, looked = 0;
  for (const auto s : c.status) good += fit::usable(s), looked += s != fit::FitStatus::outside;
  if (good == 0)
    throw Error(Errc::numeric, fmt::format("none of {} voxels has a usable signal", with_commas(looked)),
                "check the mask, the flip angle [deg], TR [ms] and T1 [s]")
        .at("larmor conc");
  Image out = signal.like(c.concentration);
  out.times = times;
  io::write_nifti(call.text("OUT"), out,
                  {.description = "concentration [mM]",
                   .provenance = provenance_json("larmor conc",
                                                 {{"FA_rad", fmt::format("{}", spgr.FA)},
                                                  {"TR_s", fmt::format("{}", spgr.TR)},
                                                  {"r1", fmt::format("{}", spgr.r1)}},
                                                 {{"dynamic", call.text("DYNAMIC")}})});
  const auto mean = dce::mean_curve(c.concentration, mask);
  const double peak = *std::max_element(mean.begin(), mean.end());
  if (call.json)
    print_json({{"out", call.text("OUT")},
                {"baseline_frames", {c.baseline_first, c.baseline_last - 1}},
                {"peak_of_mean_mM", peak},
                {"voxels", looked},
                {"failed", looked - good}});
  else
    fmt::print("baseline frames {} to {}, peak of the mean curve {} mM  ({} voxels, {} without a solution)\n",
               c.baseline_first, c.baseline_last - 1, short_number(peak), with_commas(looked),
               with_commas(looked - good));
  return 0;
}

}  // namespace

void register_conc(Commands& commands) {
  commands.add(
      {.name = "conc",
       .does = "Contrast agent concentration [mM] from the signal of a spoiled gradient echo",
       .in = {{.name = "DYNAMIC", .what = "4-D series (x, y, z, t)"}},
       .out = {{.name = "OUT", .what = "concentration [mM], .nii or .nii.gz"}},
       .opt = {Option{.name = "--T1",
                      .what = "T1 before contrast of every voxel [s]",
                      .kind = Kind::number,
                      .lower = 0.01,
                      .upper = 20},
               file("--T1-map", "map of T1 before contrast [s]"),
               Option{.name = "--FA",
                      .what = "flip angle; default: the sidecar's [deg]",
                      .kind = Kind::number,
                      .lower = 0.01,
                      .upper = 180},
               Option{.name = "--TR",
                      .what = "repetition time; default: the sidecar's [ms]",
                      .kind = Kind::number,
                      .lower = 0.1,
                      .upper = 20000},
               number("--r1", "relaxivity [1/(s mM)]", 4.5, 0.01, 200),
               Option{.name = "--baseline",
                      .what = "frames before contrast, from the first; default: up to the arrival of the bolus",
                      .kind = Kind::integer,
                      .lower = 1,
                      .upper = 100000},
               Option{.name = "--frame-time",
                      .what = "time between frames; default: the sidecar's or header's [s]",
                      .kind = Kind::number,
                      .lower = 1e-3,
                      .upper = 3600},
               text("--method", "exact (spgr), or linear in the signal (linear)", "spgr").one_of([] {
                 return std::vector<std::string>{"spgr", "linear"};
               }),
               file("--mask", "voxels to convert, those not 0; default: every voxel"),
               file("--B1", "map of actual / nominal flip angle [1]")},
       .refs = {"Haase et al., JMR 67:258 (1986)"},
       .examples = {"larmor conc dynamic.nii.gz conc.nii.gz --T1-map t1/T1.nii.gz --FA 15 --TR 5"},
       .run = run});
}

}  // namespace larmor::cli
