// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/nd/resample.hpp>
#include <larmor/data/grid.hpp>
#include <larmor/seg/preprocess.hpp>

namespace larmor::seg {
namespace {

/// A grid with its axes in the order and direction nearest to R, A, S, and cubic voxels.
Grid training_grid(const Affine& affine, const std::array<std::int64_t, 3>& n, double spacing) {
  std::array<int, 3> order{};
  std::array<bool, 3> taken{};
  const auto size = affine.spacing();
  for (std::size_t world = 0; world < 3; ++world) {  // the voxel axis that runs most along this direction
    double best = -1;
    for (std::size_t a = 0; a < 3; ++a) {
      const double along = std::abs(affine.m[world][a]) / std::max(size[a], 1e-12);
      if (!taken[a] && along > best) best = along, order[world] = static_cast<int>(a);
    }
    taken[static_cast<std::size_t>(order[world])] = true;
  }
  Grid grid{permuted(affine, order), {}};
  std::array<double, 3> first{}, step{1, 1, 1};
  for (std::size_t a = 0; a < 3; ++a) {
    grid.size[a] = n[static_cast<std::size_t>(order[a])];
    if (grid.affine.m[a][a] < 0) first[a] = static_cast<double>(grid.size[a] - 1), step[a] = -1;
  }
  grid.affine = regridded(grid.affine, first, step);
  const auto now = grid.affine.spacing();
  const bool same =
      std::all_of(now.begin(), now.end(), [&](double s) { return std::abs(s - spacing) < 1e-3 * spacing; });
  return same ? grid : with_spacing(grid, {spacing, spacing, spacing});
}

std::array<std::array<double, 4>, 3> to_index(const Affine& from, const Affine& to) {
  const Affine m = from.inverse() * to;
  std::array<std::array<double, 4>, 3> out;
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 4; ++j) {
      const double whole = std::round(m.m[i][j]);  // a turned grid gives whole numbers up to rounding
      out[i][j] = std::abs(m.m[i][j] - whole) < 1e-6 ? whole : m.m[i][j];
    }
  return out;
}

double percentile(std::vector<float> values, double percent) {
  const double at = percent / 100 * static_cast<double>(values.size() - 1);
  const auto k = static_cast<std::ptrdiff_t>(at);
  std::nth_element(values.begin(), values.begin() + k, values.end());
  const double lower = values[static_cast<std::size_t>(k)];
  if (at == static_cast<double>(k)) return lower;
  const double upper = *std::min_element(values.begin() + k + 1, values.end());
  return lower + (at - static_cast<double>(k)) * (upper - lower);
}

}  // namespace

double normalise(std::vector<float>& values, double low, double high) {
  const auto a = static_cast<float>(percentile(values, low)), b = static_cast<float>(percentile(values, high));
  double sum = 0, squares = 0, cut = 0;
  for (float& v : values) {
    cut += v >= b;
    v = std::clamp(v, a, b);
    sum += v - a;  // about the lower cut: keeps the digits of images with a large offset
  }
  const auto n = static_cast<double>(values.size());
  const double mean = a + sum / n;
  for (const float v : values) squares += (v - mean) * (v - mean);
  const double deviation = std::sqrt(squares / n);
  if (!(deviation > 1e-6 * std::max(std::abs(static_cast<double>(a)), std::abs(static_cast<double>(b)))))
    throw Error(Errc::range,
                fmt::format("the image is constant: {} to {} between its {}th and {}th percentile", a, b, low, high),
                "there is nothing to segment; was the right series chosen?");
  for (float& v : values) v = static_cast<float>((v - mean) / deviation);
  return cut / n;
}

