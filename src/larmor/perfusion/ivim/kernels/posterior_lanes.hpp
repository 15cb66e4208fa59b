// SPDX-License-Identifier: Apache-2.0
#pragma once
// Posterior of the bi-exponential IVIM model by nodes in D and D_star; the amplitudes are integrated in closed form.
//
// At one node the signal is S0 (e1 + f u) with e1 = exp(-b D), u = exp(-b D_star) - e1: linear in S0 and S0 f. With
// Gaussian noise the likelihood is a Gaussian in them, so that given the node
//   f is Gaussian about f^ = (S0 f)^ / S0^ with variance s^2 = sigma^2 |e1 + f^ u|^2 / (S0^2 det),
//   cut off by its prior, and the evidence is exp(-SSE / 2 sigma^2) / (S0 sqrt(det)) times the share of that Gaussian
//   inside,
// where det is that of the Gram matrix of (e1, u). The ratio is Gaussian to the order (sigma / S0)^2. A known S0 leaves
// f alone, exactly: f^ = u (y - S0 e1) / (S0 |u|^2).
//
// Noise of magnitudes: the guide, a least-squares fit of the magnitudes, tells their mean and so the signal A behind
// it. There a magnitude says of the signal what its mean m(A) does: (y - m) / m' + A, with the variance xi / m'^2. The
// slope m' counts: in the noise, magnitudes hardly change with the signal, and without it they would be taken for the
// surest of all.
#include <larmor/core/simd/lane.hpp>
#include <larmor/perfusion/ivim/kernels/cut_lanes.hpp>
#include <larmor/perfusion/ivim/kernels/posterior_kernel.hpp>

