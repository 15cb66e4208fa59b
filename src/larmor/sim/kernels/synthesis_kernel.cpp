// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set: samples of k-space side by side.
#include <larmor/sim/kernels/bloch_lanes.hpp>
#include <larmor/sim/kernels/synthesis_types.hpp>

namespace larmor::sim {
inline namespace LARMOR_ISA_NAMESPACE {
namespace synthesis {

using simd::LaneTraits;
using D = simd::Pack<double>;

/// Sine and cosine of 2 pi t in double, to 1e-13: quarter turns, then series to v^17 and v^16 for |2 pi v| <= pi / 4.
LARMOR_INLINE void sincos_turns(D t, D& s, D& c) {
  const D shifter(6755399441055744.0);
  const D quarters = (t * D(4.0) + shifter) - shifter;
  const D x = (t - quarters * D(0.25)) * D(6.283185307179586), u = x * x;
  D ps(1.0 / 355687428096000.0), pc(1.0 / 20922789888000.0);
  ps = simd::fma(ps, u, D(-1.0 / 1307674368000.0)), pc = simd::fma(pc, u, D(-1.0 / 87178291200.0));
  ps = simd::fma(ps, u, D(1.0 / 6227020800.0)), pc = simd::fma(pc, u, D(1.0 / 479001600.0));
  ps = simd::fma(ps, u, D(-1.0 / 39916800.0)), pc = simd::fma(pc, u, D(-1.0 / 3628800.0));
  ps = simd::fma(ps, u, D(1.0 / 362880.0)), pc = simd::fma(pc, u, D(1.0 / 40320.0));
  ps = simd::fma(ps, u, D(-1.0 / 5040.0)), pc = simd::fma(pc, u, D(-1.0 / 720.0));
  ps = simd::fma(ps, u, D(1.0 / 120.0)), pc = simd::fma(pc, u, D(1.0 / 24.0));
  ps = simd::fma(ps, u, D(-1.0 / 6.0)), pc = simd::fma(pc, u, D(-0.5));
  const D sine = simd::fma(ps, u * x, x), cosine = simd::fma(pc, u, D(1.0));
  // Quarter q of the turn: (s, c), (c, -s), (-s, -c), (-c, s).
  const D half = quarters * D(0.5), floor_half = ((half - D(0.25) + shifter) - shifter);  // floor(q / 2)
  const auto odd = (quarters - floor_half * D(2.0)) > D(0.5);
  const D pairs = floor_half * D(0.5), floor_pairs = ((pairs - D(0.25) + shifter) - shifter);
  const auto second = (floor_half - floor_pairs * D(2.0)) > D(0.5);
  s = simd::select(odd, cosine, sine), c = simd::select(odd, -sine, cosine);
  s = simd::select(second, -s, s), c = simd::select(second, -c, c);
}

/// 2 J1(x) / x for x >= 0, to 1e-10 of its value at 0. Below 12 the power series sum (-1)^k (x/2)^2k / (k! (k + 1)!),
/// above Hankel's expansion with terms to 1 / x^10 and 1 / x^11 (DLMF 10.2.2, 10.17.3).
LARMOR_INLINE D jinc(D x) {
  const D q = x * x * D(0.25);
  D near(0.0);
  // Terms from the last: 36^k / (k! (k + 1)!) is below 1e-13 from k = 26 on.
  constexpr int last = 26;
  near = D(1.0);
  for (int k = last; k >= 1; --k) near = D(1.0) - q * D(1.0 / (static_cast<double>(k) * (k + 1))) * near;
  const D far_x = simd::max(x, D(1.0)), i = D(1.0) / far_x, ii = i * i;
  // a_k(1) = prod (4 - (2 j - 1)^2) / (k! 8^k): P = sum (-1)^k a_2k / x^2k, Q = sum (-1)^k a_2k+1 / x^(2k+1).
  double a[12];
  a[0] = 1;
  for (int k = 1; k < 12; ++k) a[k] = a[k - 1] * (4.0 - (2.0 * k - 1) * (2.0 * k - 1)) / (8.0 * k);
  D P(-a[10]), Q(-a[11]);
  for (int k = 4; k >= 0; --k) {
    P = simd::fma(P, ii, D(k % 2 ? -a[2 * k] : a[2 * k]));
    Q = simd::fma(Q, ii, D(k % 2 ? -a[2 * k + 1] : a[2 * k + 1]));
  }
  Q = Q * i;
  D s, c;
  sincos_turns(far_x * D(1.0 / 6.283185307179586) - D(0.375), s, c);  // x - 3 pi / 4
  const D far = simd::sqrt(D(0.6366197723675814) * i) * (P * c - Q * s) * D(2.0) * i;
  return simd::select(x < D(12.0), near, far);
}

/// 3 (sin x - x cos x) / x^3, the transform of a ball over its value at 0; below 1 the series.
LARMOR_INLINE D ball(D x) {
  const D u = x * x, far_x = simd::max(x, D(0.5));
  // sum (-1)^k 6 (k + 1) x^2k / (2 k + 3)!, the quotients of its terms from the last.
  D near(1.0);
  for (int k = 9; k >= 1; --k)
    near = D(1.0) - u * D((k + 1.0) / (static_cast<double>(k) * (2.0 * k + 2) * (2.0 * k + 3))) * near;
  D s, c;
  sincos_turns(far_x * D(1.0 / 6.283185307179586), s, c);
  const D far = D(3.0) * (s - far_x * c) / (far_x * far_x * far_x);
  return simd::select(x < D(1.0), near, far);
}

LARMOR_HD void ellipsoids(const EllipsoidRun& run, size_t at) {
  const D kx = simd::load<D>(run.k[0] + at), ky = simd::load<D>(run.k[1] + at), kz = simd::load<D>(run.k[2] + at);
  D re(0.0), im(0.0);
  for (int r = 0; r < run.n_rows; ++r) {
    const EllipsoidRow& e = run.rows[r];
    const D u = kx * D(e.a[0]) + ky * D(e.a[1]) + kz * D(e.a[2]), v = kx * D(e.b[0]) + ky * D(e.b[1]) + kz * D(e.b[2]),
            w = kx * D(e.c[0]) + ky * D(e.c[1]) + kz * D(e.c[2]);
    const D x = simd::sqrt(u * u + v * v + w * w) * D(6.283185307179586);
    const D size = D(e.size) * (run.dims == 2 ? jinc(x) : ball(x));
    D s, c;
    sincos_turns(lanes::part_of_turn(kx * D(e.centre[0]) + ky * D(e.centre[1]) + kz * D(e.centre[2])), s, c);
    re = simd::fma(size, c, re), im = simd::fma(size, -s, im);
  }
  simd::store_narrow(run.re + at, re);
  simd::store_narrow(run.im + at, im);
}

/// One pack of samples, all voxels, up to C coils from `coil` on.
template <int C>
LARMOR_HD void voxels(const VoxelRun& run, size_t at, int coil, int count) {
  using F = simd::Pack<float>;
  const F kx = simd::load<F>(run.kx + at), ky = simd::load<F>(run.ky + at), kz = simd::load<F>(run.kz + at),
          t = simd::load<F>(run.t + at);
  F re[C], im[C];
  for (int c = 0; c < C; ++c) re[c] = im[c] = F(0.0f);
  for (size_t v = 0; v < run.n_voxels; ++v) {
    const VoxelRow& row = run.voxels[v];
    F s, c;
    lanes::sincos_turns(lanes::part_of_turn_float(
                            simd::fma(kx, F(row.x), simd::fma(ky, F(row.y), simd::fma(kz, F(row.z), t * F(row.df))))),
                        s, c);
    if (row.rate != 0) {
      const F decay = simd::exp<F>(t * F(-row.rate));
      s = s * decay, c = c * decay;
    }
    const float* wr = run.weight_re + v * static_cast<size_t>(run.n_coils) + static_cast<size_t>(coil);
    const float* wi = run.weight_im + v * static_cast<size_t>(run.n_coils) + static_cast<size_t>(coil);
    if constexpr (C == 1) {
      re[0] = simd::fma(F(wr[0]), c, simd::fma(F(wi[0]), s, re[0]));
      im[0] = simd::fma(F(wi[0]), c, simd::fma(F(-wr[0]), s, im[0]));
    } else {
      for (int q = 0; q < C; ++q) {
        const int p = q < count ? q : count - 1;
        re[q] = simd::fma(F(wr[p]), c, simd::fma(F(wi[p]), s, re[q]));
        im[q] = simd::fma(F(wi[p]), c, simd::fma(F(-wr[p]), s, im[q]));
      }
    }
  }
  for (int q = 0; q < count; ++q) {
    const size_t to = static_cast<size_t>(coil + q) * run.n_samples + at;
    simd::store(run.re + to, re[q]), simd::store(run.im + to, im[q]);
  }
}

}  // namespace synthesis
}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::sim

namespace synthesis = larmor::sim::synthesis;

extern "C" void LARMOR_ISA_JOIN(larmor_ellipsoids_, LARMOR_ISA)(const larmor::sim::EllipsoidRun* run, size_t first,
                                                                size_t count) {
  for (size_t at = first; at < first + count; at += synthesis::D::size) synthesis::ellipsoids(*run, at);
}
extern "C" void LARMOR_ISA_JOIN(larmor_voxels_, LARMOR_ISA)(const larmor::sim::VoxelRun* run, size_t first,
                                                            size_t count) {
  constexpr int at_once = larmor::sim::voxel_coils_at_once;
  for (size_t at = first; at < first + count; at += larmor::simd::Pack<float>::size) {
    if (run->n_coils == 1)
      synthesis::voxels<1>(*run, at, 0, 1);
    else
      for (int coil = 0; coil < run->n_coils; coil += at_once) {
        const int rest = run->n_coils - coil;
        synthesis::voxels<at_once>(*run, at, coil, rest < at_once ? rest : at_once);
      }
  }
}
