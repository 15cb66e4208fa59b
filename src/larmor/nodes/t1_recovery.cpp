// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/t1_recovery.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>

namespace larmor::nodes {

flow::NodeType t1_recovery(const std::string& method, flow::NodeType words) {
  words.from = dce::t1_methods().get(method).source;
  return std::move(words)
      .in<Gridded>("series", "signal, one volume an inversion time along the last axis", {.min_rank = 2})
      .maybe<Gridded>("mask", "voxels to map, those not 0; all when nothing is wired")
      .out<ParameterMaps>("maps", "T1 [s], M0, efficiency, R2 with standard errors and status")
      .out<Image>("T1", "T1 [s] (x, y, z)")
      .set(flow::Setting::numbers("TI", "time after inversion of each volume; empty: the sidecar's", {}).in("ms"))
      .set({"magnitude", "the data are magnitudes: the sign is restored by the fit", true})
      .run([method](flow::Ports& io) { run_t1(io, method); });
}

}  // namespace larmor::nodes
