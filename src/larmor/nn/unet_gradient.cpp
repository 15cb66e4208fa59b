// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/core/error.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/nn/conv_half.hpp>
#include <larmor/nn/corners.hpp>
#include <larmor/nn/unet_gradient.hpp>
#include <mutex>

namespace larmor::nn {
namespace {

constexpr float slope = 0.01f;  // of the activation below 0
constexpr Reach point{false, false, false};

std::string at(const char* stem, int level) { return stem + std::to_string(level); }

/// Weights in the order in which the kernels read them: of lanes, or of matrix tiles where these pay.
struct Kernel {
  std::vector<float> lanes;
  std::vector<std::uint16_t> tiles;
};
struct Packed {
  Kernel forward, backward;  // on the way there and on the way back
};

void convolve(const ConvGrid& grid, const Reach& reach, const Channels& in, int first_in, int cin, const Kernel& kernel,
              std::span<const float> bias, Channels& out, int first_out, int cout, bool add = false) {
  if (kernel.tiles.empty())
    nn::convolve(grid, reach, in, first_in, cin, kernel.lanes, bias, out, first_out, cout, nullptr, add);
  else
    convolve_half(grid, reach, in, first_in, cin, kernel.tiles, bias, out, first_out, cout, add);
}

/// What a block keeps for the way back, beside its input and its result.
struct BlockTape {
  Channels z1, a, z2;
  std::vector<Moments> moments1, moments2;
};

/// What an image keeps, by level. `both`: what the encoder gave, then what came up; without a level below, the result.
struct Tape {
  Channels image;
  std::vector<BlockTape> encoder, decoder;
  std::vector<Channels> both, top, split, below;
  std::vector<std::vector<float>> gradients;  // by weight, in the order of weight_shapes
};

/// What is only needed while an image is worked on, by level.
struct Scratch {
  std::vector<Channels> wide;                    // by `both`
  std::vector<Channels> by_top, dz, inner;       // f channels
  std::vector<Channels> corners, below, logits;  // on the grid below; f of the level below
};

}  // namespace

struct UNetGradient::Impl {
  UNetSpec spec;
  int batch;
  bool half;
  std::vector<ConvGrid> grids;
  std::vector<std::pair<std::string, std::vector<std::int64_t>>> shapes;
  std::map<std::string, std::size_t> index;
  std::map<std::string, Packed> packed;
  std::vector<Tape> tapes;
  std::vector<std::unique_ptr<Scratch>> free;
  std::mutex lock;

  int f(int level) const { return spec.filters[static_cast<std::size_t>(level)]; }
  int levels() const { return spec.levels(); }
  int corners() const { return corner_count(spec.dims); }
  Reach reach() const { return {spec.dims == 3, true, true}; }
  const ConvGrid& grid(int level) const { return grids[static_cast<std::size_t>(level)]; }
  bool projected(int cin, int cout) const { return spec.residual && cin != cout; }

  Impl(const UNetSpec& s, std::array<int, 3> size, int n, bool half_)
      : spec(s), batch(n), half(half_ && half_available()), shapes(weight_shapes(s)) {
    for (std::size_t i = 0; i < shapes.size(); ++i) index[shapes[i].first] = i;
    for (int l = 0; l < levels(); ++l)
      grids.emplace_back(spec.dims == 2 ? size[0] : size[0] >> l, size[1] >> l, size[2] >> l);
    tapes.resize(static_cast<std::size_t>(batch));
    for (auto& t : tapes) prepare(t);
  }

