// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/device_memory.hpp>
#include <larmor/core/error.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/perfusion/dce/voxel_rows.hpp>
#include <larmor/perfusion/dsc/deconvolve.hpp>
#include <larmor/perfusion/dsc/kernels/deconvolution_kernel.hpp>
#include <larmor/perfusion/dsc/peak_table.hpp>
#include <larmor/perfusion/dsc/residue_fit.hpp>
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

/// What noise of sd 1 in the frames does to a sample of the residue.
struct NoiseOfPeak {
  float variance, with_area, of_offset;  // covariance with the area; change by an offset of 1 of all frames
};

/// Everything that does not depend on the voxel.
struct Plan {
  Basis basis;
  Filters filters;
  PeakTable table;
  DeconvolutionRun run{};
  std::vector<float> weight2, left, norm, slope, freedom;  // Tikhonov
  std::vector<float> area_weight, moment_weight;
  std::vector<double> lambda;
  std::vector<NoiseOfPeak> noise;  // (choice, residue sample)
  std::vector<double> rest;        // (choice) degrees of freedom left
  std::vector<int> choice_of;      // truncations: modes kept -> choice
  double aif_area = 0, aif_moment = 0;
  double area_variance = 0, area_offset = 0;  // of CBV: by noise of sd 1; by an offset of 1
  double offset_variance = 0;                 // 1 / baseline frames

  int choice(float told) const {
    const auto k = static_cast<std::size_t>(told);
    return choice_of.empty() ? static_cast<int>(k) : choice_of[k];
  }
};

void add_areas(Plan& p, const CurveArea& area) {
  p.area_weight.assign(area.weight.begin(), area.weight.end());
  for (std::size_t i = 0; i < area.weight.size(); ++i)
    p.moment_weight.push_back(static_cast<float>(area.weight[i] * area.since[i]));
  p.aif_area = area.aif_area, p.aif_moment = area.aif_moment;
  for (const double w : area.weight)
    p.area_variance += w * w / (p.aif_area * p.aif_area), p.area_offset += w / p.aif_area;
}

void add_truncations(Plan& p, const DeconvolutionMethod& m, const DeconvolutionOptions& o) {
  const auto n_modes = static_cast<std::size_t>(p.basis.n_modes);
  std::vector<int> ends = p.basis.step_end;
  if (m.kind == Kind::truncation) {
    const double threshold = o.threshold.value_or(m.threshold);
    if (!(threshold >= 0 && threshold < 1))
      throw Error(Errc::range, fmt::format("a threshold of {}", threshold), "give 0 or more, below 1");
    int kept = ends[0];
    for (const int e : ends)
      if (p.basis.s64[static_cast<std::size_t>(e) - 1] >= threshold * p.basis.s64[0]) kept = e;
    ends = {kept};
    p.run.how = Regulariser::truncation, p.run.n_kept = kept;
  } else {
    const double target = o.oscillation.value_or(m.oscillation);
    if (!(target > 0) || !std::isfinite(target))
      throw Error(Errc::range, fmt::format("an oscillation index of {}", target), "give a number above 0");
    p.run.how = Regulariser::oscillation, p.run.target = static_cast<float>(target);
    p.run.n_steps = static_cast<int>(ends.size());
  }
  p.filters = {static_cast<int>(ends.size()), p.basis.n_modes, {}};
  p.choice_of.assign(n_modes + 1, 0);
  for (std::size_t c = 0; c < ends.size(); ++c) {
    for (std::size_t k = 0; k < n_modes; ++k) p.filters.f.push_back(k < static_cast<std::size_t>(ends[c]) ? 1.0 : 0.0);
    p.choice_of[static_cast<std::size_t>(ends[c])] = static_cast<int>(c);
  }
}

