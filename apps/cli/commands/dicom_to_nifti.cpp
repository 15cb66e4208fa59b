// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/core/log.hpp>
#include <larmor/io/dicom/damage.hpp>
#include <larmor/io/file.hpp>
#include <larmor/nodes/sidecar.hpp>
#include <nlohmann/json.hpp>

#include "../dicom_series.hpp"
#include "command.hpp"
#include "print_json.hpp"
#include "text_table.hpp"

namespace larmor::cli {
namespace {

namespace fs = std::filesystem;

std::string file_name(std::string description, const std::string& number) {
  for (char& c : description)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-') c = '_';
  return fmt::format("{}{}{}", number, number.empty() || description.empty() ? "" : "_",
                     description.empty() ? "series" : description.substr(0, 60));
}

struct Written {
  std::string file, text;
};

Written convert(const dicom::Series& series, const fs::path& path, const std::vector<dicom::Damaged>& damaged,
                const Call& call) {
  dicom::require_whole(series, damaged);
  const auto volume = dicom::read_volume(series, {.allow_tilt = call.flag("--tilt")}, console_progress(call.quiet),
                                         &Cancel::interrupt());
  for (const auto& w : volume.warnings) log::warning(series.description + ": " + w);
  const auto provenance = nlohmann::ordered_json{
      {"command", "larmor dicom to-nifti"}, {"version", LARMOR_VERSION}, {"files", series.instances.size()}};
  nodes::write_image_file(path, volume.image, series.description, provenance.dump());
  const auto mm = volume.image.affine.spacing();
  return {path.string(),
          fmt::format("{}  {}  {:.4g} x {:.4g} x {:.4g} mm  {}", path.string(), volume.image.data.describe(), mm[0],
                      mm[1], mm[2], volume.image.affine.orientation())};
}

int run(const Call& call) {
  const fs::path out = call.text("--out");
  const bool one = out.string().ends_with(".nii") || out.string().ends_with(".nii.gz");
  one ? io::require_writable_file(out) : io::require_writable_folder(out);
  const auto found = dicom::scan(call.text("PATH"), console_progress(call.quiet), &Cancel::interrupt());
  const auto damaged = dicom::damaged_files(found);
  std::vector<Written> written;
  int failed = 0;
  if (one || call.given("--series")) {
    const auto& series = chosen_series(found, call.text("--series"));
    written.push_back(convert(
        series, one ? out : out / (file_name(series.description, series.head().text("SeriesNumber")) + ".nii.gz"),
        damaged, call));
  } else {
    std::map<std::string, int> names;
    for (const auto& study : found.studies)
      for (const auto& series : study.series) {
        if (!series.head().has_pixels()) continue;
        auto name = file_name(series.description, series.head().text("SeriesNumber"));
        if (const int n = names[name]++) name += fmt::format("_{}", n + 1);
        try {
          written.push_back(convert(series, out / (name + ".nii.gz"), damaged, call));
        } catch (const Error& e) {
          if (e.code() == Errc::cancelled || e.code() == Errc::file) throw;
          fmt::print(stderr, "{}: not converted\n{}\n", series.describe(), e.what());
          ++failed;
        }
      }
    if (written.empty() && !failed)
      throw Error(Errc::format, fmt::format("no images are in {}", call.text("PATH")),
                  dicom::rejected_text(found.rejected));
  }
  if (call.json) {
    nlohmann::ordered_json files = nlohmann::ordered_json::array();
    for (const auto& w : written) files.push_back(w.file);
    print_json({{"files", files}, {"failed", failed}});
  } else {
    for (const auto& w : written) fmt::print("{}\n", w.text);
  }
  if (!found.rejected.empty() && !call.quiet) fmt::print(stderr, "{}\n", dicom::rejected_text(found.rejected));
  return failed ? 1 : 0;
}

}  // namespace

void register_dicom_to_nifti(Commands& commands) {
  commands.add(
      {.name = "dicom to-nifti",
       .does = "DICOM series as NIfTI with their geometry and the facts of a BIDS sidecar",
       .in = {{.name = "PATH", .what = "a file, or a folder with files below it", .kind = Kind::folder}},
       .opt = {file("--out", "name.nii.gz for one series, or a folder for all").as("-o").need(), series_option(),
               flag("--tilt", "keep slices that are shifted along each other, as a sheared grid")},
       .refs = {"DICOM PS3.3 C.7.6.2 (image plane)", "NIfTI-1"},
       .examples = {"larmor dicom to-nifti study1 -o nifti",
                    "larmor dicom to-nifti study1 --series T1post -o t1.nii.gz"},
       .more = "Slices are ordered by position; gaps, duplicates, missing slices and mixed orientations are errors "
               "that name the files. "
               "Voxel (0, 0, 0) is the first pixel of the first slice and axes follow rows, columns and the slice "
               "normal; the affine "
               "(RAS) says where that lies. Names, dates and identifiers of the patient are not written.",
       .run = run});
}

}  // namespace larmor::cli
