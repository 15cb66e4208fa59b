// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/nn/torch/augment.hpp>

namespace larmor::nn::torch_side {
namespace {

using Matrix = std::array<std::array<double, 3>, 3>;

Matrix times(const Matrix& a, const Matrix& b) {
  Matrix c{};
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j)
      for (std::size_t k = 0; k < 3; ++k) c[i][j] += a[i][k] * b[k][j];
  return c;
}
Matrix rotation(int axis, double angle) {
  Matrix m{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
  const auto a = static_cast<std::size_t>((axis + 1) % 3), b = static_cast<std::size_t>((axis + 2) % 3);
  m[a][a] = m[b][b] = std::cos(angle);
  m[a][b] = -std::sin(angle);
  m[b][a] = std::sin(angle);
  return m;
}

struct Draw {
  std::mt19937_64& random;
  double uniform(double lo, double hi) { return std::uniform_real_distribution<double>(lo, hi)(random); }
  bool chance(double p) { return uniform(0, 1) < p; }
};

/// What is drawn for a batch, in one piece of memory, so that it goes to a device in one copy that nobody waits for.
class Numbers {
 public:
  explicit Numbers(std::int64_t n) : n_(n), all_(static_cast<std::size_t>(n * columns), 0.0f) {}
  float& at(std::int64_t image, int column) { return all_[static_cast<std::size_t>(image * columns + column)]; }
  /// (n, columns) on the device
  at::Tensor to(at::Device device) const {
    const at::Tensor host = torch::tensor(at::ArrayRef<float>(all_), at::kFloat).reshape({n_, columns});
    return device.is_cuda() ? host.pin_memory().to(device, at::kFloat, true) : host;
  }
  /// theta (3 rows of 4), displacement of control points (3), then one each
  static constexpr int theta = 0, bend = 12, gain = 15, offset = 16, gamma = 17, noise = 18, blur = 19, index = 20,
                       columns = 21;

 private:
  std::int64_t n_;
  std::vector<float> all_;
};

}  // namespace

at::Tensor blurred(const at::Tensor& image, const at::Tensor& sigma, int reach) {
  const std::vector<std::int64_t> one{1, 1, 1}, none{0, 0, 0};
  const auto n = image.size(0);
  const auto at = at::arange(-reach, reach + 1, image.options());
  at::Tensor k = at::exp(-0.5 * (at.unsqueeze(0) / sigma.unsqueeze(1)).square());
  k = k / k.sum(1, true);
  at::Tensor x = image.transpose(0, 1);  // an image is a group
  for (int axis = 0; axis < 3; ++axis) {
    std::vector<std::int64_t> shape{n, 1, 1, 1, 1}, pad(6, 0);
    shape[static_cast<std::size_t>(2 + axis)] = 2 * reach + 1;
    pad[static_cast<std::size_t>(4 - 2 * axis)] = pad[static_cast<std::size_t>(5 - 2 * axis)] = reach;
    x = at::conv3d(at::replication_pad3d(x, pad), k.reshape(shape), {}, one, none, one, n);
  }
  return x.transpose(0, 1);
}

Batch augmented(const Cases& all, const std::vector<std::int64_t>& cases, const std::array<int, 3>& patch,
                const Augment& how, int classes, std::mt19937_64& random) {
  Draw draw{random};
  const auto n = static_cast<std::int64_t>(cases.size());
  const auto device = all.images.device();
  const std::array<double, 3> size{static_cast<double>(all.images.size(3)), static_cast<double>(all.images.size(2)),
                                   static_cast<double>(all.images.size(1))};

  // theta takes the patch's own coordinates, [-1, 1] across it, to those of the whole.
  Numbers numbers(n);
  bool any_bend = false;
  for (std::int64_t i = 0; i < n; ++i) {
    numbers.at(i, Numbers::index) = static_cast<float>(cases[static_cast<std::size_t>(i)]);  // exact below 2^24
    Matrix m{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
    if (draw.chance(how.spatial_probability)) {
      for (int axis = 0; axis < 3; ++axis)
        m = times(m, rotation(axis, draw.uniform(-1, 1) * how.rotate * 3.14159265358979323846 / 180));
      const double reach = std::log1p(how.scale), all = draw.uniform(-reach, reach);
      for (std::size_t a = 0; a < 3; ++a) {
        const double s = std::exp(all + draw.uniform(-reach, reach) / 3);
        for (std::size_t b = 0; b < 3; ++b) m[b][a] *= s;
      }
      if (how.elastic > 0) {
        const auto bend = static_cast<float>(draw.uniform(0, how.elastic));
        for (int a = 0; a < 3; ++a)
          numbers.at(i, Numbers::bend + a) = bend * static_cast<float>(2 / size[static_cast<std::size_t>(a)]);
        any_bend = true;
      }
    }
    for (std::size_t a = 0; a < 3; ++a) {
      const double sign = how.mirror[a] && draw.chance(0.5) ? -1 : 1;
      for (std::size_t b = 0; b < 3; ++b) m[b][a] *= sign;
    }
    for (std::size_t row = 0; row < 3; ++row) {
      const int first = Numbers::theta + 4 * static_cast<int>(row);
      for (std::size_t column = 0; column < 3; ++column)
        numbers.at(i, first + static_cast<int>(column)) =
            static_cast<float>(m[row][column] * patch[column] / size[row]);
      numbers.at(i, first + 3) = static_cast<float>(2 * draw.uniform(-how.shift, how.shift) / size[row]);
    }
  }
  bool any_gamma = false, any_noise = false, any_blur = false;
  for (std::int64_t i = 0; i < n; ++i) {
    const double p = how.intensity_probability;
    float &gain = numbers.at(i, Numbers::gain), &gamma = numbers.at(i, Numbers::gamma);
    gain = gamma = 1, numbers.at(i, Numbers::blur) = 0.01f;
    if (draw.chance(p)) {
      gain = static_cast<float>(1 + draw.uniform(-how.contrast, how.contrast));
      numbers.at(i, Numbers::offset) = static_cast<float>(draw.uniform(-how.brightness, how.brightness));
    }
    if (draw.chance(p) && how.gamma > 0)
      gamma = static_cast<float>(std::exp(draw.uniform(-1, 1) * std::log1p(how.gamma))), any_gamma = true;
    if (draw.chance(p) && how.noise > 0)
      numbers.at(i, Numbers::noise) = static_cast<float>(draw.uniform(0, how.noise)), any_noise = true;
    if (draw.chance(p) && how.blur > 0)
      numbers.at(i, Numbers::blur) = static_cast<float>(draw.uniform(0.3, std::max(0.3, how.blur))), any_blur = true;
  }
  const at::Tensor drawn = numbers.to(device);
  const at::Tensor index = drawn.select(1, Numbers::index).to(at::kLong);
  at::Tensor grid = at::affine_grid_generator(drawn.narrow(1, Numbers::theta, 12).reshape({n, 3, 4}).contiguous(),
                                              {n, 1, patch[2], patch[1], patch[0]}, false);
  if (any_bend) {
    const std::int64_t k = how.elastic_points;
    const at::Tensor control =
        at::randn({n, 3, k, k, k}, all.images.options()) * drawn.narrow(1, Numbers::bend, 3).reshape({n, 3, 1, 1, 1});
    grid = grid + at::upsample_trilinear3d(control, {patch[2], patch[1], patch[0]}, true).permute({0, 2, 3, 4, 1});
  }
  constexpr int linear = 0, border = 1;
  at::Tensor x = at::grid_sampler_3d(all.images.index_select(0, index).unsqueeze(1), grid, linear, border, false);
  at::Tensor y;
  if (all.shares.defined()) {
    const at::Tensor inside = at::grid_sampler_3d(all.shares.index_select(0, index), grid, linear, border, false);
    y = at::cat({1 - inside.sum(1, true), inside}, 1);
  } else {
    // Labels: the class whose indicator is largest after the same resampling, so that borders stay smooth.
    const at::Tensor label = all.labels.index_select(0, index);
    std::vector<at::Tensor> indicators;
    for (int c = 1; c < classes; ++c) indicators.push_back((label == c).to(at::kFloat));
    const at::Tensor inside = at::grid_sampler_3d(at::stack(indicators, 1), grid, linear, border, false);
    const auto largest = inside.max(1);
    const at::Tensor background = 1 - inside.sum(1);
    y = at::where(std::get<0>(largest) > background, std::get<1>(largest) + 1,
                  at::zeros({1}, std::get<1>(largest).options()));
  }
  const auto column = [&](int which) { return drawn.select(1, which).reshape({n, 1, 1, 1, 1}); };
  if (any_blur) x = blurred(x, drawn.select(1, Numbers::blur), 3);
  if (any_gamma) {
    const at::Tensor low = x.amin({1, 2, 3, 4}, true), range = x.amax({1, 2, 3, 4}, true) - low + 1e-6;
    x = at::pow(((x - low) / range).clamp(0, 1), column(Numbers::gamma)) * range + low;
  }
  x = x * column(Numbers::gain) + column(Numbers::offset);
  if (any_noise) x = x + at::randn(x.sizes(), x.options()) * column(Numbers::noise);
  return {x, y};
}

}  // namespace larmor::nn::torch_side
