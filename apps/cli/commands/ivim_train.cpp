// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <larmor/core/progress.hpp>
#include <larmor/nn/weights.hpp>
#include <larmor/perfusion/ivim/deep.hpp>

#include "command.hpp"

namespace larmor::cli {
namespace {

double rmse(const std::vector<float>& found, const std::vector<float>& truth) {
  double sum = 0;
  for (std::size_t i = 0; i < found.size(); ++i) sum += (found[i] - truth[i]) * (found[i] - truth[i]);
  return std::sqrt(sum / static_cast<double>(found.size()));
}

int run(const Call& call) {
  const auto b = call.numbers("--b");
  ivim::deep::SimulateOptions options;
  options.samples = static_cast<std::size_t>(call.integer("--samples"));
  options.noise = call.number("--noise");
  options.seed = static_cast<std::uint64_t>(call.integer("--seed"));
  const auto training = ivim::deep::simulate(b, options);
  nn::FitOptions fit;
  fit.batch = static_cast<std::size_t>(call.integer("--batch"));
  fit.epochs = call.integer("--epochs"), fit.patience = call.integer("--patience");
  fit.rate = call.number("--rate"), fit.seed = options.seed;
  const auto start = std::chrono::steady_clock::now();
  const auto result =
      ivim::deep::train(b, training.signals, options.samples, fit, console_progress(call.quiet), &Cancel::interrupt());
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  auto weights = result.network.weights();
  weights.meta["b"] = fmt::format("{}", fmt::join(b, ","));
  weights.meta["noise"] = fmt::format("{}", options.noise);
  weights.meta["samples"] = std::to_string(options.samples);
  weights.meta["epoch"] = std::to_string(result.fit.best_epoch);
  nn::write_weights(call.text("OUT"), weights);
  options.seed += 1'000'003, options.samples = 10'000;  // samples that were not trained on
  const auto test = ivim::deep::simulate(b, options);
  const auto found = ivim::deep::infer(result.network, test.signals, options.samples);
  fmt::print("{}  loss {:.3e} in epoch {} of {}, {:.1f} s\n", call.text("OUT"), result.fit.best, result.fit.best_epoch,
             result.fit.losses.size(), seconds);
  fmt::print("root mean square error on {} other samples: D {:.3e} mm2/s, f {:.4f}, D_star {:.3e} mm2/s\n",
             options.samples, rmse(found.D, test.truth.D), rmse(found.f, test.truth.f),
             rmse(found.D_star, test.truth.D_star));
  return 0;
}

}  // namespace

void register_ivim_train(Commands& commands) {
  commands.add({.name = "ivim train",
                .does = "Trains the network of voxels for IVIM on simulated signals, without labels",
                .out = {{.name = "OUT", .what = "weights, .safetensors"}},
                .opt = {Option{.name = "--b",
                               .what = "b-values above 0 [s/mm2]",
                               .kind = Kind::number,
                               .start = "10,20,60,150,300,500,1000",
                               .lower = 0.1,
                               .upper = 1e5}
                            .many(),
                        integer("--samples", "signals that are simulated", 100000, 128, 100000000),
                        number("--noise", "standard deviation of the noise, S0 = 1 [1]", 0.01, 0, 1),
                        integer("--batch", "samples of a step", 128, 1, 1000000),
                        number("--rate", "of Adam", 1e-3, 1e-8, 1), integer("--epochs", "at most", 1000, 1, 1000000),
                        integer("--patience", "epochs without a lower loss until training stops", 10, 1, 1000000),
                        integer("--seed", "of everything random", 1, 0, 1000000000)},
                .refs = {"Barbieri et al., Magn. Reson. Med. 83:312 (2020)"},
                .examples = {"larmor ivim train ivim.safetensors --noise 0.02"},
                .run = run});
}

}  // namespace larmor::cli
