// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <larmor/nn/conv.hpp>
#include <larmor/seg/model.hpp>
#include <larmor/seg/preprocess.hpp>
#include <larmor/seg/quality.hpp>

namespace larmor::seg {
namespace {

using Size = std::array<int, 3>;

/// Element of the result nearest to that of the image, centred: edges go on.
std::vector<float> padded(const Prepared& image, const Size& to, const std::array<bool, 3>& flip) {
  std::vector<float> out;
  out.reserve(static_cast<std::size_t>(to[0]) * static_cast<std::size_t>(to[1]) * static_cast<std::size_t>(to[2]));
  const auto from = [&](int i, std::size_t a) {
    const int at = flip[a] ? to[a] - 1 - i : i;
    return std::clamp(at - (to[a] - image.size[a]) / 2, 0, image.size[a] - 1);
  };
  for (int z = 0; z < to[2]; ++z)
    for (int y = 0; y < to[1]; ++y) {
      const auto row = static_cast<std::size_t>((from(z, 2) * image.size[1] + from(y, 1)) * image.size[0]);
      for (int x = 0; x < to[0]; ++x) out.push_back(image.values[row + static_cast<std::size_t>(from(x, 0))]);
    }
  return out;
}

/// Adds the part of `values` (class, voxel) that the image covers to `sum`.
void add_cut(const std::vector<float>& values, const Prepared& image, const Size& from, const std::array<bool, 3>& flip,
             int classes, std::vector<float>& sum) {
  const auto voxels = static_cast<std::size_t>(from[0] * from[1] * from[2]);
  std::size_t to = 0;
  for (int c = 0; c < classes; ++c)
    for (int z = 0; z < image.size[2]; ++z)
      for (int y = 0; y < image.size[1]; ++y)
        for (int x = 0; x < image.size[0]; ++x, ++to) {
          Size at{x, y, z};
          for (std::size_t a = 0; a < 3; ++a) {
            at[a] += (from[a] - image.size[a]) / 2;
            if (flip[a]) at[a] = from[a] - 1 - at[a];
          }
          sum[to] += values[static_cast<std::size_t>(c) * voxels +
                            static_cast<std::size_t>((at[2] * from[1] + at[1]) * from[0] + at[0])];
        }
}

}  // namespace

Segmentation Segmenter::predict(const Image& image, const PredictOptions& options, const Cancel* cancel) const {
  load();
  const Model& model = *model_;
  const Prepared ready = prepare(image, {}, cancel);
  const int classes = model.members[0].spec().classes;
  const auto multiple = model.members[0].spec().multiple();
  Size size{};
  for (std::size_t a = 0; a < 3; ++a) size[a] = (ready.size[a] + multiple[a] - 1) / multiple[a] * multiple[a];
  const auto voxels = ready.values.size();
  std::vector<float> sum(voxels * static_cast<std::size_t>(classes), 0.0f);
  std::vector<std::array<bool, 3>> flips;
  for (int which = 0; which < 8; ++which) {
    const std::array<bool, 3> flip{(which & 1) != 0, (which & 2) != 0, (which & 4) != 0};
    bool wanted = true;
    for (std::size_t a = 0; a < 3; ++a) wanted = wanted && (!flip[a] || (options.mirror && model.mirror[a]));
    if (wanted) flips.push_back(flip);
  }
  const nn::KeepFloats keep;
  // The networks of an ensemble share the mirror images, so that five networks cost five passes and not ten.
  const auto passes = std::max(flips.size(), model.members.size());
  for (std::size_t pass = 0; pass < passes; ++pass) {
    if (cancel) cancel->check();
    const auto& flip = flips[pass % flips.size()];
    auto p = model.members[pass % model.members.size()](padded(ready, size, flip), size, cancel);
    nn::softmax(p, classes);
    add_cut(p, ready, size, flip, classes, sum);
  }
  for (float& p : sum) p /= static_cast<float>(passes);

  const Shape shape{ready.size[0], ready.size[1], ready.size[2], classes};
  Array probabilities =
      back_to(image, ready, Array::from<float>(sum, shape, {"x", "y", "z", "class"}), cancel).contiguous_copy();
  const auto n = static_cast<std::size_t>(image.voxels());
  auto* p = probabilities.data<float>();
  const auto grid = image.grid();
  Array labels = Array::of<std::uint8_t>({grid[0], grid[1], grid[2]}),
        uncertainty = Array::of<float>({grid[0], grid[1], grid[2]});
  auto* l = labels.data<std::uint8_t>();
  auto* u = uncertainty.data<float>();
  for (std::size_t i = 0; i < n; ++i) {
    int best = 0;
    double entropy = 0, total = 0;
    if (!ready.padding.is.empty() && ready.padding.is[i]) {
      for (int c = 0; c < classes; ++c) p[static_cast<std::size_t>(c) * n + i] = c == 0;
      l[i] = 0, u[i] = 0;
      continue;
    }
    for (int c = 0; c < classes; ++c) total += p[static_cast<std::size_t>(c) * n + i];
    for (int c = 0; c < classes; ++c) {
      float& q = p[static_cast<std::size_t>(c) * n + i];
      q = static_cast<float>(q / total);
      if (q > p[static_cast<std::size_t>(best) * n + i]) best = c;
      if (q > 0) entropy -= q * std::log(static_cast<double>(q));
    }
    l[i] = static_cast<std::uint8_t>(best);
    u[i] = static_cast<float>(std::clamp(entropy / std::log(static_cast<double>(classes)), 0.0, 1.0));
  }
  std::int64_t removed = 0;
  const int pieces = options.largest ? keep_largest(labels, removed) : 1;
  if (model.parting && options.plane) part(labels, probabilities, *model.parting, image.affine, ready.affine);
  Segmentation out;
  out.labels = image.like(labels);
  out.probabilities = image.like(probabilities);
  out.uncertainty = image.like(uncertainty);
  out.classes = model.classes;
  out.model = model.name;
  check_quality(image, ready, pieces, removed, model.usual, out);
  return out;
}

}  // namespace larmor::seg
