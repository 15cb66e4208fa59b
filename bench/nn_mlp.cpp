// SPDX-License-Identifier: Apache-2.0
// Training and inference of networks of voxels: time of a step, share of the multiplications and additions that the
// core can do, and of the speed at which memory gives the signals.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <larmor/core/isa.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/perfusion/ivim/deep.hpp>
#include <vector>

extern "C" {
double peak_baseline(long, int*);
#if defined(__x86_64__)
double peak_v3(long, int*);
double peak_v4(long, int*);
#endif
}

namespace {

using namespace larmor;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

template <class F>
double best_of(int repeats, F&& work) {
  double best = 1e300;
  for (int r = 0; r < repeats; ++r) {
    const double start = now();
    work();
    best = std::min(best, now() - start);
  }
  return best;
}

/// Single-precision multiply-adds a second that the core does when nothing else is in the way: twice those of doubles.
double peak() {
  auto kernel = peak_baseline;
#if defined(__x86_64__)
  if (isa() == Isa::v3) kernel = peak_v3;
  if (isa() == Isa::v4) kernel = peak_v4;
#endif
  constexpr long rounds = 1'000'000;
  int lanes = 0;
  const double seconds = best_of(9, [&] { kernel(rounds, &lanes); });
  return 2.0 * 12 * rounds * lanes / seconds;
}

/// A step without its loss: values forward, gradients back, sums over the batch, Adam.
bool step_of(const nn::MlpSpec& spec, std::size_t batch, double peak_rate) {
  nn::Mlp net(spec, 1);
  nn::MlpTrainer trainer(net, batch);
  const auto n_out = static_cast<std::size_t>(spec.sizes.back());
  nn::Floats grad(n_out * trainer.stride());
  for (std::size_t i = 0; i < static_cast<std::size_t>(spec.sizes[0]) * trainer.stride(); ++i)
    trainer.inputs()[i] = std::sin(static_cast<float>(i));
  const int steps = static_cast<int>(std::max<std::size_t>(1, 400000 / batch / 10));
  const double seconds = best_of(9,
                                 [&] {
                                   for (int s = 0; s < steps; ++s) {
                                     trainer.forward(batch);
                                     for (std::size_t o = 0; o < n_out; ++o)
                                       std::memcpy(grad.data() + o * trainer.stride(),
                                                   trainer.outputs() + o * trainer.stride(), batch * sizeof(float));
                                     trainer.backward(grad.data(), batch);
                                     trainer.step();
                                   }
                                 }) /
                         steps;
  double weights = 0, first = spec.sizes[0] * spec.sizes[1];
  for (std::size_t l = 0; l + 1 < spec.sizes.size(); ++l) weights += (spec.sizes[l] + 1) * spec.sizes[l + 1];
  // Forward and the sums touch every weight once a sample, the way back all but those of the inputs.
  const double products = (3 * weights - first) * static_cast<double>(batch);
  fmt::print("{} batch {:>6}: {:>9.2f} us a step, {:>6.2f} ns a sample, {:>5.1f} % of {:.0f} G multiply-adds/s\n",
             fmt::join(spec.sizes, "-"), batch, seconds * 1e6, seconds / static_cast<double>(batch) * 1e9,
             100 * products / seconds / peak_rate, 1e-9 * peak_rate);
  return std::isfinite(trainer.outputs()[0]);
}

/// The whole training of the published network; false when its loss does not fall.
bool original() {
  const std::vector<double> b{10, 20, 60, 150, 300, 500, 1000};
  const std::vector<float> bf(b.begin(), b.end());
  const auto sim = ivim::deep::simulate(b, {.samples = 128});
  nn::Mlp net(ivim::deep::network_spec(7), 1);
  nn::MlpTrainer trainer(net, 128);
  nn::Floats grad(3 * trainer.stride());
  std::copy(sim.signals.begin(), sim.signals.end(), trainer.inputs());
  double loss = 0, first = 0;
  const double seconds = best_of(9,
                                 [&] {
                                   for (int s = 0; s < 2000; ++s) {
                                     trainer.forward(128);
                                     loss = ivim::deep::reconstruction_loss(bf, trainer.inputs(), trainer.outputs(),
                                                                            grad.data(), trainer.stride(), 128);
                                     if (first == 0) first = loss;
                                     trainer.backward(grad.data(), 128);
                                     trainer.step();
                                   }
                                 }) /
                         2000;
  fmt::print(
      "7-7-7-7-3, batch 128, with the misfit of the signals: {:.2f} us a step ({:.0f} steps/s), loss {:.2e} -> "
      "{:.2e}\n",
      seconds * 1e6, 1 / seconds, first, loss);
  return loss < 0.1 * first;
}

void inference(const nn::MlpSpec& spec, double peak_rate) {
  constexpr std::size_t n = 1 << 20;
  const nn::Mlp net(spec, 1);
  const auto n_in = static_cast<std::size_t>(spec.sizes.front()), n_out = static_cast<std::size_t>(spec.sizes.back());
  std::vector<float> x(n_in * n), copy((n_in + n_out) * n);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<float>(i));
  const double infer = best_of(5, [&] { net(x, n); });
  const double memory = best_of(5, [&] {
    std::memcpy(copy.data(), x.data(), x.size() * sizeof(float));
    std::memset(copy.data() + x.size(), 1, n_out * n * sizeof(float));
  });
  fmt::print(
      "{:<14} inference: {:.1f} ns a voxel, {:.1f} times the time to copy its signals and write its outputs, "
      "{:.1f} % of the multiply-adds\n",
      fmt::join(spec.sizes, "-"), infer / n * 1e9, infer / memory,
      100 * static_cast<double>(spec.parameters()) * n / infer / peak_rate);
}

}  // namespace

int main() {
  set_thread_count(1);
  const double rate = peak();
  fmt::print("1 thread, instruction set {}, best of 9\n", to_string(isa()));
  const nn::MlpSpec voxel = ivim::deep::network_spec(7),
                    posterior{{8, 40, 40, 6}, nn::Activation::elu, nn::Activation::none};
  bool good = original();
  for (const std::size_t batch : {128, 1024, 65536}) good = step_of(voxel, batch, rate) && good;
  for (const std::size_t batch : {128, 1024, 65536}) good = step_of(posterior, batch, rate) && good;
  inference(voxel, rate), inference(posterior, rate);
  return good ? 0 : 1;
}