void add_weights(Plan& p, Kind kind) {
  // Candidates from where nothing is left of the flow to where nothing is left of the smoothing.
  constexpr int n = 24;
  constexpr double least = 1e-2, most = 1;
  p.run.how = kind == Kind::gcv ? Regulariser::gcv : Regulariser::l_curve, p.run.n_weights = n;
  p.filters = {n, p.basis.n_modes, {}};
  // Rows of zeros under a padded curve hold no noise: half a degree of freedom a mode (see Basis).
  const double share = p.basis.structure == Structure::circulant ? 0.5 : 1.0;
  for (int w = 0; w < n; ++w) {
    const double relative = least * std::pow(most / least, static_cast<double>(w) / (n - 1));
    const double l = relative * p.basis.s64[0];
    p.lambda.push_back(relative), p.weight2.push_back(static_cast<float>(l * l));
    double sum = 0;
    for (const double s : p.basis.s64) {
      const double f = s * s / (s * s + l * l);
      p.filters.f.push_back(f);
      p.left.push_back(static_cast<float>((1 - f) * (1 - f)));
      p.norm.push_back(static_cast<float>(f * f / (s * s)));
      p.slope.push_back(static_cast<float>((1 - f) * f * f / (s * s)));
      sum += f;
    }
    p.freedom.push_back(static_cast<float>(static_cast<double>(p.basis.n_data) - share * sum));
  }
}

Plan plan_for(const DeconvolutionMethod& m, std::span<const double> aif, double step, const CurveArea& area,
              const DeconvolutionOptions& o) {
  Plan p;
  const Structure structure = o.structure.value_or(m.structure);
  const auto n = static_cast<int>(aif.size());
  const int before =
      structure == Structure::circulant ? std::clamp(static_cast<int>(std::ceil(-o.earliest / step)), 0, n / 2) : 0;
  p.basis = decompose(aif, step, structure, o.rule, before);
  add_areas(p, area);
  if (m.kind == Kind::truncation || m.kind == Kind::oscillation)
    add_truncations(p, m, o);
  else
    add_weights(p, m.kind);
  DeconvolutionRun& r = p.run;
  r.n_data = p.basis.n_data, r.n_residue = p.basis.n_residue, r.n_modes = p.basis.n_modes;
  r.circular = structure == Structure::circulant;
  r.n_search = std::clamp(before + static_cast<int>(std::ceil(o.latest / step)) + 1, 3, before + n);
  if (o.correction != "none")
    p.table = PeakTable(p.basis, p.filters, residues().get(o.correction), aif, o.rule, r.n_search);
  p.offset_variance = o.baseline_frames > 0 ? 1.0 / o.baseline_frames : 0.0;
  // A residue sample is a sum of projections f / s V (U y). Of a padded curve half the rows have noise.
  const double share = r.circular ? 0.5 : 1.0;
  const auto n_residue = static_cast<std::size_t>(r.n_residue), n_modes = static_cast<std::size_t>(r.n_modes),
             n_data = static_cast<std::size_t>(r.n_data);
  std::vector<double> ones(n_modes, 0.0), weights(n_modes, 0.0);
  for (std::size_t k = 0; k < n_modes; ++k)
    for (std::size_t t = 0; t < n_data; ++t)
      ones[k] += p.basis.U64[k * n_data + t], weights[k] += p.basis.U64[k * n_data + t] * area.weight[t] / p.aif_area;
  for (int c = 0; c < p.filters.n_choices; ++c) {
    const auto f = p.filters.row(c);
    for (std::size_t i = 0; i < n_residue; ++i) {
      double variance = 0, with_area = 0, of_offset = 0;
      for (std::size_t k = 0; k < n_modes; ++k) {
        const double h = f[k] / p.basis.s64[k] * p.basis.V64[k * n_residue + i];
        variance += share * h * h, with_area += h * weights[k], of_offset += h * ones[k];
      }
      p.noise.push_back({static_cast<float>(variance), static_cast<float>(with_area), static_cast<float>(of_offset)});
    }
    p.rest.push_back(static_cast<double>(r.n_data) - share * p.filters.freedom(c));
  }
  return p;
}

void point_at(DeconvolutionRun& r, const Plan& p) {
  r.U = p.basis.U.data(), r.V = p.basis.V.data(), r.s = p.basis.s.data(), r.step_end = p.basis.step_end.data();
  r.weight2 = p.weight2.data(), r.left = p.left.data(), r.norm = p.norm.data(), r.slope = p.slope.data();
  r.freedom = p.freedom.data(), r.area_weight = p.area_weight.data(), r.moment_weight = p.moment_weight.data();
}

