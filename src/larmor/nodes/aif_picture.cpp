// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <larmor/io/figure.hpp>
#include <larmor/nodes/aif_picture.hpp>

namespace larmor::nodes {

io::Picture aif_picture(const Image& series, const std::vector<std::int64_t>& voxels) {
  const auto g = series.grid();
  const int axis = io::plane_axis(series.affine, io::Plane::axial);
  std::vector<std::int64_t> count(static_cast<std::size_t>(g[static_cast<std::size_t>(axis)]));
  for (const auto v : voxels) {
    const std::array<std::int64_t, 3> at{v % g[0], v / g[0] % g[1], v / (g[0] * g[1])};
    ++count[static_cast<std::size_t>(at[static_cast<std::size_t>(axis)])];
  }
  const auto slice = std::max_element(count.begin(), count.end()) - count.begin();
  Array peak(DType::f32, {g[0], g[1], g[2]}), chosen(DType::f32, {g[0], g[1], g[2]});
  auto p = peak.span<float>(), c = chosen.span<float>();
  const Array f = series.data.cast(DType::f32).contiguous_copy();
  const auto values = f.span<float>();
  for (std::size_t i = 0; i < values.size(); ++i)
    if (std::isfinite(values[i])) p[i % p.size()] = std::max(p[i % p.size()], values[i]);
  std::fill(c.begin(), c.end(), std::nanf(""));
  for (const auto v : voxels) c[static_cast<std::size_t>(v)] = 1;
  auto base = io::render_slice(io::take_slice(peak, series.affine, io::Plane::axial, slice),
                               {"grey", io::robust_range(peak.span<float>(), 1, 99.5)}, 512);
  const auto marks =
      io::render_slice(io::take_slice(chosen, series.affine, io::Plane::axial, slice), {"grey", {0, 1}}, 512);
  for (std::size_t i = 0; i + 3 < base.pixels.size() && i + 3 < marks.pixels.size(); i += 4) {
    base.pixels[i + 3] = 255;
    if (marks.pixels[i + 3] != 0) base.pixels[i] = 230, base.pixels[i + 1] = 60, base.pixels[i + 2] = 50;
  }
  return base;
}

Image detected_voxels(const dce::AifDetection& d, const Image& series) {
  const auto g = series.grid();
  Image out;
  out.affine = series.affine, out.source = series.source;
  out.data = Array::uninitialised(DType::f32, {g[0], g[1], g[2]}, {"x", "y", "z"});
  auto values = out.data.span<float>();
  std::fill(values.begin(), values.end(), std::nanf(""));
  for (const auto v : d.voxels) values[static_cast<std::size_t>(v)] = d.score[static_cast<std::size_t>(v)];
  out.meta["Candidates"] = static_cast<double>(d.n_candidates);
  out.meta["Clusters"] = static_cast<double>(d.n_clusters);
  return out;
}

}  // namespace larmor::nodes
