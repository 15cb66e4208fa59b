// SPDX-License-Identifier: Apache-2.0
#pragma once
// Variable projection of the bi-exponential IVIM model, over lanes of voxels.
//
// S = a exp(-b D) + c exp(-b D_star) is linear in a and c, so they follow from D and D_star in closed form, and what is
// left is a problem in two numbers: the residual projected off both exponentials. Its Jacobian in Kaufman's form is
// the projected derivative; the normal equations then are those of the full problem with a and c eliminated, so the
// errors are the same too.
//
// f = c / (a + c) has bounds. Where the free f is beyond one it is held there, and one amplitude, S0, is left.
#include <larmor/core/simd/lane.hpp>
#include <larmor/fit/status.hpp>
#include <larmor/perfusion/ivim/kernels/varpro_kernel.hpp>

namespace larmor::ivim {
inline namespace LARMOR_ISA_NAMESPACE {

using fit::FitStatus;
using simd::select;

/// Sums of one point, weighted: products of y and both exponentials, and those with their derivatives -b exp.
template <class T>
struct VarproSums {
  T y1, y2, g11, g12, g22;  // <y,e1> <y,e2> <e1,e1> <e1,e2> <e2,e2>
};

/// Amplitudes and the inverse Gram matrix of what is free: both, or S0 alone along (1 - f, f).
template <class T>
struct VarproAmplitudes {
  T a, c, i11, i12, i22, sse;
  typename simd::LaneTraits<T>::mask held;
};
template <class T>
LARMOR_INLINE VarproAmplitudes<T> varpro_amplitudes(const VarproSums<T>& s, T yy, T f_low, T f_high) {
  const T one(1.0), zero(0.0);
  const T det = s.g11 * s.g22 - s.g12 * s.g12;
  const T inverse = one / simd::max(det, T(1e-14) * s.g11 * s.g22 + T(1e-300));
  VarproAmplitudes<T> r;
  r.a = (s.g22 * s.y1 - s.g12 * s.y2) * inverse, r.c = (s.g11 * s.y2 - s.g12 * s.y1) * inverse;
  r.i11 = s.g22 * inverse, r.i12 = -s.g12 * inverse, r.i22 = s.g11 * inverse;
  r.sse = yy - r.a * s.y1 - r.c * s.y2;
  const T S0 = r.a + r.c;
  const typename simd::LaneTraits<T>::mask low = (r.c < f_low * S0) | (S0 <= zero), high = r.c > f_high * S0;
  r.held = low | high;
  if (simd::any(r.held)) {
    const auto along = [&](T f, T& S, T& norm) LARMOR_LAMBDA {
      const T u = one - f;
      norm = u * u * s.g11 + T(2.0) * u * f * s.g12 + f * f * s.g22;
      S = (u * s.y1 + f * s.y2) / norm;
      return T(yy - S * S * norm);
    };
    T S_low, S_high, n_low, n_high;
    const T sse_low = along(f_low, S_low, n_low), sse_high = along(f_high, S_high, n_high);
    // The better of both ends: the free solution need not lie beyond the nearer one.
    const auto take_low = sse_low <= sse_high;
    const T f = select(take_low, f_low, f_high), S = select(take_low, S_low, S_high),
            n = one / select(take_low, n_low, n_high), u = one - f;
    r.a = select(r.held, u * S, r.a), r.c = select(r.held, f * S, r.c);
    r.i11 = select(r.held, u * u * n, r.i11), r.i12 = select(r.held, u * f * n, r.i12);
    r.i22 = select(r.held, f * f * n, r.i22), r.sse = select(r.held, select(take_low, sse_low, sse_high), r.sse);
  }
  return r;
}

/// The voxels from v on.
template <class T>
LARMOR_INLINE void varpro_at(const VarproRun& r, int64_t v) {
  const int K = r.n_samples;
  const T zero(0.0), one(1.0), nan = zero / zero;
  const T f_low(r.lower[1]), f_high(r.upper[1]);
  const auto y = [&](int k) LARMOR_LAMBDA { return simd::load<T>(r.y + static_cast<int64_t>(k) * r.stride + v); };
  T yy = zero;
  for (int k = 0; k < K; ++k) yy += T(r.weight[k]) * y(k) * y(k);
  // The best of a grid: exponentials and their products are the same for all voxels.
  T D(r.D_start[0]), star(r.star_start[0]), least(1e300);
  T y_fast[varpro_star_starts];
  for (int j = 0; j < varpro_star_starts; ++j) {
    y_fast[j] = zero;
    for (int k = 0; k < K; ++k) y_fast[j] += y(k) * T(r.weight[k] * r.fast[j * K + k]);
  }
  for (int i = 0; i < varpro_D_starts; ++i) {
    VarproSums<T> s;
    s.y1 = zero;
    double g11 = 0;
    for (int k = 0; k < K; ++k) {
      const double we = r.weight[k] * r.slow[i * K + k];
      s.y1 += y(k) * T(we), g11 += we * r.slow[i * K + k];
    }
    s.g11 = T(g11);
    for (int j = 0; j < varpro_star_starts; ++j) {
      double g12 = 0, g22 = 0;
      for (int k = 0; k < K; ++k) {
        const double we = r.weight[k] * r.fast[j * K + k];
        g12 += we * r.slow[i * K + k], g22 += we * r.fast[j * K + k];
      }
      s.g12 = T(g12), s.g22 = T(g22), s.y2 = y_fast[j];
      const T sse = varpro_amplitudes(s, yy, f_low, f_high).sse;
      const auto better = sse < least;
      D = select(better, T(r.D_start[i]), D), star = select(better, T(r.star_start[j]), star);
      least = select(better, sse, least);
    }
  }

  // Everything at a point: amplitudes, and the normal equations of D and D_star.
  VarproAmplitudes<T> amp;
  T h11, h12, h22, grad1, grad2;  // of half the sum of squares
  T b1x, b1y, b2x, b2y;           // A^T V, for the errors of the amplitudes
  const auto at = [&](T D_, T star_) LARMOR_LAMBDA {
    VarproSums<T> s{zero, zero, zero, zero, zero};
    T e1b1 = zero, e1b2 = zero, e2b2 = zero, bb11 = zero, bb12 = zero, bb22 = zero, yb1 = zero, yb2 = zero;
    for (int k = 0; k < K; ++k) {
      const T b(r.b[k]), w(r.weight[k]);
      const T e1 = simd::exp(-b * D_), e2 = simd::exp(-b * star_), w1 = w * e1, w2 = w * e2;
      s.y1 += y(k) * w1, s.y2 += y(k) * w2, s.g11 += e1 * w1, s.g12 += e1 * w2, s.g22 += e2 * w2;
      const T m1 = -b * e1, m2 = -b * e2, wm1 = w * m1, wm2 = w * m2;
      e1b1 += e1 * wm1, e1b2 += e1 * wm2, e2b2 += e2 * wm2;
      bb11 += m1 * wm1, bb12 += m1 * wm2, bb22 += m2 * wm2;
      yb1 += y(k) * wm1, yb2 += y(k) * wm2;
    }
    amp = varpro_amplitudes(s, yy, f_low, f_high);
    const T a = amp.a, c = amp.c;
    // <e2, -b e1> = <e1, -b e2>.
    b1x = a * e1b1, b2x = a * e1b2, b1y = c * e1b2, b2y = c * e2b2;
    const auto through = [&](T px, T py, T qx, T qy) LARMOR_LAMBDA {
      return T(px * (amp.i11 * qx + amp.i12 * qy) + py * (amp.i12 * qx + amp.i22 * qy));
    };
    h11 = a * a * bb11 - through(b1x, b2x, b1x, b2x);
    h12 = a * c * bb12 - through(b1x, b2x, b1y, b2y);
    h22 = c * c * bb22 - through(b1y, b2y, b1y, b2y);
    // -<r, v> with r = y - a e1 - c e2, which is orthogonal to what is free.
    grad1 = -a * (yb1 - a * e1b1 - c * e1b2), grad2 = -c * (yb2 - a * e1b2 - c * e2b2);
    return amp.sse;
  };
  const T D_low(r.lower[2]), D_high(r.upper[2]), star_low(r.lower[3]), star_high(r.upper[3]);
  D = simd::min(simd::max(D, D_low), D_high), star = simd::min(simd::max(star, star_low), star_high);
  T sse = at(D, star), damping(1e-3), count = zero;
  auto active = simd::is_finite(yy) & (yy > zero);
  auto done = zero > one;
  for (int step = 0; step < r.max_iterations && simd::any(active); ++step) {
    // A parameter on a bound that the gradient pushes against does not move.
    const auto stay1 = ((D <= D_low) & (grad1 > zero)) | ((D >= D_high) & (grad1 < zero));
    const auto stay2 = ((star <= star_low) & (grad2 > zero)) | ((star >= star_high) & (grad2 < zero));
    const T d11 = h11 * (one + damping) + T(1e-300), d22 = h22 * (one + damping) + T(1e-300);
    const T cross = select(stay1 | stay2, zero, h12);
    const T det = simd::max(d11 * d22 - cross * cross, T(1e-300));
    const T move1 = select(stay1, zero, -(grad1 * d22 - cross * select(stay2, zero, grad2)) / det);
    const T move2 = select(stay2, zero, -(grad2 * d11 - cross * select(stay1, zero, grad1)) / det);
    const T D_new = simd::min(simd::max(D + simd::max(move1, T(-0.9) * D), D_low), D_high);
    const T star_new = simd::min(simd::max(star + simd::max(move2, T(-0.9) * star), star_low), star_high);
    const T D_old = D, star_old = star, before = sse;
    const auto amp_old = amp;
    const T o11 = h11, o12 = h12, o22 = h22, p1 = grad1, p2 = grad2, q1 = b1x, q2 = b1y, q3 = b2x, q4 = b2y;
    const T after = at(select(active, D_new, D), select(active, star_new, star));
    const auto better = active & (after <= before);
    const auto keep = [&](T now, T then) LARMOR_LAMBDA { return select(better, now, then); };
    D = keep(D_new, D_old), star = keep(star_new, star_old), sse = keep(after, before);
    h11 = keep(h11, o11), h12 = keep(h12, o12), h22 = keep(h22, o22), grad1 = keep(grad1, p1), grad2 = keep(grad2, p2);
    b1x = keep(b1x, q1), b1y = keep(b1y, q2), b2x = keep(b2x, q3), b2y = keep(b2y, q4);
    amp.a = keep(amp.a, amp_old.a), amp.c = keep(amp.c, amp_old.c), amp.i11 = keep(amp.i11, amp_old.i11);
    amp.i12 = keep(amp.i12, amp_old.i12), amp.i22 = keep(amp.i22, amp_old.i22);
    amp.held = (better & amp.held) | ((!better) & amp_old.held);
    // The gain that the quadratic promised. Kaufman's form leaves a curvature out: steps that overshoot by all of it
    // would go to and fro between two equal points for ever.
    const T dD = D_new - D_old, dstar = star_new - star_old;
    const T promised =
        -(T(2.0) * (p1 * dD + p2 * dstar) + o11 * dD * dD + T(2.0) * o12 * dD * dstar + o22 * dstar * dstar);
    const auto poor = before - after < T(0.25) * promised;
    damping = select(better & !poor, simd::max(damping * T(0.1), T(1e-6)), simd::max(damping, T(0.05)) * T(5.0));
    count += select(active, one, zero);
    const T tolerance(r.tolerance);
    const auto small = (simd::abs(D_new - D_old) <= tolerance * (D_old + T(1e-12))) &
                       (simd::abs(star_new - star_old) <= tolerance * (star_old + T(1e-12)));
    // A step that small settles it, better or not: the sum of squares is flat to rounding there.
    // So does a valley so flat that a step gains next to nothing.
    const auto flat = better & (before - after <= T(1e-10) * after);
    const auto settled = active & (small | flat | (damping > T(1e12)));
    done = done | settled;
    active = active & !settled;
  }

  const T S0 = amp.a + amp.c, f = amp.c / S0;
  const auto positive = yy > zero, known = simd::is_finite(yy);
  const auto edge1 = (D <= D_low) | (D >= D_high), edge2 = (star <= star_low) | (star >= star_high);
  // Errors for noise of unit variance; the caller scales them by its variance. A parameter on a bound has none, and
  // the others are told as if it were known.
  T c11, c12, c22;
  {
    const auto free1 = !edge1, free2 = !edge2;
    const T x11 = select(free1, h11, one), x22 = select(free2, h22, one), x12 = select(free1 & free2, h12, zero);
    const T inverse = one / simd::max(x11 * x22 - x12 * x12, T(1e-300));
    c11 = select(free1, x22 * inverse, zero), c22 = select(free2, x11 * inverse, zero), c12 = -x12 * inverse;
  }
  // d(a, c) by (D, D_star): minus the inverse Gram matrix times A^T V.
  const T j11 = -(amp.i11 * b1x + amp.i12 * b2x), j12 = -(amp.i11 * b1y + amp.i12 * b2y);
  const T j21 = -(amp.i12 * b1x + amp.i22 * b2x), j22 = -(amp.i12 * b1y + amp.i22 * b2y);
  const auto quadratic = [&](T p, T q, T s, T t)
                             LARMOR_LAMBDA { return T(p * (c11 * s + c12 * t) + q * (c12 * s + c22 * t)); };
  const T v11 = amp.i11 + quadratic(j11, j12, j11, j12), v12 = amp.i12 + quadratic(j11, j12, j21, j22),
          v22 = amp.i22 + quadratic(j21, j22, j21, j22);
  const T var_S0 = v11 + v12 + v12 + v22;
  // f = c / (a + c): df = ((1 - f) dc - f da) / S0.
  const T u = one - f, var_f = (u * u * v22 - T(2.0) * u * f * v12 + f * f * v11) / (S0 * S0);
  const auto held_f = amp.held | (f <= f_low) | (f >= f_high);
  const auto bound = held_f | edge1 | edge2;
  const auto number = [](FitStatus s) LARMOR_LAMBDA { return T(static_cast<double>(s)); };
  const auto usable = known & positive & done & (S0 > zero) & simd::is_finite(D) & simd::is_finite(star);
  T status = select(bound, number(FitStatus::at_bound), number(FitStatus::converged));
  status = select(S0 > zero, status, number(FitStatus::out_of_range));
  status = select(done, status, number(FitStatus::not_converged));
  status = select(positive, status, number(FitStatus::no_signal));
  status = select(known, status, number(FitStatus::bad_data));
  const auto put = [&](int m, T value, T variance, auto on_bound) LARMOR_LAMBDA {
    simd::store(r.value[m] + v, select(usable, value, nan));
    simd::store(r.error[m] + v,
                select(usable & !on_bound & (variance > zero), T(simd::sqrt(simd::max(variance, zero))), nan));
  };
  put(0, S0, var_S0, zero > one);
  put(1, f, var_f, held_f);
  put(2, D, c11, edge1);
  put(3, star, c22, edge2);
  simd::store(r.sse + v, select(usable, simd::max(sse, zero), nan));
  simd::store(r.status + v, status);
  simd::store(r.iterations + v, count);
}

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::ivim
