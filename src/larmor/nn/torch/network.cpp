// SPDX-License-Identifier: Apache-2.0
#include <larmor/nn/conv.hpp>
#include <larmor/nn/torch/network.hpp>

namespace larmor::nn::torch_side {
namespace {

struct Memories : torch::CustomClassHolder {
  std::vector<ConvNormMemory> each;  // one an image of the batch
};

std::span<const float> floats(const at::Tensor& t) {
  return {t.data_ptr<float>(), static_cast<std::size_t>(t.numel())};
}
std::span<float> floats_of(at::Tensor& t) { return {t.data_ptr<float>(), static_cast<std::size_t>(t.numel())}; }

ConvNorm layer_of(const at::Tensor& w, const at::Tensor& weight, const at::Tensor& bias, double slope) {
  return {{w.size(4) == 3, w.size(3) == 3, w.size(2) == 3},
          static_cast<int>(w.size(1)),
          static_cast<int>(w.size(0)),
          floats(w),
          floats(weight),
          floats(bias),
          static_cast<float>(slope)};
}

/// conv_norm() with its gradient for autograd.
struct ConvNormFunction : torch::autograd::Function<ConvNormFunction> {
  static at::Tensor forward(torch::autograd::AutogradContext* ctx, at::Tensor x, at::Tensor w, at::Tensor weight,
                            at::Tensor bias, at::Tensor added, double slope) {
    x = x.contiguous();
    const auto n = x.size(0);
    at::Tensor y = at::empty({n, w.size(0), x.size(2), x.size(3), x.size(4)}, x.options());
    auto memories = c10::make_intrusive<Memories>();
    const auto layer = layer_of(w, weight, bias, slope);
    const ConvGrid grid(static_cast<int>(x.size(4)), static_cast<int>(x.size(3)), static_cast<int>(x.size(2)));
    const bool has_added = added.defined() && added.numel() > 0;
    at::Tensor other = has_added ? added.contiguous() : added;
    for (std::int64_t i = 0; i < n; ++i) {
      ConvNormMemory memory;
      memory.grid = grid;
      conv_norm(layer, x[i].data_ptr<float>(), has_added ? other[i].data_ptr<float>() : nullptr, y[i].data_ptr<float>(),
                memory);
      memories->each.push_back(std::move(memory));
    }
    ctx->save_for_backward({w, weight, bias, y});
    ctx->saved_data["memories"] = c10::IValue::make_capsule(memories);
    ctx->saved_data["slope"] = slope;
    ctx->saved_data["added"] = has_added;
    ctx->saved_data["needs_x"] = x.requires_grad();
    return y;
  }

  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* ctx,
                                               torch::autograd::tensor_list grads) {
    const auto saved = ctx->get_saved_variables();
    const at::Tensor &w = saved[0], &weight = saved[1], &bias = saved[2], &y = saved[3];
    const auto capsule = ctx->saved_data["memories"].toCapsule();
    const auto& memories = static_cast<const Memories&>(*capsule);
    const auto layer = layer_of(w, weight, bias, ctx->saved_data["slope"].toDouble());
    const at::Tensor grad = grads[0].contiguous();
    at::Tensor dw = at::zeros_like(w), dweight = at::zeros_like(weight), dbias = at::zeros_like(bias), dx, dadded;
    if (ctx->saved_data["needs_x"].toBool())
      dx = at::empty({y.size(0), w.size(1), y.size(2), y.size(3), y.size(4)}, y.options());
    if (ctx->saved_data["added"].toBool()) dadded = at::empty_like(y);
    for (std::int64_t i = 0; i < y.size(0); ++i) {
      const ConvNormGradient out{dx.defined() ? dx[i].data_ptr<float>() : nullptr,
                                 dadded.defined() ? dadded[i].data_ptr<float>() : nullptr, floats_of(dw),
                                 floats_of(dweight), floats_of(dbias)};
      conv_norm_gradient(layer, memories.each[static_cast<std::size_t>(i)], y[i].data_ptr<float>(),
                         grad[i].data_ptr<float>(), out);
    }
    return {dx, dw, dweight, dbias, dadded, at::Tensor()};
  }
};

struct Pass {
  const Network& net;
  const Parameters& p;
  std::vector<at::Tensor> tops;  // per level, what its decoder gave

  at::Tensor half(const at::Tensor& t) const { return net.half ? t.to(at::kBFloat16) : t; }
  std::string name(const char* stem, int level) const { return stem + std::to_string(level); }

  at::Tensor point(const std::string& n, const at::Tensor& x, bool has_bias) const {
    const auto& w = p.at(n + ".weight");
    return at::conv3d(half(x), half(w), has_bias ? half(p.at(n + ".bias")) : at::Tensor());
  }

  at::Tensor conv_norm(const at::Tensor& x, const std::string& block, const char* which,
                       const at::Tensor& added) const {
    const auto& w = p.at(block + ".conv" + which + ".weight");
    const auto& weight = p.at(block + ".norm" + which + ".weight");
    const auto& bias = p.at(block + ".norm" + which + ".bias");
    if (net.lanes && x.device().is_cpu())
      return ConvNormFunction::apply(x, w, weight, bias, added.defined() ? added : at::empty({0}, x.options()), 0.01);
    const std::vector<std::int64_t> padding{w.size(2) / 2, w.size(3) / 2, w.size(4) / 2};
    const std::vector<std::int64_t> one{1, 1, 1};
    at::Tensor z = at::conv3d(half(x), half(w), {}, one, padding);
    // Group norm with a group for each channel is the instance norm, and computes in float for half input.
    z = at::group_norm(z, w.size(0), half(weight), half(bias), 1e-5);
    if (added.defined()) z = z + added;
    return at::leaky_relu(z, 0.01);
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
          level(l + 1, at::conv3d(half(skip), half(p.at(down + ".weight")), half(p.at(down + ".bias")), step));
      const at::Tensor back =
          at::conv_transpose3d(half(inner), half(p.at(up + ".weight")), half(p.at(up + ".bias")), step);
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
