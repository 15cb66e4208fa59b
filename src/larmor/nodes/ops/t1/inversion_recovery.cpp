// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>

namespace larmor::nodes {

void register_t1_inversion_recovery(flow::NodeTypes& nodes) {
  using flow::Setting;
  nodes.add("t1.inversion_recovery",
            flow::NodeType{.title = "T1 from inversion recovery",
                           .does = "T1 from inversion recovery at several inversion times",
                           .from = dce::t1_methods().get("t1.inversion_recovery").source,
                           .help = "$S = a + b e^{-TI/T_1}$ with any inversion efficiency.",
                           .tags = {"IR", "relaxometry"}}
                .in<Gridded>("series", "signal, one volume an inversion time along the last axis", {.min_rank = 2})
                .maybe<Gridded>("mask", "voxels to map, those not 0; all when nothing is wired")
                .out<ParameterMaps>("maps", "T1 [s], M0, efficiency, R2 with standard errors and status")
                .out<Image>("T1", "T1 [s] (x, y, z)")
                .set(Setting::numbers("TI", "time after inversion of each volume; empty: the sidecar's", {}).in("ms"))
                .set({"magnitude", "the data are magnitudes: the sign is restored by the fit", true})
                .run([](flow::Ports& io) { run_t1(io, "t1.inversion_recovery"); }));
}

}  // namespace larmor::nodes
