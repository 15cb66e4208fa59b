// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/nd/axis_rows.hpp>
#include <larmor/core/nd/blocks.hpp>
#include <larmor/core/nd/resample_weights.hpp>
#include <larmor/core/nd/visit.hpp>

namespace larmor::nd {
namespace {

AxisRows rows_of(std::span<const double> positions, std::int64_t n, const ResampleOptions& o) {
  AxisRows rows;
  for (std::size_t k = 0; k < positions.size(); ++k) {
    const std::size_t next = k + 1 < positions.size() ? k + 1 : k, before = k > 0 ? k - 1 : k;
    const double apart =
        next > before ? std::abs(positions[next] - positions[before]) / static_cast<double>(next - before) : 1;
    const Taps taps = taps_at(o.kind, positions[k], n, o.fill.has_value());
    if (o.antialias && apart > 1 && taps.n > 0) {
      const double reach = kernel_radius(o.kind) * apart;
      const auto first = static_cast<std::int64_t>(std::ceil(positions[k] - reach));
      const auto last = static_cast<std::int64_t>(std::floor(positions[k] + reach));
      double sum = 0;
      const std::size_t start = rows.at.size();
      for (auto i = first; i <= last; ++i) {
        const double w = kernel(o.kind, (static_cast<double>(i) - positions[k]) / apart);
        if (w == 0) continue;
        rows.at.push_back(std::clamp<std::int64_t>(i, 0, n - 1)), rows.weight.push_back(w);
        sum += w;
      }
      for (std::size_t i = start; i < rows.weight.size(); ++i) rows.weight[i] /= sum;
    } else {
      for (std::size_t i = 0; i < static_cast<std::size_t>(taps.n); ++i)
        rows.at.push_back(taps.at[i]), rows.weight.push_back(taps.weight[i]);
    }
    rows.begin.push_back(rows.at.size());
  }
  return rows;
}

template <class T>
T fill_value(const ResampleOptions& o) {
  return T(static_cast<real_of<T>>(o.fill.value_or(0)));
}

template <class T>
void run_grid(const T* in, T* out, const std::array<std::int64_t, 3>& from, const std::array<std::int64_t, 3>& to,
              std::int64_t volumes, const std::array<std::array<double, 4>, 3>& m, const ResampleOptions& o, T fill) {
  const std::int64_t in_volume = from[0] * from[1] * from[2], out_volume = to[0] * to[1] * to[2];
  parallel_for(
      static_cast<std::size_t>(to[1] * to[2]), 4,
      [&](std::size_t first, std::size_t last) {
        for (std::size_t line = first; line < last; ++line) {
          const double j = static_cast<double>(static_cast<std::int64_t>(line) % to[1]),
                       k = static_cast<double>(static_cast<std::int64_t>(line) / to[1]);
          for (std::int64_t i = 0; i < to[0]; ++i) {
            std::array<Taps, 3> taps;
            bool inside = true;
            for (std::size_t a = 0; a < 3; ++a) {
              taps[a] = taps_at(o.kind, m[a][0] * static_cast<double>(i) + m[a][1] * j + m[a][2] * k + m[a][3], from[a],
                                o.fill.has_value());
              inside = inside && taps[a].n > 0;
            }
            T* voxel = out + static_cast<std::int64_t>(line) * to[0] + i;
            for (std::int64_t v = 0; v < volumes; ++v, voxel += out_volume) {
              if (!inside) {
                *voxel = fill;
                continue;
              }
              const T* source = in + v * in_volume;
              if constexpr (std::is_integral_v<T>) {
                *voxel = source[taps[0].at[0] + from[0] * (taps[1].at[0] + from[1] * taps[2].at[0])];
              } else {
                using R = real_of<T>;
                T sum{};
                for (std::size_t c = 0; c < static_cast<std::size_t>(taps[2].n); ++c)
                  for (std::size_t b = 0; b < static_cast<std::size_t>(taps[1].n); ++b) {
                    const T* row = source + from[0] * (taps[1].at[b] + from[1] * taps[2].at[c]);
                    T part{};
                    for (std::size_t a = 0; a < static_cast<std::size_t>(taps[0].n); ++a)
                      part += static_cast<R>(taps[0].weight[a]) * row[taps[0].at[a]];
                    sum += static_cast<R>(taps[1].weight[b] * taps[2].weight[c]) * part;
                  }
                *voxel = sum;
              }
            }
          }
        }
      },
      o.cancel);
}

// Integers only for nearest without averaging.
DType work_type(const Array& a, const ResampleOptions& o) {
  return o.kind == Interpolation::nearest && !o.antialias ? a.dtype() : arithmetic_type(std::span(&a, 1));
}

}  // namespace

Array resample_axis(const Array& array, int axis, std::span<const double> positions, const ResampleOptions& o) {
  if (axis < 0 || axis >= array.rank() || array.extent(axis) == 0)
    throw Error(Errc::range, fmt::format("nothing to interpolate along axis {} of {}", axis, array.describe()));
  const AxisRows rows = rows_of(positions, array.extent(axis), o);
  return apply_rows(array.cast(work_type(array, o)), axis, rows, o.fill.value_or(0), o.cancel);
}

Array resample_grid(const Array& array, const std::array<std::array<double, 4>, 3>& m,
                    const std::array<std::int64_t, 3>& size, const ResampleOptions& o) {
  if (array.rank() < 3)
    throw Error(Errc::shape, "a grid in space has three axes, and this is " + array.describe(),
                "add an axis of one element with array.add_axis");
  bool straight = true;
  for (std::size_t r = 0; r < 3; ++r)
    for (std::size_t c = 0; c < 3; ++c)
      // Over the whole grid the turn moves no voxel by more than a millionth.
      straight = straight && (r == c || std::abs(m[r][c]) * static_cast<double>(size[c]) < 1e-6);
  if (straight) {
    Array out = array;
    for (int axis = 0; axis < 3; ++axis) {
      const auto a = static_cast<std::size_t>(axis);
      std::vector<double> positions(static_cast<std::size_t>(size[a]));
      for (std::size_t k = 0; k < positions.size(); ++k) positions[k] = m[a][a] * static_cast<double>(k) + m[a][3];
      out = resample_axis(out, axis, positions, o);
    }
    return out;
  }
  const DType type = o.kind == Interpolation::nearest ? array.dtype() : arithmetic_type(std::span(&array, 1));
  const Array a = array.to(Device::cpu()).cast(type).contiguous_copy();
  Shape shape = a.shape();
  std::copy(size.begin(), size.end(), shape.begin());
  Array out = Array::uninitialised(type, shape, a.axes());
  const std::array<std::int64_t, 3> from{a.extent(0), a.extent(1), a.extent(2)};
  if (out.size() == 0) return out;
  if (a.size() == 0) throw Error(Errc::range, "nothing to interpolate in " + a.describe());
  const std::int64_t volumes = a.size() / (from[0] * from[1] * from[2]);
  visit(type, [&](auto zero) {
    using T = decltype(zero);
    T fill{};
    if constexpr (std::is_integral_v<T>) {
      Array one(dtype_of<T>, {1});
      const double value = o.fill.value_or(0);
      store(&value, 1, one, 0);
      fill = *one.template data<T>();
    } else {
      fill = fill_value<T>(o);
    }
    run_grid<T>(a.template data<T>(), out.template data<T>(), from, size, volumes, m, o, fill);
  });
  return out;
}

}  // namespace larmor::nd