Prepared prepare(const Image& image, const Preprocess& how, const Cancel* cancel) {
  if (image.data.rank() != 3)
    throw Error(Errc::shape, fmt::format("the image is {}, not 3-D", to_string(image.data.shape())), "give one volume")
        .at(image.source);
  if (image.data.dtype() == DType::c64 || image.data.dtype() == DType::c128)
    throw Error(Errc::type, "the image is complex", "give its magnitude").at(image.source);
  const auto n = image.grid();
  if (*std::min_element(n.begin(), n.end()) < how.smallest)
    throw Error(
        Errc::shape,
        fmt::format("the image has {} voxels, {} a side are needed", to_string(image.data.shape()), how.smallest),
        "give the crop around one hippocampus, about 35 x 50 x 35 mm")
        .at(image.source);
  const auto refuse_large = [&](const Grid& grid, std::int64_t voxels) {
    const auto count =
        static_cast<double>(grid.size[0]) * static_cast<double>(grid.size[1]) * static_cast<double>(grid.size[2]);
    if (count > static_cast<double>(how.largest) || voxels > 5 * how.largest)
      throw Error(Errc::shape,
                  fmt::format("the image has {} voxels, {} x {} x {} of {} mm; at most {} are segmented",
                              to_string(image.data.shape()), grid.size[0], grid.size[1], grid.size[2], how.spacing,
                              how.largest),
                  "give the crop around one hippocampus, about 35 x 50 x 35 mm")
          .at(image.source);
  };
  // Before its values are touched. A crop in a large frame of zeros is small once that is gone.
  if (image.voxels() > 5 * how.largest) refuse_large(training_grid(image.affine, n, how.spacing), image.voxels());
  Array values = image.data.cast(DType::f32).contiguous_copy();
  std::int64_t bad = 0;
  for (const float v : values.span<float>()) bad += !std::isfinite(v);
  if (bad > 0)
    throw Error(Errc::numeric, fmt::format("{} of {} voxels are NaN or infinite", bad, values.size()),
                "replace them, as math.replace_nan does")
        .at(image.source);
  Prepared out;
  out.padding = find_padding(values);
  if (!out.padding.is.empty()) {
    values = values.clone();
    fill_padding(values, out.padding);
  }
  std::array<std::int64_t, 3> left{};
  std::array<double, 3> from{};
  for (std::size_t a = 0; a < 3; ++a)
    left[a] = out.padding.end[a] - out.padding.first[a], from[a] = static_cast<double>(out.padding.first[a]);
  if (*std::min_element(left.begin(), left.end()) < how.smallest)
    throw Error(
        Errc::shape,
        fmt::format("the image has {} voxels, but for {} x {} x {} they are padding of one value; {} a side are "
                    "needed",
                    to_string(image.data.shape()), left[0], left[1], left[2], how.smallest),
        "give the crop around one hippocampus, about 35 x 50 x 35 mm")
        .at(image.source);
  const Grid grid = training_grid(regridded(image.affine, from, {1, 1, 1}), left, how.spacing);
  refuse_large(grid, left[0] * left[1] * left[2]);
  if (2 * *std::min_element(grid.size.begin(), grid.size.end()) < how.smallest)
    throw Error(Errc::shape,
                fmt::format("the image is {} x {} x {} voxels of {} mm, too small for a hippocampus", grid.size[0],
                            grid.size[1], grid.size[2], how.spacing),
                "are its voxels as small as its header says? A crop is about 35 x 50 x 35 mm")
        .at(image.source);
  nd::ResampleOptions options;
  options.kind = nd::Interpolation::cubic;  // linear interpolation blurs edges by which the network measures
  options.fill.reset();
  options.cancel = cancel;
  const Array turned =
      nd::resample_grid(values, to_index(image.affine, grid.affine), grid.size, options).contiguous_copy();
  out.affine = grid.affine;
  for (std::size_t a = 0; a < 3; ++a) out.size[a] = static_cast<int>(grid.size[a]);
  const auto span = turned.span<float>();
  out.values.assign(span.begin(), span.end());
  try {
    out.cut_share = normalise(out.values, how.low, how.high);
  } catch (Error& e) {
    e.at(image.source);
    throw;
  }
  return out;
}

std::vector<std::uint8_t> prepare_labels(const Image& labels, const Prepared& prepared, int highest) {
  nd::ResampleOptions options;
  options.kind = nd::Interpolation::nearest;
  const Array turned = nd::resample_grid(labels.data.cast(DType::f32), to_index(labels.affine, prepared.affine),
                                         {prepared.size[0], prepared.size[1], prepared.size[2]}, options)
                           .contiguous_copy();
  std::vector<std::uint8_t> out;
  for (const float v : turned.span<float>()) {
    if (!(v >= 0 && v <= static_cast<float>(highest)) || v != std::floor(v))
      throw Error(Errc::range, fmt::format("a label is {}; allowed are 0 to {}", v, highest),
                  "larmor seg curate finds such files")
          .at(labels.source);
    out.push_back(static_cast<std::uint8_t>(v));
  }
  return out;
}

Array back_to(const Image& image, const Prepared& prepared, const Array& values, const Cancel* cancel) {
  nd::ResampleOptions options;
  options.fill.reset();
  options.cancel = cancel;
  return nd::resample_grid(values, to_index(prepared.affine, image.affine), image.grid(), options);
}

}  // namespace larmor::seg