  void prepare(Tape& t) const {
    const auto block = [&](int l) { return BlockTape{{grid(l), f(l)}, {grid(l), f(l)}, {grid(l), f(l)}, {}, {}}; };
    t.image = Channels(grid(0), spec.in);
    for (int l = 0; l < levels(); ++l) {
      const bool last = l + 1 == levels();
      t.encoder.push_back(block(l));
      t.both.emplace_back(grid(l), last ? f(l) : 2 * f(l));
      t.below.push_back(l == 0 ? Channels() : Channels(grid(l), f(l)));
      t.decoder.push_back(last ? BlockTape() : block(l));
      t.top.push_back(last ? t.both.back() : Channels(grid(l), f(l)));  // copies share their memory
      t.split.push_back(last ? Channels() : Channels(grid(l + 1), f(l) * corners()));
    }
    for (const auto& [name, shape] : shapes) {
      std::size_t n = 1;
      for (const auto e : shape) n *= static_cast<std::size_t>(e);
      t.gradients.emplace_back(n);
    }
  }

  std::unique_ptr<Scratch> take() {
    {
      const std::lock_guard hold(lock);
      if (!free.empty()) {
        auto s = std::move(free.back());
        free.pop_back();
        return s;
      }
    }
    auto s = std::make_unique<Scratch>();
    for (int l = 0; l < levels(); ++l) {
      const bool last = l + 1 == levels();
      s->wide.emplace_back(grid(l), last ? f(l) : 2 * f(l));
      for (auto* each : {&s->by_top, &s->dz, &s->inner}) each->emplace_back(grid(l), f(l));
      s->corners.push_back(last ? Channels() : Channels(grid(l + 1), f(l) * corners()));
      s->below.push_back(l == 0 ? Channels() : Channels(grid(l), f(l)));
      s->logits.push_back(l <= spec.supervised ? Channels(grid(l), spec.classes) : Channels());
    }
    return s;
  }
  void give_back(std::unique_ptr<Scratch> s) {
    const std::lock_guard hold(lock);
    free.push_back(std::move(s));
  }

  void pack(const ByName<const float>& weights) {
    std::vector<const std::string*> names;
    for (const auto& [name, shape] : shapes)
      if (shape.size() == 5) names.push_back(&name), packed[name];
    parallel_for(names.size(), 1, [&](std::size_t begin, std::size_t end) {
      for (auto i = begin; i < end; ++i) {
        const auto& name = *names[i];
        const auto& shape = shapes[index.at(name)].second;
        const int a = static_cast<int>(shape[0]), b = static_cast<int>(shape[1]);
        const auto w = weights.at(name);
        auto& to = packed.at(name);
        const auto set = [&](std::span<const float> values, int cout, int cin, int taps) {
          if (half && half_pays(cin, cout)) {
            to.forward.tiles = packed_half(values, cout, cin, taps);
            to.backward.tiles = packed_half_transposed(values, cout, cin, taps);
          } else {
            to.forward.lanes = nn::packed(values, cout, cin, taps);
            to.backward.lanes = packed_transposed(values, cout, cin, taps);
          }
        };
        if (name.starts_with("down"))
          set(down_as_point(w, a, b, spec.dims), a, b * corners(), 1);
        else if (name.starts_with("up"))
          set(up_as_point(w, a, b, spec.dims), b * corners(), a, 1);
        else
          set(w, a, b, static_cast<int>(shape[2] * shape[3] * shape[4]));
      }
    });
  }

  struct Way;
};

/// One image on its way through the network and back.
struct UNetGradient::Impl::Way {
  const Impl& net;
  const ByName<const float>& weights;
  Tape& t;
  Scratch& s;

  static std::size_t of(int level) { return static_cast<std::size_t>(level); }
  const Packed& packed(const std::string& name) const { return net.packed.at(name); }
  std::span<const float> value(const std::string& name) const { return weights.at(name); }
  std::span<float> gradient(const std::string& name) { return t.gradients[net.index.at(name)]; }

  void weights_back(const ConvGrid& grid, const Reach& reach, const Channels& in, int cin, const Channels& grad,
                    int first_grad, int cout, std::span<float> out) const {
    if (net.half && half_pays(cin, cout))
      convolve_weights_half(grid, reach, in, cin, grad, first_grad, cout, out);
    else
      convolve_weights(grid, reach, in, cin, grad, first_grad, cout, out);
  }

