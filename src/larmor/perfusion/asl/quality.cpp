// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/core/error.hpp>
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

}  // namespace

Quality quality_of(const Array& cbf, std::span<const std::uint8_t> mask, const Array& GM, const Array& WM,
                   const Array& CSF) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN(), pure = 0.7, shown = 6;  // mL/100g/min a mm3/(g s)
  const auto n = static_cast<std::size_t>(cbf.size());
  const auto f = values_of(cbf, n, "CBF"), gm = values_of(GM, n, "the grey-matter fraction"),
             wm = values_of(WM, n, "the white-matter fraction"), csf = values_of(CSF, n, "the CSF fraction");
  if (!mask.empty() && mask.size() != n)
    throw Error(Errc::shape, fmt::format("the mask holds {} voxels, the CBF map {}", mask.size(), n));
  Moments all, grey, white, fluid;
  double negative = 0;
  double sx = 0, sy = 0, sxx = 0, syy = 0, sxy = 0;
  for (std::size_t v = 0; v < n; ++v) {
    if ((!mask.empty() && !mask[v]) || !std::isfinite(f[v])) continue;
    const double x = static_cast<double>(f[v]);
    all.add(x);
    if (!gm.empty() && static_cast<double>(gm[v]) > pure) grey.add(x), negative += x < 0;
    if (!wm.empty() && static_cast<double>(wm[v]) > pure) white.add(x);
    if (!csf.empty() && static_cast<double>(csf[v]) > pure) fluid.add(x);
    if (!gm.empty() && !wm.empty()) {
      const double y = 2.5 * static_cast<double>(gm[v]) + static_cast<double>(wm[v]);
      sx += x, sy += y, sxx += x * x, syy += y * y, sxy += x * y;
    }
  }
  Quality q;
  q.n = static_cast<std::int64_t>(all.n), q.n_GM = static_cast<std::int64_t>(grey.n);
  q.n_WM = static_cast<std::int64_t>(white.n);
  q.mean_GM = grey.n > 0 ? grey.mean() : nan;
  q.mean_WM = white.n > 0 ? white.mean() : nan;
  q.ratio = q.mean_GM / q.mean_WM;
  const Moments& where = gm.empty() ? all : grey;
  q.spatial_CoV = where.n > 1 ? std::sqrt(where.variance()) / where.mean() : nan;
  q.negative_GM = grey.n > 0 ? negative / grey.n : nan;
  const double count = all.n;
  q.structure = gm.empty() || wm.empty() || count < 2
                    ? nan
                    : (sxy - sx * sy / count) / std::sqrt((sxx - sx * sx / count) * (syy - sy * sy / count));
  const double tissues = (grey.n > 0) + (white.n > 0) + (fluid.n > 0);
  const auto share = [](const Moments& m) { return m.n > 1 ? (m.n - 1) * m.variance() : 0.0; };
  const double pooled = (share(grey) + share(white) + share(fluid)) / (grey.n + white.n + fluid.n - tissues);
  q.dispersion = grey.n > 1 && white.n > 1 ? shown * pooled / std::abs(q.mean_GM) : nan;
  // Logistic-like parts with the constants of the paper, which rated maps in mL/100g/min.
  const double likeness = q.structure > 0 ? 1 - std::exp(-3.0126 * std::pow(q.structure, 2.4419)) : 0;
  const double scatter = std::exp(-(0.054 * std::pow(q.dispersion, 0.9272) + 2.8478 * std::pow(q.negative_GM, 0.5196)));
  q.QEI = std::isnan(q.structure) || std::isnan(q.dispersion) ? nan : std::cbrt(likeness * scatter);
  return q;
}

}  // namespace larmor::asl
