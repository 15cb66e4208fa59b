// SPDX-License-Identifier: Apache-2.0
#pragma once
// Least-squares fit of a residue to tissue curves with a table of curves: coordinates of the data over lanes, the best
// of a coarse table, then steps along tangents voxel by voxel. One voxel a thread in CUDA.
#include <larmor/fit/curve_kernel.hpp>
#include <larmor/perfusion/dsc/kernels/residue_kernel.hpp>

namespace larmor::dsc {
inline namespace LARMOR_ISA_NAMESPACE {

using simd::select;

LARMOR_INLINE float sum_of(float a) { return a; }
#if !defined(__CUDACC__)
LARMOR_INLINE float sum_of(simd::Pack<float> a) {
  typedef float four __attribute__((vector_size(16)));
  four part[sizeof a / sizeof(four)];
  memcpy(part, &a, sizeof a);
  four sum = part[0];
  for (unsigned i = 1; i < sizeof a / sizeof(four); ++i) sum += part[i];
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}
#endif

/// A place in the table, and the fit of the curve there and its tangents to one voxel.
struct ResidueNode {
  int at[3];
};
template <int P>
struct ResidueFit {
  ResidueNode node;
  double right[P];   // products of curve and tangents with the data
  double x[P];       // amplitude, and its products with the offsets from the node in steps of the grid
  double explained;  // squared norm that the curve alone explains
  bool solved;
};

LARMOR_INLINE int64_t index_of(const ResidueTable& t, const ResidueNode& k) {
  return (static_cast<int64_t>(k.at[2]) * t.n[1] + k.at[1]) * t.n[0] + k.at[0];
}
/// Curves whose difference times `scale` is the tangent along an axis.
struct ResidueSlope {
  const float *high, *low;
  float scale;
};
LARMOR_INLINE ResidueSlope slope_at(const ResidueTable& t, const ResidueNode& k, int axis) {
  ResidueNode up = k, down = k;
  if (up.at[axis] + 1 < t.n[axis]) ++up.at[axis];
  if (down.at[axis] > 0) --down.at[axis];
  const int apart = up.at[axis] - down.at[axis];
  return {t.curves + index_of(t, up) * t.rank, t.curves + index_of(t, down) * t.rank,
          1.0f / static_cast<float>(apart > 0 ? apart : 1)};
}

/// x = inverse b with a lower triangle by rows.
template <int P>
LARMOR_INLINE void times_inverse(const double* inverse, const double* b, double* x) {
  for (int i = 0; i < P; ++i) {
    double sum = 0;
    for (int j = 0; j < P; ++j) sum += inverse[fit::packed(i, j)] * b[j];
    x[i] = sum;
  }
}

template <int P, class F>
LARMOR_INLINE ResidueFit<P> residue_fit_at(const ResidueTable& t, const ResidueNode& node, const float* z) {
  constexpr int W = simd::LaneTraits<F>::size;
  const int64_t index = index_of(t, node);
  const float* c = t.curves + index * t.rank;
  ResidueSlope s[P - 1];
  F sum[P];
  for (int a = 0; a + 1 < P; ++a) s[a] = slope_at(t, node, a);
  for (int a = 0; a < P; ++a) sum[a] = F(0.0f);
  for (int k = 0; k < t.rank; k += W) {
    const F y = simd::load<F>(z + k);
    sum[0] += y * simd::load<F>(c + k);
    for (int a = 0; a + 1 < P; ++a) sum[a + 1] += y * (simd::load<F>(s[a].high + k) - simd::load<F>(s[a].low + k));
  }
  ResidueFit<P> f;
  f.node = node;
  f.right[0] = sum_of(sum[0]);
  for (int a = 0; a + 1 < P; ++a) f.right[a + 1] = s[a].scale * sum_of(sum[a + 1]);
  const double* inverse = t.inverse + index * 10;
  times_inverse<P>(inverse, f.right, f.x);
  f.explained = t.norm2[index] > 0 ? f.right[0] * (f.right[0] > 0 ? f.right[0] : 0.0) / t.norm2[index] : 0.0;
  f.solved = inverse[0] > 0 && f.x[0] > 0;
  return f;
}

LARMOR_INLINE double between(double x, double low, double high) { return x < low ? low : x > high ? high : x; }

/// From the best of the coarse table to the node whose tangents hold the minimum.
template <int P, class F>
LARMOR_INLINE ResidueFit<P> refine(const ResidueTable& t, ResidueNode node, const float* z) {
  ResidueFit<P> here = residue_fit_at<P, F>(t, node, z);
  double reach = 4;
  for (int step = 0; step < 25 && here.solved; ++step) {
    ResidueNode next = here.node;
    bool same = true;
    for (int a = 0; a + 1 < P; ++a) {
      const double to = next.at[a] + between(here.x[a + 1] / here.x[0], -reach, reach);
      next.at[a] = static_cast<int>(between(simd::floor(to + 0.5), 0, t.n[a] - 1));
      same = same && next.at[a] == here.node.at[a];
    }
    if (same) break;
    const ResidueFit<P> there = residue_fit_at<P, F>(t, next, z);
    if (there.explained > here.explained && there.solved) {
      here = there;
    } else {
      reach *= 0.5;
      if (reach < 0.5) break;
    }
  }
  return here;
}

/// What a fit says of voxel v. z: coordinates of the data; squares: of the data, all frames.
template <int P, class F>
LARMOR_INLINE void write_residue(const ResidueRun& r, int64_t v, const float* z, double squares, ResidueNode start) {
  constexpr int W = simd::LaneTraits<F>::size;
  const ResidueTable& t = r.table;
  const ResidueFit<P> f = refine<P, F>(t, start, z);
  if (!f.solved) {
    r.status[v] =
        static_cast<float>(fit::code(f.explained > 0 ? fit::FitStatus::singular : fit::FitStatus::out_of_range));
    return;
  }
  double offset[P], place[3] = {0, 0, 0};
  bool bound = false;
  offset[0] = 1;
  for (int a = 0; a + 1 < P; ++a) {
    // Beyond three quarters of a step the tangents of another node are right: the end of the table was reached.
    offset[a + 1] = between(f.x[a + 1] / f.x[0], -0.75, 0.75);
    place[a] = f.node.at[a] + offset[a + 1];
    const double last = t.n[a] - 1;
    bound = bound || !(place[a] > 0 && place[a] < last);
    place[a] = between(place[a], 0, last);
  }
  // What is left of the data, in the subspace and outside; sums of curve and tangents over the frames.
  const float* c = t.curves + index_of(t, f.node) * t.rank;
  F inside(0.0f), rest(0.0f), total[P], share[P];
  for (int p = 0; p < P; ++p) {
    total[p] = F(0.0f);
    share[p] = F(static_cast<float>(f.x[0] * offset[p]));
  }
  ResidueSlope s[P - 1];
  for (int a = 0; a + 1 < P; ++a) s[a] = slope_at(t, f.node, a);
  for (int k = 0; k < t.rank; k += W) {
    const F y = simd::load<F>(z + k), one = simd::load<F>(t.ones + k), here = simd::load<F>(c + k);
    F gap = y - share[0] * here;
    total[0] += one * here;
    for (int a = 0; a + 1 < P; ++a) {
      const F tangent = F(s[a].scale) * (simd::load<F>(s[a].high + k) - simd::load<F>(s[a].low + k));
      gap = gap - share[a + 1] * tangent;
      total[a + 1] += one * tangent;
    }
    inside += y * y, rest += gap * gap;
  }
  const double outside = squares - sum_of(inside), rss = (outside > 0 ? outside : 0.0) + sum_of(rest);
  const double nan = 0.0 / (squares - squares);
  const double variance = r.n_data > P ? rss / (r.n_data - P) : nan;
  const double flow = f.x[0], MTT = simd::exp(t.first_log_MTT + t.log_step * place[0]);
  r.flow[v] = static_cast<float>(flow), r.MTT[v] = static_cast<float>(MTT);
  r.delay[v] = static_cast<float>(t.earliest + t.delay_step * place[1]);
  r.residual_sd[v] = static_cast<float>(simd::sqrt(variance));
  if constexpr (P > 3) {
    const int k = static_cast<int>(between(simd::floor(place[2]), 0, t.n[2] - 1)), next = k + 1 < t.n[2] ? k + 1 : k;
    r.shape[v] = static_cast<float>(
        t.shapes[k] * simd::exp(simd::log(t.shapes[next] / t.shapes[k]) * (place[2] - static_cast<double>(k))));
  }
  r.status[v] = static_cast<float>(fit::code(bound ? fit::FitStatus::at_bound : fit::FitStatus::converged));
  if (bound) return;
  // An offset of 1 of all frames changes x by inverse * total; x[1] is flow times the step in ln MTT.
  const double* inverse = t.inverse + index_of(t, f.node) * 10;
  double sums[P], by_offset[P];
  for (int p = 0; p < P; ++p) sums[p] = sum_of(total[p]);
  times_inverse<P>(inverse, sums, by_offset);
  const double w = r.offset_variance, k = t.log_step, o = offset[1];
  const double c00 = inverse[0] + w * by_offset[0] * by_offset[0], c01 = inverse[1] + w * by_offset[0] * by_offset[1],
               c11 = inverse[2] + w * by_offset[1] * by_offset[1];
  const double v01 = (c01 - o * c00) / flow, v11 = (c11 - 2 * o * c01 + o * o * c00) / (flow * flow);
  const double of_CBV = c00 / (flow * flow) + 2 * k * v01 / flow + k * k * v11;
  r.flow_se[v] = static_cast<float>(simd::sqrt(variance * c00));
  r.MTT_se[v] = static_cast<float>(MTT * k * simd::sqrt(variance * v11));
  r.CBV_se[v] = static_cast<float>(flow * MTT * simd::sqrt(variance * (of_CBV > 0 ? of_CBV : 0.0)));
}

/// The voxels from v on: as many as F has lanes.
template <class F>
LARMOR_INLINE void residue_lanes(const ResidueRun& r, int64_t v) {
  constexpr int W = simd::LaneTraits<F>::size, block = 4;
  const ResidueTable& t = r.table;
  const F zero(0.0f);
  F squares = zero, area = zero, moment = zero, top = simd::load<F>(r.y + v), top_at = zero;
  for (int i = 0; i < r.n_data; ++i) {
    const F y = simd::load<F>(r.y + i * r.stride + v);
    squares += y * y, area += y * F(r.area_weight[i]), moment += y * F(r.moment_weight[i]);
    top_at = select(y > top, F(static_cast<float>(i)), top_at), top = simd::max(y, top);
  }
  simd::store(r.area + v, area), simd::store(r.moment + v, moment), simd::store(r.peak_at + v, top_at);
  alignas(64) float z[max_residue_rank * W];
  for (int k = 0; k < t.rank; k += block) {
    F sum[block];
    simd::static_for<block>([&](auto j) LARMOR_LAMBDA { sum[j] = F(0.0f); });
    const float* b = r.basis + static_cast<int64_t>(k) * r.n_data;
    for (int i = 0; i < r.n_data; ++i) {
      const F y = simd::load<F>(r.y + i * r.stride + v);
      simd::static_for<block>([&](auto j) LARMOR_LAMBDA { sum[j] += y * F(b[j * r.n_data + i]); });
    }
    simd::static_for<block>([&](auto j) LARMOR_LAMBDA { simd::store(z + (k + j) * W, sum[j]); });
  }
  F index, amplitude;
  fit::best_candidate<F>(t.coarse, t.scan_rank, z, W, index, amplitude);
  for (int l = 0; l < W && v + l < r.n; ++l) {
    const int64_t at = v + l;
    r.status[at] = static_cast<float>(fit::code(fit::FitStatus::out_of_range));
    if (!(simd::lane(area, l) > 0)) continue;  // a curve that falls, or 0: no volume makes it
    alignas(64) float mine[max_residue_rank];
    for (int k = 0; k < t.rank; ++k) mine[k] = z[k * W + l];
    int from = t.coarse_node[static_cast<int>(simd::lane(index, l))];
    ResidueNode node;
    node.at[0] = from % t.n[0], from /= t.n[0];
    node.at[1] = from % t.n[1], node.at[2] = from / t.n[1];
    if (t.n_params > 3)
      write_residue<4, F>(r, at, mine, simd::lane(squares, l), node);
    else
      write_residue<3, F>(r, at, mine, simd::lane(squares, l), node);
  }
}

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::dsc
