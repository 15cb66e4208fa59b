// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/io/bids.hpp>
#include <larmor/nodes/protocol.hpp>
#include <larmor/perfusion/dsc/deconvolve.hpp>

#include "dsc_job.hpp"
#include "text_table.hpp"
#include "wizard.hpp"

namespace larmor::cli {

void ask_dsc(Wizard& w) {
  const DscFiles found = find_dsc(w.data());
  Wizard::say(fmt::format("In {}:", w.data().string()));
  w.tell("dynamic series", found.dynamic), w.tell("mask", found.mask), w.tell("artery", found.artery);
  w.tell("reference region", found.reference);
  Wizard::say("");
  w.ask("input.dynamic", "Dynamic series", w.first(found.dynamic));
  const Image series = io::read_image(w.data() / w.value("input.dynamic"));
  if (series.data.rank() != 4)
    throw Error(Errc::shape, fmt::format("the dynamic series is {}, not 4-D", to_string(series.data.shape())),
                "give a 4-D file (x, y, z, t)")
        .at(w.value("input.dynamic"));
  const auto g = series.grid();
  Wizard::say(fmt::format("  {} x {} x {} voxels, {} frames", g[0], g[1], g[2], series.volumes()));
  if (static_cast<std::int64_t>(series.times.size()) == series.volumes())
    Wizard::say(fmt::format("  frames from {} to {} s, from its sidecar or header", short_number(series.times.front()),
                            short_number(series.times.back())));
  else
    w.ask("input.frame_time", "Time between frames", "");
  w.protocol("signal.TE", "Echo time", nodes::meta_numbers(series.meta, "EchoTime"));
  w.ask_file("input.mask", "Mask of the voxels to look at, or none", found.mask, true);
  w.ask("aif.source", "Arterial input: auto (found in the data), mask or file",
        !found.artery.empty() ? "mask" : "auto");
  if (w.value("aif.source") == "mask") w.ask_file("aif.mask", "Mask of the artery", found.artery, false);
  if (w.value("aif.source") == "file")
    w.ask("aif.file", "CSV or TSV with times and concentrations [mM]", w.first(found.table));
  w.ask("aif.relation", "Relation of dR2* and concentration in the artery: linear, blood_1.5T or blood_3T", "linear");
  w.ask("leakage.method", "Leakage correction: none, leakage.bsw or leakage.bidirectional", "none");
  std::vector<std::vector<std::string>> rows{{"method", ""}};
  for (const auto& [id, m] : dsc::deconvolutions()) rows.push_back({id, m.title});
  Wizard::say(text_table(rows, 2));
  w.ask("deconvolution.method", "Method", "dsc.osvd");
  if (!found.reference.empty())
    w.ask_file("normalise.region", "Reference region for rCBF and rCBV, or none", found.reference, true);
  w.ask("output.units", "Units of the maps: lexicon (mL/min/100g) or engine", "lexicon");
  if (found.dynamic.size() == 1 && w.value("input.dynamic") == w.first(found.dynamic)) w.forget("input.dynamic");
}

}  // namespace larmor::cli
