// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/fft.hpp>
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/core/nd/reduce.hpp>
#include <larmor/recon/homodyne.hpp>
#include <numbers>

namespace larmor::recon {

std::int64_t Sampled::overlap() const { return std::min(centre() - begin, end - 1 - centre()); }

Sampled place_samples(std::int64_t m, std::int64_t centre, std::int64_t n) {
  if (m < 1 || centre < 0 || centre >= m)
    throw Error(Errc::range, fmt::format("k = 0 at sample {} of {}", centre, m),
                fmt::format("give an index from 0 to {}", m - 1));
  // The least n with floor(n / 2) >= centre and room for the m - centre samples from the middle on.
  const std::int64_t after = m - centre;
  std::int64_t least = std::max(2 * centre, 1L * m);
  while (least / 2 < centre || least - least / 2 < after) ++least;
  if (n == 0) n = least > m ? least + least % 2 : least;  // full axes are even
  if (n / 2 < centre || n - n / 2 < after)
    throw Error(Errc::range, fmt::format("{} samples with k = 0 at {} do not fit a full axis of {}", m, centre, n),
                fmt::format("give {} or more", least));
  return {n, n / 2 - centre, n / 2 - centre + m};
}

std::int64_t find_centre(const Array& kspace, int axis) {
  std::vector<int> others;
  for (int i = 0; i < kspace.rank(); ++i)
    if (i != axis) others.push_back(i);
  if (axis < 0 || axis >= kspace.rank() || kspace.extent(axis) == 0)
    throw Error(Errc::range, fmt::format("axis {} of {}", axis, kspace.describe()));
  const Array energy =
      others.empty() ? nd::apply(nd::Unary::abs, kspace) : nd::reduce(nd::Reduction::norm, kspace, others);
  const Array at = nd::reduce(nd::Reduction::argmax, energy, {});
  return at.data<std::int32_t>()[0];
}

HomodyneWeights homodyne_weights(const Sampled& s) {
  if (s.begin < 0 || s.end > s.n || s.begin >= s.end || s.centre() < s.begin || s.centre() >= s.end)
    throw Error(Errc::range, fmt::format("samples {} to {} of {}", s.begin, s.end, s.n),
                "give a range that holds the middle");
  const std::int64_t overlap = s.overlap(), c = s.centre();
  HomodyneWeights w{std::vector<double>(static_cast<std::size_t>(s.n), 0),
                    std::vector<double>(static_cast<std::size_t>(s.n), 0)};
  // An even axis has no partner for its first sample; that alone is no partial sampling.
  const bool whole = s.begin <= (s.n % 2 == 0 ? 1 : 0) && s.end == s.n;
  if (overlap < 2 && !whole)
    throw Error(Errc::range, fmt::format("{} samples on both sides of k = 0", overlap),
                "sample two or more on the short side: the phase of the image comes from them");
  const double high = s.end - 1 - c > c - s.begin ? 1 : -1;  // the side that was sampled farther
  for (std::int64_t k = 0; k < s.n; ++k) {
    const double d = static_cast<double>(k - c), reach = static_cast<double>(overlap) + 1;
    auto& detect = w.detect[static_cast<std::size_t>(k)];
    if (std::abs(d) < reach)
      w.symmetric[static_cast<std::size_t>(k)] = 0.5 + 0.5 * std::cos(std::numbers::pi * d / reach);
    if (k < s.begin || k >= s.end) continue;
    if (whole)
      detect = 1;
    else if (std::abs(d) < reach)
      detect = 1 + std::sin(std::numbers::pi / 2 * high * d / reach);
    else
      detect = d * high > 0 ? 2 : 0;
  }
  return w;
}

Array homodyne(const Array& kspace, int axis, std::span<const int> axes, const Sampled& sampled, const Cancel* cancel) {
  if (kspace.dtype() != DType::c64 && kspace.dtype() != DType::c128)
    throw Error(Errc::type, "k-space is complex and this is " + kspace.describe());
  if (std::find(axes.begin(), axes.end(), axis) == axes.end())
    throw Error(Errc::range, fmt::format("axis {} is not among those transformed", axis));
  if (axis < 0 || axis >= kspace.rank() || kspace.extent(axis) != sampled.n)
    throw Error(Errc::shape,
                fmt::format("k-space is {} and axis {} is to have {}", kspace.describe(), axis, sampled.n));
  const auto weights = homodyne_weights(sampled);
  const std::string name = kspace.axes()[static_cast<std::size_t>(axis)];
  const DType real = kspace.dtype() == DType::c64 ? DType::f32 : DType::f64;
  const auto image = [&](const std::vector<double>& w) {
    const Array line = Array::from<double>(w, {sampled.n}, {name}).cast(real);
    return ifft(nd::apply(nd::Binary::multiply, kspace, line, cancel), axes,
                {.norm = FftNorm::unitary, .centred = true, .cancel = cancel});
  };
  const Array phase = nd::apply(nd::Unary::sign, image(weights.symmetric), cancel);
  const Array turned =
      nd::apply(nd::Binary::multiply, image(weights.detect), nd::apply(nd::Unary::conjugate, phase, cancel), cancel);
  return nd::apply(nd::Binary::multiply, phase, nd::apply(nd::Unary::real, turned, cancel), cancel);
}

}  // namespace larmor::recon
