// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>

namespace larmor::nodes {
namespace {

void voxel_curve(flow::Ports& io) {
  const Image c = series_in(io, "concentration");
  const auto g = c.grid();
  std::int64_t at[3];
  const char* names[3] = {"i", "j", "k"};
  for (std::size_t a = 0; a < 3; ++a) {
    at[a] = io.setting(names[a]);
    if (at[a] >= g[a])
      throw Error(Errc::range, fmt::format("{} is {} and the series has {} voxels that way", names[a], at[a], g[a]),
                  fmt::format("give 0 to {}", g[a] - 1));
  }
  const std::int64_t voxel = at[0] + g[0] * (at[1] + g[1] * at[2]);
  const Array curve = c.data.slice(2, at[2]).slice(1, at[1]).slice(0, at[0]).cast(DType::f64).contiguous_copy();
  Curve out{.x = c.times, .y = {}, .label = "concentration", .unit = "mM", .series = {"measured", "fit", "residual"}};
  out.y.emplace_back(curve.span<const double>().begin(), curve.span<const double>().end());
  auto fitted = dce::fitted_curve(io.in<ParameterMaps>("maps"), plasma_in(io), c.times, voxel);
  if (fitted.empty()) {
    io.warn("this voxel has no fit");
    fitted.assign(c.times.size(), std::nan(""));
  }
  std::vector<double> residual;
  for (std::size_t t = 0; t < fitted.size(); ++t) residual.push_back(out.y[0][t] - fitted[t]);
  out.y.push_back(std::move(fitted)), out.y.push_back(std::move(residual));
  io.out("curve") = out;
}

void adapt(flow::Form& form) {
  if (form.in("concentration").type() != "image") return;
  const Array data = form.in("concentration").field("data").array();
  const char* names[3] = {"i", "j", "k"};
  for (int a = 0; a < 3; ++a) form.change(names[a]).upper = static_cast<double>(data.extent(a) - 1);
}

}  // namespace

void register_dce_voxel_curve(flow::NodeTypes& nodes) {
  nodes.add("dce.voxel_curve",
            flow::NodeType{.title = "Fit of a voxel",
                           .does = "Measured curve, fit and residual of one voxel",
                           .tags = {"DCE", "residual", "quality"}}
                .in<Image>("concentration", "concentration [mM] (x, y, z, t)", {.min_rank = 4, .max_rank = 4})
                .in<ParameterMaps>("maps", "maps of dce.fit or dce.select_model")
                .in<Aif>("aif", "arterial plasma concentration [mM] that was fitted with")
                .maybe<Aif>("venous", "venous plasma concentration [mM]")
                .out<Curve>("curve", "measured, fit, residual [mM]")
                .set({"i", "voxel along x, from 0", 0, 0, 1e6})
                .set({"j", "voxel along y, from 0", 0, 0, 1e6})
                .set({"k", "voxel along z, from 0", 0, 0, 1e6})
                .run(voxel_curve)
                .validate(adapt));
}

}  // namespace larmor::nodes
