// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/isa.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/fit/curve_candidates.hpp>
#include <larmor/fit/curve_cuda.hpp>
#include <limits>
#include <numeric>

namespace larmor::fit {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

/// Memory of one thread, used tile by tile.
struct Workspace {
  std::shared_ptr<std::byte> y, covariates, values, errors, frames;
  std::vector<float> residual_sd, R2, AICc;
  std::vector<std::uint8_t> status, iterations;

  Workspace(std::size_t n_samples, std::size_t np, std::size_t nc)
      : y(room(n_samples * curve_stride * sizeof(float))),
        covariates(room(std::max<std::size_t>(nc, 1) * curve_stride * sizeof(float))),
        values(room(np * curve_stride * sizeof(float))),
        errors(room(np * curve_stride * sizeof(float))),
        frames(room(n_samples * 8 * sizeof(double))),
        residual_sd(curve_stride),
        R2(curve_stride),
        AICc(curve_stride),
        status(curve_stride),
        iterations(curve_stride) {}
  static std::shared_ptr<std::byte> room(std::size_t bytes) { return allocate(bytes, Device::cpu()); }
  static float* floats(const std::shared_ptr<std::byte>& p) { return reinterpret_cast<float*>(p.get()); }
};

CurveFit empty_fit(std::vector<Param> params, std::size_t n_voxels) {
  CurveFit r;
  r.values.assign(params.size(), std::vector<float>(n_voxels, nan));
  r.standard_error = r.values;
  r.status.assign(n_voxels, FitStatus::outside);
  r.residual_sd.assign(n_voxels, nan), r.R2.assign(n_voxels, nan), r.AICc.assign(n_voxels, nan);
  r.iterations.assign(n_voxels, 0);
  r.params = std::move(params);
  return r;
}

void run_tiles(const CurveJob& job, FitCurves fit_tile, std::span<const std::int64_t> voxels, CurveFit& out,
               const Progress& progress, const Cancel* cancel) {
  const std::size_t n_samples = job.n_samples, np = out.params.size(), nc = job.covariates.size();
  const std::size_t n_tiles = (voxels.size() + curve_tile - 1) / curve_tile;
  const std::size_t grain = std::clamp<std::size_t>(n_tiles / (8 * static_cast<std::size_t>(thread_count())), 1, 16);
  parallel_for(
      n_tiles, grain,
      [&](std::size_t begin, std::size_t end) {
        Workspace work(n_samples, np, nc);
        float *y = work.floats(work.y), *covariates = work.floats(work.covariates);
        for (std::size_t tile = begin; tile < end; ++tile) {
          if (cancel) cancel->check();
          const auto mine =
              voxels.subspan(tile * curve_tile, std::min<std::size_t>(curve_tile, voxels.size() - tile * curve_tile));
          const std::size_t n = mine.size();
          const auto gather = [&](const float* from, float* to) {
            for (std::size_t v = 0; v < n; ++v) to[v] = from[mine[v]];
            std::fill(to + n, to + curve_stride, 0.0f);
          };
          for (std::size_t k = 0; k < n_samples; ++k)
            gather(job.data + static_cast<std::int64_t>(k) * job.n_voxels, y + k * curve_stride);
          CurveTile t{.options = &job.options,
                      .design = job.design.data(),
                      .n_samples = static_cast<int>(n_samples),
                      .root_weight = job.root_weights.empty() ? nullptr : job.root_weights.data(),
                      .candidates = &job.table->view(),
                      .y = y,
                      .covariate = {},
                      .stride = curve_stride,
                      .n = static_cast<int>(n),
                      .values = work.floats(work.values),
                      .errors = work.floats(work.errors),
                      .residual_sd = work.residual_sd.data(),
                      .R2 = work.R2.data(),
                      .AICc = work.AICc.data(),
                      .status = work.status.data(),
                      .iterations = work.iterations.data(),
                      .frames = reinterpret_cast<double*>(work.frames.get())};
          for (std::size_t c = 0; c < nc; ++c) {
            gather(job.covariates[c].data(), covariates + c * curve_stride);
            t.covariate[c] = covariates + c * curve_stride;
          }
          fit_tile(t);
          for (std::size_t v = 0; v < n; ++v) {
            const auto at = static_cast<std::size_t>(mine[v]);
            out.status[at] = static_cast<FitStatus>(t.status[v]), out.iterations[at] = t.iterations[v];
            for (std::size_t i = 0; i < np; ++i) {
              out.values[i][at] = t.values[i * curve_stride + v];
              out.standard_error[i][at] = t.errors[i * curve_stride + v];
            }
            out.residual_sd[at] = t.residual_sd[v], out.R2[at] = t.R2[v], out.AICc[at] = t.AICc[v];
          }
          progress.add(n);
        }
      },
      cancel);
}

double median_positive(std::vector<float> values) {
  std::erase_if(values, [](float v) { return !std::isfinite(v) || v <= 0; });
  if (values.empty())
    throw Error(Errc::numeric, "no voxel could be fitted, so the noise level is unknown", "give noise_sd");
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

void require_length(std::string_view what, std::size_t n, std::size_t need) {
  if (n != need) throw Error(Errc::shape, fmt::format("{} {} where {} are needed", n, what, need));
}

/// Median of what is finite, for the table of starts.
double typical(std::span<const float> values, std::span<const std::int64_t> voxels) {
  std::vector<float> some;
  const std::size_t step = std::max<std::size_t>(1, voxels.size() / 1000);
  for (std::size_t i = 0; i < voxels.size(); i += step)
    if (const float v = values[static_cast<std::size_t>(voxels[i])]; std::isfinite(v)) some.push_back(v);
  if (some.empty()) return 1.0;
  std::nth_element(some.begin(), some.begin() + std::ssize(some) / 2, some.end());
  return some[some.size() / 2];
}

}  // namespace

std::int64_t CurveFit::count(FitStatus s) const { return std::count(status.begin(), status.end(), s); }

const CurveKernels& CurveModelKernels::now() const {
  const Isa level = isa();
  return *(level == Isa::v4 && v4 ? v4 : level != Isa::baseline && v3 ? v3 : baseline)();
}

void curve_signal(const CurveModel& model, std::span<const double> design, std::span<const double> params,
                  std::span<const double> covariates, std::span<double> signal, std::span<double> jacobian) {
  require_length("parameters", params.size(), model.params.size());
  require_length("covariates", covariates.size(), model.covariates.size());
  require_length("numbers that describe the samples", design.size(), model.design.size() * signal.size());
  if (!jacobian.empty()) require_length("elements of the Jacobian", jacobian.size(), signal.size() * params.size());
  model.kernels->baseline()->signal(design.data(), static_cast<int>(signal.size()), covariates.data(), params.data(),
                                    signal.data(), jacobian.empty() ? nullptr : jacobian.data());
}

CurveFit fit_curves(const CurveModel& model, const Array& data, std::span<const double> design,
                    std::span<const std::span<const float>> covariates, std::span<const std::uint8_t> mask,
                    const CurveFitOptions& options, const Progress& progress, const Cancel* cancel) {
  const std::size_t n_design = model.design.size();
  if (data.rank() < 1 || design.empty() || design.size() % n_design != 0 ||
      data.extent(data.rank() - 1) != static_cast<std::int64_t>(design.size() / n_design))
    throw Error(Errc::shape, fmt::format("{} samples are described for data of {} (samples are the last axis)",
                                         design.size() / n_design, larmor::to_string(data.shape())));
  for (const double d : design)
    if (!std::isfinite(d)) throw Error(Errc::range, fmt::format("{}: {} among the samples", model.title, d));
  CurveJob job;
  job.n_samples = design.size() / n_design;
  job.n_voxels = data.size() / static_cast<std::int64_t>(job.n_samples);
  job.design.assign(design.begin(), design.end());
  const auto n_voxels = static_cast<std::size_t>(job.n_voxels);
  if (!mask.empty()) require_length("mask values", mask.size(), n_voxels);
  require_length("covariates", covariates.size(), model.covariates.size());
  for (std::size_t c = 0; c < covariates.size(); ++c)
    require_length(model.covariates[c], covariates[c].size(), n_voxels);
  job.covariates.assign(covariates.begin(), covariates.end());

  std::vector<Param> params = model.params;
  std::vector<double> starts;
  job.options = apply_settings(options.params, model.title, params, starts);
  if (options.max_iterations < 1)
    throw Error(Errc::range, fmt::format("{} iterations", options.max_iterations), "allow at least 1");
  if (!(options.tolerance > 0))
    throw Error(Errc::range, fmt::format("a tolerance of {}", options.tolerance), "give a number above 0");
  job.options.max_iterations = options.max_iterations, job.options.tolerance = options.tolerance;
  job.options.match_curvature = options.match_curvature;
  std::size_t n_free = 0;
  for (std::size_t i = 0; i < params.size(); ++i) n_free += !job.options.fixed[i];
  // A posterior needs no more samples than there are; least squares needs as many as it has unknowns.
  if (job.n_samples < n_free && !options.map)
    throw Error(Errc::range, fmt::format("{} samples for {} free parameters of {}", job.n_samples, n_free, model.title),
                fmt::format("give at least {}, fix parameters, or use priors (fitter map)", n_free));
  if (!options.weights.empty()) {
    require_length("weights", options.weights.size(), job.n_samples);
    const double mean =
        std::accumulate(options.weights.begin(), options.weights.end(), 0.0) / static_cast<double>(job.n_samples);
    for (const double w : options.weights) {
      if (!(w > 0) || !std::isfinite(w))
        throw Error(Errc::range, fmt::format("a weight of {}", w), "give weights above 0");
      job.root_weights.push_back(std::sqrt(w / mean));
    }
  }

  std::vector<std::int64_t> voxels;
  for (std::int64_t v = 0; v < job.n_voxels; ++v)
    if (mask.empty() || mask[static_cast<std::size_t>(v)]) voxels.push_back(v);
  if (voxels.empty())
    throw Error(Errc::range, "the mask selects no voxel", "give a mask with at least one voxel that is not 0");

  std::vector<double> middle;
  for (const auto& c : covariates) middle.push_back(typical(c, voxels));
  const CandidateTable table(model, params, starts, job.options, design, middle, job.root_weights);
  job.table = &table;
  const Array packed = data.to(Device::cpu()).cast(DType::f32).contiguous_copy();
  job.data = packed.data<float>();

  CurveFit result = empty_fit(params, n_voxels);
  const FitCurves fit = options.scalar         ? model.kernels->baseline()->fit_scalar
                        : options.cuda_threads ? model.kernels->baseline()->fit_threads
                                               : model.kernels->now().fit;
  if (options.map) {
    double noise = options.noise_sd.value_or(0.0);
    if (options.noise_sd && !(noise > 0))
      throw Error(Errc::range, fmt::format("a noise sd of {}", noise), "give a number above 0");
    if (!options.noise_sd) {
      if (job.n_samples <= n_free)
        throw Error(Errc::range,
                    fmt::format("{} samples and {} free parameters leave no residual to tell the noise from",
                                job.n_samples, n_free),
                    "give noise_sd");
      std::vector<std::int64_t> some;  // the median of 20,000 is known to better than 1 %
      const std::size_t step = std::max<std::size_t>(1, voxels.size() / 20000);
      for (std::size_t i = 0; i < voxels.size(); i += step) some.push_back(voxels[i]);
      CurveFit plain = empty_fit(params, n_voxels);
      run_tiles(job, fit, some, plain, {}, cancel);
      noise = median_positive(plain.residual_sd);
    }
    use_prior(job.options, params, noise);
  }
  progress.begin("fit " + model.title, voxels.size());
  const Device device = data.device().is_cpu() ? options.device : data.device();  // the data's device decides
  if (device.is_cpu())
    run_tiles(job, fit, voxels, result, progress, cancel);
  else
    fit_curves_on_cuda(job, *model.kernels, voxels, device, result, progress, cancel);
  progress.end();
  return result;
}

}  // namespace larmor::fit
