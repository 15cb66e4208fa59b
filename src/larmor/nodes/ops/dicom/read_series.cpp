// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/flow/node_type.hpp>
#include <larmor/io/dicom/damage.hpp>
#include <larmor/nodes/values/hippocampus.hpp>
#include <larmor/nodes/values/image.hpp>
#include <regex>

namespace larmor::nodes {
namespace {

void read_series(flow::Ports& io) {
  const auto found = dicom::scan(io.setting("folder").str(), io.progress(), &io.cancel());
  const std::string wanted = io.setting("series");
  std::regex pattern;
  try {
    pattern = std::regex(wanted, std::regex::icase);
  } catch (const std::regex_error& e) {
    throw Error(Errc::usage, fmt::format("'{}' is no regular expression: {}", wanted, e.what()),
                "write part of the description of a series");
  }
  std::vector<std::pair<const dicom::Study*, const dicom::Series*>> fit;
  std::string all;
  for (const auto& study : found.studies)
    for (const auto& series : study.series) {
      if (!series.head().has_pixels()) continue;
      all += (all.empty() ? "" : ", ") + series.describe();
      if (series.uid == wanted || std::regex_search(series.description, pattern)) fit.emplace_back(&study, &series);
    }
  if (fit.size() != 1)
    throw Error(Errc::usage, fmt::format("{} series fit '{}'", fit.size(), wanted),
                all.empty() ? "no images are here: " + dicom::rejected_text(found.rejected) : "choose one of " + all);
  const auto& [study, series] = fit[0];
  dicom::require_whole(*series, dicom::damaged_files(found));
  auto volume = dicom::read_volume(*series, {.allow_tilt = io.setting("tilt")}, io.progress(), &io.cancel());
  for (const auto& w : volume.warnings) io.warn(w);
  io.out("image") = volume.image;
  io.out("series") = ChosenSeries{*series, clinic::subject_of(*series, *study), {}, {}, {}};
}

}  // namespace

void register_dicom_read_series(flow::NodeTypes& nodes) {
  nodes.add(
      "dicom.read_series",
      flow::NodeType{.title = "Read DICOM series",
                     .does = "Reads one DICOM series as a volume, slices ordered by position",
                     .from = "DICOM PS3.3 C.7.6.2 and C.7.6.16",
                     .help = "Single- and multi-frame, uncompressed, JPEG, JPEG-LS and RLE. Gaps, duplicates, missing "
                             "slices, mixed orientations and tilt are errors that name the files. The affine is RAS.",
                     .tags = {"dcm", "load", "open", "scanner"}}
          .out<Image>("image", "the volume (x along rows, y along columns, z by position), maybe with a fourth axis")
          .out<ChosenSeries>("series", "its files, for what refers to them")
          .set(flow::Setting::folder("folder", "with DICOM files, or with folders of them"))
          .set({"series", "UID, or part of the description (regular expression); empty: the only one", ""})
          .set({"tilt", "keep slices that are shifted along each other, as a sheared grid", false})
          .run(read_series));
}

}  // namespace larmor::nodes
