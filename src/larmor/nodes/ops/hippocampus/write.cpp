// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/clinic/write.hpp>
#include <larmor/flow/node_type.hpp>
#include <larmor/io/file.hpp>
#include <larmor/nodes/hippocampus.hpp>
#include <sstream>

namespace larmor::nodes {
namespace {

// Results that are replaced may be somebody else's.
void warn_of_others(flow::Ports& io, const std::filesystem::path& folder, const clinic::Results& results) {
  std::error_code ec;
  if (!std::filesystem::exists(folder / "results.json", ec)) return;
  try {
    const auto old = clinic::read_earlier(folder / "results.json");
    if (old.study_uid != results.head().text("StudyInstanceUID"))
      io.warn(fmt::format("results of patient '{}', study of {}, are replaced in {}", old.patient_id, old.date,
                          folder.string()));
  } catch (const Error&) {
    io.warn(fmt::format("damaged results are replaced in {}", folder.string()));
  }
}

void write(flow::Ports& io) {
  const std::string folder = io.setting("folder");
  if (folder.empty()) throw Error(Errc::usage, "no folder is named", "set 'folder'");
  std::vector<Measured> sides{io.in<Measured>("hippocampus")};
  if (io.has("other")) sides.push_back(io.in<Measured>("other"));
  ReportSettings settings{.norms = io.setting("norms").str(), .earlier = {}};
  std::istringstream lines(io.setting("earlier").str());
  for (std::string line; std::getline(lines, line);)
    if (!line.empty()) settings.earlier.push_back(line);
  const auto results = assemble(sides, settings);
  io.cancel().check();
  io::OutputFolder out(folder);
  for (const auto& side : results.sides)
    for (const auto& i : side.series.instances)
      if (std::error_code ec; std::filesystem::equivalent(i.file.parent_path(), out.target(), ec))
        throw Error(Errc::usage, fmt::format("results would be written among the images in {}", folder),
                    "name another folder: the study is not changed");
  warn_of_others(io, out.target(), results);
  const auto objects = clinic::write_results(out.path(), results,
                                             {.fractional = io.setting("segmentation").str() == "fractional",
                                              .pdf = io.setting("pdf"),
                                              .secondary_capture = io.setting("page"),
                                              .series_number = static_cast<int>(io.setting("series_number")),
                                              .provenance = io.provenance()});
  io.cancel().check();
  const auto stale = clinic::stale_results(out.target(), out.path());
  out.commit();
  for (const auto& file : stale) std::filesystem::remove(file);
  flow::Value::List names;
  for (const auto& o : objects) names.emplace_back((out.target() / o.filename()).string());
  io.out("folder") = folder;
  io.out("objects") = names;
  io.out("results") = flow::from_json(clinic::results_json(results));
}

}  // namespace

void register_hippocampus_write(flow::NodeTypes& nodes) {
  nodes.add(
      "hippocampus.write",
      flow::NodeType{
          .title = "Write hippocampus results",
          .does =
              "Writes DICOM SEG, SR, PDF and Secondary Capture, a PDF, NIfTI labels, JSON and CSV of one or two sides",
          .from = "DICOM PS3.3 A.51, A.35.2, A.45.1, A.8.1; PS3.16 TID 1500",
          .help = "The folder appears whole or not at all. Patient and study attributes are copied byte for byte; the "
                  "input is not touched. Research use only, not for diagnosis.",
          .effect = true,
          .tags = {"dicom", "report", "save", "export", "seg", "sr"}}
          .in<Measured>("hippocampus", "one side")
          .maybe<Measured>("other", "the other side of the same study, for the asymmetry")
          .out<std::string>("folder", "the folder")
          .out<flow::Value::List>("objects", "the DICOM files")
          .out<flow::Value>("results", "what results.json says")
          .set(flow::Setting::save("folder", "folder that receives the results", "hippocampus"))
          .set(flow::Setting::choice("segmentation",
                                     "frames of the segmentation object: 1 bit, or 8 for viewers that need them",
                                     "binary", {"binary", "fractional"}))
          .set({"pdf", "write the report as PDF and in DICOM", true})
          .set({"page", "write the report as Secondary Capture", true})
          .set(flow::Setting::open("norms", "table of normal volumes; empty: no percentiles", {"csv", "tsv"}).or_none())
          .set(flow::Setting("earlier",
                             "results.json of earlier studies of the patient, or folders with some, a line each", "")
                   .lines())
          .set({"series_number", "series numbers of the objects count from here", 9900, 0, 99999})
          .run(write));
}

}  // namespace larmor::nodes
