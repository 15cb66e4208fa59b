// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/clinic/checks.hpp>
#include <larmor/core/nd/mask.hpp>
#include <map>
#include <numbers>

namespace larmor::clinic {
namespace {

// What 210 volumes of the public hippocampus task of the Medical Segmentation Decathlon (Antonelli et al., Nat Commun
// 13:4128, 2022) show with the labels drawn by hand: totals of 2397 to 4383 mm3, 40 to 66 % of them anterior, surfaces
// 2.2 to 2.9 times that of a ball, contrast -0.89 to 0.13. The limits leave some room beyond them.
constexpr double usual_low = 2000, usual_high = 5000, possible_low = 1000, possible_high = 7500;  // [mm3]
constexpr double anterior_low = 0.35, anterior_high = 0.70;
constexpr double ragged = 3.2;
constexpr double contrast_low = -1.2, contrast_high = 0.4;

struct Grid {
  std::array<std::int64_t, 3> n;
  std::int64_t at(std::int64_t i, std::int64_t j, std::int64_t k) const { return (k * n[1] + j) * n[0] + i; }
  bool inside(std::int64_t i, std::int64_t j, std::int64_t k) const {
    return i >= 0 && j >= 0 && k >= 0 && i < n[0] && j < n[1] && k < n[2];
  }
};

class Measuring {
 public:
  explicit Measuring(const Side& side) : side_(side), grid_{side.labels.grid()} {
    labels_ = side.labels.data.cast(DType::u8).contiguous_copy();
    label_ = labels_.data<std::uint8_t>();
  }
  Quality run() {
    if (side_.volume("total").voxels == 0) return q_;
    pieces();
    edge();
    surface();
    intensity();
    uncertainty();
    q_.anterior = side_.volume("anterior").mm3 / side_.volume("total").mm3;
    return q_;
  }

 private:
  void pieces() {
    const Array parts = nd::components(labels_, nd::Touch::corners);
    const std::int32_t* p = parts.data<std::int32_t>();
    std::map<std::int32_t, std::int64_t> sizes;
    for (std::int64_t v = 0; v < parts.size(); ++v)
      if (p[v]) ++sizes[p[v]];
    q_.pieces = static_cast<int>(sizes.size());
    q_.largest = static_cast<double>(sizes[1]) / static_cast<double>(side_.volume("total").voxels);
  }

  void edge() {
    each([&](std::int64_t i, std::int64_t j, std::int64_t k, std::uint8_t l) {
      q_.at_edge +=
          l && (i == 0 || j == 0 || k == 0 || i == grid_.n[0] - 1 || j == grid_.n[1] - 1 || k == grid_.n[2] - 1);
    });
  }

  void surface() {
    const auto mm = side_.labels.affine.spacing();
    const double face[3] = {mm[1] * mm[2], mm[0] * mm[2], mm[0] * mm[1]};
    double area = 0;
    each([&](std::int64_t i, std::int64_t j, std::int64_t k, std::uint8_t l) {
      if (!l) return;
      const std::int64_t step[6][3] = {{1, 0, 0}, {-1, 0, 0}, {0, 1, 0}, {0, -1, 0}, {0, 0, 1}, {0, 0, -1}};
      for (int s = 0; s < 6; ++s) {
        const auto a = i + step[s][0], b = j + step[s][1], c = k + step[s][2];
        if (!grid_.inside(a, b, c) || !label_[grid_.at(a, b, c)]) area += face[s / 2];
      }
    });
    q_.surface = area / (std::cbrt(36 * std::numbers::pi) * std::pow(side_.volume("total").mm3, 2.0 / 3));
  }

  void intensity() {
    const Array picture = side_.image.data.cast(DType::f32).contiguous_copy();
    const float* v = picture.data<float>();
    float highest = v[0];
    for (std::int64_t i = 0; i < picture.size(); ++i) highest = std::max(highest, v[i]);
    std::int64_t clipped = 0;
    for (std::int64_t i = 0; i < picture.size(); ++i) clipped += v[i] == highest;
    q_.clipped = static_cast<double>(clipped) / static_cast<double>(picture.size());
    q_.highest = static_cast<double>(highest);

    // Inside against a shell of two voxels along the axes.
    double in = 0, out = 0, square = 0;
    std::int64_t n_in = 0, n_out = 0;
    each([&](std::int64_t i, std::int64_t j, std::int64_t k, std::uint8_t l) {
      const double x = v[grid_.at(i, j, k)];
      if (l) {
        in += x, ++n_in, square += x * x;
        return;
      }
      for (std::int64_t s : {-2, -1, 1, 2}) {
        const bool near = (grid_.inside(i + s, j, k) && label_[grid_.at(i + s, j, k)]) ||
                          (grid_.inside(i, j + s, k) && label_[grid_.at(i, j + s, k)]) ||
                          (grid_.inside(i, j, k + s) && label_[grid_.at(i, j, k + s)]);
        if (!near) continue;
        out += x, ++n_out, square += x * x;
        return;
      }
    });
    if (!n_out) return;
    const double mean = (in + out) / static_cast<double>(n_in + n_out);
    const double sd = std::sqrt(std::max(0.0, square / static_cast<double>(n_in + n_out) - mean * mean));
    if (sd > 0) q_.contrast = (in / static_cast<double>(n_in) - out / static_cast<double>(n_out)) / sd;
  }

