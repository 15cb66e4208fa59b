// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <algorithm>
#include <chrono>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/nn/torch/augment.hpp>
#include <larmor/nn/torch/checkpoint.hpp>
#include <larmor/nn/trainer.hpp>
#include <larmor/nn/unet_gradient.hpp>

namespace larmor::nn::torch_side {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

/// Memory that a step lets go is used by the next: given back to the system, its pages would be cleared every time.
void keep_memory() {
#if defined(__GLIBC__)
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the most that glibc takes
  ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
}

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

at::Device device_of(const std::string& text) {
  if (text == "auto") return at::Device(torch::cuda::is_available() ? "cuda" : "cpu");
  if (text.rfind("cuda", 0) == 0 && !torch::cuda::is_available())
    throw Error(Errc::device, "training on " + text + ": this libtorch has no CUDA device", "train on cpu");
  return at::Device(text);
}

/// Cuts or pads about the centre, edges repeated: element (x, y, z) of the result is that of the image nearest to it.
template <class T>
at::Tensor on_canvas(const std::vector<T>& values, const std::array<int, 3>& size, const std::array<int, 3>& canvas,
                     at::ScalarType type) {
  at::Tensor out = at::empty({canvas[2], canvas[1], canvas[0]}, at::TensorOptions().dtype(type));
  T* to = out.data_ptr<T>();
  const auto source = [&](int i, std::size_t a) { return std::clamp(i - (canvas[a] - size[a]) / 2, 0, size[a] - 1); };
  for (int z = 0; z < canvas[2]; ++z)
    for (int y = 0; y < canvas[1]; ++y)
      for (int x = 0; x < canvas[0]; ++x)
        *to++ = values[static_cast<std::size_t>((source(z, 2) * size[1] + source(y, 1)) * size[0] + source(x, 0))];
  return out;
}

/// What is learned of a case: its labels with smooth borders, mixed with what other networks say.
at::Tensor shares_of(const at::Tensor& labels, const TrainSample& s, const std::array<int, 3>& canvas,
                     const TrainSpec& spec) {
  std::vector<at::Tensor> classes;
  for (int c = 1; c < spec.net.classes; ++c) classes.push_back((labels == c).to(at::kFloat));
  at::Tensor out = at::stack(classes);  // (class, z, y, x)
  if (spec.label_sd > 0)
    out = blurred(out.unsqueeze(0), at::full({1}, spec.label_sd), static_cast<int>(std::ceil(3 * spec.label_sd)))[0];
  if (spec.teacher_share == 0) return out;
  const std::size_t n = s.labels.size();
  classes.clear();
  for (std::size_t c = 0; c + 1 < static_cast<std::size_t>(spec.net.classes); ++c)
    classes.push_back(on_canvas(std::vector<float>(s.teacher.begin() + static_cast<std::ptrdiff_t>(c * n),
                                                   s.teacher.begin() + static_cast<std::ptrdiff_t>((c + 1) * n)),
                                s.size, canvas, at::kFloat));
  return at::lerp(out, at::stack(classes), spec.teacher_share);
}

Cases cases_of(const std::vector<TrainSample>& samples, const std::array<int, 3>& canvas, const TrainSpec& spec,
               at::Device device) {
  std::vector<at::Tensor> images, labels, shares;
  const bool labels_only = spec.label_sd == 0 && spec.teacher_share == 0;
  for (const auto& s : samples) {
    images.push_back(on_canvas(s.image, s.size, canvas, at::kFloat));
    labels.push_back(on_canvas(s.labels, s.size, canvas, at::kByte));
    if (!labels_only) shares.push_back(shares_of(labels.back(), s, canvas, spec));
  }
  return {at::stack(images).to(device), at::stack(labels).to(device),
          labels_only ? at::Tensor() : at::stack(shares).to(device)};
}

class TorchTrainer final : public Trainer {
 public:
  std::string version() const override {
    return fmt::format("libtorch {}{}", TORCH_VERSION, torch::cuda::is_available() ? ", CUDA" : ", CPU");
  }
  std::vector<std::string> devices() const override {
    std::vector<std::string> all{"cpu"};
    if (torch::cuda::is_available())
      for (std::size_t i = 0; i < static_cast<std::size_t>(torch::cuda::device_count()); ++i)
        all.push_back("cuda:" + std::to_string(i));
    return all;
  }
  TrainResult train(const TrainSpec& spec, const std::vector<TrainSample>& training,
                    const std::vector<TrainSample>& validation, const fs::path& folder, const TrainCallbacks& callbacks,
                    const Cancel* cancel) override;
  std::vector<float> forward(const Weights& weights, std::span<const float> image, std::array<int, 3> size,
                             const std::string& device, bool channels_last) override {
    at::NoGradGuard no_grad;
    const auto where = device_of(device);
    at::globalContext().setAllowTF32CuDNN(false);  // 10 bits would not do for the 1e-4 that is promised
    const Network net{UNetSpec::from_json(weights.meta.at("net")), false, channels_last};
    const auto p = to_torch(weights, "", where);
    const at::Tensor x =
        torch::from_blob(const_cast<float*>(image.data()), {1, net.spec.in, size[2], size[1], size[0]}).to(where);
    const at::Tensor y = net(p, x, false)[0].to(at::kCPU).contiguous();
    return {y.data_ptr<float>(), y.data_ptr<float>() + y.numel()};
  }
};

/// A network as it is: torch's layers on CUDA, lanes on the CPU.
struct Trained {
  const Network& net;
  const Parameters& p;
  at::Device device;
  std::unique_ptr<UNet> lanes;

