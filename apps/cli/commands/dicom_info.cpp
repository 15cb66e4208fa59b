// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "../dicom_series.hpp"
#include "command.hpp"
#include "print_json.hpp"
#include "text_table.hpp"

namespace larmor::cli {
namespace {

using json = nlohmann::ordered_json;

std::string number_text(double v) { return fmt::format("{:.4g}", v); }

json series_info(const dicom::Series& series) {
  const auto& d = series.head();
  json j{{"number", d.text("SeriesNumber")},
         {"description", series.description},
         {"modality", series.modality},
         {"class", dicom::class_name(d.text("SOPClassUID"))},
         {"objects", series.instances.size()},
         {"uid", series.uid},
         {"transfer_syntax", d.transfer_syntax_name()},
         {"folder", series.instances[0].file.parent_path().string()}};
  if (!d.has_pixels()) return j;
  try {
    const auto layout = dicom::lay_out(series);
    json size = json::array();
    for (std::size_t k = 0; k < (layout.size[3] > 1 ? 4U : 3U); ++k) size.push_back(layout.size[k]);
    j["size"] = size;
    if (layout.size[3] > 1) j["fourth_axis"] = layout.fourth;
    j["spacing_mm"] = layout.affine.spacing();
    j["orientation"] = layout.affine.orientation();
    json affine = json::array();
    for (const auto& row : layout.affine.m) affine.push_back(row);
    j["affine"] = affine;
    j["warnings"] = layout.warnings;
  } catch (const Error& e) {
    j["no_volume"] = e.message();
  }
  return j;
}

std::string table_of(const json& studies) {
  std::string out;
  for (const auto& study : studies) {
    out += fmt::format("patient {}  {}  study {} {}  {}\n", study["patient_id"].get<std::string>(),
                       study["patient_name"].get<std::string>(), study["date"].get<std::string>(),
                       study["description"].get<std::string>(), study["uid"].get<std::string>());
    std::vector<std::vector<std::string>> rows{
        {"series", "modality", "description", "objects", "size", "spacing [mm]", "axes"}};
    std::string notes;
    for (const auto& s : study["series"]) {
      std::string size, spacing, axes;
      if (s.contains("size")) {
        size = fmt::format("{}", fmt::join(s["size"].get<std::vector<int>>(), " x "));
        std::vector<std::string> mm;
        for (const double v : s["spacing_mm"]) mm.push_back(number_text(v));
        spacing = fmt::format("{}", fmt::join(mm, " x "));
        axes = s["orientation"].get<std::string>();
      }
      rows.push_back(
          {s["number"], s["modality"], s["description"], std::to_string(s["objects"].get<int>()), size, spacing, axes});
      const auto label = s["number"].get<std::string>() + " " + s["description"].get<std::string>();
      if (s.contains("no_volume"))
        notes += fmt::format("  {}: no volume: {}\n", label, s["no_volume"].get<std::string>());
      if (s.contains("warnings"))
        for (const auto& w : s["warnings"]) notes += fmt::format("  {}: {}\n", label, w.get<std::string>());
    }
    out += text_table(rows) + notes;
  }
  return out;
}

int run(const Call& call) {
  const auto found = dicom::scan(call.text("PATH"), console_progress(call.quiet), &Cancel::interrupt());
  if (found.studies.empty())
    throw Error(Errc::format, fmt::format("no DICOM object is in {} ({} files)", call.text("PATH"), found.files),
                dicom::rejected_text(found.rejected));
  json studies = json::array();
  for (const auto& study : found.studies) {
    const auto& d = study.head();
    json series = json::array();
    for (const auto& s : study.series) series.push_back(series_info(s));
    studies.push_back({{"patient_id", study.patient_id},
                       {"patient_name", study.patient_name},
                       {"uid", study.uid},
                       {"date", d.text("StudyDate")},
                       {"description", d.text("StudyDescription")},
                       {"series", series}});
  }
  json rejected = json::array();
  for (const auto& r : found.rejected) rejected.push_back({{"file", r.file.string()}, {"reason", r.reason}});
  if (call.json)
    print_json({{"studies", studies}, {"rejected", rejected}});
  else
    fmt::print("{}", table_of(studies));
  if (!found.rejected.empty() && !call.quiet) fmt::print(stderr, "{}\n", dicom::rejected_text(found.rejected));
  return 0;
}

}  // namespace

void register_dicom_info(Commands& commands) {
  commands.add({.name = "dicom info",
                .does = "What a DICOM file or folder holds: studies, series, sizes, spacing, and why one is no volume",
                .in = {{.name = "PATH", .what = "a file, or a folder with files below it", .kind = Kind::folder}},
                .examples = {"larmor dicom info study1", "larmor dicom info study1 --json"},
                .more = "Series are told apart by content, whatever files and folders are called. The geometry is that "
                        "of the volume that "
                        "larmor dicom to-nifti would write.",
                .run = run});
}

}  // namespace larmor::cli
