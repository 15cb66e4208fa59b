// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/nn/unet.hpp>
#include <larmor/nn/weights.hpp>
#include <larmor/seg/parting.hpp>
#include <larmor/seg/predict.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "print_json.hpp"
#include "seg_config.hpp"

namespace larmor::cli {
namespace {

int run(const Call& call) {
  std::vector<nn::Weights> members;
  for (const auto& name : call.texts("WEIGHTS")) members.push_back(nn::read_weights(name));
  const bool half = call.flag("--half");
  auto joined = seg::ensemble(members);
  if (const double limit = call.number("--uncertainty-limit"); limit < 1)
    joined.meta["uncertainty_limit"] = fmt::format("{}", limit);
  if (call.given("--list")) {
    const int classes = nn::UNetSpec::from_json(joined.meta.at("net")).classes;
    const auto plane = seg::find_parting(prepared_samples(read_seg_list(call.text("--list")), classes), classes);
    joined.meta.erase("parting");
    if (plane) joined.meta["parting"] = seg::to_string(*plane);
  }
  nn::write_weights(call.text("--out"), joined, half ? nn::Precision::half : nn::Precision::single);
  const auto written = nn::read_weights(call.text("--out"));  // as it will be used
  if (call.json) {
    const nlohmann::ordered_json told{{"weights", call.text("--out")},
                                      {"networks", std::stoi(joined.meta.at("members"))},
                                      {"parameters", written.parameters()},
                                      {"bytes_each", half ? 2 : 4},
                                      {"sha256", written.meta.at("sha256")}};
    print_json(told);
    return 0;
  }
  fmt::print("{}  {} networks, {:.2f} million weights, {} bytes each, SHA-256 {}\n", call.text("--out"),
             joined.meta.at("members"), 1e-6 * static_cast<double>(written.parameters()), half ? 2 : 4,
             written.meta.at("sha256"));
  return 0;
}

}  // namespace

void register_seg_ensemble(Commands& commands) {
  commands.add(
      {.name = "seg ensemble",
       .does =
           "Joins trained networks of one configuration into one model, which gives the mean of their probabilities",
       .in = {{.name = "WEIGHTS", .what = "files of larmor seg train, or ensembles of them", .repeated = true}},
       .opt = {file("--out", "the model").output().need().as("-o"),
               number("--uncertainty-limit",
                      "mean uncertainty above which a result is flagged: the largest of cross-validation, in "
                      "metrics.json of larmor seg evaluate; 1 flags none",
                      1, 0, 1),
               file("--list",
                    "clean.csv of the labels of training: finds anew whether two of them are parted by one plane"),
               flag("--half", "numbers of 16 bits: half the size, labels practically the same")},
       .examples = {"larmor seg ensemble training/fold_0/last.safetensors training/fold_1/last.safetensors -o "
                    "model.safetensors"},
       .run = run});
}

}  // namespace larmor::cli
