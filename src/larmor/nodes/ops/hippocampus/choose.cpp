// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/clinic/checks.hpp>
#include <larmor/clinic/rules.hpp>
#include <larmor/flow/node_type.hpp>
#include <larmor/io/dicom/damage.hpp>
#include <larmor/nodes/values/hippocampus.hpp>
#include <larmor/nodes/values/image.hpp>
#include <regex>
#include <sstream>

namespace larmor::nodes {
namespace {

// By its description alone, which is the first that a file says.
bool may_fit(const dicom::Damaged& d, const clinic::Rules& rules) {
  return std::any_of(rules.series.begin(), rules.series.end(), [&](const clinic::SeriesRule& rule) {
    return std::all_of(rule.match.begin(), rule.match.end(), [&](const auto& m) {
      return m.attribute != "SeriesDescription" || std::regex_search(d.description, std::regex(m.pattern));
    });
  });
}

void choose(flow::Ports& io) {
  const std::string folder = io.setting("study"), rules_file = io.setting("rules"), side = io.setting("side");
  const auto rules = rules_file.empty() ? clinic::default_rules() : clinic::read_rules(rules_file);
  std::vector<std::filesystem::path> files;
  std::istringstream lines(io.setting("files").str());
  for (std::string line; std::getline(lines, line);)
    if (!line.empty()) files.emplace_back(line);
  if (files.empty() && folder.empty())
    throw Error(Errc::usage, "no study is chosen", "set 'study' to the folder of a DICOM study");
  const auto found = files.empty() ? dicom::scan(folder, io.progress(), &io.cancel())
                                   : dicom::scan(std::move(files), io.progress(), &io.cancel());
  if (found.studies.empty())
    throw Error(Errc::format, fmt::format("no DICOM study is in {} ({} files)", folder, found.files),
                found.rejected.empty() ? "name the folder of a study" : dicom::rejected_text(found.rejected));
  if (found.studies.size() > 1) {
    std::string all;
    for (std::size_t k = 0; k < std::min<std::size_t>(found.studies.size(), 4); ++k)
      all += fmt::format("{}patient '{}' {}", k ? ", " : "", found.studies[k].patient_id,
                         found.studies[k].head().text("StudyDate"));
    throw Error(Errc::usage,
                fmt::format("{} studies are in {}: {}{}", found.studies.size(), folder, all,
                            found.studies.size() > 4 ? ", ..." : ""),
                "name the folder of one, or use larmor hippocampus batch");
  }
  const auto& study = found.studies[0];
  // A damaged file may be a slice, or the series that is looked for.
  const auto damaged = dicom::damaged_files(found);
  for (const auto& d : damaged) {
    const bool of_one =
        std::any_of(study.series.begin(), study.series.end(), [&](const auto& s) { return d.is_of(s); });
    if (!of_one && (d.series.empty() || may_fit(d, rules)))
      throw Error(Errc::format, d.reason, "copy or export the study again");
  }
  const auto choice = [&] {
    try {
      return clinic::choose_series(study, rules, side == "as_stored" ? "" : side);
    } catch (Error& e) {
      for (const auto& d : damaged) e.at(d.reason);  // it may be why
      throw;
    }
  }();
  for (const auto& c : choice.chosen) dicom::require_whole(*c.series, damaged);
  for (const auto& d : damaged) io.warn(d.reason + "; it is of a series that is not measured");
  const bool second = io.setting("second");
  if (second && choice.chosen.size() < 2)
    throw Error(Errc::usage, "the study has no second side", "measure the one that is there");
  const auto& chosen = choice.chosen[second ? 1 : 0];
  auto volume = dicom::read_volume(*chosen.series, {}, io.progress(), &io.cancel());
  clinic::check_picture(volume.image);
  for (const auto& w : volume.warnings) io.warn(w);
  for (const auto& line : choice.explanation) io.log(line);
  io.out("image") = volume.image;
  io.out("series") = ChosenSeries{*chosen.series, clinic::subject_of(*chosen.series, study), chosen.side,
                                  chosen.side_from, choice.explanation};
  io.out("sides") = static_cast<double>(choice.chosen.size());
}

}  // namespace

void register_hippocampus_choose(flow::NodeTypes& nodes) {
  nodes.add(
      "hippocampus.choose",
      flow::NodeType{
          .title = "Choose the hippocampus series",
          .does = "Chooses the crop around a hippocampus in a DICOM study by rules on its attributes, and reads it",
          .from = "DICOM PS3.3",
          .help = "Refuses with the reason for each series when none fits or several do. The side comes from "
                  "Laterality, the rules or the operator, never from the picture. "
                  "Sex, birth date and age come from other series of the study when the crop lacks them.",
          .impure = true,
          .tags = {"dicom", "study", "rules", "volumetry"}}
          .out<Image>("image", "the crop (x, y, z)")
          .out<ChosenSeries>("series", "the series, person and side")
          .out<double>("sides", "how many sides the study has")
          .set(flow::Setting::folder("study", "folder of a DICOM study"))
          .set(flow::Setting::open("rules", "which series to take (YAML); empty: MR with SeriesDescription HippoCrop",
                                   {"yaml", "yml"})
                   .or_none())
          .set(flow::Setting::choice("side", "where DICOM does not say it, the operator may", "as_stored",
                                     {"as_stored", "left", "right"}))
          .set({"second", "the right one of a study with both sides", false})
          .set(flow::Setting("files", "the files of the study, a line each, instead of its folder", "").lines())
          .run(choose));
}

}  // namespace larmor::nodes
