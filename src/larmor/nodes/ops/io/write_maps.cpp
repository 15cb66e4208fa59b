// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include <larmor/flow/node_type.hpp>
#include <larmor/io/file.hpp>
#include <larmor/nodes/map_files.hpp>
#include <larmor/nodes/values/maps.hpp>

namespace larmor::nodes {
namespace {

using flow::Setting;

void write_maps_op(flow::Ports& io) {
  const auto maps = io.in<ParameterMaps>("maps");
  const std::string folder = io.setting("folder");
  if (folder.empty()) throw Error(Errc::usage, "no folder is named", "set 'folder'");
  MapFiles files{.folder = {},
                 .engine_units = io.setting("units").str() == "engine",
                 .standard_errors = io.setting("standard_errors"),
                 .provenance = io.provenance(),
                 .model = {},
                 .sources = {}};
  if (const auto it = maps.meta.find("Models"); it != maps.meta.end())
    if (const auto* ids = std::get_if<std::vector<std::string>>(&it->second))
      files.model = fmt::format("{}", fmt::join(*ids, ", "));
  if (!maps.reference.source.empty()) files.sources = {maps.reference.source};
  io::OutputFolder out(folder);
  files.folder = out.path();
  write_maps(maps, files);
  write_dataset_description(out.path(), "Parameter maps", files.model);
  io.cancel().check();
  out.commit();
  io.out("folder") = folder;
}

}  // namespace

void register_io_write_maps(flow::NodeTypes& nodes) {
  nodes.add("io.write_maps",
            flow::NodeType{.title = "Write maps",
                           .does = "Writes parameter maps, standard errors and status as NIfTI with sidecars",
                           .from = "NIfTI-1; BIDS 1.9 derivatives",
                           .help = "<name>.nii.gz, <name>_se.nii.gz, status.nii.gz and a .json for each. The folder "
                                   "appears whole or not at all; the graph that made the maps is in every file.",
                           .effect = true,
                           .tags = {"nifti", "save", "export", "Ktrans"}}
                .in<ParameterMaps>("maps", "the maps")
                .out<std::string>("folder", "the folder")
                .set([] {
                  auto s = Setting::folder("folder", "folder that receives them");
                  s.value = "maps";
                  return s;
                }())
                .set(Setting::choice("units", "of the lexicon (1/min, mL/min/100mL) or of the engine (1/s)", "lexicon",
                                     {"lexicon", "engine"}))
                .set({"standard_errors", "write <name>_se.nii.gz", true})
                .run(write_maps_op));
}

}  // namespace larmor::nodes
