// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/nn/mlp_device.hpp>
#include <larmor/perfusion/ivim/voxel_network.hpp>
#include <sstream>

namespace larmor::ivim {
namespace {

constexpr std::array<std::string_view, 3> kinds{"original", "optim", "posterior"};

std::string list_text(std::span<const double> numbers) { return fmt::format("{}", fmt::join(numbers, ",")); }

std::vector<double> list_of(const nn::Weights& w, const char* key) {
  std::vector<double> out;
  const auto it = w.meta.find(key);
  if (it == w.meta.end())
    throw Error(Errc::format, fmt::format("the weights do not say their '{}'", key),
                "give weights of larmor ivim train");
  std::stringstream in(it->second);
  for (std::string part; std::getline(in, part, ',');) {
    char* end = nullptr;
    out.push_back(std::strtod(part.c_str(), &end));
    if (part.empty() || *end)
      throw Error(Errc::format, fmt::format("'{}' of the weights holds '{}'", key, part), "the file was changed");
  }
  return out;
}

}  // namespace

NetworkKind network_kind(const std::string& name) {
  for (std::size_t i = 0; i < kinds.size(); ++i)
    if (kinds[i] == name) return static_cast<NetworkKind>(i);
  throw unknown_name("kind of network", name, std::vector<std::string>(kinds.begin(), kinds.end()));
}
std::string_view to_string(NetworkKind kind) { return kinds[static_cast<std::size_t>(kind)]; }

VoxelNetwork::VoxelNetwork(const nn::Weights& w) {
  const auto it = w.meta.find("network");
  kind = it == w.meta.end() ? NetworkKind::original : network_kind(it->second);
  protocol.b = list_of(w, "b");
  if (w.meta.count("counts")) protocol.counts = list_of(w, "counts");
  if (w.meta.count("count0")) protocol.count0 = list_of(w, "count0").at(0);
  if (w.meta.count("noise")) {
    const auto noise = list_of(w, "noise");
    noise_low = noise.front(), noise_high = noise.back();
  }
  if (w.meta.count("ranges")) {
    const auto r = list_of(w, "ranges");
    if (r.size() != 8) throw Error(Errc::format, "the ranges of the weights are not 8 numbers", "the file was changed");
    for (std::size_t i = 0; i < 4; ++i) low[i] = r[2 * i], high[i] = r[2 * i + 1];
  }
  if (w.meta.count("prior")) {
    const auto p = list_of(w, "prior");
    if (p.size() != 7) throw Error(Errc::format, "the prior of the weights is not 7 numbers", "the file was changed");
    prior = {p[0], p[1], p[2], p[3], p[4], p[5], p[6] != 0};
  }
  if (!w.tensors.count("net0.layer0.weight")) {
    nets.emplace_back(w);
  } else {
    for (int i = 0;; ++i) {
      const std::string prefix = fmt::format("net{}.", i);
      nn::Weights one;
      for (const auto& [name, tensor] : w.tensors)
        if (name.starts_with(prefix)) one.tensors[name.substr(prefix.size())] = tensor;
      if (one.tensors.empty()) break;
      one.meta = w.meta;
      nets.emplace_back(one);
    }
  }
  const int inputs = static_cast<int>(protocol.b.size()) + (kind == NetworkKind::posterior ? 1 : 0);
  const int outputs = kind == NetworkKind::posterior ? 6 : kind == NetworkKind::optim ? 1 : 3;
  const std::size_t count = kind == NetworkKind::optim ? 4 : 1;
  if (nets.size() != count)
    throw Error(Errc::format, fmt::format("the weights hold {} networks, not {}", nets.size(), count),
                "the file was changed");
  for (const auto& net : nets)
    if (net.spec().sizes.front() != inputs || net.spec().sizes.back() != outputs)
      throw Error(Errc::shape,
                  fmt::format("a network of {} inputs and {} outputs, not {} and {}", net.spec().sizes.front(),
                              net.spec().sizes.back(), inputs, outputs),
                  "give weights of larmor ivim train");
}

nn::Weights VoxelNetwork::weights() const {
  nn::Weights w;
  if (nets.size() == 1) {
    w = nets[0].weights();
  } else {
    for (std::size_t i = 0; i < nets.size(); ++i) {
      const auto one = nets[i].weights();
      for (const auto& [name, tensor] : one.tensors) w.tensors[fmt::format("net{}.{}", i, name)] = tensor;
      w.meta = one.meta;
    }
  }
  w.meta["network"] = std::string(to_string(kind));
  w.meta["b"] = list_text(protocol.b);
  if (!protocol.counts.empty()) w.meta["counts"] = list_text(protocol.counts);
  w.meta["count0"] = fmt::format("{}", protocol.count0);
  w.meta["noise"] = fmt::format("{},{}", noise_low, noise_high);
  if (kind == NetworkKind::optim) {
    std::vector<double> ranges;
    for (std::size_t i = 0; i < 4; ++i) ranges.insert(ranges.end(), {low[i], high[i]});
    w.meta["ranges"] = list_text(ranges);
  }
  const Prior& p = prior;
  w.meta["prior"] = fmt::format("{},{},{},{},{},{},{}", p.f_low, p.f_high, p.D_low, p.D_high, p.D_star_low,
                                p.D_star_high, p.log_D_star ? 1 : 0);
  return w;
}

NetworkEstimate VoxelNetwork::operator()(std::span<const float> ratios, std::span<const float> noise, std::size_t n,
                                         const Cancel* cancel, Device device) const {
  const std::size_t n_b = protocol.b.size();
  if (ratios.size() != n * n_b)
    throw Error(Errc::shape, fmt::format("{} values for {} samples of {} b-values", ratios.size(), n, n_b));
  // Outputs of a network of inputs `in` (rows of n) go where they are wanted.
  const auto outputs = [&](const nn::Mlp& net, const std::vector<const float*>& in,
                           std::initializer_list<std::vector<float>*> wanted) {
    std::vector<float*> out;
    for (auto* v : wanted) v->resize(n), out.push_back(v->data());
    if (device.is_cpu()) return net(in, out, n, cancel);
    std::vector<float> all;
    for (const float* row : in) all.insert(all.end(), row, row + n);
    const auto y = nn::infer_on(device, net, all, n, cancel);
    for (std::size_t o = 0; o < out.size(); ++o) std::copy_n(y.data() + o * n, n, out[o]);
  };
  std::vector<const float*> in;
  for (std::size_t k = 0; k < n_b; ++k) in.push_back(ratios.data() + k * n);
  NetworkEstimate e;
  if (kind == NetworkKind::posterior) {
    if (noise.size() != n) throw Error(Errc::shape, fmt::format("{} noise levels for {} samples", noise.size(), n));
    std::vector<float> level(n);
    const float low = static_cast<float>(0.8 * noise_low), high = static_cast<float>(1.25 * noise_high);
    for (std::size_t s = 0; s < n; ++s) level[s] = std::log(std::clamp(noise[s], low, high));
    in.push_back(level.data());
    outputs(nets[0], in, {&e.f, &e.D, &e.D_star, &e.sd_f, &e.sd_D, &e.sd_D_star});
    const auto inside = [](std::vector<float>& v, double a, double b) {
      for (float& x : v) x = std::clamp(x, static_cast<float>(a), static_cast<float>(b));
    };
    inside(e.f, prior.f_low, prior.f_high), inside(e.D, prior.D_low, prior.D_high);
    inside(e.D_star, prior.D_star_low, prior.D_star_high);
    for (auto* v : {&e.sd_f, &e.sd_D, &e.sd_D_star})
      for (float& x : *v) x = std::exp(x);
    return e;
  }
  if (kind == NetworkKind::original) {
    outputs(nets[0], in, {&e.D_star, &e.D, &e.f});
  } else {
    std::vector<float>* out[] = {&e.D_star, &e.D, &e.f};
    for (std::size_t i = 0; i < 3; ++i) {
      outputs(nets[i], in, {out[i]});
      for (float& x : *out[i]) x = static_cast<float>(low[i]) + static_cast<float>(high[i] - low[i]) * x;
    }
  }
  // D and D_star may change places, with f and 1 - f: the model is the same.
  for (std::size_t s = 0; s < n; ++s)
    if (e.D[s] > e.D_star[s]) std::swap(e.D[s], e.D_star[s]), e.f[s] = 1 - e.f[s];
  return e;
}

}  // namespace larmor::ivim
