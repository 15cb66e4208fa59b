// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/nn/mlp_device.hpp>
#include <larmor/nn/mlp_epochs.hpp>

namespace larmor::nn {

MlpLaunches mlp_emulated();
MlpLaunches mlp_cuda();

namespace {

MlpLaunches launches(Device device) {
  if (device.is_cpu()) return mlp_emulated();
  require_cuda(device);
#if defined(LARMOR_HAS_CUDA)
  return mlp_cuda();
#else
  throw Error(Errc::device, "this program was built without CUDA kernels", "use device cpu");
#endif
}

std::vector<int> kinds_of(const MlpSpec& s) {
  std::vector<int> kinds(s.sizes.size() - 1, static_cast<int>(s.hidden));
  kinds.back() = static_cast<int>(s.output);
  return kinds;
}

std::size_t total(const std::vector<int>& sizes) {
  std::size_t n = 0;
  for (const int s : sizes) n += static_cast<std::size_t>(s);
  return n;
}

float* zeros(DeviceMemory& memory, Device device, std::size_t n) {
  float* p = memory.room<float>(n);
  zero_bytes(p, device, n * sizeof(float));
  return p;
}

/// The network on the device, with room for the values of `stride` samples.
LarmorMlpRun on_device(DeviceMemory& memory, Device device, const Mlp& network, std::size_t stride) {
  const MlpSpec& spec = network.spec();
  const auto kinds = kinds_of(spec);
  LarmorMlpRun run{};
  run.layers = static_cast<int>(kinds.size());
  run.sizes = memory.copy(spec.sizes.data(), spec.sizes.size());
  run.kinds = memory.copy(kinds.data(), kinds.size());
  run.weights = memory.copy(network.parameters().data(), network.parameters().size());
  run.values = zeros(memory, device, total(spec.sizes) * stride);
  run.stride = stride;
  return run;
}

}  // namespace

MlpDeviceTrainer::MlpDeviceTrainer(const Mlp& network, std::size_t batch, double rate, Device device)
    : memory_(device), device_(device), launch_(launches(device)), batch_(batch), rate_(rate) {
  if (batch == 0) throw Error(Errc::range, "a batch of 0 samples");
  const auto& sizes = network.spec().sizes;
  const std::size_t stride = mlp_stride(batch), weights = network.parameters().size();
  run_ = on_device(memory_, device, network, stride);
  run_.deltas = zeros(memory_, device, total(sizes) * stride);
  grad_ = zeros(memory_, device, static_cast<std::size_t>(sizes.back()) * stride);
  run_.grad = grad_, run_.gradient = zeros(memory_, device, weights);
  outputs_ = (total(sizes) - static_cast<std::size_t>(sizes.back())) * stride;
  adam_.weights = const_cast<float*>(run_.weights);
  adam_.gradient = run_.gradient;
  adam_.m = zeros(memory_, device, weights), adam_.v = zeros(memory_, device, weights);
  adam_.n = weights, adam_.b1 = 0.9F, adam_.b2 = 0.999F, adam_.epsilon = 1e-8F;
  std::vector<MlpTile> tiles;
  for (int l = 0; l < run_.layers; ++l) {
    const int n_in = sizes[static_cast<std::size_t>(l)], n_out = sizes[static_cast<std::size_t>(l) + 1];
    for (int o = 0; o < n_out; o += 4)
      for (int i = 0; i < n_in; i += 4) tiles.push_back({l, o, i});
    for (int o = 0; o < n_out; o += mlp_tile) tiles.push_back({l, o, -1});
  }
  tiles_ = memory_.copy(tiles.data(), tiles.size());
  n_tiles_ = static_cast<int>(tiles.size());
}

void MlpDeviceTrainer::take(const float* rows, const std::uint32_t* order, std::size_t first, std::size_t n) {
  run_.n = std::min(n, batch_);
  launch_.gather(run_, {rows, order, first}, device_.index);
}

void MlpDeviceTrainer::forward(std::size_t n) {
  run_.n = std::min(n, batch_);
  launch_.forward(run_, device_.index);
}

void MlpDeviceTrainer::step(std::size_t n) {
  run_.n = std::min(n, batch_);
  launch_.deltas(run_, device_.index);
  ++steps_;
  const auto t = static_cast<double>(steps_);
  adam_.rate = static_cast<float>(rate_);
  adam_.correction1 = static_cast<float>(1 / (1 - std::pow(0.9, t)));
  adam_.correction2 = static_cast<float>(1 / (1 - std::pow(0.999, t)));
  launch_.step(run_, adam_, tiles_, n_tiles_, device_.index);
}

void MlpDeviceTrainer::read(Mlp& network) {
  if (network.parameters().size() != adam_.n)
    throw Error(Errc::shape, fmt::format("{} weights of a network of {}", network.parameters().size(), adam_.n));
  launch_.wait(device_.index);
  memory_.back(network.parameters().data(), run_.weights, adam_.n);
}

std::vector<float> MlpDeviceTrainer::gradient() {
  launch_.wait(device_.index);
  std::vector<float> out(adam_.n);
  memory_.back(out.data(), static_cast<const float*>(run_.gradient), adam_.n);
  return out;
}

FitResult fit_on(Device device, Mlp& network, std::span<const float> samples, std::size_t n, const DeviceLoss& loss,
                 const FitOptions& options, const Progress& progress, const Cancel* cancel) {
  const std::size_t batch = std::clamp<std::size_t>(options.batch, 1, std::max<std::size_t>(n, 1));
  MlpDeviceTrainer trainer(network, batch, options.rate, device);
  DeviceMemory memory(device);
  const float* rows = nullptr;
  auto* order = memory.room<std::uint32_t>(n);
  auto* sums = memory.room<double>(trainer.stride());
  return run_epochs(
      network, samples.size(), n, options,
      [&](const std::vector<std::uint32_t>& places) {
        if (!rows) {  // the sizes have been looked at
          const auto by_sample = sample_rows(samples, n);
          rows = memory.copy(by_sample.data(), by_sample.size());
        }
        memory.to_device(order, places.data(), n);
        zero_bytes(sums, device, trainer.stride() * sizeof(double));
        std::size_t count = 0;
        for (std::size_t first = 0; first + batch <= n; first += batch, ++count) {
          if (cancel && count % 64 == 0) cancel->check();
          trainer.take(rows, order, first, batch);
          trainer.forward(batch);
          loss(trainer.inputs(), trainer.outputs(), trainer.grad(), sums, trainer.stride(), batch, device.index);
          trainer.step(batch);
        }
        std::vector<double> parts(batch);
        memory.back(parts.data(), static_cast<const double*>(sums), batch);
        double sum = 0;
        for (const double p : parts) sum += p;
        return sum / static_cast<double>(count * batch);
      },
      [&] { trainer.read(network); }, progress);
}

std::vector<float> infer_on(Device device, const Mlp& network, std::span<const float> inputs, std::size_t n,
                            const Cancel* cancel) {
  const auto& sizes = network.spec().sizes;
  const auto n_in = static_cast<std::size_t>(sizes.front()), n_out = static_cast<std::size_t>(sizes.back());
  if (inputs.size() != n * n_in)
    throw Error(Errc::shape, fmt::format("{} values for {} samples of {} inputs", inputs.size(), n, n_in));
  const MlpLaunches launch = launches(device);
  std::vector<float> out(n * n_out);
  if (n == 0) return out;
  const std::size_t piece = std::min<std::size_t>(n, std::size_t{1} << 18);
  DeviceMemory memory(device);
  LarmorMlpRun run = on_device(memory, device, network, piece);
  const float* last = run.values + (total(sizes) - n_out) * piece;
  for (std::size_t first = 0; first < n; first += piece) {
    if (cancel) cancel->check();
    run.n = std::min(piece, n - first);
    for (std::size_t i = 0; i < n_in; ++i)
      memory.to_device(run.values + i * piece, inputs.data() + i * n + first, run.n);
    launch.forward(run, device.index);
    launch.wait(device.index);
    for (std::size_t o = 0; o < n_out; ++o) memory.back(out.data() + o * n + first, last + o * piece, run.n);
  }
  return out;
}

}  // namespace larmor::nn