  void norm_all(const ConvGrid& grid, const std::string& name, const Channels& z, const Channels* added, Channels& y,
                int n, std::vector<Moments>& moments) const {
    const auto weight = value(name + ".weight"), bias = value(name + ".bias");
    moments.resize(of(n));
    parallel_for(of(n), 1 + 100'000 / grid.line, [&](std::size_t begin, std::size_t end) {
      for (auto c = begin; c < end; ++c) {
        const int i = static_cast<int>(c);
        moments[c] =
            norm(grid, z.channel(i), weight[c], bias[c], added ? added->channel(i) : nullptr, slope, y.channel(i));
      }
    });
  }

  /// y: the first f channels.
  void block(int l, const std::string& name, const Channels& x, int cin, BlockTape& b, Channels& y) const {
    const auto& grid = net.grid(l);
    const int f = net.f(l);
    convolve(grid, net.reach(), x, 0, cin, packed(name + ".conv1.weight").forward, {}, b.z1, 0, f);
    norm_all(grid, name + ".norm1", b.z1, nullptr, b.a, f, b.moments1);
    convolve(grid, net.reach(), b.a, 0, f, packed(name + ".conv2.weight").forward, {}, b.z2, 0, f);
    const Channels* added = net.spec.residual ? &x : nullptr;
    if (net.projected(cin, f)) {
      added = &s.inner[of(l)];
      convolve(grid, point, x, 0, cin, packed(name + ".proj.weight").forward, {}, s.inner[of(l)], 0, f);
    }
    norm_all(grid, name + ".norm2", b.z2, added, y, f, b.moments2);
  }

  void there(int l) {
    const auto& grid = net.grid(l);
    const int f = net.f(l);
    auto& both = t.both[of(l)];
    block(l, at("enc", l), l == 0 ? t.image : t.below[of(l)], l == 0 ? net.spec.in : f, t.encoder[of(l)], both);
    if (l + 1 == net.levels()) return;
    const auto& small = net.grid(l + 1);
    auto& split = t.split[of(l)];
    split_corners(small, grid, net.spec.dims, both, 0, f, split);
    convolve(small, point, split, 0, split.count(), packed(at("down", l) + ".weight").forward,
             value(at("down", l) + ".bias"), t.below[of(l) + 1], 0, net.f(l + 1));
    there(l + 1);
    auto& up = s.corners[of(l)];
    std::vector<float> bias;  // the same for every corner
    for (int k = 0; k < net.corners(); ++k)
      bias.insert(bias.end(), value(at("up", l) + ".bias").begin(), value(at("up", l) + ".bias").end());
    convolve(small, point, t.top[of(l) + 1], 0, net.f(l + 1), packed(at("up", l) + ".weight").forward, bias, up, 0,
             up.count());
    join_corners(small, grid, net.spec.dims, up, both, f, f);
    block(l, at("dec", l), both, 2 * f, t.decoder[of(l)], t.top[of(l)]);
  }

  void head(int l, float* logits) {
    auto& out = s.logits[of(l)];
    convolve(net.grid(l), point, t.top[of(l)], 0, net.f(l), packed(at("head", l) + ".weight").forward,
             value(at("head", l) + ".bias"), out, 0, out.count());
    from_channels(net.grid(l), out, 0, out.count(), logits);
  }

