// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/dce_fit.hpp>

namespace larmor::nodes {
namespace {

using flow::Setting;

void fit(flow::Ports& io) {
  std::vector<std::string> models{io.setting("model").str()};
  for (auto& id : model_list(io.setting("compare"))) models.push_back(std::move(id));
  run_fit(io, models);
}

}  // namespace

void register_dce_fit(flow::NodeTypes& nodes) {
  nodes.add("dce.fit",
            fit_type({.title = "Fit a model",
                      .does = "Fits a tracer-kinetic model to every voxel of a concentration series",
                      .tags = {"DCE", "Tofts", "Patlak", "2CXM", "perfusion", "Ktrans"}},
                     {Setting::choice("model", "which model", "dce.extended_tofts", dce::models().ids()),
                      {"compare", "more models, separated by spaces; every voxel keeps the one of least AICc", ""}})
                .run(fit));
}

}  // namespace larmor::nodes
