// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/nd/mask.hpp>
#include <larmor/seg/quality.hpp>
#include <larmor/seg/volumetry.hpp>
#include <map>

namespace larmor::seg {
namespace {

/// Whether a voxel has a neighbour that is outside the image or padding.
bool at_border(const std::array<std::int64_t, 3>& n, const Padding& padding, std::int64_t x, std::int64_t y,
               std::int64_t z) {
  const std::array<std::int64_t, 3> p{x, y, z};
  for (std::size_t a = 0; a < 3; ++a)
    for (const int step : {-1, 1}) {
      auto q = p;
      q[a] += step;
      if (q[a] < 0 || q[a] >= n[a]) return true;
      if (!padding.is.empty() && padding.is[static_cast<std::size_t>((q[2] * n[1] + q[1]) * n[0] + q[0])]) return true;
    }
  return false;
}

/// Crops of training were up to 43 x 59 x 47 mm. What is much larger holds more than its network has learned to tell
/// apart, and moves its norms.
constexpr int widest_crop = 72;

}  // namespace

int keep_largest(Array& labels, std::int64_t& removed) {
  Array mask = Array::of<bool>(labels.shape(), labels.axes());
  const auto l = labels.span<std::uint8_t>();
  auto* m = mask.data<bool>();
  for (std::size_t i = 0; i < l.size(); ++i) m[i] = l[i] != 0;
  const Array pieces = nd::components(mask, nd::Touch::corners);
  const auto p = pieces.span<std::int32_t>();
  std::map<std::int32_t, std::int64_t> sizes;
  for (std::size_t i = 0; i < l.size(); ++i) {
    if (p[i] > 0) ++sizes[p[i]];
    if (p[i] > 1) l[i] = 0, ++removed;
  }
  return static_cast<int>(std::count_if(sizes.begin(), sizes.end(), [](const auto& s) { return s.second >= 10; }));
}

void check_quality(const Image& image, const Prepared& ready, int pieces, std::int64_t removed, const Usual& usual,
                   Segmentation& s) {
  const auto add = [&](std::string id, std::string what, bool serious) {
    s.flags.push_back({std::move(id), std::move(what), serious});
  };
  const auto volumes = label_volumes(s.labels, static_cast<int>(s.classes.size()) - 1);
  double total = 0;
  for (const auto& v : volumes) {
    total += v.mm3;
    if (v.voxels == 0)
      add("missing", fmt::format("no voxel is {}", s.classes[static_cast<std::size_t>(v.label)]), true);
  }
  if (total < usual.volume_range[0] || total > usual.volume_range[1])
    add("size",
        fmt::format("{:.0f} mm3 are outside {:.0f} to {:.0f} mm3, the range of training", total, usual.volume_range[0],
                    usual.volume_range[1]),
        true);
  if (*std::max_element(ready.size.begin(), ready.size.end()) > widest_crop)
    add("field",
        fmt::format("the picture is {} x {} x {} mm, crops of training were about 35 x 50 x 35 mm", ready.size[0],
                    ready.size[1], ready.size[2]),
        true);
  if (pieces > 1)
    add("components", fmt::format("{} separate pieces of 10 voxels or more; {} voxels were removed", pieces, removed),
        removed > 100);
  const auto n = image.grid();
  const auto l = s.labels.data.span<std::uint8_t>();
  const auto u = s.uncertainty.data.span<float>();
  const Array values = image.data.cast(DType::f32).contiguous_copy();
  const auto v = values.span<float>();
  std::int64_t border = 0, inside = 0;
  double unsure = 0, in_sum = 0, out_sum = 0, squares = 0, out_count = 0;
  std::size_t i = 0;
  for (std::int64_t z = 0; z < n[2]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y)
      for (std::int64_t x = 0; x < n[0]; ++x, ++i) {
        if (!ready.padding.is.empty() && ready.padding.is[i]) continue;
        if (l[i] == 0) {
          out_sum += v[i], ++out_count, squares += static_cast<double>(v[i]) * v[i];
          continue;
        }
        ++inside;
        unsure += u[i], in_sum += v[i], squares += static_cast<double>(v[i]) * v[i];
        border += at_border(n, ready.padding, x, y, z);
      }
  if (border > 0)
    add("border", fmt::format("{} voxels lie on the border of the image: the crop may cut the hippocampus", border),
        border > 20);
  if (inside == 0) return;
  const double mean_u = s.mean_uncertainty = unsure / static_cast<double>(inside);
  if (mean_u > usual.uncertainty)
    add("uncertain",
        fmt::format("mean uncertainty inside is {:.2f}, in cross-validation it was below {:.2f}", mean_u,
                    usual.uncertainty),
        true);
  const double all = static_cast<double>(inside) + out_count, mean = (in_sum + out_sum) / all;
  const double deviation = std::sqrt(std::max(0.0, squares / all - mean * mean));
  const double contrast =
      std::abs(in_sum / static_cast<double>(inside) - out_sum / std::max(1.0, out_count)) / std::max(deviation, 1e-30);
  if (contrast < 0.02)
    add("contrast", fmt::format("inside and outside differ by {:.3f} of the deviation of the image", contrast), false);
  if (ready.cut_share > 0.02)
    add("intensity",
        fmt::format("{:.1f} % of the voxels have the largest value or nearly so: saturated", 100 * ready.cut_share),
        false);
}

}  // namespace larmor::seg
