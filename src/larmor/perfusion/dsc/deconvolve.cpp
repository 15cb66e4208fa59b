// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/device_memory.hpp>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/dce/voxel_rows.hpp>
#include <larmor/perfusion/dsc/deconvolution_plan.hpp>
#include <larmor/perfusion/dsc/residue_fit.hpp>
#include <larmor/perfusion/dsc/voxel_tiles.hpp>
#include <limits>

namespace larmor::dsc {

void register_deconvolutions(DeconvolutionMethods& registry);  // generated

const DeconvolutionMethods& deconvolutions() {
  static const DeconvolutionMethods all = [] {
    DeconvolutionMethods m("deconvolution method", "larmor list deconvolutions");
    register_deconvolutions(m);
    return m;
  }();
  return all;
}

std::int64_t Deconvolved::count(fit::FitStatus s) const { return std::count(status.begin(), status.end(), s); }

namespace {

using Kind = DeconvolutionMethod::Kind;
using Plan = DeconvolutionPlan;
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

double even_step(std::span<const double> times) {
  const double step = (times.back() - times.front()) / static_cast<double>(times.size() - 1);
  for (std::size_t i = 1; i < times.size(); ++i)
    if (std::abs(times[i] - times[i - 1] - step) > 0.02 * step)
      throw Error(Errc::range,
                  fmt::format("frames {} and {} are {:g} s apart, the mean is {:g} s: deconvolution needs even times",
                              i - 1, i, times[i] - times[i - 1], step),
                  "resample the series to even times");
  return step;
}

constexpr float* DeconvolutionRun::*results[] = {&DeconvolutionRun::area,       &DeconvolutionRun::moment,
                                                 &DeconvolutionRun::curve_peak, &DeconvolutionRun::curve_peak_at,
                                                 &DeconvolutionRun::peak,       &DeconvolutionRun::peak_at,
                                                 &DeconvolutionRun::choice,     &DeconvolutionRun::rss};
constexpr std::size_t n_results = std::size(results);

/// By how much noise lifts the peak, because the highest sample is taken: where the residue has the bend b at its peak
/// (fall of both neighbours together) and noise the slope n', the top moves by n' / b and gains n'^2 / (2 b). Tops move
/// by two samples at most; with more noise than that the peak is anybody's guess.
double lift(const Plan& p, const NoiseOfPeak& noise, int choice, double CBV, double peak, double sd) {
  const PeakTable::Entry e = p.table.at(choice, CBV / peak);
  const double bend = e.bend * peak / e.gain, slope2 = sd * sd * static_cast<double>(noise.slope_variance);
  if (!(bend > 0)) return 0;
  return slope2 / (2 * bend) / (1 + slope2 / (4 * bend * bend));
}

/// What the kernel found in voxel i of a run, as quantities of voxel v.
void finish(const Plan& p, const DeconvolutionRun& r, std::size_t i, std::span<const double> times, double arrival,
            std::size_t v, Deconvolved& out) {
  const double step = p.basis.step;
  const double CBV = static_cast<double>(r.area[i]) / p.aif_area, peak = static_cast<double>(r.peak[i]);
  const int choice = p.choice(r.choice[i]);
  const auto c = static_cast<std::size_t>(choice);
  const double sd = std::sqrt(static_cast<double>(r.rss[i]) / std::max(p.rest[c], 1.0));
  out.residual_sd[v] = static_cast<float>(sd);
  out.regularisation[v] = p.lambda.empty() ? r.choice[i] : static_cast<float>(p.lambda[c]);
  if (!(CBV > 0) || !(peak > 0)) {  // a curve that falls: no volume and no flow make it
    out.status[v] = fit::FitStatus::out_of_range;
    return;
  }
  const double at = static_cast<double>(r.peak_at[i]);
  const auto sample = static_cast<std::size_t>(std::lround(at)) % static_cast<std::size_t>(r.n_residue);
  const NoiseOfPeak& noise = p.noise[c * static_cast<std::size_t>(r.n_residue) + sample];
  const double calm = peak - lift(p, noise, choice, CBV, peak, sd);
  const PeakTable::Entry e = p.table.at(choice, CBV / calm);
  const double CBF = calm / e.gain, MTT = CBV / CBF;
  const double Tmax = step * (at - p.basis.before);
  out.CBF[v] = static_cast<float>(CBF), out.CBV[v] = static_cast<float>(CBV), out.MTT[v] = static_cast<float>(MTT);
  out.Tmax[v] = static_cast<float>(Tmax), out.delay[v] = static_cast<float>(Tmax - e.lag);
  out.first_moment[v] = static_cast<float>(r.moment[i] / r.area[i] - p.aif_moment);
  out.TTP[v] = static_cast<float>(times[static_cast<std::size_t>(r.curve_peak_at[i])] - arrival);
  out.CBV_se[v] =
      static_cast<float>(sd * std::sqrt(p.area_variance + p.offset_variance * p.area_offset * p.area_offset));
  if (!e.inside) {
    out.status[v] = fit::FitStatus::at_bound;
    return;
  }
  out.status[v] = fit::FitStatus::converged;
  // ln MTT = s (ln CBV - ln peak) and ln CBF = ln CBV - ln MTT, to first order in both.
  const double s = e.sensitivity;
  const auto relative_sd = [&](double of_area, double of_peak) {
    const double a = of_area / CBV, b = of_peak / calm, offset = a * p.area_offset + b * noise.of_offset;
    const double variance = a * a * p.area_variance + 2 * a * b * noise.with_area + b * b * noise.variance +
                            p.offset_variance * offset * offset;
    return sd * std::sqrt(std::max(variance, 0.0));
  };
  out.CBF_se[v] = static_cast<float>(CBF * relative_sd(1 - s, s));
  out.MTT_se[v] = static_cast<float>(MTT * relative_sd(s, -s));
}

void run_tiles(const Plan& plan, const dce::VoxelRows& rows, std::span<const std::int64_t> voxels,
               std::span<const double> times, double arrival, const DeconvolutionOptions& o, Deconvolved& out,
               const Progress& progress, const Cancel* cancel) {
  constexpr std::size_t stride = deconvolution_stride;
  const auto kernel = o.scalar ? deconvolution_kernel_scalar() : deconvolution_kernel();
  float* residue = o.keep_residue ? out.residue.data<float>() : nullptr;
  for_tiles(
      voxels,
      [&](std::size_t begin, std::size_t end) {
        DeconvolutionRun r = plan.run;
        point_at(r, plan);
        const auto n_residue = static_cast<std::size_t>(r.n_residue);
        VoxelTile tile(rows.n_frames(), stride);
        std::vector<float> found(n_results * stride);
        std::vector<float> R(residue ? n_residue * stride : 0);
        const auto work =
            allocate(sizeof(float) * (o.scalar ? stride : 16) * static_cast<std::size_t>(r.n_modes + r.n_residue),
                     Device::cpu());
        r.stride = stride, r.residue = residue ? R.data() : nullptr;
        for (std::size_t k = 0; k < n_results; ++k) r.*results[k] = found.data() + k * stride;
        for (std::size_t at = begin; at < end; ++at) {
          if (cancel) cancel->check();
          const auto mine = tile_of(voxels, at);
          tile.read(rows, mine);
          r.n = static_cast<int>(mine.size()), r.y = tile.curves().data();
          kernel(r, reinterpret_cast<float*>(work.get()));
          for (std::size_t i = 0; i < mine.size(); ++i) {
            const auto v = static_cast<std::size_t>(mine[i]);
            out.status[v] = tile.screened(i);
            if (fit::usable(out.status[v])) finish(plan, r, i, times, arrival, v, out);
            if (residue && fit::usable(out.status[v]))
              for (std::size_t k = 0; k < n_residue; ++k) residue[k * rows.n_voxels() + v] = R[k * stride + i];
          }
          progress.add(mine.size());
        }
      },
      cancel);
}

void run_on_cuda([[maybe_unused]] const Plan& plan, [[maybe_unused]] const dce::VoxelRows& rows,
                 [[maybe_unused]] std::span<const std::int64_t> voxels, [[maybe_unused]] std::span<const double> times,
                 [[maybe_unused]] double arrival, [[maybe_unused]] const DeconvolutionOptions& o, Device device,
                 [[maybe_unused]] Deconvolved& out, [[maybe_unused]] const Progress& progress,
                 [[maybe_unused]] const Cancel* cancel) {
  require_cuda(device);
#if defined(LARMOR_HAS_CUDA)
  if (o.keep_residue)
    throw Error(Errc::usage, "residues are kept on the CPU only", "leave the residue out, or use device cpu");
  DeviceMemory fixed(device);
  DeconvolutionRun r = plan.run;
  const auto put = [&](const auto& v) { return fixed.copy(v.data(), std::max<std::size_t>(v.size(), 1)); };
  r.U = put(plan.basis.U), r.V = put(plan.basis.V), r.s = put(plan.basis.s), r.step_end = put(plan.basis.step_end);
  if (!plan.weight2.empty())
    r.weight2 = put(plan.weight2), r.left = put(plan.left), r.norm = put(plan.norm), r.slope = put(plan.slope),
    r.freedom = put(plan.freedom);
  r.area_weight = put(plan.area_weight), r.moment_weight = put(plan.moment_weight);
  constexpr std::size_t piece = 1u << 18;
  const auto n_data = static_cast<std::size_t>(r.n_data);
  for (std::size_t begin = 0; begin < voxels.size(); begin += piece) {
    if (cancel) cancel->check();
    const auto mine = voxels.subspan(begin, std::min(piece, voxels.size() - begin));
    const std::size_t n = mine.size();
    VoxelTile tile(n_data, n);
    tile.read(rows, mine);
    std::vector<float> found(n_results * n);
    DeviceMemory d(device);
    r.n = static_cast<int>(n), r.stride = static_cast<std::int64_t>(n),
    r.y = d.copy(tile.curves().data(), tile.curves().size());
    for (const auto result : results) r.*result = d.room<float>(n);
    float* work = d.room<float>(n * static_cast<std::size_t>(r.n_modes + r.n_residue));
    deconvolution_launch(r, work, device.index);
    DeconvolutionRun here = r;
    for (std::size_t k = 0; k < n_results; ++k) {
      here.*results[k] = found.data() + k * n;
      d.back(here.*results[k], r.*results[k], n);
    }
    for (std::size_t i = 0; i < n; ++i) {
      const auto v = static_cast<std::size_t>(mine[i]);
      out.status[v] = tile.screened(i);
      if (fit::usable(out.status[v])) finish(plan, here, i, times, arrival, v, out);
    }
    progress.add(n);
  }
#endif
}

}  // namespace

Deconvolved deconvolve(const Array& curves, std::span<const double> times, std::span<const double> aif, double arrival,
                       std::span<const std::uint8_t> mask, const DeconvolutionOptions& o, const Progress& progress,
                       const Cancel* cancel) {
  const dce::VoxelRows rows(curves, "tissue curves");
  rows.check_times(times);
  rows.check_mask(mask);
  if (aif.size() != times.size())
    throw Error(Errc::shape, fmt::format("{} values of the arterial input for {} frames", aif.size(), times.size()),
                "give one value for each frame");
  if (!(o.earliest <= 0) || !(o.latest > 0) || !std::isfinite(o.latest - o.earliest))
    throw Error(Errc::range, fmt::format("delays from {} to {} s", o.earliest, o.latest),
                "give a first one of 0 or less and a last one above 0 [s]");
  if (!std::isfinite(arrival)) throw Error(Errc::range, "the arrival is not finite", "give the arrival [s]");
  const DeconvolutionMethod& method = deconvolutions().get(o.method);
  if (o.correction != "none") residues().get(o.correction);
  const double step = even_step(times);
  const CurveArea area = curve_area(times, aif, arrival, o.rule);

  const std::size_t n_voxels = rows.n_voxels();
  Deconvolved out;
  for (auto* f : {&out.CBF, &out.CBF_se, &out.CBV, &out.CBV_se, &out.MTT, &out.MTT_se, &out.Tmax, &out.delay,
                  &out.first_moment, &out.TTP, &out.residual_sd, &out.regularisation})
    f->assign(n_voxels, nan);
  out.status.assign(n_voxels, fit::FitStatus::outside);
  std::vector<std::int64_t> voxels;
  for (std::size_t v = 0; v < n_voxels; ++v)
    if (mask.empty() || mask[v]) voxels.push_back(static_cast<std::int64_t>(v));
  if (voxels.empty()) throw Error(Errc::range, "there are no voxels", "give a series that has some");

  const Device device = curves.device().is_cpu() ? o.device : curves.device();  // the data's device decides
  progress.begin(method.title, voxels.size());
  if (method.kind == Kind::parametric) {
    if (o.keep_residue)
      throw Error(Errc::usage, fmt::format("{} gives no residue: it is the model's", o.method),
                  "choose another method for residues");
    fit_residues(residues().get(method.residue), rows, voxels, times, aif, step, arrival, area, o, device, out,
                 progress, cancel);
  } else {
    const Plan plan = plan_for(method, aif, step, area, o);
    out.residue_before = plan.basis.before;
    if (o.keep_residue) {
      Shape shape = curves.shape();
      shape.back() = plan.basis.n_residue;
      out.residue = Array::of<float>(shape, curves.axes());
      std::fill_n(out.residue.data<float>(), out.residue.size(), nan);
    }
    if (device.is_cpu())
      run_tiles(plan, rows, voxels, times, arrival, o, out, progress, cancel);
    else
      run_on_cuda(plan, rows, voxels, times, arrival, o, device, out, progress, cancel);
  }
  progress.end();
  return out;
}

}  // namespace larmor::dsc
