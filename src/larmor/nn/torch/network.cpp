// SPDX-License-Identifier: Apache-2.0
#include <larmor/nn/torch/network.hpp>

namespace larmor::nn::torch_side {
namespace {

struct Pass {
  const Network& net;
  const Parameters& p;
  std::vector<at::Tensor> tops;  // per level, what its decoder gave

  at::Tensor half(const at::Tensor& t) const { return net.half ? t.to(at::kBFloat16) : t; }
  at::Tensor ordered(const at::Tensor& t) const {
    return net.channels_last ? half(t).contiguous(at::MemoryFormat::ChannelsLast3d) : half(t);
  }
  std::string name(const char* stem, int level) const { return stem + std::to_string(level); }

  at::Tensor point(const std::string& n, const at::Tensor& x, bool has_bias) const {
    const auto& w = p.at(n + ".weight");
    return at::conv3d(ordered(x), ordered(w), has_bias ? half(p.at(n + ".bias")) : at::Tensor());
  }

  at::Tensor conv_norm(const at::Tensor& x, const std::string& block, const char* which,
                       const at::Tensor& added) const {
    const auto& w = p.at(block + ".conv" + which + ".weight");
    const auto& weight = p.at(block + ".norm" + which + ".weight");
    const auto& bias = p.at(block + ".norm" + which + ".bias");
    const std::vector<std::int64_t> padding{w.size(2) / 2, w.size(3) / 2, w.size(4) / 2};
    const std::vector<std::int64_t> one{1, 1, 1};
    at::Tensor z = at::conv3d(ordered(x), ordered(w), {}, one, padding);
    // Group norm with a group for each channel is the instance norm, and computes in float for half input.
    z = at::group_norm(z, w.size(0), half(weight), half(bias), 1e-5);
    // In place: the norm needs its input for the way back and the activation its result.
    if (added.defined()) z.add_(added);
    return at::leaky_relu_(z, 0.01);
  }

  at::Tensor block(const std::string& n, const at::Tensor& x) const {
    const at::Tensor a = conv_norm(x, n, "1", {});
    at::Tensor added;
    if (net.spec.residual) {
      const auto it = p.find(n + ".proj.weight");
      added = it == p.end() ? x : point(n + ".proj", x, false);
    }
    return conv_norm(a, n, "2", added);
  }

  at::Tensor level(int l, const at::Tensor& x) {
    const at::Tensor skip = block(name("enc", l), x);
    at::Tensor top = skip;
    if (l + 1 < net.spec.levels()) {
      const std::vector<std::int64_t> step{2, 2, net.spec.dims == 2 ? 1 : 2};
      const auto down = name("down", l), up = name("up", l);
      const at::Tensor inner =
          level(l + 1, at::conv3d(ordered(skip), ordered(p.at(down + ".weight")), half(p.at(down + ".bias")), step));
      // libtorch 1.13 cannot transpose a convolution of bfloat16 on the CPU.
      const auto kind = net.half && !inner.device().is_cpu() ? at::kBFloat16 : at::kFloat;
      const at::Tensor back = at::conv_transpose3d(ordered(inner).to(kind), ordered(p.at(up + ".weight")).to(kind),
                                                   p.at(up + ".bias").to(kind), step);
      top = block(name("dec", l), at::cat({skip, back.to(skip.scalar_type())}, 1));
    }
    tops[static_cast<std::size_t>(l)] = top;
    return top;
  }
};

}  // namespace

Parameters to_torch(const Weights& weights, const std::string& prefix, at::Device device) {
  Parameters out;
  for (const auto& [name, t] : weights.tensors)
    if (name.starts_with(prefix))
      out[name.substr(prefix.size())] =
          torch::from_blob(const_cast<float*>(t.values.data()), t.shape, torch::kFloat32).clone().to(device);
  return out;
}

void from_torch(const Parameters& parameters, const std::string& prefix, Weights& weights) {
  for (const auto& [name, t] : parameters) {
    const at::Tensor host = t.detach().to(at::kCPU, at::kFloat).contiguous();
    Tensor out{host.sizes().vec(), {}};
    out.values.assign(host.data_ptr<float>(), host.data_ptr<float>() + host.numel());
    weights.tensors[prefix + name] = std::move(out);
  }
}

std::vector<at::Tensor> Network::operator()(const Parameters& p, const at::Tensor& x, bool all) const {
  Pass pass{*this, p, std::vector<at::Tensor>(static_cast<std::size_t>(spec.levels()))};
  pass.level(0, x);
  std::vector<at::Tensor> out;
  for (int l = 0; l <= (all ? spec.supervised : 0); ++l)
    out.push_back(pass.point(pass.name("head", l), pass.tops[static_cast<std::size_t>(l)], true).to(at::kFloat));
  return out;
}

}  // namespace larmor::nn::torch_side
