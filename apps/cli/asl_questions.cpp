// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/io/bids.hpp>
#include <larmor/perfusion/asl/bids.hpp>
#include <larmor/perfusion/asl/m0.hpp>

#include "asl_job.hpp"
#include "text_table.hpp"
#include "wizard.hpp"

namespace larmor::cli {

void ask_asl(Wizard& w) {
  const AslFiles found = find_asl(w.data());
  Wizard::say(fmt::format("In {}:", w.data().string()));
  w.tell("ASL series", found.series), w.tell("volume types", found.contexts), w.tell("M0 scan", found.m0);
  w.tell("mask", found.mask), w.tell("T1 map", found.T1), w.tell("grey matter", found.GM),
      w.tell("white matter", found.WM);
  Wizard::say("");
  w.ask("input.series", "ASL series", w.first(found.series));
  const std::string series_name = w.value("input.series");
  const Image series = io::read_image(w.data() / series_name);
  if (series.data.rank() != 4)
    throw Error(Errc::shape, fmt::format("the ASL series is {}, not 4-D", to_string(series.data.shape())),
                "give a 4-D file (x, y, z, t)")
        .at(series_name);
  if (found.series.size() == 1 && series_name == w.first(found.series)) w.forget("input.series");
  const auto g = series.grid();
  Wizard::say(fmt::format("  {} x {} x {} voxels, {} volumes", g[0], g[1], g[2], series.volumes()));
  if (context_beside(w.data() / series_name, found.contexts).empty())
    w.ask("input.context", "Types of the volumes, a pattern that repeats", "label, control");
  w.ask_file("input.mask", "Mask of the voxels to quantify, or none", found.mask, true);

  if (const auto type = asl::fact_text(series.meta, "ArterialSpinLabelingType"); !type.empty()) {
    Wizard::say(fmt::format("  labelling: {}, from the sidecar", type));
  } else {
    std::vector<std::vector<std::string>> rows{{"labelling", ""}};
    for (const auto& [id, l] : asl::labellings()) rows.push_back({id, l.title});
    Wizard::say(text_table(rows, 2));
    w.ask("acquisition.labelling", "Labelling", "labelling.pcasl");
  }
  auto LD = asl::fact_numbers(series.meta, "LabelingDuration");
  if (LD.empty()) LD = asl::fact_numbers(series.meta, "BolusCutOffDelayTime");
  w.protocol("acquisition.LD", "Labelling duration (PASL: time of the bolus cut-off), one or one a volume", LD);
  const auto PLD = asl::fact_numbers(series.meta, "PostLabelingDelay");
  w.protocol("acquisition.PLD", "Post-labelling delay (PASL: inversion time), one or one a volume", PLD);
  w.ask("differences.method", "Subtraction (pairwise, surround, sinc, mean)", "difference.pairwise");
  std::vector<std::vector<std::string>> rows{{"M0", ""}};
  for (const auto& [id, m] : asl::m0_methods()) rows.push_back({id, m.title});
  Wizard::say(text_table(rows, 2));
  w.ask("m0.method", "M0 of blood", "m0.voxelwise");
  if (w.value("m0.method") == "m0.csf" || w.value("m0.method") == "m0.white_matter")
    w.ask("m0.region", "Mask of that tissue", "");
  if (found.m0.empty() && asl::fact_text(series.meta, "M0Type").empty() &&
      !Wizard::yes("There is no M0 scan: use the control images (background not suppressed)?", true))
    w.ask("m0.estimate", "M0 of tissue as a number", "");
  std::vector<double> delays = w.has("acquisition.PLD") ? w.config().numbers("acquisition.PLD") : PLD;
  bool many = false;
  for (const double d : delays) many = many || d != delays[0];
  w.ask("fit.method", "Kinetic model (kinetic), or the formula of one delay (formula)", many ? "kinetic" : "formula");
  if (w.value("fit.method") == "kinetic") w.ask("fit.model", "Model", "auto");
  if (!found.GM.empty() && !found.WM.empty())
    w.set("partial_volume.on",
          Wizard::yes("Correct for partial volumes of grey and white matter?", false) ? "true" : "false");
}

}  // namespace larmor::cli
