// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <larmor/core/error.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/recon/spikes.hpp>
#include <limits>
#include <mutex>

namespace larmor::recon {
namespace {

using C = std::complex<float>;

/// One plane of the readout and its neighbours inside the packed data, and magnitudes of the lines around the one that
/// is looked at: `kept` of them, each in the place of one that is no longer near.
struct Plane {
  const C* data;
  std::int64_t n, step, lines, line_step, kept;
  std::vector<float> sizes = std::vector<float>(static_cast<std::size_t>(n * kept));

  std::int64_t place(std::int64_t i, std::int64_t line) const { return i * step + line * line_step; }
  const float* line(std::int64_t l) const { return sizes.data() + l % kept * n; }
  void measure(std::int64_t line) {
    float* to = sizes.data() + line % kept * n;
    for (std::int64_t i = 0; i < n; ++i) {
      const C c = data[place(i, line)];
      const double re = static_cast<double>(c.real()), im = static_cast<double>(c.imag());
      const auto v = static_cast<float>(std::sqrt(re * re + im * im));  // no square of a float overflows a double
      to[i] = std::isfinite(v) ? v : std::numeric_limits<float>::infinity();
    }
  }
};

/// Whether a magnitude is above a factor times the upper quartile around it: then fewer than a quarter of the others
/// reach the magnitude over the factor. They are counted until there are as many; mostly the first ones do.
bool sticks_out(const Plane& p, std::int64_t i, std::int64_t line, const SpikeOptions& o) {
  const float size = p.line(line)[i];
  if (std::isinf(size)) return true;
  if (size == 0) return false;
  const std::int64_t first = std::max<std::int64_t>(0, i - o.reach), last = std::min(p.n - 1, i + o.reach);
  const std::int64_t low = std::max<std::int64_t>(0, line - o.arms), high = std::min(p.lines - 1, line + o.arms);
  const std::int64_t others = (last - first + 1) * (high - low + 1) - 1, enough = others - others * 3 / 4;
  if (others == 0) return false;
  const auto least = static_cast<float>(static_cast<double>(size) / o.factor);
  // Mostly eight each of this line and of those beside it do, in loops of fixed length.
  constexpr std::int64_t half = 4;
  if (i >= half && i + half <= p.n && o.reach >= half && low < line && line < high) {
    std::int32_t near = -1;
    for (std::int64_t l = line - 1; l <= line + 1; ++l) {
      const float* sizes = p.line(l) + i - half;
      for (std::int64_t k = 0; k < 2 * half; ++k) near += sizes[k] >= least ? 1 : 0;
    }
    if (near >= enough) return false;
  }
  std::int64_t reached = -1;  // the sample itself
  for (std::int64_t l = low; l <= high; ++l) {
    const float* sizes = p.line(l);
    for (std::int64_t k = first; k <= last; ++k) reached += sizes[k] >= least ? 1 : 0;
    if (reached >= enough) return false;
  }
  return true;
}

/// What lies on the line between the nearest good samples to both sides; the one there is; nothing.
C between(const Plane& p, std::int64_t i, std::int64_t line, const std::vector<char>& bad) {
  std::int64_t a = i - 1, b = i + 1;
  while (a >= 0 && bad[static_cast<std::size_t>(a)]) --a;
  while (b < p.n && bad[static_cast<std::size_t>(b)]) ++b;
  if (a < 0 && b >= p.n) return 0;
  if (a < 0) return p.data[p.place(b, line)];
  if (b >= p.n) return p.data[p.place(a, line)];
  const auto part = static_cast<float>(i - a) / static_cast<float>(b - a);
  return (1 - part) * p.data[p.place(a, line)] + part * p.data[p.place(b, line)];
}

}  // namespace

Despiked despike(const Array& data, const SpikeOptions& o) {
  if (data.dtype() != DType::c64 && data.dtype() != DType::c128)
    throw Error(Errc::type, "despike: samples are " + data.describe(), "give complex k-space");
  if (!(o.factor > 1) || o.reach < 1 || o.arms < 0)
    throw Error(Errc::range, fmt::format("despike: factor {}, reach {}, arms {}", o.factor, o.reach, o.arms),
                "give a factor above 1, a reach of 1 or more and 0 or more arms");
  const Array from = data.cast(DType::c64).contiguous_copy();
  const int along = from.axis(o.along);
  const auto found = std::find(from.axes().begin(), from.axes().end(), o.across);
  const int across = found == from.axes().end() ? -1 : static_cast<int>(found - from.axes().begin());
  Despiked out{.data = from, .places = {}};  // the same memory until there is a spike
  const auto strides = from.strides();
  const auto stride = [&](int axis) { return axis < 0 ? 0 : strides[static_cast<std::size_t>(axis)]; };
  const std::int64_t n = from.extent(along), lines = across < 0 ? 1 : from.extent(across);
  const std::int64_t planes = from.size() / std::max<std::int64_t>(1, n * lines);
  std::mutex mutex;
  parallel_for(
      static_cast<std::size_t>(planes), 1,
      [&](std::size_t begin, std::size_t end) {
        std::vector<char> bad(static_cast<std::size_t>(n));
        for (std::size_t index = begin; index < end; ++index) {
          // The place of the plane: its index over the axes that are left.
          std::int64_t offset = 0, rest = static_cast<std::int64_t>(index);
          for (int axis = 0; axis < from.rank(); ++axis) {
            if (axis == along || axis == across) continue;
            offset += rest % from.extent(axis) * stride(axis);
            rest /= from.extent(axis);
          }
          Plane plane{from.data<C>() + offset, n,
                      stride(along),           lines,
                      stride(across),          std::min<std::int64_t>(lines, 2 * std::int64_t{o.arms} + 1)};
          for (std::int64_t line = 0, measured = 0; line < lines; ++line) {
            for (; measured < lines && measured <= line + o.arms; ++measured) plane.measure(measured);
            bool any = false;
            for (std::int64_t i = 0; i < n; ++i) {
              const bool spike = sticks_out(plane, i, line, o);
              bad[static_cast<std::size_t>(i)] = spike;
              any = any || spike;
            }
            if (!any) continue;
            const std::lock_guard lock(mutex);
            if (out.places.empty()) out.data = from.clone();
            for (std::int64_t i = 0; i < n; ++i)
              if (bad[static_cast<std::size_t>(i)]) {
                out.data.data<C>()[offset + plane.place(i, line)] = between(plane, i, line, bad);
                out.places.push_back(offset + plane.place(i, line));
              }
          }
        }
      },
      o.cancel);
  std::sort(out.places.begin(), out.places.end());
  return out;
}

}  // namespace larmor::recon