  void norm_all_back(const ConvGrid& grid, const std::string& name, const Channels& z,
                     const std::vector<Moments>& moments, const Channels& y, Channels& grad, Channels& dz, int n) {
    const auto weight = value(name + ".weight");
    const auto by_weight = gradient(name + ".weight"), by_bias = gradient(name + ".bias");
    parallel_for(of(n), 1 + 100'000 / grid.line, [&](std::size_t begin, std::size_t end) {
      for (auto c = begin; c < end; ++c) {
        const int i = static_cast<int>(c);
        const auto g = norm_gradient(grid, z.channel(i), moments[c], weight[c], y.channel(i), slope, grad.channel(i),
                                     dz.channel(i));
        by_weight[c] += g.weight, by_bias[c] += g.bias;
      }
    });
  }

  /// From the gradient by y, which is changed, to that by x, which is written when it is wanted.
  void block_back(int l, const std::string& name, const Channels& x, int cin, const BlockTape& b, const Channels& y,
                  Channels& by_y, Channels* by_x) {
    const auto& grid = net.grid(l);
    const int f = net.f(l);
    auto &dz = s.dz[of(l)], &by_a = s.inner[of(l)];
    norm_all_back(grid, name + ".norm2", b.z2, b.moments2, y, by_y, dz, f);
    weights_back(grid, net.reach(), b.a, f, dz, 0, f, gradient(name + ".conv2.weight"));
    convolve(grid, net.reach(), dz, 0, f, packed(name + ".conv2.weight").backward, {}, by_a, 0, f);
    norm_all_back(grid, name + ".norm1", b.z1, b.moments1, b.a, by_a, dz, f);
    weights_back(grid, net.reach(), x, cin, dz, 0, f, gradient(name + ".conv1.weight"));
    const bool projected = net.projected(cin, f);
    if (projected) weights_back(grid, point, x, cin, by_y, 0, f, gradient(name + ".proj.weight"));
    if (by_x == nullptr) return;
    convolve(grid, net.reach(), dz, 0, f, packed(name + ".conv1.weight").backward, {}, *by_x, 0, cin);
    if (projected)
      convolve(grid, point, by_y, 0, f, packed(name + ".proj.weight").backward, {}, *by_x, 0, cin, true);
    else if (net.spec.residual)
      for (int c = 0; c < f; ++c) scale_shift(grid, by_x->channel(c), 1, 0, by_y.channel(c), 1, by_x->channel(c));
  }

  /// s.by_top of this level holds the gradient by what it gave to the level above, but for its own head.
  void back(int l, const std::vector<const float*>& by_logits, bool any_above) {
    const auto& grid = net.grid(l);
    const int f = net.f(l);
    const bool last = l + 1 == net.levels();
    auto& by_top = s.by_top[of(l)];
    if (l <= net.spec.supervised) {
      auto& g = s.logits[of(l)];
      const auto name = at("head", l);
      to_channels(grid, by_logits[of(l)], g, 0, g.count());
      weights_back(grid, point, t.top[of(l)], f, g, 0, g.count(), gradient(name + ".weight"));
      const auto by_bias = gradient(name + ".bias");
      for (int c = 0; c < g.count(); ++c) by_bias[of(c)] += static_cast<float>(sum_of(grid, g.channel(c)));
      convolve(grid, point, g, 0, g.count(), packed(name + ".weight").backward, {}, by_top, 0, f, any_above);
    }
    Channels* by_input = l == 0 ? nullptr : &s.below[of(l)];
    const auto& input = l == 0 ? t.image : t.below[of(l)];
    const int cin = l == 0 ? net.spec.in : f;
    auto& both = t.both[of(l)];
    if (last) return block_back(l, at("enc", l), input, cin, t.encoder[of(l)], both, by_top, by_input);

    auto& by_both = s.wide[of(l)];
    block_back(l, at("dec", l), both, 2 * f, t.decoder[of(l)], t.top[of(l)], by_top, &by_both);
    const auto& small = net.grid(l + 1);
    const int deeper = net.f(l + 1), parts = f * net.corners();
    auto& corners = s.corners[of(l)];
    split_corners(small, grid, net.spec.dims, by_both, f, f, corners);
    std::vector<float> by_point(of(deeper) * of(parts));
    weights_back(small, point, t.top[of(l) + 1], deeper, corners, 0, parts, by_point);
    add_up_from_point(by_point, deeper, f, net.spec.dims, gradient(at("up", l) + ".weight"));
    const auto up_bias = gradient(at("up", l) + ".bias");
    for (int k = 0; k < parts; ++k) up_bias[of(k % f)] += static_cast<float>(sum_of(small, corners.channel(k)));
    convolve(small, point, corners, 0, parts, packed(at("up", l) + ".weight").backward, {}, s.by_top[of(l) + 1], 0,
             deeper);
    back(l + 1, by_logits, true);
    auto& by_below = s.below[of(l) + 1];
    std::fill(by_point.begin(), by_point.end(), 0.0f);
    weights_back(small, point, t.split[of(l)], parts, by_below, 0, deeper, by_point);
    add_down_from_point(by_point, deeper, f, net.spec.dims, gradient(at("down", l) + ".weight"));
    const auto down_bias = gradient(at("down", l) + ".bias");
    for (int c = 0; c < deeper; ++c) down_bias[of(c)] += static_cast<float>(sum_of(small, by_below.channel(c)));
    convolve(small, point, by_below, 0, deeper, packed(at("down", l) + ".weight").backward, {}, corners, 0, parts);
    join_corners(small, grid, net.spec.dims, corners, by_both, 0, f, true);
    block_back(l, at("enc", l), input, cin, t.encoder[of(l)], both, by_both, by_input);
  }
};