  Trained(const Network& net_, const Parameters& p_, at::Device device_) : net(net_), p(p_), device(device_) {
    if (!device.is_cpu()) return;
    Weights w;
    from_torch(p, "", w);
    w.meta["net"] = net.spec.to_json();
    lanes = std::make_unique<UNet>(w);
  }
  /// (class, z, y, x) from (z, y, x)
  at::Tensor logits(const at::Tensor& image) const {
    if (!lanes) return net(p, image.to(device).unsqueeze(0).unsqueeze(0), false)[0][0];
    const std::array<int, 3> size{static_cast<int>(image.size(2)), static_cast<int>(image.size(1)),
                                  static_cast<int>(image.size(0))};
    auto values = (*lanes)({image.data_ptr<float>(), static_cast<std::size_t>(image.numel())}, size);
    return torch::from_blob(values.data(), {net.spec.classes, size[2], size[1], size[0]}).clone();
  }
};

/// Labels of a whole image, padded to what the network takes.
std::vector<std::uint8_t> labels_of(const Trained& trained, const TrainSample& s) {
  at::NoGradGuard no_grad;
  const auto multiple = trained.net.spec.multiple();
  std::array<int, 3> padded{};
  for (std::size_t a = 0; a < 3; ++a) padded[a] = (s.size[a] + multiple[a] - 1) / multiple[a] * multiple[a];
  at::Tensor y = trained.logits(on_canvas(s.image, s.size, padded, at::kFloat)).argmax(0).to(at::kCPU, at::kByte);
  for (int a = 0; a < 3; ++a)
    y = y.narrow(2 - a, (padded[static_cast<std::size_t>(a)] - s.size[static_cast<std::size_t>(a)]) / 2,
                 s.size[static_cast<std::size_t>(a)]);
  y = y.contiguous();
  return {y.data_ptr<std::uint8_t>(), y.data_ptr<std::uint8_t>() + y.numel()};
}

void validate(const Network& net, const Parameters& p, const std::vector<TrainSample>& samples, at::Device device,
              Epoch& epoch, std::vector<std::uint8_t>& first, const Cancel* cancel) {
  const Trained trained(net, p, device);
  std::vector<double> both(static_cast<std::size_t>(net.spec.classes), 0), sum(both.size(), 0);
  double merged = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (cancel) cancel->check();
    const auto labels = labels_of(trained, samples[i]);
    double all_both = 0, all_sum = 0;
    for (std::size_t v = 0; v < labels.size(); ++v) {
      const auto a = labels[v], b = samples[i].labels[v];
      sum[a] += 1, sum[b] += 1;
      if (a == b) both[a] += 1;
      all_sum += (a > 0) + (b > 0);
      all_both += a > 0 && b > 0;
    }
    merged += all_sum > 0 ? 2 * all_both / all_sum : 1;
    if (i == 0) first = labels;
  }
  epoch.merged = merged / static_cast<double>(samples.size());
  for (std::size_t c = 1; c < both.size(); ++c) epoch.dice.push_back(sum[c] > 0 ? 2 * both[c] / sum[c] : 1);
}

