// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/io/bids.hpp>
#include <larmor/io/png.hpp>
#include <larmor/nodes/aif_picture.hpp>
#include <larmor/perfusion/dce/aif_models.hpp>
#include <nlohmann/json.hpp>

#include "catalogue.hpp"
#include "command.hpp"
#include "print_json.hpp"
#include "series_files.hpp"
#include "text_table.hpp"

namespace larmor::cli {
namespace {

int sample(const Call& call) {
  const std::string id = dce::aif_models().resolve(call.text("MODEL"));
  const auto& model = dce::aif_models().get(id);
  const double step = call.number("--step"), duration = call.number("--duration");
  std::vector<double> times;
  for (std::size_t i = 0; static_cast<double>(i) * step <= duration * (1 + 1e-12); ++i)
    times.push_back(static_cast<double>(i) * step);
  if (times.size() < 2)
    throw Error(Errc::usage, fmt::format("larmor aif sample: --duration {} s holds 1 sample of {} s", duration, step),
                "give a longer duration or a shorter step");
  const double arrival = call.number("--arrival"), Hct = call.number("--Hct");
  const Aif plasma = dce::sample_aif(model, times, arrival, Hct);
  const bool blood = call.given("--blood");
  Column c{.name = blood ? "blood_mM" : "plasma_mM"};
  for (const double x : plasma.values) c.values.push_back(x * (blood ? 1 - Hct : 1));
  print_columns(call, {{"model", id}, {"arrival_s", arrival}, {"Hct", Hct}},
                {{.name = "time", .values = times, .key = "time_s"}, c});
  return 0;
}

int detect(const Call& call) {
  Image series = io::read_image(call.text("CONC"));
  if (series.data.rank() != 4)
    throw Error(Errc::shape, fmt::format("the series is {}, not 4-D", to_string(series.data.shape())),
                "give a concentration series (x, y, z, t) from larmor conc")
        .at(call.text("CONC"));
  const auto times = frame_times(call, "--frame-time", series);
  const auto mask = read_mask(call, "--mask", series);
  const Array c = series.data.cast(DType::f32).contiguous_copy();
  const auto d = dce::detect_aif(c, times, mask);
  Cancel::interrupt().check();
  write_curve(call.text("OUT"), d.blood, "blood_mM");
  if (call.given("--picture"))
    io::write_png(call.text("--picture"), nodes::aif_picture(series, d.voxels),
                  std::vector<std::pair<std::string, std::string>>{{"Description", "voxels taken as artery, red"},
                                                                   {"Software", "larmor " LARMOR_VERSION}});
  const auto top = std::max_element(d.blood.values.begin(), d.blood.values.end());
  const double top_time = times[static_cast<std::size_t>(top - d.blood.values.begin())];
  if (call.json) {
    nlohmann::ordered_json told{{"out", call.text("OUT")},  {"voxels", d.voxels.size()}, {"candidates", d.n_candidates},
                                {"clusters", d.n_clusters}, {"peak_mM", *top},           {"peak_time_s", top_time}};
    if (call.given("--picture")) told["picture"] = call.text("--picture");
    print_json(told);
    return 0;
  }
  fmt::print("{} voxels of {} candidates in {} clusters; peak {} mM (whole blood) at {} s\n", d.voxels.size(),
             with_commas(d.n_candidates), d.n_clusters, short_number(*top), short_number(top_time));
  return 0;
}

}  // namespace

void register_aif(Commands& commands) {
  commands.add(
      {.name = "aif sample",
       .does = "A population arterial input function as CSV on stdout",
       .in = {{.name = "MODEL", .what = "which curve", .kind = Kind::text, .choices = aif_ids}},
       .opt = {number("--arrival", "when the bolus arrives [s]", 0, -600, 3600),
               number("--Hct", "haematocrit [1]", 0.42, 0, 0.9), flag("--blood", "whole blood instead of plasma"),
               number("--duration", "length of the curve [s]", 300, 0.1, 36000),
               number("--step", "time between samples [s]", 1, 0.01, 600)},
       .examples = {"larmor aif sample parker --arrival 20 > aif.csv"},
       .run = sample});
  commands.add(
      {.name = "aif detect",
       .does = "Finds the artery in a concentration series and writes its curve, and a picture of the voxels chosen",
       .in = {{.name = "CONC", .what = "concentration [mM] (x, y, z, t), from larmor conc"}},
       .out = {{.name = "OUT", .what = "CSV with time [s] and whole-blood concentration [mM]"}},
       .opt = {file("--picture", "PNG of the chosen voxels").output(),
               file("--mask", "where to look; default: everywhere"),
               Option{.name = "--frame-time",
                      .what = "time between frames; default: the sidecar's or header's [s]",
                      .kind = Kind::number,
                      .lower = 1e-3,
                      .upper = 3600}},
       .examples = {"larmor aif detect conc.nii.gz aif.csv --picture aif.png"},
       .run = detect});
}

}  // namespace larmor::cli