constexpr float* DeconvolutionRun::*results[] = {&DeconvolutionRun::area,       &DeconvolutionRun::moment,
                                                 &DeconvolutionRun::curve_peak, &DeconvolutionRun::curve_peak_at,
                                                 &DeconvolutionRun::peak,       &DeconvolutionRun::peak_at,
                                                 &DeconvolutionRun::choice,     &DeconvolutionRun::rss};
constexpr std::size_t n_results = std::size(results);

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
  const PeakTable::Entry e = p.table.at(choice, CBV / peak);
  const double CBF = peak / e.gain, MTT = CBV / CBF, at = static_cast<double>(r.peak_at[i]);
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
  const auto sample = static_cast<std::size_t>(std::lround(at)) % static_cast<std::size_t>(r.n_residue);
  const NoiseOfPeak& noise = p.noise[c * static_cast<std::size_t>(r.n_residue) + sample];
  // ln MTT = s (ln CBV - ln peak) and ln CBF = ln CBV - ln MTT, to first order in both.
  const double s = e.sensitivity;
  const auto relative_sd = [&](double of_area, double of_peak) {
    const double a = of_area / CBV, b = of_peak / peak, offset = a * p.area_offset + b * noise.of_offset;
    const double variance = a * a * p.area_variance + 2 * a * b * noise.with_area + b * b * noise.variance +
                            p.offset_variance * offset * offset;
    return sd * std::sqrt(std::max(variance, 0.0));
  };
  out.CBF_se[v] = static_cast<float>(CBF * relative_sd(1 - s, s));
  out.MTT_se[v] = static_cast<float>(MTT * relative_sd(s, -s));
}

/// Tissue curves of some voxels, samples first; false for a voxel whose curve is not finite, and `zero` for one of 0s.
void gather(const dce::VoxelRows& rows, std::span<const std::int64_t> voxels, float* y, std::size_t stride,
            std::size_t room, std::vector<float>& poison, std::vector<float>& size) {
  const std::size_t n = voxels.size();
  poison.assign(n, 0.0f), size.assign(n, 0.0f);
  const auto first = static_cast<std::size_t>(voxels.front()),
             span = static_cast<std::size_t>(voxels.back()) - first + 1;
  std::vector<float> buffer(span);
  for (std::size_t t = 0; t < rows.n_frames(); ++t) {
    const float* from = rows.get(t, first, span, buffer.data());
    float* to = y + t * stride;
    for (std::size_t i = 0; i < n; ++i) to[i] = from[static_cast<std::size_t>(voxels[i]) - first];
    for (std::size_t i = 0; i < n; ++i) poison[i] += to[i] - to[i], size[i] += std::abs(to[i]);
    std::fill(to + n, to + room, 0.0f);
  }
  for (std::size_t i = 0; i < n; ++i)
    if (!(poison[i] == 0))
      for (std::size_t t = 0; t < rows.n_frames(); ++t) y[t * stride + i] = 0;
}

fit::FitStatus screened(float poison, float size) {
  if (!(poison == 0)) return fit::FitStatus::bad_data;
  return size > 0 ? fit::FitStatus::converged : fit::FitStatus::no_signal;
}

