// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/parallel.hpp>
#include <larmor/recon/coils/calibration.hpp>
#include <larmor/recon/coils/eigen_row.hpp>
#include <larmor/recon/coils/noise.hpp>
#include <larmor/recon/operators/hankel.hpp>
#include <larmor/recon/operators/vectors.hpp>
#include <numbers>

namespace larmor::recon {
namespace {

using C = std::complex<double>;
using F = std::complex<float>;

// Lengths along up to three axes of space; 1 beyond.
using Size = std::array<std::int64_t, 3>;

// The operator of one volume: for coils a >= b the kernel h_ab(s), s = -(k - 1) ... k - 1 along every axis, so that
// G_ab(x) = sum over s of h_ab(s) exp(2 pi i s x).
struct Kernels {
  Size width{1, 1, 1};
  std::int64_t coils = 0;
  std::vector<C> h;     // (width, pair), pair = a (a + 1) / 2 + b
  std::vector<C> lead;  // the strongest combination of coils, norm 1
};

// calibration: packed c128 (space..., coil)
Kernels kernels_of(const Array& calibration, const Axes& axes, const EspiritOptions& o) {
  const Shape kernel(axes.size(), o.kernel);
  const Op hankel = hankel_op(Space::of(calibration), axes, kernel);
  const Array windows = hankel->forward(calibration, o.cancel);
  Matrix A(static_cast<std::size_t>(windows.extent(0)), static_cast<std::size_t>(windows.extent(1)));
  std::copy(windows.data<C>(), windows.data<C>() + windows.size(), A.data.begin());
  const auto pairs = hermitian_eigen(gram(A));
  if (o.cancel) o.cancel->check();
  // Singular values are roots of these.
  std::size_t kept = 0;
  while (kept < pairs.values.size() && pairs.values[kept] > o.threshold * o.threshold * pairs.values[0]) ++kept;
  Kernels out;
  out.coils = calibration.extent(calibration.rank() - 1);
  Size k{1, 1, 1};
  std::int64_t taps = 1;
  for (std::size_t a = 0; a < axes.size(); ++a) k[a] = o.kernel, out.width[a] = 2 * o.kernel - 1, taps *= o.kernel;
  const std::int64_t width = out.width[0] * out.width[1] * out.width[2];
  // Rows of A are windows, so the projector onto their span acts as conj(V) V^T: taps (d, a) from (d', b).
  Matrix V(pairs.vectors.rows, kept);
  std::copy(pairs.vectors.data.begin(), pairs.vectors.data.begin() + static_cast<std::ptrdiff_t>(V.data.size()),
            V.data.begin());
  const Matrix P = product(V, conjugate_transpose(V));
  out.h.assign(static_cast<std::size_t>(width * out.coils * (out.coils + 1) / 2), C{});
  for (std::int64_t a = 0; a < out.coils; ++a)
    for (std::int64_t b = 0; b <= a; ++b) {
      C* h = out.h.data() + width * (a * (a + 1) / 2 + b);
      for (std::int64_t d = 0; d < taps; ++d)
        for (std::int64_t e = 0; e < taps; ++e) {
          std::int64_t at = 0, stride = 1, rest_d = d, rest_e = e;
          for (std::size_t i = 0; i < 3; ++i) {
            at += (rest_d % k[i] - rest_e % k[i] + k[i] - 1) * stride;
            stride *= out.width[i], rest_d /= k[i], rest_e /= k[i];
          }
          h[at] += std::conj(P(static_cast<std::size_t>(d + taps * a), static_cast<std::size_t>(e + taps * b))) /
                   static_cast<double>(taps);
        }
    }
  const auto lead = hermitian_eigen(noise_covariance(calibration, calibration.rank() - 1)).vectors;
  for (std::size_t c = 0; c < lead.rows; ++c) out.lead.push_back(lead(c, 0));
  return out;
}

// exp(2 pi i s x) for s = -(k - 1) ... k - 1 at voxel i of n.
std::vector<C> phases(std::int64_t i, std::int64_t n, std::int64_t width) {
  std::vector<C> out;
  for (std::int64_t s = 0; s < width; ++s)
    out.push_back(std::polar(
        1.0, 2 * std::numbers::pi * static_cast<double>((s - width / 2) * (i - n / 2)) / static_cast<double>(n)));
  return out;
}

// Sums the last axis of (inner, width) with phases.
void contract(const std::vector<C>& in, std::int64_t inner, const std::vector<C>& phase, C* out) {
  std::fill(out, out + inner, C{});
  for (std::size_t s = 0; s < phase.size(); ++s) {
    const double re = phase[s].real(), im = phase[s].imag();
    const C* from = in.data() + static_cast<std::int64_t>(s) * inner;
    for (std::int64_t i = 0; i < inner; ++i)
      out[i] += C(re * from[i].real() - im * from[i].imag(), re * from[i].imag() + im * from[i].real());
  }
}

double kept_part(double eigenvalue, const EspiritOptions& o) {
  if (!o.soft_crop) return eigenvalue >= o.crop ? 1 : 0;
  const double t = std::clamp((eigenvalue - o.crop + 0.1) / 0.2, 0.0, 1.0);
  return t * t * (3 - 2 * t);
}

// One volume: maps (voxel, coil, map) and values (voxel, map) are written.
void calibrate(const Array& calibration, const Axes& axes, const Size& n, const EspiritOptions& o, F* maps,
               float* values) {
  const Kernels k = kernels_of(calibration, axes, o);
  const std::int64_t coils = k.coils, pairs = coils * (coils + 1) / 2, voxels = n[0] * n[1] * n[2];
  // Along z, then y, the sums are small; along x they are made for the whole row. Order (x, y, z, pair) of the taps
  // becomes (x, pair, y, z), so that the last axis is the one to sum.
  const std::int64_t wx = k.width[0], wy = k.width[1], wz = k.width[2];
  std::vector<C> taps(k.h.size());
  for (std::int64_t p = 0; p < pairs; ++p)
    for (std::int64_t z = 0; z < wz; ++z)
      for (std::int64_t y = 0; y < wy; ++y)
        for (std::int64_t x = 0; x < wx; ++x)
          taps[static_cast<std::size_t>(x + wx * (p + pairs * (y + wy * z)))] =
              k.h[static_cast<std::size_t>(x + wx * (y + wy * (z + wz * p)))];
  std::vector<std::vector<C>> along_x;
  for (std::int64_t i = 0; i < n[0]; ++i) along_x.push_back(phases(i, n[0], wx));
  std::vector<float> phase_re(static_cast<std::size_t>(wx * n[0])), phase_im(phase_re.size());
  for (std::int64_t s = 0; s < wx; ++s)
    for (std::int64_t i = 0; i < n[0]; ++i) {
      const C f = along_x[static_cast<std::size_t>(i)][static_cast<std::size_t>(s)];
      phase_re[static_cast<std::size_t>(i + n[0] * s)] = static_cast<float>(f.real());
      phase_im[static_cast<std::size_t>(i + n[0] * s)] = static_cast<float>(f.imag());
    }
  o.progress.begin("calibrating coils", static_cast<std::size_t>(n[1] * n[2]));
  for (std::int64_t z = 0; z < n[2]; ++z) {
    std::vector<C> plane(static_cast<std::size_t>(wx * pairs * wy));
    contract(taps, wx * pairs * wy, phases(z, n[2], wz), plane.data());
    parallel_for(
        static_cast<std::size_t>(n[1]), 16,
        [&](std::size_t begin, std::size_t end) {
          EigenRow row(n[0], coils, o.maps);
          std::vector<C> line(static_cast<std::size_t>(wx * pairs));
          for (auto y = static_cast<std::int64_t>(begin); y < static_cast<std::int64_t>(end); ++y) {
            contract(plane, wx * pairs, phases(y, n[1], wy), line.data());
            std::fill(row.re.begin(), row.re.end(), 0.0f), std::fill(row.im.begin(), row.im.end(), 0.0f);
            for (std::int64_t p = 0; p < pairs; ++p)
              for (std::int64_t s = 0; s < wx; ++s) {
                const C h = line[static_cast<std::size_t>(s + wx * p)];
                const float hr = static_cast<float>(h.real()), hi = static_cast<float>(h.imag());
                const float *fr = &phase_re[static_cast<std::size_t>(n[0] * s)],
                            *fi = &phase_im[static_cast<std::size_t>(n[0] * s)];
                float *gr = &row.re[static_cast<std::size_t>(n[0] * p)],
                      *gi = &row.im[static_cast<std::size_t>(n[0] * p)];
                for (std::int64_t i = 0; i < n[0]; ++i)
                  gr[i] += hr * fr[i] - hi * fi[i], gi[i] += hr * fi[i] + hi * fr[i];
              }
            row.iterate();
            for (std::int64_t m = 0; m < o.maps; ++m)
              for (std::int64_t i = 0; i < n[0]; ++i) {
                const std::int64_t at = i + n[0] * (y + n[1] * z);
                const auto mi = static_cast<std::size_t>(m), ii = static_cast<std::size_t>(i);
                const float value = row.value[static_cast<std::size_t>(i + n[0] * m)];
                values[at + voxels * m] = value;
                C along;  // the strongest combination of coils shall see it with phase 0
                for (std::size_t c = 0; c < k.lead.size(); ++c) along += std::conj(k.lead[c]) * row.map(mi, c, ii);
                const C turn = std::abs(along) > 0 ? std::conj(along) / std::abs(along) * kept_part(value, o) : C{};
                for (std::int64_t c = 0; c < coils; ++c)
                  maps[at + voxels * (c + coils * m)] = F(row.map(mi, static_cast<std::size_t>(c), ii) * turn);
              }
            o.progress.add(1);
          }
        },
        o.cancel);
  }
  o.progress.end();
}

void check(const Array& kspace, const Axes& axes, int coil, const EspiritOptions& o) {
  if (axes.size() < 2 || axes.size() > 3)
    throw Error(Errc::range, fmt::format("espirit: {} axes of space", axes.size()), "name 2 or 3");
  if (!(o.threshold >= 0) || o.threshold >= 1 || !(o.crop >= 0) || o.crop >= 1)
    throw Error(Errc::range, fmt::format("espirit: threshold {} and crop {}", o.threshold, o.crop),
                "give 0 to below 1");
  if (o.maps < 1 || o.maps > kspace.extent(coil))
    throw Error(Errc::range, fmt::format("espirit: {} maps of {} coils", o.maps, kspace.extent(coil)));
  for (const auto& name : axes) {
    const std::int64_t m = std::min(o.calibration, kspace.extent(kspace.axis(name)));
    if (o.kernel < 1 || o.kernel > m)
      throw Error(Errc::range,
                  fmt::format("espirit: a kernel of {} for {} calibration samples along {}", o.kernel, m, name),
                  o.kernel < 1 ? fmt::format("give a kernel of 1 to {}", m)
                               : fmt::format("give {} calibration samples or more, or a smaller kernel", o.kernel));
  }
}

}  // namespace

Espirit espirit(const Array& kspace, const Axes& axes, const std::string& coil_axis, const EspiritOptions& o) {
  const int coil = kspace.axis(coil_axis);
  check(kspace, axes, coil, o);
  const Array middle = calibration_region(kspace, axes, o.calibration);
  require_finite(middle, "the middle of k-space");
  // Space, coil, then what is calibrated one by one.
  std::vector<int> order;
  for (const auto& name : axes) order.push_back(kspace.axis(name));
  order.push_back(coil);
  for (int i = 0; i < kspace.rank(); ++i)
    if (std::find(order.begin(), order.end(), i) == order.end()) order.push_back(i);
  const std::size_t space = axes.size();
  Shape map_shape, value_shape;
  Axes map_axes, value_axes;
  std::int64_t voxels = 1, batches = 1;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::int64_t n = kspace.extent(order[i]);
    map_shape.push_back(n), map_axes.push_back(kspace.axes()[static_cast<std::size_t>(order[i])]);
    if (i == space) map_shape.push_back(o.maps), map_axes.push_back("map");
    if (i == space) value_shape.push_back(o.maps), value_axes.push_back("map");
    if (i != space) value_shape.push_back(n), value_axes.push_back(map_axes.back());
    if (i < space) voxels *= n;
    if (i > space) batches *= n;
  }
  Size n{1, 1, 1};
  for (std::size_t i = 0; i < space; ++i) n[i] = map_shape[i];
  Array maps(DType::c64, map_shape, map_axes), values(DType::f32, value_shape, value_axes);
  const Array region = middle.permuted(order).cast(DType::c128).contiguous_copy();
  Shape region_shape(region.shape().begin(), region.shape().begin() + static_cast<std::ptrdiff_t>(space) + 1);
  Axes region_axes(region.axes().begin(), region.axes().begin() + static_cast<std::ptrdiff_t>(space) + 1);
  const Array flat = region.reshaped({region.size() / std::max<std::int64_t>(1, batches), batches}, {"k", "b"});
  const std::int64_t coils = kspace.extent(coil);
  for (std::int64_t b = 0; b < batches; ++b) {
    const Array one = flat.slice(1, b).contiguous_copy().reshaped(region_shape, region_axes);
    std::int64_t missing = 0;
    const std::int64_t samples = one.size() / coils;
    for (std::int64_t i = 0; i < samples; ++i) {
      bool any = false;
      for (std::int64_t c = 0; c < coils; ++c) any = any || one.data<C>()[i + samples * c] != C{};
      missing += !any;
    }
    if (missing)
      throw Error(Errc::range,
                  fmt::format("espirit: {} of the {} samples in the middle of k-space are missing", missing, samples),
                  fmt::format("sample the middle in full, or give a smaller calibration: {} samples were measured",
                              measured_middle(kspace, axes, o.calibration)));
    calibrate(one, axes, n, o, maps.data<F>() + b * voxels * coils * o.maps,
              values.data<float>() + b * voxels * o.maps);
  }
  // As k-space has its axes; one map needs no axis.
  const auto as_before = [&](Array a) {
    std::vector<int> back;
    for (const auto& name : kspace.axes())
      if (std::find(a.axes().begin(), a.axes().end(), name) != a.axes().end()) back.push_back(a.axis(name));
    back.push_back(a.axis("map"));
    a = a.permuted(back);
    return (o.maps == 1 ? a.slice(a.rank() - 1, 0) : a).contiguous_copy();
  };
  return {as_before(maps), as_before(values)};
}

}  // namespace larmor::recon
