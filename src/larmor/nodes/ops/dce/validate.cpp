// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <larmor/core/units.hpp>
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/number_text.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>
#include <larmor/nodes/values/table.hpp>
#include <larmor/perfusion/dce/compare.hpp>

namespace larmor::nodes {
namespace {

std::string bound_text(const dce::Tolerance& t) {
  return fmt::format("{} + {:g} %", short_number(t.absolute), 100 * t.relative);
}

void validate(flow::Ports& io) {
  const auto maps = io.in<ParameterMaps>("maps"), truth = io.in<ParameterMaps>("truth");
  const auto mask = io.has("mask") ? mask_in(io, "mask", reference_of(maps.reference)) : std::vector<std::uint8_t>{};
  const double need = static_cast<double>(io.setting("need")) / 100;
  io::Table table{.columns = {"map", "unit", "voxels", "missing", "truth", "estimate", "bias", "sd", "median |e|",
                              "95 % |e|", "within", "tolerance", "ok"},
                  .rows = {},
                  .source = {}};
  bool good = true;
  std::vector<std::string> out;  // what is not, by how much
  double worst = 1;
  for (const auto& t : truth.maps) {
    if (!maps.has(t.name)) continue;
    const auto& m = maps.get(t.name);
    const std::string unit = units::display_unit(t.name, t.unit);
    const double k = units::factor(t.unit, unit);
    auto c = dce::compare_map(m.values.span<const float>(), t.values.span<const float>(),
                              dce::usual_tolerance(t.name, t.unit), units::factor(m.unit, t.unit), mask);
    const auto all = c.n + c.missing;
    if (all == 0) continue;
    const double within = static_cast<double>(c.within) / static_cast<double>(all);
    worst = std::min(worst, within);
    good = good && c.good(need);
    if (!c.good(need)) out.push_back(fmt::format("{} ({:.1f} %)", t.name, 100 * within));
    const dce::Tolerance shown{c.tolerance.absolute * k, c.tolerance.relative};
    table.rows.push_back({t.name, unit, std::to_string(c.n), std::to_string(c.missing), short_number(k * c.truth),
                          short_number(k * c.estimate), short_number(k * c.bias), short_number(k * c.sd),
                          short_number(k * c.median), short_number(k * c.p95), fmt::format("{:.2f} %", 100 * within),
                          bound_text(shown), c.good(need) ? "ok" : "OUT"});
  }
  if (table.rows.empty())
    throw Error(Errc::numeric, "nothing was compared: no map and no voxel in common", "give maps of the same names");
  if (!good)
    io.warn(
        fmt::format("out of tolerance: {} of the voxels within; {:g} % are needed", fmt::join(out, ", "), 100 * need));
  io.out("table") = table;
  io.out("good") = good;
  io.out("within") = worst;
}

}  // namespace

void register_dce_validate(flow::NodeTypes& nodes) {
  nodes.add("dce.validate",
            flow::NodeType{.title = "Compare with the truth",
                           .does = "Compares maps with the truth, voxel by voxel, against the tolerances of OSIPI",
                           .from = "van Houdt et al., MRM 91:1774 (2024)",
                           .help = "A voxel without an estimate is out of tolerance. Quantities that the collection "
                                   "does not name are allowed 10 %.",
                           .tags = {"DCE", "DRO", "test", "bias", "accuracy"}}
                .in<ParameterMaps>("maps", "estimated")
                .in<ParameterMaps>("truth", "true, of the same names (dce.dro)")
                .maybe<Gridded>("mask", "voxels to compare; where the truth is finite when nothing is wired")
                .out<io::Table>("table", "a row a map: bias, spread, part within tolerance")
                .out<bool>("good", "every map is within tolerance in enough voxels")
                .out<double>("within", "the least part within tolerance [1]")
                .set(flow::Setting{"need", "part of the voxels that must be within tolerance", 95.0, 0, 100}.in("%"))
                .run(validate));
}

}  // namespace larmor::nodes
