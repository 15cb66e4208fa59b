// SPDX-License-Identifier: Apache-2.0
#pragma once
// The best entry of the dictionary for voxels side by side, and the way from it to the optimum between the entries.
#include <larmor/core/simd/lane.hpp>
#include <larmor/perfusion/dce/kernel_types.hpp>

namespace larmor::dce {
inline namespace LARMOR_ISA_NAMESPACE {

using simd::static_for;

/// Best dictionary entry of each lane: its index, the amplitudes of its curves (own units), and by how many steps of
/// the chain of rates the optimum lies beside it (in [-1/2, 1/2], 0 without a chain).
template <class F>
struct Match {
  F candidate, amplitude1, amplitude2, beside;
};

/// y (n_out, stride), lanes side by side. `scratch` holds n_curves F.
template <class F>
LARMOR_HD Match<F> match(const Dictionary& d, int n_out, const float* y, int64_t stride, F* scratch,
                         int64_t scratch_stride = 1) {
  using simd::select;
  constexpr int block = 8;
  for (int c = 0; c < d.n_curves; c += block) {
    const float* curves = d.curves + static_cast<int64_t>(c) * n_out;
    F sum[block];
    static_for<block>([&](auto i) LARMOR_LAMBDA { sum[i] = F(0.0f); });
    for (int n = 0; n < n_out; ++n) {
      const F v = simd::load<F>(y + n * stride);
      static_for<block>([&](auto i) LARMOR_LAMBDA { sum[i] += v * F(curves[n * block + i]); });
    }
    for (int i = 0; i < block && c + i < d.n_curves; ++i) scratch[(c + i) * scratch_stride] = sum[i];
  }
  const F zero(0.0f);
  Match<F> best{zero, zero, zero, zero};
  F best_score(-1.0f);
  struct Scored {
    F score, a1, a2;
  };
  Scored previous{F(-1.0f), zero, zero}, left = previous, right = previous;
  for (int c = 0; c < d.n_candidates; ++c) {
    const F b1 = scratch[d.first[c] * scratch_stride];
    F a1 = b1, a2 = zero, score;
    if (d.second[c] >= 0) {
      const F cosine(d.cosine[c]), inverse_sine(d.inverse_sine[c]);
      const F across =
          (scratch[d.second[c] * scratch_stride] - cosine * b1) * inverse_sine;  // along the part of 2 that 1 has not
      a2 = across * inverse_sine;
      a1 = b1 - cosine * a2;
      score = b1 * b1 + across * across;
    } else {
      score = b1 * b1;
    }
    if (d.nonnegative) score = select((a1 < zero) | (a2 < zero), F(-0.5f), score);
    a1 = a1 * F(d.first_norm[c]), a2 = a2 * F(d.second_norm[c]);
    const auto better = score > best_score;
    if (d.chain) {
      const auto follows = best.candidate == F(static_cast<float>(c - 1));
      left.score = select(better, previous.score, left.score);
      left.a1 = select(better, previous.a1, left.a1), left.a2 = select(better, previous.a2, left.a2);
      right.score = select(better, F(-1.0f), select(follows, score, right.score));
      right.a1 = select(follows, a1, right.a1), right.a2 = select(follows, a2, right.a2);
      previous = {score, a1, a2};
    }
    best_score = select(better, score, best_score);
    best.candidate = select(better, F(static_cast<float>(c)), best.candidate);
    best.amplitude1 = select(better, a1, best.amplitude1);
    best.amplitude2 = select(better, a2, best.amplitude2);
  }
  if (d.chain) {  // top of the parabola through the best score and its neighbours', and the amplitudes there
    const F curvature = left.score + right.score - best_score - best_score;
    const auto inside = (left.score > zero) & (right.score > zero) & (curvature < zero);
    const F top = F(0.5f) * (left.score - right.score) / curvature;
    const F s = select(inside, simd::min(simd::max(top, F(-0.5f)), F(0.5f)), zero);
    const auto at = [&](F l, F m, F r)
                        LARMOR_LAMBDA { return select(inside, m + F(0.5f) * s * ((r - l) + s * (l + r - m - m)), m); };
    best.beside = s;
    best.amplitude1 = at(left.a1, best.amplitude1, right.a1);
    best.amplitude2 = at(left.a2, best.amplitude2, right.a2);
  }
  return best;
}

/// Start of a two-rate model between the candidates: Newton step to the top of the quadratic surface through the scores
/// of the best pair and its six neighbours (both rates and their coupling, in steps of the logarithm).
///
/// b       projections of one voxel on the curves, `stride` apart
/// Changes rate1, rate2 and the amplitudes; nothing at the rim of the table or where the surface has no top.
LARMOR_HD void refine_pair(const Dictionary& d, int candidate, const float* b, int64_t stride, double& rate1,
                           double& rate2, double& a1, double& a2) {
  const int r = d.first[candidate], q = d.second[candidate];
  if (q < 1 || r - q < 3 || r + 1 >= d.n_curves) return;
  struct Scored {
    double score, a1, a2;
  };
  const auto at = [&](int i, int j) {
    const int c = i * (i + 1) / 2 + j;
    const double b1 = b[i * stride], cosine = d.cosine[c], inverse_sine = d.inverse_sine[c];
    const double across = (b[j * stride] - cosine * b1) * inverse_sine, second = across * inverse_sine;
    return Scored{b1 * b1 + across * across, (b1 - cosine * second) * d.first_norm[c], second * d.second_norm[c]};
  };
  const Scored o = at(r, q), rp = at(r + 1, q), rm = at(r - 1, q), qp = at(r, q + 1), qm = at(r, q - 1);
  const Scored pp = at(r + 1, q + 1), mm = at(r - 1, q - 1);
  const double gr = 0.5 * (rp.score - rm.score), gq = 0.5 * (qp.score - qm.score);
  const double hrr = rp.score + rm.score - 2 * o.score, hqq = qp.score + qm.score - 2 * o.score;
  const double hrq = 0.5 * (pp.score + mm.score - rp.score - rm.score - qp.score - qm.score) + o.score;
  const double determinant = hrr * hqq - hrq * hrq;
  if (!(hrr < 0) || !(determinant > 0)) return;
  double dr = (hrq * gq - hqq * gr) / determinant, dq = (hrq * gr - hrr * gq) / determinant;
  const double longest = simd::max(simd::abs(dr), simd::abs(dq));
  if (longest > 1) dr *= 1 / longest, dq *= 1 / longest;
  const double n1 = o.a1 + 0.5 * dr * (rp.a1 - rm.a1) + 0.5 * dq * (qp.a1 - qm.a1);
  const double n2 = o.a2 + 0.5 * dr * (rp.a2 - rm.a2) + 0.5 * dq * (qp.a2 - qm.a2);
  if (!(n1 > 0) || !(n2 > 0)) return;
  rate1 *= simd::exp(dr * d.log_step), rate2 *= simd::exp(dq * d.log_step);
  a1 = n1, a2 = n2;
}

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::dce