void run_tiles(const Plan& plan, const dce::VoxelRows& rows, std::span<const std::int64_t> voxels,
               std::span<const double> times, double arrival, const DeconvolutionOptions& o, Deconvolved& out,
               const Progress& progress, const Cancel* cancel) {
  constexpr std::size_t tile = deconvolution_tile, stride = deconvolution_stride;
  const auto kernel = o.scalar ? deconvolution_kernel_scalar() : deconvolution_kernel();
  const std::size_t n_tiles = (voxels.size() + tile - 1) / tile;
  float* residue = o.keep_residue ? out.residue.data<float>() : nullptr;
  parallel_for(
      n_tiles, std::clamp<std::size_t>(n_tiles / (8 * static_cast<std::size_t>(thread_count())), 1, 16),
      [&](std::size_t begin, std::size_t end) {
        DeconvolutionRun r = plan.run;
        point_at(r, plan);
        const auto n_data = static_cast<std::size_t>(r.n_data), n_residue = static_cast<std::size_t>(r.n_residue);
        std::vector<float> y(n_data * stride), found(n_results * stride), poison, size;
        std::vector<float> R(residue ? n_residue * stride : 0);
        const auto work =
            allocate(sizeof(float) * 16 * static_cast<std::size_t>(r.n_modes + r.n_residue), Device::cpu());
        r.stride = stride, r.y = y.data(), r.residue = residue ? R.data() : nullptr;
        for (std::size_t k = 0; k < n_results; ++k) r.*results[k] = found.data() + k * stride;
        for (std::size_t at = begin; at < end; ++at) {
          if (cancel) cancel->check();
          const auto mine = voxels.subspan(at * tile, std::min(tile, voxels.size() - at * tile));
          gather(rows, mine, y.data(), stride, stride, poison, size);
          r.n = static_cast<int>(mine.size());
          kernel(r, reinterpret_cast<float*>(work.get()));
          for (std::size_t i = 0; i < mine.size(); ++i) {
            const auto v = static_cast<std::size_t>(mine[i]);
            out.status[v] = screened(poison[i], size[i]);
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
  std::vector<float> poison, size;
  for (std::size_t begin = 0; begin < voxels.size(); begin += piece) {
    if (cancel) cancel->check();
    const auto mine = voxels.subspan(begin, std::min(piece, voxels.size() - begin));
    const std::size_t n = mine.size();
    std::vector<float> y(n_data * n), found(n_results * n);
    gather(rows, mine, y.data(), n, n, poison, size);
    DeviceMemory d(device);
    r.n = static_cast<int>(n), r.stride = static_cast<std::int64_t>(n), r.y = d.copy(y.data(), y.size());
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
      out.status[v] = screened(poison[i], size[i]);
      if (fit::usable(out.status[v])) finish(plan, here, i, times, arrival, v, out);
    }
    progress.add(n);
  }
#endif
}

}  // namespace

CurveArea curve_area(std::span<const double> times, std::span<const double> aif, double arrival, Rule rule) {
  CurveArea a;
  const std::size_t n = times.size();
  const double step = (times.back() - times.front()) / static_cast<double>(n - 1);
  std::size_t first = 0;
  while (first + 2 < n && times[first + 1] <= arrival - step) ++first;
  a.weight.assign(n, 0.0);
  for (std::size_t i = first; i < n; ++i) {
    const bool end = rule == Rule::trapezoid && (i == first || i + 1 == n);
    a.weight[i] = end ? 0.5 * step : step;
  }
  for (std::size_t i = 0; i < n; ++i) a.since.push_back(times[i] - arrival);
  for (std::size_t i = 0; i < n; ++i)
    a.aif_area += a.weight[i] * aif[i], a.aif_moment += a.weight[i] * a.since[i] * aif[i];
  if (!(a.aif_area > 0) || !std::isfinite(a.aif_area))
    throw Error(Errc::numeric, fmt::format("the arterial input has an area of {:g}", a.aif_area),
                "give an input that rises, and check the baseline");
  a.aif_moment /= a.aif_area;
  return a;
}

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

  progress.begin(method.title, voxels.size());
  if (method.kind == Kind::parametric) {
    if (o.keep_residue)
      throw Error(Errc::usage, fmt::format("{} gives no residue: it is the model's", o.method),
                  "choose another method for residues");
    fit_residues(residues().get(method.residue), rows, voxels, times, aif, step, arrival, area, o, out, progress,
                 cancel);
  } else {
    const Plan plan = plan_for(method, aif, step, area, o);
    out.residue_before = plan.basis.before;
    if (o.keep_residue) {
      Shape shape = curves.shape();
      shape.back() = plan.basis.n_residue;
      out.residue = Array::of<float>(shape, curves.axes());
      std::fill_n(out.residue.data<float>(), out.residue.size(), nan);
    }
    const Device device = curves.device().is_cpu() ? o.device : curves.device();  // the data's device decides
    if (device.is_cpu())
      run_tiles(plan, rows, voxels, times, arrival, o, out, progress, cancel);
    else
      run_on_cuda(plan, rows, voxels, times, arrival, o, device, out, progress, cancel);
  }
  progress.end();
  return out;
}

}  // namespace larmor::dsc
