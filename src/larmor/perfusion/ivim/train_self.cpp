// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/ivim/deep.hpp>
#include <larmor/perfusion/ivim/train_optim.hpp>
#include <limits>

namespace larmor::ivim {

VoxelNetwork train_self(NetworkKind kind, const Protocol& protocol, std::span<const float> ratios, std::size_t n,
                        const SelfTraining& o, NetworkTraining* how, const Progress& progress, const Cancel* cancel) {
  if (kind == NetworkKind::posterior)
    throw Error(Errc::usage, "a posterior network learns from simulations", "use train_posterior");
  if (ratios.size() != n * protocol.b.size() || n == 0)
    throw Error(Errc::shape,
                fmt::format("{} values for {} samples of {} b-values", ratios.size(), n, protocol.b.size()));
  if (o.fit.epochs < 1 || o.fit.patience < 1 || o.fit.batch < 1)
    throw Error(Errc::range, fmt::format("{} epochs, patience {}, batch {}", o.fit.epochs, o.fit.patience, o.fit.batch),
                "1 and more of each");
  for (std::size_t i = 0; i < 4; ++i)
    if (!(o.low[i] < o.high[i]))
      throw Error(Errc::range, fmt::format("an output from {} to {}", o.low[i], o.high[i]), "give the lower end first");
  if (o.restarts < 1) throw Error(Errc::range, fmt::format("{} restarts", o.restarts), "give 1 or more");
  if (kind == NetworkKind::original && (o.regularised.batch_norm || o.regularised.dropout > 0))
    throw Error(Errc::usage, "the original network has neither batch normalisation nor dropout",
                "choose the kind optim for them");
  if (!o.device.is_cpu() && (o.regularised.batch_norm || o.regularised.dropout > 0))
    throw Error(
        Errc::usage,
        fmt::format("batch normalisation and dropout on device {}: they are computed on the CPU", o.device.str()),
        "leave out the device, or batch normalisation and dropout");
  const auto start = std::chrono::steady_clock::now();
  NetworkTraining told;
  VoxelNetwork out;
  double least = std::numeric_limits<double>::infinity();
  for (int run = 0; run < o.restarts; ++run) {
    SelfTraining now = o;
    now.fit.seed += 4 * static_cast<std::uint64_t>(run);  // optim uses four
    NetworkTraining how_now;
    VoxelNetwork net;
    if (kind == NetworkKind::original) {
      auto trained = o.device.is_cpu() && !o.emulate
                         ? deep::train(protocol.b, ratios, n, now.fit, progress, cancel)
                         : deep::train_on(o.device, protocol.b, ratios, n, now.fit, progress, cancel);
      net.kind = kind, net.protocol = protocol;
      net.nets.push_back(std::move(trained.network));
      how_now.losses = trained.fit.losses, how_now.best_epoch = trained.fit.best_epoch;
    } else {
      if (protocol.b.size() < 3)
        throw Error(Errc::range, fmt::format("{} b-values above 0; 3 parameters need 3", protocol.b.size()));
      net = train_optim(protocol, ratios, n, now, how_now, progress, cancel);
    }
    const double loss = how_now.losses.at(static_cast<std::size_t>(how_now.best_epoch) - 1);
    told.restart_losses.push_back(loss);
    if (!(loss < least)) continue;
    least = loss, out = std::move(net);
    told.losses = std::move(how_now.losses), told.best_epoch = how_now.best_epoch;
  }
  told.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (how) *how = told;
  return out;
}

}  // namespace larmor::ivim
