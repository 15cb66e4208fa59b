// SPDX-License-Identifier: Apache-2.0
// Training and inference of networks of voxels beside their two roofs, measured in the same run: the vector
// instructions they cannot do without at the rate of fused multiply-adds, and the time memory takes to give the signals
// and to take the outputs. No program can be faster than the slower of the two.
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

/// Instructions of one sample (a lane's share of a vector instruction), as kernels/mlp_lanes.hpp does them.
struct Work {
  double products = 0, rest = 0;
  double all() const { return products + rest; }
};
double activation(nn::Activation a) { return a == nn::Activation::elu ? 14 : a == nn::Activation::none ? 0 : 1; }
Work forward_work(const nn::MlpSpec& s) {
  Work w;
  for (std::size_t l = 0; l + 1 < s.sizes.size(); ++l) {
    w.products += s.sizes[l] * s.sizes[l + 1];
    w.rest += s.sizes[l + 1] * activation(l + 2 < s.sizes.size() ? s.hidden : s.output);
  }
  return w;
}
/// Gradients by what goes into activations (all layers but the first), slopes of ELU (3), sums for weights and biases.
Work backward_work(const nn::MlpSpec& s) {
  Work w;
  for (std::size_t l = 0; l + 1 < s.sizes.size(); ++l) {
    w.products += s.sizes[l] * s.sizes[l + 1] * (l > 0 ? 2 : 1);
    w.rest += s.sizes[l + 1] + (l > 0 ? 3 * s.sizes[l] : 0);
  }
  return w;
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
  const auto time = [&](auto&& work) {
    return best_of(9,
                   [&] {
                     for (int s = 0; s < steps; ++s) work();
                   }) /
           steps * 1e9 / static_cast<double>(batch);
  };
  trainer.forward(batch);
  for (std::size_t o = 0; o < n_out; ++o)
    std::memcpy(grad.data() + o * trainer.stride(), trainer.outputs() + o * trainer.stride(), batch * sizeof(float));
  const double forward = time([&] { trainer.forward(batch); });
  const double backward = time([&] { trainer.backward(grad.data(), batch); });
  const double adam = time([&] { trainer.step(); });
  const double whole = time([&] { trainer.forward(batch), trainer.backward(grad.data(), batch), trainer.step(); });
  const Work f = forward_work(spec), b = backward_work(spec);
  const double roof = (f.all() + b.all()) / peak_rate * 1e9;
  fmt::print(
      "{:<9} batch {:>5}: {:>6.2f} ns a sample (forward {:.2f}, backward {:.2f}, Adam {:.2f}); roof of arithmetic "
      "{:.2f}: {:.0f} % of it, multiply-adds alone {:.0f} % of {:.0f} G/s\n",
      fmt::format("{}", fmt::join(spec.sizes, "-")), batch, whole, forward, backward, adam, roof, 100 * roof / whole,
      100 * (f.products + b.products) / peak_rate * 1e9 / whole, 1e-9 * peak_rate);
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
  for (std::size_t i = 0; i < 7; ++i)
    std::copy_n(sim.signals.data() + i * 128, 128, trainer.inputs() + i * trainer.stride());
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
  constexpr std::size_t n = 1 << 20, piece = 1024;
  const nn::Mlp net(spec, 1);
  const auto n_in = static_cast<std::size_t>(spec.sizes.front()), n_out = static_cast<std::size_t>(spec.sizes.back());
  std::vector<float> x(n_in * n), y(n_out * n), part(piece);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<float>(i));
  std::vector<const float*> in;
  std::vector<float*> out;
  for (std::size_t i = 0; i < n_in; ++i) in.push_back(x.data() + i * n);
  for (std::size_t o = 0; o < n_out; ++o) out.push_back(y.data() + o * n);
  const double infer = best_of(7, [&] { net(in, out, n); }) / n * 1e9;
  const double fresh = best_of(7, [&] { net(x, n); }) / n * 1e9;
  // Signals into a kilobyte of cache, outputs from it.
  const double memory = best_of(7,
                                [&] {
                                  for (std::size_t at = 0; at < x.size(); at += piece)
                                    std::memcpy(part.data(), x.data() + at, piece * sizeof(float));
                                  for (std::size_t at = 0; at < y.size(); at += piece)
                                    std::memcpy(y.data() + at, part.data(), piece * sizeof(float));
                                }) /
                        n * 1e9;
  const Work w = forward_work(spec);
  const double arithmetic = w.all() / peak_rate * 1e9, roof = std::max(arithmetic, memory);
  fmt::print(
      "{:<9} inference: {:>5.2f} ns a voxel, {:.2f} into new memory; roofs: arithmetic {:.2f} ({:.0f} multiply-adds "
      "and {:.0f} other instructions), memory {:.2f} ({} bytes): {:.0f} % of the higher\n",
      fmt::format("{}", fmt::join(spec.sizes, "-")), infer, fresh, arithmetic, w.products, w.rest, memory,
      4 * (n_in + n_out), 100 * roof / infer);
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