namespace larmor::ivim {
inline namespace LARMOR_ISA_NAMESPACE {

/// Room of one pack of voxels, packs side by side; of one voxel among others in CUDA.
template <class T>
struct PackRoom {
  T* at;
  LARMOR_INLINE T& operator[](int i) const { return at[i]; }
};
template <class T>
struct StridedRoom {
  T* at;
  int64_t step;
  LARMOR_INLINE T& operator[](int i) const { return at[i * step]; }
};

/// Signal and weights of one pack of voxels, corrected for the noise of magnitudes, into the room at `to_y` and `to_w`.
/// Returns half the misfit of the guide over the noise, or a large number where there is none.
template <class T, class Room>
LARMOR_INLINE T posterior_prepare(const PosteriorRun& r, int64_t v, const Room& room, int to_y, int to_w) {
  const T zero(0.0), one(1.0), noise(r.noise_sd), inverse_noise(1.0 / r.noise_sd);
  T guide[4];
  for (int m = 0; m < 4; ++m) guide[m] = simd::load<T>(r.guide[m] + v);
  const auto known = simd::is_finite(guide[0] + guide[1] + guide[2] + guide[3]);
  T misfit = zero;
  for (int k = 0; k < r.n_samples; ++k) {
    T y = simd::load<T>(r.y + static_cast<int64_t>(k) * r.stride + v);
    T w(r.counts ? r.counts[k] : 1.0);
    const T b(r.b[k]);
    const T fitted = select(
        known, guide[0] * ((one - guide[1]) * simd::exp(-b * guide[2]) + guide[1] * simd::exp(-b * guide[3])), y);
    if (r.moments) {
      // Variance, mean and its slope, from mean^2 = A^2 + 2 - variance.
      const auto moments = [&](T A, T& mean, T& slope) LARMOR_LAMBDA {
        const T place = simd::min(A, T(moments_top * (1 - 1e-9))) * T(moments_cells / moments_top);
        const T cell = simd::floor(place);
        const T low = simd::gather(r.moments, cell, 1, 0), high = simd::gather(r.moments, cell, 1, 1);
        const T q = one / simd::max(A * A, one);
        const auto near = A < T(moments_top);
        const T variance = select(near, low + (place - cell) * (high - low), one - T(0.5) * q * (one + q));
        mean = simd::sqrt(A * A + T(2.0) - variance);
        slope = (A - select(near, (high - low) * T(0.5 * moments_cells / moments_top), zero)) / mean;
        return variance;
      };
      T mean, slope;
      const T M = simd::max(fitted, zero) * inverse_noise;
      const T variance_there = moments(M, mean, slope);
      // Not below 0.6, where m' goes to 0: a magnitude in the noise still says that there is no more than noise.
      const T A = simd::sqrt(simd::max(M * M - T(2.0) + variance_there, T(0.36)));
      const T variance = moments(A, mean, slope);
      y = (A + (y * inverse_noise - mean) / slope) * noise;
      w = w * slope * slope / variance;
    }
    room[to_y + k] = y, room[to_w + k] = w;
    misfit += w * (y - fitted) * (y - fitted);
  }
  const T sigma = simd::load<T>(r.sigma + v);
  return select(known, T(0.5) * misfit / (sigma * sigma), T(1e300));
}

/// A node whose S0 is known to no better than a fifth, where f is no Gaussian: means over the prior of f at places, S0
/// integrated at each. The Gaussian of f is then no narrower than the places are apart.
template <class T>
struct LooseNode {
  T weight, f, ff, S0, S0S0;  // means of f and S0 less their middles, and of the squares of these
};
template <class T>
LARMOR_INLINE LooseNode<T> loose_node(const PosteriorRun& r, T yy, T Y1, T Yu, T E11, T E1u, T Euu, T sigma, T least,
                                      T S0_middle, T f_middle) {
  constexpr int places = 16;
  const double step = (r.f_high - r.f_low) / places;
  const T half_precision = T(0.5) / (sigma * sigma), zero(0.0);
  LooseNode<T> n{zero, zero, zero, zero, zero};
  for (int q = 0; q < places; ++q) {
    const double f = r.f_low + step * (q + 0.5);
    const T y_v = Y1 + T(f) * Yu, v_v = simd::max(E11 + T(2 * f) * E1u + T(f * f) * Euu, T(1e-300));
    const T inverse = T(1.0) / v_v, S0 = y_v * inverse;
    // Over 2 pi sigma^2, as the closed form: step / (sqrt(2 pi) sigma |v|) exp(-misfit).
    const T exponent = simd::max((yy - y_v * S0) * half_precision - least, T(-700.0));
    const T w = simd::select(S0 > zero, T(simd::exp(-exponent) * simd::sqrt(inverse)), zero);
    const T f_less = T(f) - f_middle, S0_less = S0 - S0_middle;
    n.weight += w, n.f += w * f_less, n.ff += w * f_less * f_less;
    n.S0 += w * S0_less, n.S0S0 += w * (S0_less * S0_less + sigma * sigma * inverse);
  }
  const T inverse = T(1.0) / simd::max(n.weight, T(1e-300));
  n.f = n.f * inverse, n.ff = n.ff * inverse, n.S0 = n.S0 * inverse, n.S0S0 = n.S0S0 * inverse;
  n.weight = n.weight * (T(0.39894228040143268 * step) / sigma);
  return n;
}

template <class T, class Room>
LARMOR_INLINE void posterior_in(const PosteriorRun& r, int64_t v, const Room& room) {
  const int K = r.n_samples, I = r.n_D, J = r.n_D_star;
  const T zero(0.0), one(1.0), tiny(1e-140);  // no subnormal numbers, nor in products of two
  // e2 (J, K), then K each: y, w, exp(-b D) of the row, w times that, the factor to the next; (J, 2): y e2, e2 e2; (J,
  // 5): half the misfit over the noise, S0, f S0, E12, 1 / det; (J): D_star
  const int at_y = J * K, at_w = at_y + K, at_e1 = at_w + K, at_we = at_e1 + K, at_ratio = at_we + K,
            at_sums = at_ratio + K, at_row = at_sums + 2 * J, at_star = at_row + 6 * J;
  const auto read = [&](const double* p) LARMOR_LAMBDA { return simd::load<T>(p + v); };
  const T guide_misfit = posterior_prepare<T>(r, v, room, at_y, at_w);
  const T sigma = read(r.sigma), inverse_sigma = one / sigma, sigma_sigma = sigma * sigma,
          half_precision = T(0.5) / sigma_sigma;
  const T D_low = read(r.D_low), D_step = (read(r.D_high) - D_low) * T(1.0 / I);
  const T star_low = read(r.D_star_low), star_step = (read(r.D_star_high) - star_low) * T(1.0 / J);
  const auto star_at = [&](int j) LARMOR_LAMBDA {
    const T s = star_low + star_step * T(j + 0.5);
    return r.log_D_star ? T(simd::exp(s)) : s;
  };
  const T star_middle = star_at(J / 2);
  for (int j = 0; j < J; ++j) room[at_star + j] = star_at(j), room[at_sums + 2 * j] = room[at_sums + 2 * j + 1] = zero;
  T yy = zero;
  for (int k = 0; k < K; ++k) {
    const T y = room[at_y + k], w = room[at_w + k], b(r.b[k]);
    yy += w * y * y;
    room[at_ratio + k] = simd::exp(-b * D_step);
    // Where nodes are equally spaced, each is the one before times a constant.
    const T factor = r.log_D_star ? one : T(simd::exp(-b * star_step));
    T g = simd::exp(-b * room[at_star]);
    for (int j = 0; j < J; ++j) {
      if (j > 0) g = r.log_D_star ? T(simd::exp(-b * room[at_star + j])) : T(g * factor);
      g = simd::max(g, tiny);
      const T wg = w * g;
      room[j * K + k] = g;
      room[at_sums + 2 * j] += y * wg, room[at_sums + 2 * j + 1] += g * wg;
    }
  }
  for (int j = 0; j < J; ++j) room[at_star + j] = room[at_star + j] - star_middle;

  T total, least, first[4], second[4], edge[4];
  const T D_middle = D_low + D_step * T(0.5 * I), f_middle(0.5 * (r.f_low + r.f_high));
  const T S0_middle = r.S0_known ? read(r.S0) : room[at_y];
  // The misfit of the guide is close to the least, so that what counts for nothing is known from the first row on.
  // Where the box lies elsewhere, or the nodes are far apart, it is no guide.
  for (T from = guide_misfit;;) {
    T lowest(1e300);
    total = zero, least = from;
    for (int m = 0; m < 4; ++m) first[m] = second[m] = edge[m] = zero;
    for (int k = 0; k < K; ++k) {
      const T b(r.b[k]);
      room[at_e1 + k] = simd::max(simd::exp(-b * (D_low + T(0.5) * D_step)), tiny);
    }
    for (int i = 0; i < I; ++i) {
      T Y1 = zero, E11 = zero;
      for (int k = 0; k < K; ++k) {
        T e = room[at_e1 + k];
        if (i > 0) room[at_e1 + k] = e = e * room[at_ratio + k];
        const T we = room[at_w + k] * e;
        room[at_we + k] = we;
        Y1 += room[at_y + k] * we, E11 += e * we;
      }
      T least_here = least;
      const auto node = [&](int j, T E12) LARMOR_LAMBDA {
        const T Yu = room[at_sums + 2 * j] - Y1, E1u = E12 - E11, Euu = room[at_sums + 2 * j + 1] - E12 - E12 + E11;
        T sse, S0, part, det, inverse;
        if (r.S0_known) {
          S0 = read(r.S0), det = simd::max(Euu, T(1e-300)), inverse = one / det;
          const T r1 = Yu - S0 * E1u;
          part = r1 * inverse;
          sse = yy - T(2.0) * S0 * Y1 + S0 * S0 * E11 - r1 * part;
        } else {
          // In the amplitudes of both exponentials: where the fast one is gone, u and e1 are one but for the sign.
          const T Y2 = room[at_sums + 2 * j], E22 = room[at_sums + 2 * j + 1];
          det = simd::max(E11 * E22 - E12 * E12, T(1e-300)), inverse = one / det;
          const T slow = (E22 * Y1 - E12 * Y2) * inverse;
          part = (E11 * Y2 - E12 * Y1) * inverse;
          S0 = simd::max(slow + part, T(1e-12) * simd::abs(Y1) + T(1e-300));
          sse = yy - slow * Y1 - part * Y2;
        }
        // Beyond an end of the prior of f, what counts is the misfit there.
        const T low_part = T(r.f_low) * S0, high_part = T(r.f_high) * S0;
        const auto below = part<low_part, beyond = part> high_part;
        auto loose = zero > one;  // S0 is not known well enough for the closed form
        if (!r.S0_known) loose = sigma_sigma * Euu * inverse > T(0.04) * S0 * S0;
        if (simd::any(below | beyond | loose)) {
          T low_sse(1e300), high_sse(1e300);
          const auto at_end = [&](double f, const auto& lanes, T& sse_there) LARMOR_LAMBDA {
            if (!simd::any(lanes | loose)) return;
            const T y_v = Y1 + T(f) * Yu, v_v = simd::max(E11 + T(2 * f) * E1u + T(f * f) * Euu, T(1e-300));
            if (r.S0_known) {
              sse_there = yy - S0 * (y_v + y_v - S0 * v_v);
              return;
            }
            const T S0_there = y_v / v_v;
            sse_there = yy - y_v * S0_there;
            // An S0 that is another one at the end: what holds about f^ does not hold there.
            loose = loose | (lanes & ((S0 > T(3.0) * S0_there) | (T(3.0) * S0 < S0_there)));
          };
          at_end(r.f_low, below, low_sse), at_end(r.f_high, beyond, high_sse);
          const T nearer = select(below, low_sse, select(beyond, high_sse, sse));
          sse = select(loose & (below | beyond), simd::min(low_sse, high_sse), nearer);
          det = select(loose, T(-1.0), det);  // says so to what follows
        }
        const T exponent = sse * half_precision;
        const int to = at_row + 6 * j;
        room[to] = exponent, room[to + 1] = S0, room[to + 2] = part, room[to + 3] = E12;
        room[to + 4] = det, room[to + 5] = inverse;
        least_here = simd::min(least_here, exponent), lowest = simd::min(lowest, exponent);
      };
      int j = 0;
      for (; j + 4 <= J; j += 4) {  // four sums at once: a product takes four cycles, and e1 is read once for them
        T E12[4] = {zero, zero, zero, zero};
        for (int k = 0; k < K; ++k) {
          const T we = room[at_we + k];
          simd::static_for<4>([&](auto n) LARMOR_LAMBDA { E12[n] = simd::fma(we, room[(j + n) * K + k], E12[n]); });
        }
        for (int n = 0; n < 4; ++n) node(j + n, E12[n]);
      }
      for (; j < J; ++j) {
        T E12 = zero;
        for (int k = 0; k < K; ++k) E12 = simd::fma(room[at_we + k], room[j * K + k], E12);
        node(j, E12);
      }
      const T fade = simd::exp(least_here - least);  // what was summed, relative to the new least
      least = least_here;
      total = total * fade;
      for (int m = 0; m < 4; ++m) first[m] = first[m] * fade, second[m] = second[m] * fade, edge[m] = edge[m] * fade;
      const T D = D_low + D_step * T(i + 0.5) - D_middle;
      T row_total = zero;
      for (j = 0; j < J; ++j) {
        const int at = at_row + 6 * j;
        const T above = room[at] - least;
        // Nodes below exp(-10) of the best lie 4.5 sds off and more; all of them together hold 5 parts in 1e5.
        if (simd::all(above > T(10.0))) continue;
        const T S0 = room[at + 1], part = room[at + 2], E12 = room[at + 3];
        const T E1u = E12 - E11, Euu = room[at_sums + 2 * j + 1] - E12 - E12 + E11;
        // One division for 1 / S0 and 1 / |S0 (e1 + f u)|^2.
        const T S0E1u = S0 * E1u, S0v_u = S0E1u + part * Euu;
        const T vv = simd::max(S0 * S0 * E11 + part * (S0E1u + S0v_u), T(1e-300));  // S0^2 |v|^2, v = e1 + f u
        const T quotient = one / (S0 * vv), inverse_S0 = quotient * vv, f = part * inverse_S0;
        const T inverse_det = room[at + 5];
        // s^2 = sigma^2 |v|^2 / (S0^2 det); known S0: sigma^2 / (S0^2 |u|^2). Its root is wanted only where the prior
        // cuts.
        const T over = r.S0_known ? inverse_S0 : T(inverse_S0 * inverse_S0), part_s = r.S0_known ? one : vv;
        const T inside = part_s * inverse_det, ss = sigma_sigma * over * over * inside;
        T w = weight_exp(-above) * simd::sqrt(inverse_det) * inverse_S0;  // over S0 sqrt(det); known S0: S0 |u|
        T shift = zero, variance = ss;
        const T low = f - T(r.f_low), high = T(r.f_high) - f,
                reach = T(17.6) * ss;  // beyond 4.2 sds the end cuts 1.3e-5 off
        const bool by_low = simd::any((low < zero) | (low * low < reach)),
                   by_high = simd::any((high < zero) | (high * high < reach));
        if (by_low | by_high) {
          const T root = simd::sqrt(inside), s = sigma * over * root;
          CutGaussian<T> cut;
          if (by_low & by_high) {
            const T inverse_s = one / s;
            const T from = -low * inverse_s, to = high * inverse_s;
            cut = cut_gaussian<T>(from, to);
            const T out = simd::max(simd::max(from, -to), zero);
            cut.share = cut.share * simd::exp(simd::min(T(0.5) * out * out, T(700.0)));
          } else {
            // 1 / (|v|^2 / det) without a division, from the quotient above.
            const T inverse_inside = r.S0_known ? room[at + 4] : T(room[at + 4] * quotient * S0);
            const T inverse_s = root * inverse_inside * inverse_sigma * (r.S0_known ? S0 : T(S0 * S0));
            cut = cut_below<T>(r.cut, (by_low ? -low : -high) * inverse_s);
            if (!by_low) cut.mean = -cut.mean;
          }
          w = w * cut.share, shift = s * cut.mean, variance = ss * cut.variance;
        }
        T f_mean = f + shift - f_middle, S0_mean = zero, S0_square = zero, f_square = f_mean * f_mean + variance;
        if (!r.S0_known) {
          // Given f, S0 is (v y) / |v|^2 with v = e1 + f u: to first order S0^ - (S0^2 / |v|^2) (E1u + f Euu) / S0
          // shift.
          const T inverse_norm = quotient * S0 * S0 * S0, slope = S0v_u * inverse_norm;
          S0_mean = S0 - slope * shift - S0_middle;
          S0_square = S0_mean * S0_mean + slope * slope * variance + sigma_sigma * inverse_norm;
          const auto loose = room[at + 4] < zero;
          if (simd::any(loose)) {
            const LooseNode<T> n =
                loose_node<T>(r, yy, Y1, room[at_sums + 2 * j] - Y1, E11, E1u, Euu, sigma, least, S0_middle, f_middle);
            w = select(loose, n.weight, w), f_mean = select(loose, n.f, f_mean);
            f_square = select(loose, n.ff, f_square), S0_mean = select(loose, n.S0, S0_mean);
            S0_square = select(loose, n.S0S0, S0_square);
          }
        }
        row_total += w;
        first[1] += w * f_mean, second[1] += w * f_square;
        const T star = room[at_star + j];
        first[3] += w * star, second[3] += w * star * star;
        first[0] += w * S0_mean, second[0] += w * S0_square;
        if (j == 0) edge[2] += w;
        if (j == J - 1) edge[3] += w;
      }
      total += row_total;
      first[2] += row_total * D, second[2] += row_total * D * D;
      if (i == 0) edge[0] += row_total;
      if (i == I - 1) edge[1] += row_total;
    }
    if (simd::all((lowest < from + T(3.0)) & (total > zero)) || simd::all(from >= T(1e300))) break;
    from = T(1e300);
  }
  const T inverse = one / total, middle[4]{S0_middle, f_middle, D_middle, star_middle};
  for (int m = 0; m < 4; ++m) {
    const T mean = first[m] * inverse;
    simd::store(r.mean[m] + v, middle[m] + mean);
    simd::store(r.sd[m] + v, simd::sqrt(simd::max(second[m] * inverse - mean * mean, zero)));
  }
  for (int m = 0; m < 4; ++m) simd::store(r.edge[m] + v, edge[m] * inverse);
}

template <class T>
LARMOR_INLINE void posterior_at(const PosteriorRun& r, int64_t v) {
  if constexpr (LaneTraits<T>::size == 1)
    posterior_in<T>(r, v, StridedRoom<T>{r.work + v, r.n});
  else
    posterior_in<T>(r, v, PackRoom<T>{reinterpret_cast<T*>(r.work)});
}

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::ivim
