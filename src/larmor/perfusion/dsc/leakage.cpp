// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/device_memory.hpp>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/common/convolution.hpp>
#include <larmor/perfusion/dce/voxel_rows.hpp>
#include <larmor/perfusion/dsc/kernels/deconvolution_kernel.hpp>
#include <larmor/perfusion/dsc/kernels/leakage_kernel.hpp>
#include <larmor/perfusion/dsc/leakage.hpp>
#include <larmor/perfusion/dsc/voxel_tiles.hpp>
#include <limits>
#include <numeric>

namespace larmor::dsc {

void register_leakages(LeakageMethods& registry);  // generated

const LeakageMethods& leakages() {
  static const LeakageMethods all = [] {
    LeakageMethods m("leakage correction", "larmor list leakages");
    register_leakages(m);
    return m;
  }();
  return all;
}

namespace {

using Curve = std::vector<double>;
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

double dot(const Curve& a, const Curve& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

/// Takes the directions of `basis` (orthonormal) out of c.
void orthogonalise(Curve& c, const std::vector<Curve>& basis) {
  for (int twice = 0; twice < 2; ++twice)
    for (const Curve& b : basis) {
      const double along = dot(c, b);
      for (std::size_t t = 0; t < c.size(); ++t) c[t] -= along * b[t];
    }
}

Curve derivative(const Curve& y, std::span<const double> t) {
  const std::size_t n = y.size();
  Curve d(n, 0.0);
  for (std::size_t i = 1; i + 1 < n; ++i) d[i] = (y[i + 1] - y[i - 1]) / (t[i + 1] - t[i - 1]);
  return d;
}

/// Voxels whose last frames are within one noise sd of the baseline; when those are few (a second pass lifts all of
/// them), the half that is nearest to it for its area.
std::vector<std::size_t> reference_voxels(const dce::VoxelRows& rows, std::span<const std::uint8_t> mask,
                                          const LeakageOptions& o) {
  const auto first = static_cast<std::size_t>(o.baseline_first), last = static_cast<std::size_t>(o.baseline_last),
             n = rows.n_frames(), tail = static_cast<std::size_t>(o.tail);
  struct Voxel {
    std::size_t v;
    double tail, sd, share;
  };
  std::vector<Voxel> all;
  // Frame by frame over a block of voxels: voxel by voxel every sample would be a cache line of its own.
  constexpr std::size_t block = 512;
  std::vector<float> buffer(block);
  std::vector<double> sum(block), squares(block), end(block), area(block);
  for (std::size_t from = 0; from < rows.n_voxels(); from += block) {
    const std::size_t m = std::min(block, rows.n_voxels() - from);
    for (auto* moment : {&sum, &squares, &end, &area}) std::fill(moment->begin(), moment->end(), 0.0);
    for (std::size_t t = 0; t < n; ++t) {
      const float* y = rows.get(t, from, m, buffer.data());
      const bool before = t >= first && t < last;
      for (std::size_t i = 0; i < m; ++i) {
        const double x = static_cast<double>(y[i]);
        if (before) sum[i] += x, squares[i] += x * x;
        if (t >= last) area[i] += x;
        if (t + tail >= n) end[i] += x / static_cast<double>(tail);
      }
    }
    for (std::size_t i = 0; i < m; ++i) {
      const std::size_t v = from + i;
      if ((!mask.empty() && !mask[v]) || !std::isfinite(sum[i] + area[i]) || !(area[i] > 0)) continue;
      const auto count = static_cast<double>(last - first);
      const double mean = sum[i] / count, rest = std::abs(end[i] - mean);
      const double sd = std::sqrt(std::max(0.0, (squares[i] - sum[i] * mean) / std::max(1.0, count - 1)));
      all.push_back({v, rest, sd, rest / area[i]});
    }
  }
  if (all.empty())
    throw Error(Errc::numeric, "no voxel has a bolus to take the reference curve from", "check mask and baseline");
  std::vector<std::size_t> chosen;
  for (const Voxel& x : all)
    if (x.tail <= x.sd) chosen.push_back(x.v);
  if (10 * chosen.size() < all.size()) {
    const auto half = all.begin() + std::ssize(all) / 2;
    std::nth_element(all.begin(), half, all.end(), [](const Voxel& a, const Voxel& b) { return a.share < b.share; });
    chosen.clear();
    for (auto x = all.begin(); x <= half && x != all.end(); ++x) chosen.push_back(x->v);
    std::sort(chosen.begin(), chosen.end());
  }
  return chosen;
}

void check(const dce::VoxelRows& rows, const LeakageOptions& o) {
  const auto n = static_cast<int>(rows.n_frames());
  if (o.baseline_first < 0 || o.baseline_last - o.baseline_first < 2 || o.baseline_last >= n)
    throw Error(Errc::range, fmt::format("baseline frames {} to {} of {}", o.baseline_first, o.baseline_last, n),
                "give at least two frames before the bolus");
  if (o.tail < 1 || o.tail > n - o.baseline_last)
    throw Error(Errc::range, fmt::format("a tail of {} frames of {} after the baseline", o.tail, n - o.baseline_last),
                "give at least 1, and no more than there are");
  if (o.shape_terms < 0 || o.shape_terms > 4)
    throw Error(Errc::range, fmt::format("{} shape terms", o.shape_terms), "give 0 to 4");
  if (!(o.significance >= 0))
    throw Error(Errc::range, fmt::format("a significance of {} standard errors", o.significance), "give 0 or more");
}

/// What voxels that leak are told from: for every rate at which it may come back, the leaked curve, and what of it the
/// reference curve and its kin cannot imitate.
struct LeakageTable {
  std::size_t n = 0;
  std::vector<float> directions, own, leaked, norm2, kep;
  LeakageTable(const Curve& reference, std::span<const double> times, const LeakageOptions& o, bool backflow)
      : n(reference.size()) {
    const auto spread = [&](double time) {
      Curve c(n);
      perfusion::convolve_exp(times, reference, 1 / time, times, c);
      return c;
    };
    const Curve slope = derivative(reference, times);
    const Curve terms[] = {reference, slope, spread(8), derivative(slope, times), spread(3)};
    // The error of S0 lifts all frames alike, and what leaked lifts most of them: without a constant it would be taken
    // for leakage, with a standard error that knows nothing of it.
    std::vector<Curve> basis{Curve(n, 1 / std::sqrt(static_cast<double>(n)))};
    for (int k = 0; k <= o.shape_terms; ++k) {
      Curve c = terms[k];
      const double before = std::sqrt(dot(c, c));
      orthogonalise(c, basis);
      const double size = std::sqrt(dot(c, c));
      if (!(size > 1e-6 * before)) continue;
      for (double& x : c) x /= size;
      basis.push_back(std::move(c));
    }
    for (const Curve& b : basis) directions.insert(directions.end(), b.begin(), b.end());
    const int rates = backflow ? max_leakage_rates : 1;
    for (int k = 0; k < rates; ++k) {
      // Above 2 1/min what leaked is back with the first pass, and looks like a longer transit.
      const double rate = k == 0 ? 0.0 : 1e-3 * std::pow(2 / 0.06, (k - 1.0) / (rates - 2.0));
      Curve c(n);
      perfusion::convolve_exp(times, reference, rate, times, c);
      Curve rest = c;
      orthogonalise(rest, basis);
      leaked.insert(leaked.end(), c.begin(), c.end()), own.insert(own.end(), rest.begin(), rest.end());
      norm2.push_back(static_cast<float>(dot(rest, rest))), kep.push_back(static_cast<float>(rate));
    }
  }
  LeakageRun run(const LeakageOptions& o) const {
    LeakageRun r{};
    r.n_data = static_cast<int>(n), r.n_directions = static_cast<int>(directions.size() / n);
    r.n_rates = static_cast<int>(norm2.size());
    r.directions = directions.data(), r.own = own.data(), r.leaked = leaked.data();
    r.norm2 = norm2.data(), r.kep = kep.data();
    r.freedom = static_cast<float>(std::max(1, r.n_data - r.n_directions - (r.n_rates > 1 ? 2 : 1)));
    r.significance = static_cast<float>(o.significance);
    return r;
  }
};

constexpr float* LeakageRun::*results[] = {&LeakageRun::K2, &LeakageRun::K2_se, &LeakageRun::mean_kep};
constexpr std::size_t n_results = std::size(results);

void take(const VoxelTile& tile, const LeakageRun& r, std::span<const std::int64_t> mine, Leakage& out) {
  for (std::size_t i = 0; i < mine.size(); ++i) {
    const auto v = static_cast<std::size_t>(mine[i]);
    out.status[v] = tile.screened(i);
    if (out.status[v] == fit::FitStatus::bad_data) continue;
    out.status[v] = fit::FitStatus::converged;
    out.K2[v] = r.K2[i], out.K2_se[v] = r.K2_se[i];
    if (!out.kep.empty()) out.kep[v] = r.mean_kep[i];
    if (!r.corrected) continue;
    float* to = out.corrected.data<float>();
    for (std::size_t t = 0; t < static_cast<std::size_t>(r.n_data); ++t)
      to[t * out.status.size() + v] =
          r.corrected[static_cast<std::int64_t>(t) * r.stride + static_cast<std::int64_t>(i)];
  }
}

void run_tiles(const LeakageRun& given, const dce::VoxelRows& rows, std::span<const std::int64_t> voxels, bool last,
               bool scalar, Leakage& out, const Cancel* cancel) {
  constexpr std::size_t stride = deconvolution_stride;
  const auto kernel = scalar ? leakage_kernel_scalar() : leakage_kernel();
  for_tiles(
      voxels,
      [&](std::size_t begin, std::size_t end) {
        VoxelTile tile(rows.n_frames(), stride);
        std::vector<float> found(n_results * stride), corrected(last ? rows.n_frames() * stride : 0);
        LeakageRun r = given;
        r.stride = stride, r.corrected = last ? corrected.data() : nullptr;
        for (std::size_t k = 0; k < n_results; ++k) r.*results[k] = found.data() + k * stride;
        for (std::size_t k = begin; k < end; ++k) {
          const auto mine = tile_of(voxels, k);
          tile.read(rows, mine);
          r.y = tile.curves().data(), r.n = static_cast<int>(mine.size());
          kernel(r);
          take(tile, r, mine, out);
        }
      },
      cancel);
}

void run_on_cuda([[maybe_unused]] const LeakageTable& table, [[maybe_unused]] const LeakageRun& given,
                 [[maybe_unused]] const dce::VoxelRows& rows, [[maybe_unused]] std::span<const std::int64_t> voxels,
                 [[maybe_unused]] bool last, Device device, [[maybe_unused]] Leakage& out,
                 [[maybe_unused]] const Cancel* cancel) {
  require_cuda(device);
#if defined(LARMOR_HAS_CUDA)
  DeviceMemory fixed(device);
  const auto put = [&](const auto& v) { return fixed.copy(v.data(), std::max<std::size_t>(v.size(), 1)); };
  LeakageRun r = given;
  r.directions = put(table.directions), r.own = put(table.own), r.leaked = put(table.leaked);
  r.norm2 = put(table.norm2), r.kep = put(table.kep);
  constexpr std::size_t piece = 1u << 18;
  const std::size_t n_data = rows.n_frames();
  for (std::size_t begin = 0; begin < voxels.size(); begin += piece) {
    if (cancel) cancel->check();
    const auto mine = voxels.subspan(begin, std::min(piece, voxels.size() - begin));
    const std::size_t n = mine.size();
    VoxelTile tile(n_data, n);
    tile.read(rows, mine);
    DeviceMemory d(device);
    r.n = static_cast<int>(n), r.stride = static_cast<std::int64_t>(n);
    r.y = d.copy(tile.curves().data(), tile.curves().size());
    for (const auto result : results) r.*result = d.room<float>(n);
    r.corrected = last ? d.room<float>(n_data * n) : nullptr;
    leakage_launch(r, device.index);
    std::vector<float> found(n_results * n), corrected(last ? n_data * n : 0);
    LeakageRun here = r;
    for (std::size_t k = 0; k < n_results; ++k) {
      here.*results[k] = found.data() + k * n;
      d.back(here.*results[k], r.*results[k], n);
    }
    here.corrected = last ? corrected.data() : nullptr;
    if (last) d.back(here.corrected, r.corrected, corrected.size());
    take(tile, here, mine, out);
  }
#endif
}

/// One pass with the mean of `chosen` as the reference. The corrected curves are written in the last one only.
void correct_by(const std::vector<std::size_t>& chosen, const dce::VoxelRows& rows, std::span<const double> times,
                std::span<const std::int64_t> voxels, const LeakageOptions& o, Device device, bool last, Leakage& out,
                const Cancel* cancel) {
  out.n_reference = std::ssize(chosen);
  out.reference.assign(rows.n_frames(), 0.0);
  std::vector<float> frame(rows.n_voxels());
  for (std::size_t t = 0; t < rows.n_frames(); ++t) {
    const float* y = rows.get(t, 0, rows.n_voxels(), frame.data());
    for (const auto v : chosen) out.reference[t] += static_cast<double>(y[v]) / static_cast<double>(chosen.size());
  }
  const bool backflow = leakages().get(o.method).backflow;
  out.K2.assign(rows.n_voxels(), nan), out.K2_se = out.K2;
  if (backflow) out.kep.assign(rows.n_voxels(), nan);
  out.status.assign(rows.n_voxels(), fit::FitStatus::outside);
  const LeakageTable table(out.reference, times, o, backflow);
  const LeakageRun run = table.run(o);
  if (device.is_cpu())
    run_tiles(run, rows, voxels, last, o.scalar, out, cancel);
  else
    run_on_cuda(table, run, rows, voxels, last, device, out, cancel);
}

}  // namespace

Leakage correct_leakage(const Array& dR2, std::span<const double> times, std::span<const std::uint8_t> mask,
                        const LeakageOptions& o, const Cancel* cancel) {
  const dce::VoxelRows rows(dR2, "dR2");
  rows.check_times(times);
  rows.check_mask(mask);
  check(rows, o);
  leakages().get(o.method);
  std::vector<std::int64_t> voxels;
  for (std::size_t v = 0; v < rows.n_voxels(); ++v)
    if (mask.empty() || mask[v]) voxels.push_back(static_cast<std::int64_t>(v));

  Leakage out;
  // Voxels that nobody asked for, and those with bad data, stay as they are.
  out.corrected = Array::uninitialised(DType::f32, dR2.shape(), dR2.axes());
  for (std::size_t t = 0; t < rows.n_frames(); ++t) {
    float* to = out.corrected.data<float>() + t * rows.n_voxels();
    if (const float* from = rows.get(t, 0, rows.n_voxels(), to); from != to) std::copy_n(from, rows.n_voxels(), to);
  }
  const Device device = dR2.device().is_cpu() ? o.device : dR2.device();  // the data's device decides
  auto chosen = reference_voxels(rows, mask, o);
  // Noise hides weak leakage from the rule of the last frames, and a reference that leaks makes everything else look as
  // if it leaked the other way: those that leak against the reference leave it, twice.
  for (int round = 0; round < 2; ++round) {
    correct_by(chosen, rows, times, voxels, o, device, false, out, cancel);
    std::vector<double> ratios;
    for (const auto v : chosen) ratios.push_back(static_cast<double>(out.K2[v]));
    std::nth_element(ratios.begin(), ratios.begin() + std::ssize(ratios) / 2, ratios.end());
    const double usual = ratios[ratios.size() / 2];
    std::vector<std::size_t> kept;
    for (const auto v : chosen)
      if (std::abs(static_cast<double>(out.K2[v]) - usual) <= 1.5 * static_cast<double>(out.K2_se[v]))
        kept.push_back(v);
    if (4 * kept.size() < chosen.size()) break;  // no better one: the standard errors are those of data without noise
    chosen = std::move(kept);
  }
  correct_by(chosen, rows, times, voxels, o, device, true, out, cancel);
  return out;
}

}  // namespace larmor::dsc
