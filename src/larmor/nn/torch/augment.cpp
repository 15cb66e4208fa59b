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

/// Gaussian of one standard deviation an image along each axis, edges repeated.
at::Tensor blurred(const at::Tensor& image, const at::Tensor& sigma) {
  constexpr int reach = 3;
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

}  // namespace

Batch augmented(const at::Tensor& images, const at::Tensor& labels, const std::vector<std::int64_t>& cases,
                const std::array<int, 3>& patch, const Augment& how, int classes, std::mt19937_64& random) {
  Draw draw{random};
  const auto n = static_cast<std::int64_t>(cases.size());
  const auto device = images.device();
  const auto host = at::TensorOptions().dtype(at::kFloat);
  const auto index = torch::tensor(cases, at::kLong).to(device);
  const at::Tensor image = images.index_select(0, index).unsqueeze(1);  // (n, 1, z, y, x)
  const at::Tensor label = labels.index_select(0, index);
  const std::array<double, 3> size{static_cast<double>(images.size(3)), static_cast<double>(images.size(2)),
                                   static_cast<double>(images.size(1))};

  // theta takes the patch's own coordinates, [-1, 1] across it, to those of the whole.
  at::Tensor theta = at::empty({n, 3, 4}, host), bend = at::zeros({n}, host);
  auto t = theta.accessor<float, 3>();
  bool any_bend = false;
  for (std::int64_t i = 0; i < n; ++i) {
    Matrix m{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
    if (draw.chance(how.spatial_probability)) {
      for (int axis = 0; axis < 3; ++axis)
        m = times(m, rotation(axis, draw.uniform(-1, 1) * how.rotate * 3.14159265358979323846 / 180));
      const double reach = std::log1p(how.scale), all = draw.uniform(-reach, reach);
      for (std::size_t a = 0; a < 3; ++a) {
        const double s = std::exp(all + draw.uniform(-reach, reach) / 3);
        for (std::size_t b = 0; b < 3; ++b) m[b][a] *= s;
      }
      if (how.elastic > 0) bend[i] = static_cast<float>(draw.uniform(0, how.elastic)), any_bend = true;
    }
    for (std::size_t a = 0; a < 3; ++a) {
      const double sign = how.mirror[a] && draw.chance(0.5) ? -1 : 1;
      for (std::size_t b = 0; b < 3; ++b) m[b][a] *= sign;
    }
    for (std::size_t row = 0; row < 3; ++row) {
      for (std::size_t column = 0; column < 3; ++column)
        t[i][static_cast<std::int64_t>(row)][static_cast<std::int64_t>(column)] =
            static_cast<float>(m[row][column] * patch[column] / size[row]);
      t[i][static_cast<std::int64_t>(row)][3] = static_cast<float>(2 * draw.uniform(-how.shift, how.shift) / size[row]);
    }
  }
  at::Tensor grid = at::affine_grid_generator(theta.to(device), {n, 1, patch[2], patch[1], patch[0]}, false);
  if (any_bend) {
    const std::int64_t k = how.elastic_points;
    at::Tensor control = at::randn({n, 3, k, k, k}, images.options()) * bend.to(device).reshape({n, 1, 1, 1, 1});
    const at::Tensor scale =
        torch::tensor({2 / size[0], 2 / size[1], 2 / size[2]}, at::kFloat).to(device).reshape({1, 3, 1, 1, 1});
    control = at::upsample_trilinear3d(control * scale, {patch[2], patch[1], patch[0]}, true);
    grid = grid + control.permute({0, 2, 3, 4, 1});
  }
  constexpr int linear = 0, border = 1;
  at::Tensor x = at::grid_sampler_3d(image, grid, linear, border, false);
  // Labels: the class whose indicator is largest after the same resampling, so that borders stay smooth.
  std::vector<at::Tensor> indicators;
  for (int c = 1; c < classes; ++c) indicators.push_back((label == c).to(at::kFloat));
  const at::Tensor inside = at::grid_sampler_3d(at::stack(indicators, 1), grid, linear, border, false);
  const auto largest = inside.max(1);
  const at::Tensor background = 1 - inside.sum(1);
  at::Tensor y = at::where(std::get<0>(largest) > background, std::get<1>(largest) + 1,
                           at::zeros({1}, std::get<1>(largest).options()));

  std::vector<float> gain(cases.size(), 1), offset(cases.size(), 0), gamma(cases.size(), 1), noise(cases.size(), 0),
      blur(cases.size(), 0.01f);
  bool any_gamma = false, any_noise = false, any_blur = false;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const double p = how.intensity_probability;
    if (draw.chance(p)) {
      gain[i] = static_cast<float>(1 + draw.uniform(-how.contrast, how.contrast));
      offset[i] = static_cast<float>(draw.uniform(-how.brightness, how.brightness));
    }
    if (draw.chance(p) && how.gamma > 0)
      gamma[i] = static_cast<float>(std::exp(draw.uniform(-1, 1) * std::log1p(how.gamma))), any_gamma = true;
    if (draw.chance(p) && how.noise > 0) noise[i] = static_cast<float>(draw.uniform(0, how.noise)), any_noise = true;
    if (draw.chance(p) && how.blur > 0)
      blur[i] = static_cast<float>(draw.uniform(0.3, std::max(0.3, how.blur))), any_blur = true;
  }
  const auto column = [&](std::vector<float>& v) {
    return torch::tensor(v, at::kFloat).to(device).reshape({n, 1, 1, 1, 1});
  };
  if (any_blur) x = blurred(x, torch::tensor(blur, at::kFloat).to(device));
  if (any_gamma) {
    const at::Tensor low = x.amin({1, 2, 3, 4}, true), range = x.amax({1, 2, 3, 4}, true) - low + 1e-6;
    x = at::pow(((x - low) / range).clamp(0, 1), column(gamma)) * range + low;
  }
  x = x * column(gain) + column(offset);
  if (any_noise) x = x + at::randn(x.sizes(), x.options()) * column(noise);
  return {x, y};
}

}  // namespace larmor::nn::torch_side