/// Passes of the CPU: the network on lanes, the loss by autograd.
class LaneSteps {
 public:
  LaneSteps(const TrainSpec& spec, const State& state)
      : spec_(spec), net_(spec.net, spec.patch, spec.batch, spec.half) {
    for (const auto& [name, t] : state.p) {
      weights_[name] = {t.data_ptr<float>(), static_cast<std::size_t>(t.numel())};
      gradients_[name] = {state.leaves.at(name).grad().data_ptr<float>(), static_cast<std::size_t>(t.numel())};
    }
    for (int l = 0; l <= spec.net.supervised; ++l)
      logits_.push_back(at::empty({spec.batch, spec.net.classes, spec.patch[2] >> l, spec.patch[1] >> l,
                                   spec.net.dims == 2 ? spec.patch[0] : spec.patch[0] >> l})
                            .requires_grad_(true));
  }
  /// The loss; its gradient is added to the state's.
  at::Tensor operator()(const Batch& batch) {
    std::vector<float*> to;
    for (auto& t : logits_) to.push_back(t.data_ptr<float>()), t.mutable_grad().reset();
    net_.forward(weights_, batch.image.contiguous().data_ptr<float>(), to);
    const at::Tensor loss = loss_of(logits_, batch.target, spec_);
    loss.backward();
    std::vector<const float*> by;
    std::vector<at::Tensor> grads;
    for (const auto& t : logits_) grads.push_back(t.grad().contiguous()), by.push_back(grads.back().data_ptr<float>());
    net_.backward(weights_, by, gradients_);
    return loss.detach();
  }

 private:
  const TrainSpec& spec_;
  UNetGradient net_;
  ByName<const float> weights_;
  ByName<float> gradients_;
  std::vector<at::Tensor> logits_;
};

