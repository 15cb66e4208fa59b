// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/core/units.hpp>
#include <larmor/io/file.hpp>
#include <nlohmann/json.hpp>

#include "catalogue.hpp"
#include "command.hpp"
#include "print_json.hpp"
#include "series_files.hpp"
#include "text_table.hpp"
#include "write_maps.hpp"

namespace larmor::cli {
namespace {

int run(const Call& call) {
  const std::string id = dce::t1_methods().resolve(call.text("METHOD"));
  const auto& method = dce::t1_methods().get(id);
  std::vector<std::filesystem::path> paths;
  for (const auto& p : call.texts("SERIES")) paths.emplace_back(p);
  const Series series = read_series(paths);
  if (series.image.data.rank() != 4)
    throw Error(Errc::shape, fmt::format("the series is {}, not 4-D", to_string(series.image.data.shape())),
                "give one 4-D file (x, y, z, volume), or one 3-D file a volume")
        .at(paths[0].string())
        .at("larmor t1");
  dce::T1Protocol p;
  p.device = call.device;
  p.FA = option_or(call, "--FA", units::degree, series.FA, false);
  p.TR = option_or(call, "--TR", units::millisecond, series.TR, false);
  p.TI = option_or(call, "--TI", units::millisecond, series.TI, false);
  p.magnitude = !call.given("--signed");
  if (!p.FA.empty()) p.readout_FA = p.FA[0];
  const auto mask = read_mask(call, "--mask", series.image);
  std::vector<float> B1;
  if (call.given("--B1")) B1 = read_B1(call, series.image);
  const auto& cancel = Cancel::interrupt();
  const auto t1 = method.map(series.image.data, p, B1, mask, console_progress(call.quiet), &cancel);
  cancel.check();

  Image reference = series.image;
  if (series.image.data.rank() == 4) reference.data = series.image.data.slice(3, 0);
  const ParameterMaps maps = dce::maps_of(t1, reference);
  std::int64_t usable = 0, looked = 0;
  for (const auto st : t1.status) usable += fit::usable(st), looked += st != fit::FitStatus::outside;
  if (usable == 0)
    throw Error(Errc::numeric, fmt::format("none of {} voxels has a usable T1", with_commas(looked)),
                "check the mask, the flip angles [deg], TR and TI [ms] and the order of the volumes")
        .at("larmor t1");

  MapFiles files{.folder = {}, .provenance = {}, .model = id, .sources = call.texts("SERIES")};
  std::vector<std::pair<std::string, std::string>> sources;
  for (const auto& f : files.sources) sources.emplace_back("series", f);
  files.provenance = provenance_json("larmor t1",
                                     {{"method", "\"" + id + "\""},
                                      {"FA_rad", fmt::format("[{}]", fmt::join(p.FA, ","))},
                                      {"TR_s", fmt::format("[{}]", fmt::join(p.TR, ","))},
                                      {"TI_s", fmt::format("[{}]", fmt::join(p.TI, ","))}},
                                     sources);
  io::OutputFolder out(call.text("--out"));
  files.folder = out.path();
  write_maps(maps, files);
  write_dataset_description(out.path(), "T1 mapping", "larmor t1 " + id);
  cancel.check();
  out.commit();
  const auto sum = summarise(maps.maps[0], false);
  if (call.json)
    print_json({{"folder", call.text("--out")},
                {"method", id},
                {"median_T1_s", sum.median},
                {"voxels", looked},
                {"failed", looked - usable}});
  else
    fmt::print("T1  median {} s (5 to 95 %: {} to {})  ({} voxels, {} failed)\n", short_number(sum.median),
               short_number(sum.p5), short_number(sum.p95), with_commas(looked), with_commas(looked - usable));
  return 0;
}

}  // namespace

void register_t1(Commands& commands) {
  commands.add(
      {.name = "t1",
       .does = "T1 map from a series of flip angles or inversion times",
       .in =
           {{.name = "METHOD", .what = "how", .kind = Kind::text, .choices = t1_ids},
            {.name = "SERIES", .what = "one 4-D file, or one 3-D file a volume", .kind = Kind::file, .repeated = true}},
       .opt = {folder("--out", "folder that receives T1, M0, their standard errors, R2 and status")
                   .output()
                   .as("-o")
                   .need(),
               Option{
                   .name = "--FA",
                   .what = "flip angle of each volume, or of the read-out of Look-Locker; default: the sidecar's [deg]",
                   .kind = Kind::number,
                   .lower = 0.01,
                   .upper = 360}
                   .many(),
               Option{.name = "--TR",
                      .what = "repetition time, one for all or one a volume; default: the sidecar's [ms]",
                      .kind = Kind::number,
                      .lower = 0.1,
                      .upper = 60000}
                   .many(),
               Option{.name = "--TI",
                      .what = "inversion time of each volume; default: the sidecar's [ms]",
                      .kind = Kind::number,
                      .lower = 0.1,
                      .upper = 60000}
                   .many(),
               file("--mask", "voxels to map, those not 0; default: every voxel"),
               file("--B1", "map of actual / nominal flip angle [1]"),
               flag("--signed", "inversion recovery data carry their sign")},
       .refs = {"Deoni et al., MRM 49:515 (2003)", "Look and Locker, Rev Sci Instrum 41:250 (1970)"},
       .examples = {"larmor t1 vfa_nonlinear vfa.nii.gz --FA 2,5,10,15 --TR 5 -o t1"},
       .run = run});
}

}  // namespace larmor::cli
