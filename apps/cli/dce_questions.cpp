// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/io/bids.hpp>
#include <larmor/perfusion/dce/model.hpp>

#include "catalogue.hpp"
#include "dce_job.hpp"
#include "series_files.hpp"
#include "text_table.hpp"
#include "wizard.hpp"

namespace larmor::cli {
namespace fs = std::filesystem;
namespace {

class Questions {
 public:
  explicit Questions(Wizard& wizard) : w_(wizard) {}

  void all() {
    find();
    series();
    if (w_.value("input.kind") == "signal") signal();
    artery();
    model();
    if (found_.dynamic.size() == 1 && w_.value("input.dynamic") == w_.first(found_.dynamic)) w_.forget("input.dynamic");
  }

 private:
  void find() {
    found_ = find_files(w_.data());
    Wizard::say(fmt::format("In {}:", w_.data().string()));
    w_.tell("dynamic series", found_.dynamic);
    w_.tell("T1 series", found_.series);
    w_.tell("T1 map", found_.t1_map);
    w_.tell("B1 map", found_.b1);
    w_.tell("mask", found_.mask);
    w_.tell("AIF mask", found_.aif_mask);
    Wizard::say("");
  }

  void series() {
    w_.ask("input.dynamic", "Dynamic series", w_.first(found_.dynamic));
    dynamic_ = io::read_image(w_.data() / w_.value("input.dynamic"));
    if (dynamic_.data.rank() != 4)
      throw Error(Errc::shape, fmt::format("the dynamic series is {}, not 4-D", to_string(dynamic_.data.shape())),
                  "give a 4-D file (x, y, z, t)")
          .at(w_.value("input.dynamic"));
    const auto g = dynamic_.grid();
    Wizard::say(fmt::format("  {} x {} x {} voxels, {} frames", g[0], g[1], g[2], dynamic_.volumes()));
    w_.ask("input.kind", "Does it hold signal or concentration?", "signal");
    if (static_cast<std::int64_t>(dynamic_.times.size()) == dynamic_.volumes())
      Wizard::say(fmt::format("  frames from {} to {} s, from its sidecar or header",
                              short_number(dynamic_.times.front()), short_number(dynamic_.times.back())));
    else
      w_.ask("input.frame_time", "Time between frames (not TR)", "");
    w_.ask_file("input.mask", "Mask of the voxels to fit, or none", found_.mask, true);
  }

  void signal() {
    w_.protocol("signal.FA", "Flip angle of the dynamic series", in_rad(meta_numbers(dynamic_.meta, "FlipAngle")));
    w_.protocol("signal.TR", "Repetition time between excitations", meta_TR(dynamic_.meta));
    w_.ask("signal.r1", "Relaxivity of the contrast agent", "4.5");
    w_.ask("t1.source", "T1 before contrast: from a series of flip angles (series), a map, or one value (fixed)",
           !found_.t1_map.empty()   ? "map"
           : !found_.series.empty() ? "series"
                                    : "fixed");
    const std::string source = w_.value("t1.source");
    if (source == "fixed") {
      w_.ask("t1.fixed", "T1 of every voxel", "1.4");
    } else if (source == "map") {
      w_.ask_file("t1.map", "T1 map", found_.t1_map, false);
      w_.ask("t1.map_unit", "Its unit", "s");
    } else {
      std::vector<fs::path> paths = found_.series;
      if (paths.empty()) {
        w_.ask("t1.files", "Files of the series, separated by commas", "");
        paths.clear();
        for (const auto& f : w_.config().texts("t1.files")) paths.push_back(w_.data() / f);
      }
      const Series s = read_series(paths);
      w_.ask("t1.method", "Method", "t1.vfa_nonlinear");
      if (w_.value("t1.method").find("vfa") != std::string::npos) {
        w_.protocol("t1.FA", "Flip angles of the series", s.FA);
        w_.protocol("t1.TR", "Its repetition time", s.TR);
      } else {
        w_.protocol("t1.TI", "Inversion times", s.TI);
        w_.protocol("t1.TR", "Its repetition time", s.TR);
        w_.protocol("t1.FA", "Its flip angle", s.FA);
      }
    }
    if (!found_.b1.empty()) w_.ask_file("t1.B1", "B1 map (actual / nominal flip angle), or none", found_.b1, true);
  }

  void artery() {
    w_.ask("aif.source", "Arterial input: model (population), file, mask, or auto",
           !found_.aif_mask.empty() ? "mask" : "model");
    const std::string source = w_.value("aif.source");
    if (source == "model") {
      Wizard::say("  " + wrapped(fmt::format("{}", fmt::join(aif_ids(), ", ")), 2));
      w_.ask("aif.model", "Population curve", "aif.parker");
      w_.ask("aif.arrival", "Arrival of the bolus, or auto", "auto");
    } else if (source == "file") {
      w_.ask("aif.file", "CSV or TSV with times and concentrations", w_.first(found_.aif_table));
      w_.ask("aif.time_unit", "Unit of its times", "s");
      w_.set("aif.plasma", Wizard::yes("Is it plasma already (no: whole blood)?", false) ? "true" : "false");
    } else if (source == "mask") {
      w_.ask_file("aif.mask", "Mask of the artery", found_.aif_mask, false);
    }
    w_.ask("aif.Hct", "Haematocrit", "0.42");
  }

  void model() {
    std::vector<std::vector<std::string>> rows{{"model", "", "parameters"}};
    for (const auto& [id, m] : dce::models()) {
      std::string params;
      for (const auto& p : m.params) params += (params.empty() ? "" : ", ") + p.name;
      rows.push_back({id, m.title, params});
    }
    Wizard::say(text_table(rows, 2));
    w_.ask("fit.model", "Model; several, separated by commas, are compared in each voxel", "dce.extended_tofts");
    w_.set("fit.fit_delay", Wizard::yes("Fit the delay of the tissue after the artery?", false) ? "true" : "false");
    w_.ask("output.units", "Units of the maps: lexicon (1/min, mL/min/100mL) or engine (1/s)", "lexicon");
  }

  Wizard& w_;
  FoundFiles found_;
  Image dynamic_;
};

}  // namespace

void ask_dce(Wizard& wizard) { Questions(wizard).all(); }

}  // namespace larmor::cli
