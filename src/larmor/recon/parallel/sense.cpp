// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/fft.hpp>
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/recon/operators/vectors.hpp>
#include <larmor/recon/parallel/sense.hpp>
#include <larmor/recon/parallel/unfold.hpp>
#include <limits>
#include <numbers>

namespace larmor::recon {
namespace {

using C = std::complex<double>;
using F = std::complex<float>;

// Strides of an array along axes by name, 0 where it repeats.
Shape strides_along(const Array& a, const Axes& axes) {
  Shape out;
  for (const auto& name : axes) {
    const auto it = std::find(a.axes().begin(), a.axes().end(), name);
    const auto i = it - a.axes().begin();
    const bool repeats = it == a.axes().end() || a.extent(static_cast<int>(i)) == 1;
    out.push_back(repeats ? 0 : a.strides()[static_cast<std::size_t>(i)]);
  }
  return out;
}

void check_maps(const Array& kspace, const Array& maps, const std::string& coil_axis) {
  if (maps.dtype() != DType::c64 && maps.dtype() != DType::c128)
    throw Error(Errc::type, "sensitivities are complex and these are " + maps.describe());
  maps.axis(coil_axis);
  for (int i = 0; i < maps.rank(); ++i) {
    const auto& name = maps.axes()[static_cast<std::size_t>(i)];
    const std::int64_t n = kspace.extent(kspace.axis(name));
    if (maps.extent(i) != n && (maps.extent(i) != 1 || name == coil_axis))
      throw Error(Errc::shape, fmt::format("sensitivities: {} along {} and k-space has {}", maps.extent(i), name, n),
                  "calibrate them on the same grid");
  }
}

// Images of the lattice alone, times R.
Array folded_images(const Array& kspace, const Lattice& lattice, const Cancel* cancel) {
  Array k = kspace.to(Device::cpu());
  std::vector<int> at;
  for (std::size_t a = 0; a < lattice.axes.size(); ++a) {
    at.push_back(kspace.axis(lattice.axes[a]));
    const std::int64_t n = kspace.extent(at.back()), R = lattice.factor[a];
    if (n % R)
      throw Error(Errc::shape,
                  fmt::format("sense: {} lines along {} are no multiple of the acceleration {}", n, lattice.axes[a], R),
                  "voxels would fold between voxels: use recon.pics or recon.grappa");
    if (R == 1) continue;
    std::vector<double> line(static_cast<std::size_t>(n), 0);
    for (std::int64_t i = lattice.offset[a]; i < n; i += R) line[static_cast<std::size_t>(i)] = static_cast<double>(R);
    const Array weights = Array::from<double>(line, {n}, {lattice.axes[a]}).cast(DType::f32);
    k = nd::apply(nd::Binary::multiply, k, weights, cancel);
  }
  return ifft(k, at, {.norm = FftNorm::unitary, .centred = true, .cancel = cancel}).cast(DType::c64);
}

// How voxels fold along the axes of the image.
struct Folds {
  Shape sets, count, jump;   // voxels that begin a set, voxels in a set, their distance
  std::vector<double> turn;  // phase from one to the next
  std::int64_t n_sets = 1;

  Folds(const Shape& shape, const Axes& names, const Lattice& lattice)
      : sets(shape), count(shape.size(), 1), jump(shape.size(), 0), turn(shape.size(), 0) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto it = std::find(lattice.axes.begin(), lattice.axes.end(), names[i]);
      if (it != lattice.axes.end()) {
        const auto a = static_cast<std::size_t>(it - lattice.axes.begin());
        const std::int64_t R = lattice.factor[a];
        count[i] = R, jump[i] = sets[i] = shape[i] / R;
        // Lines k - floor(n / 2) = q modulo R were sampled.
        const std::int64_t q = ((lattice.offset[a] - shape[i] / 2) % R + R) % R;
        turn[i] = -2 * std::numbers::pi * static_cast<double>(q) / static_cast<double>(R);
      }
      n_sets *= sets[i];
    }
  }
};

}  // namespace

