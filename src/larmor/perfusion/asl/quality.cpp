// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/nd/smooth.hpp>
#include <larmor/perfusion/asl/partial_volume.hpp>
#include <larmor/perfusion/asl/quality.hpp>
#include <limits>
#include <vector>

namespace larmor::asl {
namespace {

struct Moments {
  double n = 0, sum = 0, squares = 0;
  void add(double x) { ++n, sum += x, squares += x * x; }
  double mean() const { return sum / n; }
  double variance() const { return n > 1 ? std::max(0.0, (squares - sum * sum / n) / (n - 1)) : 0; }
};

std::vector<float> values_of(const Array& a, std::size_t n, const char* what) {
  if (a.empty()) return {};
  if (static_cast<std::size_t>(a.size()) != n)
    throw Error(Errc::shape, fmt::format("{} holds {} voxels, the CBF map {}", what, a.size(), n),
                "give it on the grid of the map");
  const Array packed = a.to(Device::cpu()).cast(DType::f32).contiguous_copy();
  const auto s = packed.span<float>();
  return {s.begin(), s.end()};
}

/// CBF of the mask, smoothed by a Gaussian of 5 mm FWHM over the voxels that have a value; NaN elsewhere.
std::vector<float> smoothed(const Array& cbf, const std::vector<float>& f, std::span<const std::uint8_t> mask,
                            const std::array<double, 3>& spacing) {
  const double sd = 5 / (2 * std::sqrt(2 * std::log(2.0)));
  Array sum = Array::from<float>(f, {cbf.extent(0), cbf.extent(1), cbf.extent(2)}), share = sum.clone();
  std::vector<float> out(f.size(), std::numeric_limits<float>::quiet_NaN());
  const auto inside = [&](std::size_t v) { return (mask.empty() || mask[v]) && std::isfinite(f[v]); };
  for (std::size_t v = 0; v < f.size(); ++v)
    sum.data<float>()[v] = inside(v) ? f[v] : 0, share.data<float>()[v] = inside(v) ? 1 : 0;
  for (int axis = 0; axis < 3; ++axis) {
    const double samples = sd / spacing[static_cast<std::size_t>(axis)];
    sum = nd::smooth_axis(sum, axis, samples), share = nd::smooth_axis(share, axis, samples);
  }
  for (std::size_t v = 0; v < f.size(); ++v)
    if (inside(v)) out[v] = sum.data<float>()[v] / share.data<float>()[v];
  return out;
}

/// What the quality evaluation index is made of.
struct Parts {
  Moments all, grey, white, fluid;
  double negative = 0;                               // voxels of grey matter below 0
  double sx = 0, sy = 0, sxx = 0, syy = 0, sxy = 0;  // CBF and 2.5 GM + WM
};
Parts parts_of(const std::vector<float>& f, std::span<const std::uint8_t> mask, const std::vector<float>& gm,
               const std::vector<float>& wm, const std::vector<float>& csf) {
  constexpr double pure = 0.7;
  Parts p;
  for (std::size_t v = 0; v < f.size(); ++v) {
    if ((!mask.empty() && !mask[v]) || !std::isfinite(f[v])) continue;
    const double x = static_cast<double>(f[v]);
    p.all.add(x);
    if (!gm.empty() && static_cast<double>(gm[v]) > pure) p.grey.add(x), p.negative += x < 0;
    if (!wm.empty() && static_cast<double>(wm[v]) > pure) p.white.add(x);
    if (!csf.empty() && static_cast<double>(csf[v]) > pure) p.fluid.add(x);
    if (!gm.empty() && !wm.empty()) {
      const double y = 2.5 * static_cast<double>(gm[v]) + static_cast<double>(wm[v]);
      p.sx += x, p.sy += y, p.sxx += x * x, p.syy += y * y, p.sxy += x * y;
    }
  }
  return p;
}

}  // namespace

double evaluation_index(double structure, double dispersion, double negative) {
  const double likeness = structure > 0 ? 1 - std::exp(-3.0126 * std::pow(structure, 2.4419)) : 0;
  const double scatter = std::exp(-(0.054 * std::pow(dispersion, 0.9272) + 2.8478 * std::pow(negative, 0.5196)));
  return std::cbrt(likeness * scatter);
}

Quality quality_of(const Array& cbf, std::span<const std::uint8_t> mask, const Array& GM, const Array& WM,
                   const Array& CSF, std::optional<std::array<double, 3>> spacing) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN(), shown = 6;  // mL/100g/min a mm3/(g s)
  const auto n = static_cast<std::size_t>(cbf.size());
  const auto f = values_of(cbf, n, "CBF"), gm = values_of(GM, n, "the grey-matter fraction"),
             wm = values_of(WM, n, "the white-matter fraction"), csf = values_of(CSF, n, "the CSF fraction");
  check_fractions(gm, "the grey-matter fraction"), check_fractions(wm, "the white-matter fraction");
  check_fractions(csf, "the CSF fraction");
  if (!mask.empty() && mask.size() != n)
    throw Error(Errc::shape, fmt::format("the mask holds {} voxels, the CBF map {}", mask.size(), n));
  const Parts raw = parts_of(f, mask, gm, wm, csf);
  const Moments &grey = raw.grey, &white = raw.white;
  Quality q;
  q.n = static_cast<std::int64_t>(raw.all.n), q.n_GM = static_cast<std::int64_t>(grey.n);
  q.n_WM = static_cast<std::int64_t>(white.n);
  q.mean_GM = grey.n > 0 ? grey.mean() : nan;
  q.mean_WM = white.n > 0 ? white.mean() : nan;
  q.ratio = q.mean_GM / q.mean_WM;
  const Moments& where = gm.empty() ? raw.all : grey;
  q.spatial_CoV = where.n > 1 ? std::sqrt(where.variance()) / where.mean() : nan;
  q.negative_GM = grey.n > 0 ? raw.negative / grey.n : nan;

  const Parts p = spacing ? parts_of(smoothed(cbf, f, mask, *spacing), mask, gm, wm, csf) : raw;
  const double count = p.all.n;
  q.structure =
      gm.empty() || wm.empty() || count < 2
          ? nan
          : (p.sxy - p.sx * p.sy / count) / std::sqrt((p.sxx - p.sx * p.sx / count) * (p.syy - p.sy * p.sy / count));
  const double tissues = (p.grey.n > 0) + (p.white.n > 0) + (p.fluid.n > 0);
  const auto share = [](const Moments& m) { return m.n > 1 ? (m.n - 1) * m.variance() : 0.0; };
  const double pooled =
      (share(p.grey) + share(p.white) + share(p.fluid)) / (p.grey.n + p.white.n + p.fluid.n - tissues);
  q.dispersion = p.grey.n > 1 && p.white.n > 1 ? shown * pooled / std::abs(p.grey.mean()) : nan;
  const double negative = p.grey.n > 0 ? p.negative / p.grey.n : nan;
  q.QEI =
      std::isnan(q.structure) || std::isnan(q.dispersion) ? nan : evaluation_index(q.structure, q.dispersion, negative);
  return q;
}

}  // namespace larmor::asl