TrainResult TorchTrainer::train(const TrainSpec& spec, const std::vector<TrainSample>& training,
                                const std::vector<TrainSample>& validation, const fs::path& folder,
                                const TrainCallbacks& callbacks, const Cancel* cancel) {
  spec.check();
  if (training.empty()) throw Error(Errc::range, "no images to train on");
  for (const auto* set : {&training, &validation})
    for (const auto& s : *set) {
      const auto n = static_cast<std::size_t>(s.size[0]) * static_cast<std::size_t>(s.size[1]) *
                     static_cast<std::size_t>(s.size[2]);
      if (n == 0 || s.image.size() != n || s.labels.size() != n)
        throw Error(Errc::shape, fmt::format("{}: {} values and {} labels for {} voxels", s.name, s.image.size(),
                                             s.labels.size(), n));
      if (set == &training && spec.teacher_share > 0 &&
          s.teacher.size() != n * static_cast<std::size_t>(spec.net.classes - 1))
        throw Error(Errc::shape,
                    fmt::format("{}: {} probabilities of a teacher for {} voxels and {} classes", s.name,
                                s.teacher.size(), n, spec.net.classes - 1),
                    "give every image some, or teacher_share 0");
      for (const auto l : s.labels)
        if (l >= spec.net.classes)
          throw Error(Errc::range,
                      fmt::format("{}: a label is {}, the network has {} classes", s.name, int(l), spec.net.classes));
    }
  const auto device = device_of(spec.device);
  // For small patches handing work to threads costs more than the work.
  const bool small = spec.batch * std::int64_t{spec.patch[0]} * spec.patch[1] * spec.patch[2] < 100'000;
  at::set_num_threads(small ? 1 : thread_count());
  keep_memory();
  const bool on_lanes = device.is_cpu() && !spec.layers;
  const Network net{spec.net, spec.half && !on_lanes, spec.channels_last};
  const std::string print = fingerprint(spec, training);
  const fs::path checkpoint = folder / "checkpoint.safetensors";

  const auto begin = to_torch(initial_weights(spec.net, spec.seed), "", device);
  State now(begin, device, net.half);
  TrainResult result;
  Position position;
  read_checkpoint(checkpoint, print, device, now, position, result);
  now.refresh();

  std::array<int, 3> canvas = spec.patch;
  for (const auto& s : training)
    for (std::size_t a = 0; a < 3; ++a) canvas[a] = std::max(canvas[a], s.size[a]);
  const Cases cases = cases_of(training, canvas, spec, device);
  const int steps = spec.steps > 0 ? spec.steps
                                   : static_cast<int>((training.size() + static_cast<std::size_t>(spec.batch) - 1) /
                                                      static_cast<std::size_t>(spec.batch));
  const auto weights_of = [&](const Parameters& from, const Epoch& e) {
    Weights w;
    from_torch(from, "", w);
    w.meta = spec.meta;
    w.meta["net"] = spec.net.to_json();
    w.meta["epoch"] = std::to_string(e.number);
    w.meta["trained_with"] = version();
    return w;
  };

  std::unique_ptr<LaneSteps> lanes;
  if (on_lanes) lanes = std::make_unique<LaneSteps>(spec, now);

  const auto start = Clock::now();
  const double elapsed_before = position.elapsed;
  const auto part_done = [&](double epochs_done) {
    position.elapsed = elapsed_before + since(start);
    const double by_time = spec.budget > 0 ? position.elapsed / spec.budget : 0;
    return std::min(1.0, std::max(by_time, epochs_done / spec.epochs));
  };
  for (int number = static_cast<int>(result.history.size()) + 1; number <= spec.epochs; ++number) {
    if (spec.budget > 0 && elapsed_before + since(start) >= spec.budget) break;
    if (spec.patience > 0 && position.since_best >= spec.patience) {
      result.stopped_early = true;
      break;
    }
    const auto epoch_start = Clock::now();
    // All randomness of an epoch comes from the seed and its number, so going on needs no state of generators.
    std::mt19937_64 random(spec.seed * 1'000'003 + static_cast<std::uint64_t>(number));
    torch::manual_seed(random());
    std::vector<std::int64_t> order(training.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
    std::size_t next = order.size();
    at::Tensor loss_sum = at::zeros({}, at::TensorOptions().device(device).dtype(at::kFloat));
    Epoch epoch;
    epoch.number = number;
    for (int step = 0; step < steps; ++step) {
      if (cancel) cancel->check();
      std::vector<std::int64_t> picked;
      while (static_cast<int>(picked.size()) < spec.batch) {
        if (next == order.size()) {
          for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random() % i]);
          next = 0;
        }
        picked.push_back(order[next++]);
      }
      const Batch batch = augmented(cases, picked, spec.patch, spec.augment, spec.net.classes, random);
      const double at_epoch = number - 1 + static_cast<double>(step) / steps;
      const double part = part_done(at_epoch);
      double rate = spec.rate;
      if (spec.schedule == "cosine") rate *= 0.5 * (1 + std::cos(3.14159265358979323846 * part));
      if (spec.schedule == "poly") rate *= std::pow(1 - part, 0.9);
      if (at_epoch < spec.warm_up) rate *= (at_epoch * steps + 1) / (spec.warm_up * steps + 1);
      epoch.rate = rate;
      at::Tensor loss;
      if (lanes) {
        loss = (*lanes)(batch);
      } else {
        loss = loss_of(net(now.leaves, batch.image, true), batch.target, spec);
        loss.backward();
      }
      now.step(spec, rate, ++position.count);
      loss_sum += loss.detach();
      if (callbacks.step) callbacks.step(static_cast<std::size_t>(step + 1), static_cast<std::size_t>(steps), 0);
    }
    epoch.loss = loss_sum.item<double>() / steps;
    if (!std::isfinite(epoch.loss))
      throw Error(Errc::numeric, fmt::format("the loss of epoch {} is {}", number, epoch.loss),
                  "lower the rate, or look for images with absurd values: larmor seg curate");
    epoch.samples_per_second = steps * spec.batch / since(epoch_start);
    const bool last = number == spec.epochs || part_done(number) >= 1;
    std::vector<std::uint8_t> first;
    if (!validation.empty() && (number % spec.validate_every == 0 || last)) {
      validate(net, now.ema, validation, device, epoch, first, cancel);
      ++position.since_best;
      if (epoch.merged > result.best)
        epoch.best = true, result.best = epoch.merged, result.best_epoch = number, position.since_best = 0;
    }
    epoch.seconds = since(epoch_start);
    result.history.push_back(epoch);
    if (epoch.best && spec.keep == "best") write_weights(folder / "best.safetensors", weights_of(now.ema, epoch));
    write_weights(folder / "last.safetensors", weights_of(now.ema, epoch));
    position.elapsed = elapsed_before + since(start);
    write_checkpoint(checkpoint, print, spec, now, position, result);
    if (callbacks.epoch) callbacks.epoch(epoch);
    if (callbacks.picture && !first.empty()) callbacks.picture(epoch, first);
  }
  return result;
}

}  // namespace
}  // namespace larmor::nn::torch_side

extern "C" larmor::nn::Trainer* larmor_torch_trainer() {
  static larmor::nn::torch_side::TorchTrainer trainer;
  return &trainer;
}