Sense sense(const Array& kspace, const Array& maps, const Axes& axes, const std::string& coil_axis,
            const SenseOptions& o) {
  if (kspace.dtype() != DType::c64 && kspace.dtype() != DType::c128)
    throw Error(Errc::type, "k-space is complex and this is " + kspace.describe());
  if (!(o.l2 >= 0)) throw Error(Errc::range, fmt::format("sense: l2 = {}", o.l2), "give 0 or more");
  const int coil = kspace.axis(coil_axis);
  check_maps(kspace, maps, coil_axis);
  require_finite(kspace, "k-space");
  require_finite(maps, "the sensitivities");
  Sense out{{}, {}, find_lattice(sampled_mask(kspace, axes), o.factors)};
  const std::int64_t R = out.lattice.size();
  if (R > 64) throw Error(Errc::range, fmt::format("sense: an acceleration of {}", R), "64 is the most");
  const Array folded = folded_images(kspace, out.lattice, o.cancel);
  const Array s = maps.to(Device::cpu()).cast(DType::c64);
  Shape shape;
  Axes names;
  for (int i = 0; i < kspace.rank(); ++i)
    if (i != coil) shape.push_back(kspace.extent(i)), names.push_back(kspace.axes()[static_cast<std::size_t>(i)]);
  out.image = Array(DType::c64, shape, names);
  out.g = Array(DType::f32, shape, names);
  const Folds folds(shape, names, out.lattice);
  const Shape of_folded = strides_along(folded, names), of_maps = strides_along(s, names),
              of_image = out.image.strides();
  const auto coils = static_cast<std::size_t>(kspace.extent(coil));
  const std::int64_t folded_coil = folded.strides()[static_cast<std::size_t>(folded.axis(coil_axis))],
                     maps_coil = s.strides()[static_cast<std::size_t>(s.axis(coil_axis))];
  const F *a_data = folded.data<F>(), *s_data = s.data<F>();
  F* image = out.image.data<F>();
  float* g_data = out.g.data<float>();
  o.progress.begin("unfolding", static_cast<std::size_t>(folds.n_sets));
  parallel_for(
      static_cast<std::size_t>(folds.n_sets), 256,
      [&](std::size_t begin, std::size_t end) {
        Unfolding unfolding(static_cast<std::size_t>(R));
        std::vector<C> E, a(coils), m;
        std::vector<double> g(static_cast<std::size_t>(R));
        std::vector<std::int64_t> places;
        for (auto k = begin; k < end; ++k) {
          auto rest = static_cast<std::int64_t>(k);
          std::int64_t in_folded = 0, in_maps = 0, in_image = 0;
          for (std::size_t i = 0; i < shape.size(); ++i) {
            const std::int64_t index = rest % folds.sets[i];
            rest /= folds.sets[i];
            in_folded += index * of_folded[i], in_maps += index * of_maps[i], in_image += index * of_image[i];
          }
          for (std::size_t c = 0; c < coils; ++c) a[c] = a_data[in_folded + static_cast<std::int64_t>(c) * folded_coil];
          E.clear(), places.clear();
          for (std::int64_t j = 0; j < R; ++j) {
            std::int64_t fold = j, map_at = in_maps, image_at = in_image;
            double phase = 0;
            for (std::size_t i = 0; i < shape.size(); ++i) {
              const std::int64_t f = fold % folds.count[i];
              fold /= folds.count[i];
              map_at += f * folds.jump[i] * of_maps[i], image_at += f * folds.jump[i] * of_image[i];
              phase += folds.turn[i] * static_cast<double>(f);
            }
            const C factor = std::polar(1.0, phase);
            bool any = false;
            for (std::size_t c = 0; c < coils; ++c) {
              const C value(s_data[map_at + static_cast<std::int64_t>(c) * maps_coil]);
              any = any || value != C{};
              E.push_back(factor * value);
            }
            if (any)
              places.push_back(image_at);
            else
              E.resize(E.size() - coils);
          }
          if (places.empty()) continue;
          const bool solved = unfolding.solve(E, a, places.size(), o.l2, m, g);
          constexpr float nan = std::numeric_limits<float>::quiet_NaN();
          for (std::size_t j = 0; j < places.size(); ++j) {
            image[places[j]] = solved ? F(m[j]) : F(nan, nan);
            g_data[places[j]] = solved ? static_cast<float>(g[j]) : nan;
          }
        }
        o.progress.add(end - begin);
      },
      o.cancel);
  o.progress.end();
  return out;
}

}  // namespace larmor::recon