  void uncertainty() {
    if (!side_.probabilities) return;
    const Array p = side_.probabilities->data.cast(DType::f32).contiguous_copy();
    const std::int64_t n = labels_.size(), classes = n > 0 ? p.size() / n : 0;
    if (classes < 2) return;
    double sum = 0;
    for (std::int64_t v = 0; v < n; ++v)
      if (label_[v])
        for (std::int64_t c = 0; c < classes; ++c)
          if (const double q = p.data<float>()[c * n + v]; q > 0) sum -= q * std::log(q);
    q_.uncertainty = sum / std::log(static_cast<double>(classes)) / static_cast<double>(side_.volume("total").voxels);
  }

  template <class F>
  void each(F&& f) const {
    for (std::int64_t k = 0; k < grid_.n[2]; ++k)
      for (std::int64_t j = 0; j < grid_.n[1]; ++j)
        for (std::int64_t i = 0; i < grid_.n[0]; ++i) f(i, j, k, label_[grid_.at(i, j, k)]);
  }

  const Side& side_;
  Grid grid_;
  Array labels_;
  const std::uint8_t* label_ = nullptr;
  Quality q_;
};

}  // namespace

Quality quality_of(const Side& side) { return Measuring(side).run(); }

void add_checks(Side& side) {
  const auto note = [&](const char* id, std::string what, bool serious = false) {
    const auto same = [&](const Note& n) { return n.id == id; };
    if (std::none_of(side.notes.begin(), side.notes.end(), same)) side.notes.push_back({id, std::move(what), serious});
  };
  if (side.volume("total").voxels == 0) return note("size", "no hippocampus was found", true);
  const Quality q = quality_of(side);
  if (q.pieces > 1)
    note("components",
         fmt::format("the segmentation is in {} pieces; the largest holds {:.1f} % of it", q.pieces, 100 * q.largest),
         q.largest < 0.95);
  if (q.at_edge)
    note("border",
         fmt::format("{} voxels of the segmentation touch the edge of the picture: the crop may cut it off", q.at_edge),
         q.at_edge > 20);
  if (q.surface > ragged)
    note("surface",
         fmt::format("the surface is ragged: {:.1f} times that of a ball of the same volume (usual: 2.2 to 2.9)",
                     q.surface));
  const double mm3 = side.volume("total").mm3;
  if (mm3 < usual_low || mm3 > usual_high)
    note("size",
         fmt::format("a total of {:.0f} mm3 is outside the usual {:.0f} to {:.0f} mm3", mm3, usual_low, usual_high),
         mm3 < possible_low || mm3 > possible_high);
  if (q.anterior < anterior_low || q.anterior > anterior_high)
    note("parts", fmt::format("{:.0f} % of the volume is anterior (usual: {:.0f} to {:.0f} %)", 100 * q.anterior,
                              100 * anterior_low, 100 * anterior_high));
  if (q.clipped > 0.01)
    note("intensity", fmt::format("{:.1f} % of the picture is at its highest value, {:.4g}: intensities are clipped",
                                  100 * q.clipped, q.highest));
  if (q.contrast && (*q.contrast < contrast_low || *q.contrast > contrast_high))
    note("contrast", fmt::format("inside differs from around by {:.2f} standard deviations (usual: -0.9 to 0.1): is "
                                 "the picture T1-weighted?",
                                 *q.contrast));
}

void check_picture(const Image& image) {
  const Array values = image.data.cast(DType::f32).contiguous_copy();
  const float* v = values.data<float>();
  bool one_value = true;
  for (std::int64_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(v[i]))
      throw Error(Errc::numeric, "the picture holds values that are not finite", "repair the series");
    one_value &= v[i] == v[0];
  }
  if (one_value)
    throw Error(Errc::range,
                fmt::format("an empty image: all {} voxels are {:g}", values.size(), static_cast<double>(v[0])),
                "was the right series exported, and whole?");
}

}  // namespace larmor::clinic
