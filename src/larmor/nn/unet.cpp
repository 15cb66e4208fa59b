// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/nn/corners.hpp>
#include <larmor/nn/unet.hpp>
#include <nlohmann/json.hpp>

namespace larmor::nn {
namespace {

using Size = std::array<int, 3>;
std::string at(const std::string& stem, int level) { return stem + std::to_string(level); }
bool projected(const UNetSpec& s, int cin, int cout) { return s.residual && cin != cout; }

}  // namespace

Size UNetSpec::multiple() const {
  const int m = 1 << (levels() - 1);
  return {dims == 2 ? 1 : m, m, m};
}

void UNetSpec::check() const {
  if (dims != 2 && dims != 3) throw Error(Errc::range, fmt::format("net.dims is {}; 2 or 3", dims));
  if (levels() < 1 || levels() > 7)
    throw Error(Errc::range, fmt::format("net.filters has {} levels; 1 to 7", levels()));
  for (const int f : filters)
    if (f < 1 || f > 1024) throw Error(Errc::range, fmt::format("net.filters holds {}; 1 to 1024", f));
  if (classes < 2 || classes > 64 || in < 1 || in > 64)
    throw Error(Errc::range, fmt::format("{} inputs and {} classes; 1 to 64 and 2 to 64", in, classes));
  if (supervised < 0 || supervised >= levels())
    throw Error(Errc::range,
                fmt::format("net.supervised is {}; 0 to {} with {} levels", supervised, levels() - 1, levels()));
}

std::string UNetSpec::to_json() const {
  return nlohmann::json{{"kind", "unet"},          {"dims", dims},       {"in", in},
                        {"classes", classes},      {"filters", filters}, {"residual", residual},
                        {"supervised", supervised}}
      .dump();
}

UNetSpec UNetSpec::from_json(const std::string& text) {
  UNetSpec s;
  try {
    const auto j = nlohmann::json::parse(text);
    if (j.at("kind") != "unet") throw Error(Errc::format, "the weights are those of a " + j.at("kind").dump());
    j.at("dims").get_to(s.dims), j.at("in").get_to(s.in), j.at("classes").get_to(s.classes);
    j.at("filters").get_to(s.filters), j.at("residual").get_to(s.residual), j.at("supervised").get_to(s.supervised);
  } catch (const nlohmann::json::exception& e) {
    throw Error(Errc::format, fmt::format("the weights do not describe a U-Net ({})", e.what()),
                "give a file written by larmor seg train");
  }
  s.check();
  return s;
}

double UNetSpec::work(Size size) const {
  double all = 0;
  for (const auto& [name, shape] : weight_shapes(*this)) {
    if (shape.size() != 5) continue;
    const auto digit = name.find_first_of("0123456789");
    int level = name[digit] - '0';
    double n = 1;
    for (const auto k : shape) n *= static_cast<double>(k);
    if (name.starts_with("head") && level > 0) continue;              // training only
    if (name.starts_with("down") || name.starts_with("up")) ++level;  // their smaller side
    const double part = std::pow(2.0, level * dims);
    all += n * size[0] * size[1] * size[2] / part;
  }
  return all;
}

std::vector<std::pair<std::string, std::vector<std::int64_t>>> weight_shapes(const UNetSpec& s) {
  std::vector<std::pair<std::string, std::vector<std::int64_t>>> all;
  const std::int64_t kx = s.dims == 2 ? 1 : 3, px = s.dims == 2 ? 1 : 2;
  const auto block = [&](const std::string& name, std::int64_t cin, std::int64_t cout) {
    all.push_back({name + ".conv1.weight", {cout, cin, 3, 3, kx}});
    all.push_back({name + ".norm1.weight", {cout}});
    all.push_back({name + ".norm1.bias", {cout}});
    all.push_back({name + ".conv2.weight", {cout, cout, 3, 3, kx}});
    all.push_back({name + ".norm2.weight", {cout}});
    all.push_back({name + ".norm2.bias", {cout}});
    if (projected(s, static_cast<int>(cin), static_cast<int>(cout)))
      all.push_back({name + ".proj.weight", {cout, cin, 1, 1, 1}});
  };
  for (int l = 0; l < s.levels(); ++l) {
    const int f = s.filters[static_cast<std::size_t>(l)];
    block(at("enc", l), l == 0 ? s.in : f, f);
    if (l + 1 == s.levels()) break;
    const int deeper = s.filters[static_cast<std::size_t>(l) + 1];
    all.push_back({at("down", l) + ".weight", {deeper, f, 2, 2, px}});
    all.push_back({at("down", l) + ".bias", {deeper}});
    all.push_back({at("up", l) + ".weight", {deeper, f, 2, 2, px}});
    all.push_back({at("up", l) + ".bias", {f}});
    block(at("dec", l), 2 * f, f);
  }
  for (int l = 0; l <= s.supervised; ++l) {
    all.push_back({at("head", l) + ".weight", {s.classes, s.filters[static_cast<std::size_t>(l)], 1, 1, 1}});
    all.push_back({at("head", l) + ".bias", {s.classes}});
  }
  return all;
}

UNet::UNet(const Weights& weights) {
  const auto net = weights.meta.find("net");
  if (net == weights.meta.end())
    throw Error(Errc::format, "the weights do not say which network they are of",
                "give a file written by larmor seg train");
  spec_ = UNetSpec::from_json(net->second);
  const int n_corners = corner_count(spec_.dims);
  for (const auto& [name, shape] : weight_shapes(spec_)) {
    if (name.starts_with("head") && name[4] != '0') continue;
    const Tensor& t = weights.get(name);
    if (t.shape != shape)
      throw Error(Errc::shape, fmt::format("weight {} is ({}), the network needs ({})", name, fmt::join(t.shape, ", "),
                                           fmt::join(shape, ", ")));
    const auto cout = static_cast<int>(shape[0]);
    if (shape.size() == 1)
      plain_[name] = t.values;
    else if (name.starts_with("down"))
      packed_[name] = packed(down_as_point(t.values, cout, static_cast<int>(shape[1]), spec_.dims), cout,
                             static_cast<int>(shape[1]) * n_corners, 1);
    else if (name.starts_with("up"))
      packed_[name] = packed(up_as_point(t.values, cout, static_cast<int>(shape[1]), spec_.dims),
                             static_cast<int>(shape[1]) * n_corners, cout, 1);
    else
      packed_[name] =
          packed(t.values, cout, static_cast<int>(shape[1]), static_cast<int>(shape[2] * shape[3] * shape[4]));
    if (name.starts_with("up") && name.ends_with(".bias")) {  // the same for every corner
      std::vector<float> all;
      for (int k = 0; k < n_corners; ++k) all.insert(all.end(), t.values.begin(), t.values.end());
      plain_[name] = std::move(all);
    }
  }
}

namespace {

struct Pass {
  const UNetSpec& spec;
  const std::map<std::string, std::vector<float>>&packed, &plain;
  const Cancel* cancel;