UNetGradient::UNetGradient(const UNetSpec& spec, std::array<int, 3> size, int batch, bool half) {
  spec.check();
  const auto m = spec.multiple();
  for (std::size_t a = 0; a < 3; ++a)
    if (size[a] < m[a] || size[a] % m[a] != 0)
      throw Error(Errc::shape, fmt::format("the network takes multiples of {} x {} x {}, given {} x {} x {}", m[0],
                                           m[1], m[2], size[0], size[1], size[2]));
  impl_ = std::make_unique<Impl>(spec, size, batch, half);
}
UNetGradient::~UNetGradient() = default;

void UNetGradient::forward(const ByName<const float>& weights, const float* images, const std::vector<float*>& logits) {
  auto& net = *impl_;
  net.pack(weights);
  parallel_for(net.tapes.size(), 1, [&](std::size_t begin, std::size_t end) {
    auto scratch = net.take();
    for (auto i = begin; i < end; ++i) {
      Impl::Way way{net, weights, net.tapes[i], *scratch};
      to_channels(net.grid(0), images + i * net.grid(0).voxels() * static_cast<std::size_t>(net.spec.in), way.t.image,
                  0, net.spec.in);
      way.there(0);
      for (std::size_t l = 0; l < logits.size(); ++l)
        way.head(static_cast<int>(l),
                 logits[l] + i * net.grids[l].voxels() * static_cast<std::size_t>(net.spec.classes));
    }
    net.give_back(std::move(scratch));
  });
}

void UNetGradient::backward(const ByName<const float>& weights, const std::vector<const float*>& by_logits,
                            const ByName<float>& gradients) {
  auto& net = *impl_;
  parallel_for(net.tapes.size(), 1, [&](std::size_t begin, std::size_t end) {
    auto scratch = net.take();
    for (auto i = begin; i < end; ++i) {
      Impl::Way way{net, weights, net.tapes[i], *scratch};
      for (auto& g : way.t.gradients) std::fill(g.begin(), g.end(), 0.0f);
      std::vector<const float*> mine;
      for (std::size_t l = 0; l < by_logits.size(); ++l)
        mine.push_back(by_logits[l] + i * net.grids[l].voxels() * static_cast<std::size_t>(net.spec.classes));
      way.back(0, mine, false);
    }
    net.give_back(std::move(scratch));
  });
  parallel_for(net.shapes.size(), 4, [&](std::size_t begin, std::size_t end) {
    for (auto i = begin; i < end; ++i) {
      const auto to = gradients.at(net.shapes[i].first);
      for (const auto& t : net.tapes)  // in the order of the images, whoever was first
        for (std::size_t k = 0; k < to.size(); ++k) to[k] += t.gradients[i][k];
    }
  });
}

}  // namespace larmor::nn
