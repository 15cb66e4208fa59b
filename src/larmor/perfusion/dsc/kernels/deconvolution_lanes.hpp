// SPDX-License-Identifier: Apache-2.0
#pragma once
// Regularised deconvolution of tissue curves by one arterial input, whose matrix was decomposed once: per voxel there
// are products with singular vectors only. Over lanes on the CPU, one voxel a thread in CUDA.
#include <larmor/core/simd/lane.hpp>
#include <larmor/perfusion/dsc/kernels/deconvolution_kernel.hpp>

namespace larmor::dsc {
inline namespace LARMOR_ISA_NAMESPACE {

using simd::select;

/// Numbers of the lanes between samples that are `stride` floats apart.
template <class F>
struct Column {
  float* at;
  int64_t stride;
  LARMOR_INLINE F get(int i) const { return simd::load<F>(at + i * stride); }
  LARMOR_INLINE void put(int i, F x) const { simd::store(at + i * stride, x); }
};

/// Highest of R[0, n), with its neighbours; n_all samples, whose ends meet when `circular`.
template <class F>
struct Peak {
  F value, at, before, after;
};
template <class F>
LARMOR_INLINE Peak<F> peak_of(const Column<F>& R, int n, int n_all, bool circular) {
  F before = circular ? R.get(n_all - 1) : F(0.0f), here = R.get(0);
  Peak<F> p{here, F(0.0f), before, R.get(1)};
  for (int i = 0; i < n; ++i) {
    const F after = i + 1 < n_all ? R.get(i + 1) : circular ? R.get(0) : F(0.0f);
    const auto higher = here > p.value;
    p.value = select(higher, here, p.value);
    p.at = select(higher, F(static_cast<float>(i)), p.at);
    p.before = select(higher, before, p.before), p.after = select(higher, after, p.after);
    before = here, here = after;
  }
  return p;
}
/// Index of the peak, moved by where the parabola through it and its neighbours is highest.
template <class F>
LARMOR_INLINE F fine_at(const Peak<F>& p) {
  const F bend = p.before - p.value - p.value + p.after;
  const F move = F(0.5f) * (p.before - p.after) / select(bend < F(0.0f), bend, F(-1.0f));
  return p.at + select(bend < F(0.0f), simd::min(simd::max(move, F(-0.5f)), F(0.5f)), F(0.0f));
}
/// Oscillation index: mean size of the second differences over the peak.
/// Source   Gobbel and Fike, Phys. Med. Biol. 39:1833 (1994); Wu et al., MRM 50:164 (2003), equation 9
template <class F>
LARMOR_INLINE F oscillation_of(const Column<F>& R, int n, bool circular, F peak) {
  F sum(0.0f), before = R.get(circular ? n - 1 : 0), here = R.get(circular ? 0 : 1);
  const int first = circular ? 0 : 1;
  for (int i = first; i < n - 1; ++i) {
    const F after = R.get(i + 1);
    sum += simd::abs(after - here - here + before);
    before = here, here = after;
  }
  if (circular) sum += simd::abs(R.get(0) - here - here + before);
  return sum / simd::max(F(static_cast<float>(n)) * peak, F(1e-30f));
}

/// Products of the curve with left singular vectors [begin, end).
template <class F>
LARMOR_INLINE void project(const DeconvolutionRun& r, int64_t v, int begin, int end, const Column<F>& beta) {
  constexpr int block = 4;
  int k = begin;
  for (; k + block <= end; k += block) {
    F sum[block];
    simd::static_for<block>([&](auto j) LARMOR_LAMBDA { sum[j] = F(0.0f); });
    const float* U = r.U + static_cast<int64_t>(k) * r.n_data;
    for (int t = 0; t < r.n_data; ++t) {
      const F y = simd::load<F>(r.y + t * r.stride + v);
      simd::static_for<block>([&](auto j) LARMOR_LAMBDA { sum[j] += y * F(U[j * r.n_data + t]); });
    }
    simd::static_for<block>([&](auto j) LARMOR_LAMBDA { beta.put(k + j, sum[j]); });
  }
  for (; k < end; ++k) {
    const float* U = r.U + static_cast<int64_t>(k) * r.n_data;
    F sum(0.0f);
    for (int t = 0; t < r.n_data; ++t) sum += simd::load<F>(r.y + t * r.stride + v) * F(U[t]);
    beta.put(k, sum);
  }
}
/// R += sum of coefficient(k) V_k over [begin, end); `fresh`: R = instead.
template <class F, class Coefficient>
LARMOR_INLINE void combine(const DeconvolutionRun& r, int begin, int end, bool fresh, const Column<F>& R,
                           const Coefficient& coefficient) {
  constexpr int block = 4;
  int k = begin;
  for (; k + block <= end; k += block) {
    F c[block];
    simd::static_for<block>([&](auto j) LARMOR_LAMBDA { c[j] = coefficient(k + j); });
    const float* V = r.V + static_cast<int64_t>(k) * r.n_residue;
    for (int i = 0; i < r.n_residue; ++i) {
      F sum = fresh ? F(0.0f) : R.get(i);
      simd::static_for<block>([&](auto j) LARMOR_LAMBDA { sum += c[j] * F(V[j * r.n_residue + i]); });
      R.put(i, sum);
    }
    fresh = false;
  }
  if (end - k == 2) {  // the pairs of a circulant matrix
    const F c0 = coefficient(k), c1 = coefficient(k + 1);
    const float *V0 = r.V + static_cast<int64_t>(k) * r.n_residue, *V1 = V0 + r.n_residue;
    for (int i = 0; i < r.n_residue; ++i) {
      const F sum = fresh ? F(0.0f) : R.get(i);
      R.put(i, sum + c0 * F(V0[i]) + c1 * F(V1[i]));
    }
    return;
  }
  for (; k < end; ++k) {
    const F c = coefficient(k);
    const float* V = r.V + static_cast<int64_t>(k) * r.n_residue;
    for (int i = 0; i < r.n_residue; ++i) R.put(i, (fresh ? F(0.0f) : R.get(i)) + c * F(V[i]));
    fresh = false;
  }
}

/// The voxels from v on: as many as F has lanes.
template <class F>
LARMOR_INLINE void deconvolve_lanes(const DeconvolutionRun& r, int64_t v, float* work, int64_t work_stride) {
  const F zero(0.0f);
  const Column<F> beta{work, work_stride}, R{work + r.n_modes * work_stride, work_stride};

  F yy = zero, area = zero, moment = zero, top = simd::load<F>(r.y + v), top_at = zero;
  for (int t = 0; t < r.n_data; ++t) {
    const F y = simd::load<F>(r.y + t * r.stride + v);
    yy += y * y, area += y * F(r.area_weight[t]), moment += y * F(r.moment_weight[t]);
    top_at = select(y > top, F(static_cast<float>(t)), top_at), top = simd::max(y, top);
  }
  simd::store(r.area + v, area), simd::store(r.moment + v, moment);
  simd::store(r.curve_peak + v, top), simd::store(r.curve_peak_at + v, top_at);

  Peak<F> peak{zero, zero, zero, zero};
  F choice = zero, rss = yy;
  if (r.how == Regulariser::truncation) {
    project(r, v, 0, r.n_kept, beta);
    for (int k = 0; k < r.n_kept; ++k) rss = rss - beta.get(k) * beta.get(k);
    combine(r, 0, r.n_kept, true, R, [&](int k) LARMOR_LAMBDA { return beta.get(k) * F(1.0f / r.s[k]); });
    peak = peak_of(R, r.n_search, r.n_residue, r.circular);
    choice = F(static_cast<float>(r.n_kept));
  } else if (r.how == Regulariser::oscillation) {
    auto going = F(0.0f) < F(1.0f);
    int begin = 0;
    for (int j = 0; j < r.n_steps; ++j) {
      const int end = r.step_end[j];
      project(r, v, begin, end, beta);
      combine(r, begin, end, j == 0, R, [&](int k) LARMOR_LAMBDA { return beta.get(k) * F(1.0f / r.s[k]); });
      const Peak<F> now = peak_of(R, r.n_search, r.n_residue, r.circular);
      if (j > 0) going = going & (oscillation_of(R, r.n_residue, r.circular, now.value) <= F(r.target));
      if (!simd::any(going)) break;
      peak.value = select(going, now.value, peak.value), peak.at = select(going, now.at, peak.at);
      peak.before = select(going, now.before, peak.before), peak.after = select(going, now.after, peak.after);
      choice = select(going, F(static_cast<float>(end)), choice);
      F explained = zero;
      for (int k = begin; k < end; ++k) explained += beta.get(k) * beta.get(k);
      rss = rss - select(going, explained, zero);
      begin = end;
    }
    if (r.residue)
      combine(r, 0, begin, true, R, [&](int k) LARMOR_LAMBDA {
        return select(F(static_cast<float>(k)) < choice, beta.get(k) * F(1.0f / r.s[k]), zero);
      });
  } else {
    project(r, v, 0, r.n_modes, beta);
    F within = zero;
    for (int k = 0; k < r.n_modes; ++k) within += beta.get(k) * beta.get(k);
    const F outside = simd::max(yy - within, zero);  // what no residue explains
    F best(-3e38f), best_rss = yy;
    for (int w = 0; w < r.n_weights; ++w) {
      const int64_t row = static_cast<int64_t>(w) * r.n_modes;
      F rho = outside, eta = zero, deta = zero;
      for (int k = 0; k < r.n_modes; ++k) {
        const F b = beta.get(k), bb = b * b;
        rho += bb * F(r.left[row + k]), eta += bb * F(r.norm[row + k]), deta += bb * F(r.slope[row + k]);
      }
      F score;
      if (r.how == Regulariser::gcv) {
        score = -rho / F(r.freedom[w] * r.freedom[w]);
      } else {
        // Curvature of the curve of ln |x| over ln |residual|. With u = ln lambda, d = -d(ln |x|)/du and
        // a = lambda^2 |x|^2 / |residual|^2 the slope is -1 / a, and the curvature 2 a (1 - d - a d) / (d (1 +
        // a^2)^1.5). Source   Hansen, Rank-Deficient and Discrete Ill-Posed Problems (SIAM 1998), section 7.5
        const F a = F(r.weight2[w]) * eta / simd::max(rho, F(1e-30f));
        const F d = simd::max(F(2.0f) * deta / simd::max(eta, F(1e-30f)), F(1e-30f));
        const F aa = F(1.0f) + a * a;
        score = F(2.0f) * a * (F(1.0f) - d - a * d) / (d * aa * simd::sqrt(aa));
      }
      const auto better = score > best;
      best = select(better, score, best), choice = select(better, F(static_cast<float>(w)), choice);
      best_rss = select(better, rho, best_rss);
    }
    rss = best_rss;
    const F weight2 = simd::gather(r.weight2, choice, 1, 0);
    combine(r, 0, r.n_modes, true, R, [&](int k) LARMOR_LAMBDA {
      const F s(r.s[k]);
      return beta.get(k) * s / (s * s + weight2);
    });
    peak = peak_of(R, r.n_search, r.n_residue, r.circular);
  }
  simd::store(r.peak + v, peak.value), simd::store(r.peak_at + v, fine_at(peak));
  simd::store(r.choice + v, choice), simd::store(r.rss + v, simd::max(rss, zero));
  if (r.residue)
    for (int i = 0; i < r.n_residue; ++i) simd::store(r.residue + i * r.stride + v, R.get(i));
}

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::dsc
