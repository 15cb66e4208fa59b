// SPDX-License-Identifier: Apache-2.0
// Steps of training of a network of voxels (7-7-7-7-3, batch 128) a second, and voxels a second of inference, beside
// the least that memory allows.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <larmor/core/isa.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/perfusion/ivim/deep.hpp>
#include <vector>

namespace {
double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
}  // namespace

int main() {
  using namespace larmor;
  set_thread_count(1);
  const std::vector<double> b{10, 20, 60, 150, 300, 500, 1000};
  const std::vector<float> bf(b.begin(), b.end());
  const auto sim = ivim::deep::simulate(b, {.samples = 128});
  nn::Mlp net(ivim::deep::network_spec(7), 1);
  nn::MlpTrainer trainer(net, 128);
  nn::Floats grad(3 * trainer.stride());
  std::copy(sim.signals.begin(), sim.signals.end(), trainer.inputs());
  double best = 1e9, loss = 0, first = 0;
  for (int r = 0; r < 9; ++r) {
    const double t = now();
    for (int s = 0; s < 2000; ++s) {
      trainer.forward(128);
      loss =
          ivim::deep::reconstruction_loss(bf, trainer.inputs(), trainer.outputs(), grad.data(), trainer.stride(), 128);
      if (r == 0 && s == 0) first = loss;
      trainer.backward(grad.data(), 128);
      trainer.step();
    }
    best = std::min(best, (now() - t) / 2000);
  }
  fmt::print(
      "7-7-7-7-3, batch 128, loss and Adam, 1 thread, {}: {:.2f} us a step ({:.0f} steps/s), loss {:.2e} -> {:.2e}\n",
      to_string(isa()), best * 1e6, 1 / best, first, loss);
  if (!(loss < 0.1 * first)) return 1;
  constexpr std::size_t n = 1 << 20;
  std::vector<float> x(7 * n), copy(10 * n);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = sim.signals[i % sim.signals.size()];
  double infer = 1e9, memory = 1e9;
  for (int r = 0; r < 5; ++r) {
    double t = now();
    const auto y = net(x, n);
    infer = std::min(infer, now() - t);
    t = now();
    std::memcpy(copy.data(), x.data(), x.size() * sizeof(float));
    memory = std::min(memory, now() - t);
  }
  fmt::print("inference of {} voxels: {:.1f} million voxels/s, {:.1f} times the time to copy the signals\n", n,
             1e-6 * n / infer, infer / memory);
}
