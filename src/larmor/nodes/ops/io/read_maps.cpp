// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/map_files.hpp>
#include <larmor/nodes/values/maps.hpp>

namespace larmor::nodes {
namespace {

void read_maps_op(flow::Ports& io) { io.out("maps") = read_maps(io.setting("folder").str()); }

}  // namespace

void register_io_read_maps(flow::NodeTypes& nodes) {
  nodes.add("io.read_maps",
            flow::NodeType{.title = "Read maps",
                           .does = "Reads a folder of parameter maps that Larmor wrote, or any NIfTI files with units",
                           .help = "<name>.nii.gz becomes the map <name>, <name>_se its standard error; units come "
                                   "from the sidecars and are brought to those of the engine.",
                           .tags = {"nifti", "load", "open", "Ktrans"}}
                .out<ParameterMaps>("maps", "engine units")
                .set(flow::Setting::folder("folder", "the folder"))
                .run(read_maps_op));
}

}  // namespace larmor::nodes