  Reach reach() const { return {spec.dims == 3, true, true}; }

  /// Norm, then + added, then the activation; `x` and `out` may be the same.
  void norm(const ConvGrid& grid, const std::string& name, Channels& x, const Channels* added) const {
    const auto& weight = plain.at(name + ".weight");
    const auto& bias = plain.at(name + ".bias");
    const std::size_t grain = std::max<std::size_t>(1, 100'000 / grid.line);
    parallel_for(weight.size(), grain, [&](std::size_t begin, std::size_t end) {
      for (auto i = begin; i < end; ++i) {
        float* z = x.channel(static_cast<int>(i));
        nn::norm(grid, z, weight[i], bias[i], added ? added->channel(static_cast<int>(i)) : nullptr, 0.01f, z);
      }
    });
  }

  Channels block(const ConvGrid& grid, const std::string& name, const Channels& x, int f) const {
    auto a = Channels::of_result(grid, f), b = Channels::of_result(grid, f);
    convolve(grid, reach(), x, 0, x.count(), packed.at(name + ".conv1.weight"), {}, a, 0, f, cancel);
    norm(grid, name + ".norm1", a, nullptr);
    convolve(grid, reach(), a, 0, f, packed.at(name + ".conv2.weight"), {}, b, 0, f, cancel);
    if (projected(spec, x.count(), f)) {
      convolve(grid, {false, false, false}, x, 0, x.count(), packed.at(name + ".proj.weight"), {}, a, 0, f, cancel);
      norm(grid, name + ".norm2", b, &a);
    } else {
      norm(grid, name + ".norm2", b, spec.residual ? &x : nullptr);
    }
    return b;
  }

  Channels down(const ConvGrid& large, const ConvGrid& small, const std::string& name, const Channels& x, int f) const {
    Channels split(small, x.count() * corner_count(spec.dims)), out = Channels::of_result(small, f);
    split_corners(small, large, spec.dims, x, 0, x.count(), split);
    convolve(small, {false, false, false}, split, 0, split.count(), packed.at(name + ".weight"),
             plain.at(name + ".bias"), out, 0, f, cancel);
    return out;
  }

  void up(const ConvGrid& large, const ConvGrid& small, const std::string& name, const Channels& x, Channels& out,
          int first, int f) const {
    auto split = Channels::of_result(small, f * corner_count(spec.dims));
    convolve(small, {false, false, false}, x, 0, x.count(), packed.at(name + ".weight"), plain.at(name + ".bias"),
             split, 0, split.count(), cancel);
    join_corners(small, large, spec.dims, split, out, first, f);
  }

  Channels level(int l, const ConvGrid& grid, const Channels& x) const {
    const int f = spec.filters[static_cast<std::size_t>(l)];
    Channels skip = block(grid, at("enc", l), x, f);
    if (l + 1 == spec.levels()) return skip;
    const ConvGrid small(spec.dims == 2 ? grid.nx : grid.nx / 2, grid.ny / 2, grid.nz / 2);
    const Channels inner =
        level(l + 1, small, down(grid, small, at("down", l), skip, spec.filters[static_cast<std::size_t>(l) + 1]));
    Channels both(grid, 2 * f);
    for (int c = 0; c < f; ++c) std::copy_n(skip.channel(c), grid.line, both.channel(c));
    skip = {};
    up(grid, small, at("up", l), inner, both, f, f);
    return block(grid, at("dec", l), both, f);
  }
};

}  // namespace

std::vector<float> UNet::operator()(std::span<const float> image, Size size, const Cancel* cancel) const {
  const Size multiple = spec_.multiple();
  for (std::size_t a = 0; a < 3; ++a)
    if (size[a] < multiple[a] || size[a] % multiple[a] != 0)
      throw Error(Errc::shape,
                  fmt::format("the network takes multiples of {} x {} x {}, given {} x {} x {}", multiple[0],
                              multiple[1], multiple[2], size[0], size[1], size[2]),
                  "pad the image");
  const ConvGrid grid(size[0], size[1], size[2]);
  if (image.size() != grid.voxels() * static_cast<std::size_t>(spec_.in))
    throw Error(Errc::shape,
                fmt::format("{} values for {} voxels and {} channels", image.size(), grid.voxels(), spec_.in));
  Channels x(grid, spec_.in);
  to_channels(grid, image.data(), x, 0, spec_.in);
  const Pass pass{spec_, packed_, plain_, cancel};
  const Channels top = pass.level(0, grid, x);
  auto logits = Channels::of_result(grid, spec_.classes);
  convolve(grid, {false, false, false}, top, 0, top.count(), packed_.at("head0.weight"), plain_.at("head0.bias"),
           logits, 0, spec_.classes, cancel);
  std::vector<float> out(grid.voxels() * static_cast<std::size_t>(spec_.classes));
  from_channels(grid, logits, 0, spec_.classes, out.data());
  return out;
}

void softmax(std::span<float> logits, int classes) {
  const std::size_t n = logits.size() / static_cast<std::size_t>(classes);
  parallel_for(n, 8192, [&](std::size_t begin, std::size_t end) {
    for (std::size_t v = begin; v < end; ++v) {
      float top = logits[v], sum = 0;
      for (int c = 1; c < classes; ++c) top = std::max(top, logits[static_cast<std::size_t>(c) * n + v]);
      for (int c = 0; c < classes; ++c) {
        float& value = logits[static_cast<std::size_t>(c) * n + v];
        value = std::exp(value - top);
        sum += value;
      }
      for (int c = 0; c < classes; ++c) logits[static_cast<std::size_t>(c) * n + v] /= sum;
    }
  });
}

}  // namespace larmor::nn
