// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/error.hpp>
#include <larmor/nodes/dce_fit.hpp>

namespace larmor::nodes {
namespace {

void select_model(flow::Ports& io) {
  const auto models = model_list(io.setting("models"));
  if (models.size() < 2) throw Error(Errc::usage, "fewer than two models to select from", "name two or more");
  run_fit(io, models);
}

}  // namespace

void register_dce_select_model(flow::NodeTypes& nodes) {
  auto type = fit_type({.title = "Select a model",
                        .does = "Fits several models and keeps in every voxel the one of least AICc",
                        .tags = {"DCE", "AIC", "model selection"}},
                       {{"models", "their names, separated by spaces", "dce.tofts dce.extended_tofts dce.patlak"}});
  type.from = "Hurvich and Tsai, Biometrika 76:297 (1989)";
  nodes.add("dce.select_model", std::move(type).run(select_model));
}

}  // namespace larmor::nodes
