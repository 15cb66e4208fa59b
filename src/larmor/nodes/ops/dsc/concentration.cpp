// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/dsc_ports.hpp>
#include <larmor/nodes/values/image.hpp>

namespace larmor::nodes {

void register_dsc_concentration(flow::NodeTypes& nodes) {
  flow::NodeType type{.title = "dR2* to concentration",
                      .does = "Contrast agent concentration by a linear or quadratic relation",
                      .from = "van Osch et al., MRM 49:1067 (2003); Kjolby et al., MRM 56:187 (2006)",
                      .help = "$\\Delta R_2^* = a C + b C^2$. Tissue is linear; whole blood is not.",
                      .tags = {"DSC", "relaxivity"}};
  for (auto& s : relation_settings("linear", "tissue")) type.settings.push_back(std::move(s));
  nodes.add("dsc.concentration",
            std::move(type)
                .in<Image>("dR2", "change of the relaxation rate [1/s] (x, y, z, t)", {.min_rank = 4, .max_rank = 4})
                .out<Image>("concentration", "concentration [mM] (x, y, z, t)")
                .run([](flow::Ports& io) {
                  Image out = series_in(io, "dR2");
                  out.data = dsc::concentration(out.data, relation_of(io)).with_axes({"x", "y", "z", "t"});
                  out.meta["Units"] = std::string("mM");
                  io.out("concentration") = out;
                })
                .validate(adapt_relation));
}

}  // namespace larmor::nodes
