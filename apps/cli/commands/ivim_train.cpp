// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/progress.hpp>
#include <larmor/perfusion/ivim/network_data.hpp>
#include <larmor/perfusion/ivim/score.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "ivim_series.hpp"
#include "print_json.hpp"

namespace larmor::cli {
namespace {

struct Setup {
  ivim::NetworkKind kind = ivim::NetworkKind::posterior;
  ivim::Protocol protocol;
  ivim::Prior prior;
  double noise_low = 0.01, noise_high = 0.01;
  std::vector<float> voxels;    // of the data, for self-supervised networks
  ivim::PatientVoxels patient;  // for posterior networks
  std::size_t n_voxels = 0;
};

void noise_of(const Call& call, Setup& s) {
  const auto noise = call.numbers("--noise");
  if (noise.size() > 2 || (noise.size() == 2 && noise[0] > noise[1]))
    throw Error(Errc::usage, fmt::format("larmor ivim train: --noise holds {} numbers", noise.size()),
                "give one, or the lower and the upper");
  s.noise_low = noise.front(), s.noise_high = noise.back();
}

/// Options that another kind of network has.
void refuse(const Call& call, ivim::NetworkKind kind) {
  const auto only = [&](const char* option, bool good, const char* whose) {
    if (call.given(option) && !good)
      throw Error(Errc::usage, fmt::format("larmor ivim train: {} with --kind {}", option, to_string(kind)),
                  fmt::format("it belongs to {}", whose));
  };
  const bool posterior = kind == ivim::NetworkKind::posterior, optim = kind == ivim::NetworkKind::optim;
  only("--voxel-share", posterior && call.given("--data"), "--kind posterior with --data");
  only("--restarts", !posterior, "the kinds original and optim");
  only("--batch-norm", optim, "the kind optim"), only("--dropout", optim, "the kind optim");
}

Setup setup_of(const Call& call) {
  Setup s;
  s.kind = ivim::network_kind(call.text("--kind"));
  s.prior = ivim_prior(call);
  refuse(call, s.kind);
  if (call.given("--data")) {
    const IvimSeries series = read_ivim_series(call, call.text("--data"));
    const auto data = ivim::network_data(series.signals());
    s.protocol = data.protocol;
    if (s.kind == ivim::NetworkKind::posterior && !call.given("--noise"))
      std::tie(s.noise_low, s.noise_high) = ivim::noise_range(series.signals(), data);
    if (s.kind == ivim::NetworkKind::posterior && call.number("--voxel-share") > 0) {
      if (call.given("--noise")) noise_of(call, s);
      const auto signals = series.signals();
      // Four volumes are fitted by four parameters: no residual tells their noise, so it is what the caller says.
      const double noise_sd = call.given("--noise") && series.b.size() < 5
                                  ? std::sqrt(s.noise_low * s.noise_high) * ivim::median_S0(data)
                                  : ivim::noise_of(signals);
      s.patient = ivim::patient_voxels(signals, data, s.prior, noise_sd, 0.8 * s.noise_low, 1.25 * s.noise_high, 20000,
                                       0.1, &Cancel::interrupt());
      s.n_voxels = s.patient.n;
    } else if (s.kind != ivim::NetworkKind::posterior) {
      s.voxels = ivim::training_voxels(data, s.n_voxels);
    }
  } else {
    if (call.given("--mask")) throw Error(Errc::usage, "larmor ivim train: --mask without --data", "give --data too");
    for (const double b : call.numbers("--b"))
      if (b > 0) s.protocol.b.push_back(b);
    std::sort(s.protocol.b.begin(), s.protocol.b.end());
  }
  if (call.given("--known-S0")) {
    if (call.given("--data"))
      throw Error(Errc::usage, "larmor ivim train: --known-S0 with --data", "the data have an S0 of their own");
    s.protocol.count0 = 0;
  }
  if (s.protocol.b.size() < 3)
    throw Error(Errc::usage,
                fmt::format("larmor ivim train: {} b-values above 0, and D, f and D* need 3", s.protocol.b.size()),
                "give --b 10,50,200,800 [s/mm2], or data with more");
  if (call.given("--noise") || !call.given("--data")) noise_of(call, s);
  return s;
}

double middle_noise(const Setup& s) { return std::sqrt(s.noise_low * s.noise_high); }

// What comes of signals that were not trained on, at the middle of the noise.
ivim::Score test(const ivim::VoxelNetwork& network, const Setup& s, std::uint64_t seed) {
  const double noise = middle_noise(s);
  std::vector<double> b;
  const auto add = [&](double value, double count) { b.insert(b.end(), static_cast<std::size_t>(count), value); };
  add(0, std::max(s.protocol.count0, 1.0));
  for (std::size_t k = 0; k < s.protocol.b.size(); ++k)
    add(s.protocol.b[k], s.protocol.counts.empty() ? 1 : s.protocol.counts[k]);
  const auto simulated = ivim::simulate(10000, b, s.prior, noise, true, seed + 1'000'003);
  ivim::EstimateOptions o;
  o.network = std::make_shared<const ivim::VoxelNetwork>(network), o.noise_sd = noise;
  const auto e = estimate("ivim.network", {.data = simulated.signal, .b = b, .mask = {}}, o);
  return ivim::score("network", e.fit, simulated.truth);
}

std::string text_of(const ivim::Score& score, const Setup& s) {
  std::string out = fmt::format(
      "root mean square error on 10,000 other samples at noise {:.3g}: D {:.3e} mm2/s, f {:.4f}, D_star {:.3e} mm2/s\n",
      middle_noise(s), score.rmse[1], score.rmse[0], score.rmse[2]);
  if (s.kind == ivim::NetworkKind::posterior)
    out += fmt::format("error over claimed sd (1 when calibrated): D {:.3f}, f {:.3f}, D_star {:.3f}\n", score.z[1],
                       score.z[0], score.z[2]);
  return out;
}

int run(const Call& call) {
  const Setup s = setup_of(call);
  const auto seed = static_cast<std::uint64_t>(call.integer("--seed"));
  const auto& cancel = Cancel::interrupt();
  ivim::NetworkTraining how;
  ivim::VoxelNetwork network;
  if (s.kind == ivim::NetworkKind::posterior) {
    ivim::PosteriorTraining o;
    o.prior = s.prior, o.noise_low = s.noise_low, o.noise_high = s.noise_high, o.seed = seed;
    if (call.given("--samples")) o.pool = static_cast<std::size_t>(call.integer("--samples"));
    if (call.given("--batch")) o.batch = static_cast<std::size_t>(call.integer("--batch"));
    if (call.given("--epochs")) o.epochs = call.integer("--epochs");
    if (call.given("--patience")) o.patience = call.integer("--patience");
    if (call.given("--rate")) o.rate = call.number("--rate");
    if (call.given("--width")) o.hidden.assign(2, call.integer("--width"));
    o.voxels = s.patient, o.voxel_share = call.number("--voxel-share"), o.device = call.device;
    network = train_posterior(s.protocol, o, &how, console_progress(call.quiet), &cancel);
  } else {
    if (call.given("--width"))
      throw Error(Errc::usage, fmt::format("larmor ivim train: --width with --kind {}", to_string(s.kind)),
                  "those networks are as wide as there are b-values");
    ivim::SelfTraining o;
    o.fit.seed = seed;
    o.fit.batch = call.given("--batch") ? static_cast<std::size_t>(call.integer("--batch")) : 128;
    o.fit.epochs = call.given("--epochs") ? call.integer("--epochs") : 1000;
    o.fit.patience = call.given("--patience") ? call.integer("--patience") : 10;
    o.fit.rate = call.given("--rate") ? call.number("--rate") : 1e-3;
    o.restarts = call.integer("--restarts"), o.device = call.device;
    o.regularised = {.batch_norm = call.given("--batch-norm"), .dropout = call.number("--dropout")};
    std::vector<float> voxels = s.voxels;
    std::size_t n = s.n_voxels;
    if (!call.given("--data")) {
      n = call.given("--samples") ? static_cast<std::size_t>(call.integer("--samples")) : 100000;
      std::vector<double> b{0};
      b.insert(b.end(), s.protocol.b.begin(), s.protocol.b.end());
      const auto simulated = ivim::simulate(n, b, s.prior, std::sqrt(s.noise_low * s.noise_high), true, seed);
      auto data = ivim::network_data({.data = simulated.signal, .b = b, .mask = {}});
      if (s.protocol.count0 == 0)
        for (std::size_t k = 0; k + 1 < b.size(); ++k)
          for (std::size_t v = 0; v < n; ++v) data.ratios[k * n + v] *= data.S0[v];
      voxels = ivim::training_voxels(data, n, 0);
    }
    network = train_self(s.kind, s.protocol, voxels, n, o, &how, console_progress(call.quiet), &cancel);
    network.prior = s.prior, network.noise_low = s.noise_low, network.noise_high = s.noise_high;
  }
  auto weights = network.weights();
  weights.meta["epoch"] = std::to_string(how.best_epoch);
  weights.meta["seed"] = std::to_string(seed);
  nn::write_weights(call.text("OUT"), weights);
  const double best = how.losses.at(static_cast<std::size_t>(how.best_epoch) - 1);
  const ivim::Score tested = test(network, s, seed);
  if (call.json) {
    const auto three = [](const double(&x)[3]) {
      return nlohmann::ordered_json{{"D", x[1]}, {"f", x[0]}, {"D_star", x[2]}};
    };
    nlohmann::ordered_json told{{"weights", call.text("OUT")},
                                {"kind", to_string(s.kind)},
                                {"loss", best},
                                {"losses", how.losses},
                                {"restart_losses", how.restart_losses},
                                {"epoch", how.best_epoch},
                                {"seconds", how.seconds},
                                {"noise", {s.noise_low, s.noise_high}},
                                {"b", s.protocol.b},
                                {"voxels", s.n_voxels},
                                {"rmse", three(tested.rmse)}};
    if (s.kind == ivim::NetworkKind::posterior) told["error_over_sd"] = three(tested.z);
    print_json(told);
    return 0;
  }
  if (s.n_voxels > 0) fmt::print("{} voxels of {}\n", s.n_voxels, call.text("--data"));
  fmt::print("{}  {}, loss {:.4g} in epoch {} of {}, {:.1f} s\n", call.text("OUT"), to_string(s.kind), best,
             how.best_epoch, how.losses.size(), how.seconds);
  if (how.restart_losses.size() > 1)
    fmt::print("the lowest of {} starts: {:.3g}\n", how.restart_losses.size(), fmt::join(how.restart_losses, ", "));
  fmt::print("{}", text_of(tested, s));
  return 0;
}

Option unset(Option o) {
  o.start = {};
  return o;
}

}  // namespace

void register_ivim_train(Commands& commands) {
  Command c{
      .name = "ivim train",
      .does = "Trains a network of voxels for IVIM: mean and sd of the posterior from simulations, or without labels",
      .out = {{.name = "OUT", .what = "weights, .safetensors"}},
      .opt = {text("--kind", "posterior (supervised by simulation, with sds), original or optim (self-supervised)",
                   "posterior")
                  .one_of([] {
                    return std::vector<std::string>{"original", "optim", "posterior"};
                  }),
              Option{.name = "--b",
                     .what = "b-values [s/mm2]",
                     .kind = Kind::number,
                     .start = "10,20,60,150,300,500,1000",
                     .lower = 0,
                     .upper = 1e5}
                  .many(),
              file("--data",
                   "4-D series: its b-values and repeats, the range of its noise (posterior), and its voxels, over b = "
                   "0 and "
                   "without background"),
              file("--mask", "voxels of the data"),
              Option{.name = "--noise",
                     .what = "standard deviation of the noise of one volume over S0, or its lower and upper end [1]",
                     .kind = Kind::number,
                     .start = "0.01",
                     .lower = 1e-6,
                     .upper = 1}
                  .many(),
              flag("--known-S0", "S0 is known: signals are not divided by a noisy b = 0"),
              unset(integer("--samples",
                            "parameters (posterior, default 524288) or signals (default 100000) that are "
                            "simulated",
                            1, 128, 100000000)),
              unset(integer("--batch", "samples of a step; default 1024, self-supervised 128", 1, 1, 1000000)),
              unset(number("--rate", "of Adam; default 3e-3, self-supervised 1e-3", 1, 1e-8, 1)),
              unset(integer("--epochs", "at most; default 60, self-supervised 1000", 1, 1, 1000000)),
              unset(integer("--patience",
                            "epochs without a lower loss until training stops; default 12, self-supervised "
                            "10",
                            1, 1, 1000000)),
              unset(integer("--width", "of the two hidden layers (posterior), default 40", 1, 4, 1024)),
              number(
                  "--voxel-share",
                  "of a batch that are voxels of the data, learned by the posterior of their own signals (posterior); "
                  "0: simulations alone",
                  0.25, 0, 0.9),
              integer("--restarts", "of training from other first weights; the lowest loss is kept (original, optim)",
                      1, 1, 100),
              flag("--batch-norm", "normalise hidden layers over the batch (optim), as the paper does"),
              number("--dropout", "probability that a hidden unit is left out of a step (optim); the paper's is 0.1", 0,
                     0, 0.9),
              integer("--seed", "of everything random", 1, 0, 1000000000)},
      .refs = {"Barbieri et al., Magn. Reson. Med. 83:312 (2020)", "Kaandorp et al., Magn. Reson. Med. 86:2250 (2021)",
               "Cranmer et al., PNAS 117:30055 (2020)"},
      .examples = {"larmor ivim train ivim.safetensors --noise 0.005,0.03",
                   "larmor ivim train ivim.safetensors --data dwi.nii.gz --mask mask.nii.gz"},
      .more =
          "What a posterior network knows beforehand are the ranges of f, D and D*: values outside of them it cannot "
          "give.\nTraining stops when the loss of samples that are kept from it stops falling, and the weights of "
          "the best epoch are written.\nWhere training of the kind original ends depends on its first weights: of 8 "
          "seeds, losses were from 3.5e-4 to 3.2e-3. --restarts 5 keeps the best of five.",
      .run = run};
  for (auto& o : ivim_prior_options()) c.opt.push_back(o);
  commands.add(std::move(c));
}

}  // namespace larmor::cli
