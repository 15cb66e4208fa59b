// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>

namespace larmor::nodes {
namespace {

using flow::Setting;

void vfa(flow::Ports& io) { run_t1(io, io.setting("method").str()); }

void adapt(flow::Form& form) {
  // Sidecar or setting: one of them has to have the angles.
  if (form.in("series").none() || !form.setting("FA").numbers().empty()) return;
  if (form.in("series").field("meta").field("FlipAngle").none())
    form.warn("the series says no flip angles: set FA [deg]");
}

std::vector<std::string> methods() {
  std::vector<std::string> out;
  for (const auto& id : dce::t1_methods().ids())
    if (id.starts_with("t1.vfa")) out.push_back(id);
  return out;
}

}  // namespace

void register_t1_vfa(flow::NodeTypes& nodes) {
  std::string from;
  for (const auto& id : methods()) from += (from.empty() ? "" : "; ") + dce::t1_methods().get(id).source;
  nodes.add(
      "t1.vfa",
      flow::NodeType{.title = "T1 from flip angles",
                     .does = "T1 and M0 from a spoiled gradient echo at several flip angles",
                     .from = from,
                     .help = "$S = M_0 \\sin\\alpha\\,(1-E_1)/(1-E_1\\cos\\alpha)$, "
                             "$E_1=e^{-TR/T_1}$. B1 scales the angles voxel by voxel.",
                     .tags = {"DESPOT1", "VFA", "relaxometry"}}
          .in<Gridded>("series", "signal, one volume a flip angle along the last axis", {.min_rank = 2})
          .maybe<Array>("B1", "actual / nominal flip angle (x, y, z)")
          .maybe<Gridded>("mask", "voxels to map, those not 0; all when nothing is wired")
          .out<ParameterMaps>("maps", "T1 [s], M0, R2 with standard errors and status")
          .out<Image>("T1", "T1 [s] (x, y, z)")
          .set(Setting::choice("method", "how", "t1.vfa_nonlinear", methods()))
          .set(Setting::numbers("FA", "flip angle of each volume; empty: the sidecar's", {}).in("deg"))
          .set(
              Setting::numbers("TR", "repetition time, one for all or one a volume; empty: the sidecar's", {}).in("ms"))
          .run(vfa)
          .validate(adapt));
}

}  // namespace larmor::nodes
