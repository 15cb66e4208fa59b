// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/parallel.hpp>
#include <larmor/perfusion/dce/fit.hpp>
#include <larmor/perfusion/dce/fit_cuda.hpp>
#include <larmor/perfusion/dce/fit_setup.hpp>
#include <larmor/perfusion/dce/linear_fit.hpp>
#include <limits>
#include <numeric>

namespace larmor::dce {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

/// Memory that one thread needs for tiles: allocated once a tile, small beside its work.
struct Workspace {
  std::shared_ptr<std::byte> y, values, errors, derived, frames, scratch;
  std::vector<float> residual_sd, R2, AICc;
  std::vector<double> sst;
  std::vector<std::uint8_t> status, iterations;

  explicit Workspace(const FitSetup& s)
      : y(allocate(s.frames.size() * tile_stride * sizeof(float), Device::cpu())),
        values(allocate(s.params.size() * tile_stride * sizeof(float), Device::cpu())),
        errors(allocate(s.params.size() * tile_stride * sizeof(float), Device::cpu())),
        derived(allocate((s.model->derived.size() + 1) * tile_stride * sizeof(float), Device::cpu())),
        frames(allocate(s.frames.size() * 8 * sizeof(double), Device::cpu())),
        scratch(allocate((static_cast<std::size_t>(s.dictionary->view().n_curves) + 8) * 16 * sizeof(float),
                         Device::cpu())),
        residual_sd(tile_stride),
        R2(tile_stride),
        AICc(tile_stride),
        sst(tile_stride),
        status(tile_stride),
        iterations(tile_stride) {}

  Tile tile(const FitSetup& s, double fixed_delay, int n) {
    return {&s.grid->view(),
            &s.dictionary->view(),
            &s.options,
            s.start.data(),
            fixed_delay,
            reinterpret_cast<const float*>(y.get()),
            tile_stride,
            tile_stride,
            n,
            reinterpret_cast<float*>(values.get()),
            reinterpret_cast<float*>(errors.get()),
            reinterpret_cast<float*>(derived.get()),
            residual_sd.data(),
            R2.data(),
            AICc.data(),
            sst.data(),
            status.data(),
            iterations.data(),
            reinterpret_cast<double*>(frames.get()),
            reinterpret_cast<float*>(scratch.get())};
  }
};

FitResult empty_result(const FitSetup& s, std::size_t n_voxels) {
  FitResult r;
  r.params = s.params;
  r.values.assign(s.params.size(), std::vector<float>(n_voxels, nan));
  r.standard_error.assign(s.params.size(), std::vector<float>(n_voxels, nan));
  r.derived_error.assign(s.model->derived.size(), std::vector<float>(n_voxels, nan));
  r.status.assign(n_voxels, fit::FitStatus::outside);
  r.residual_sd.assign(n_voxels, nan), r.R2.assign(n_voxels, nan), r.AICc.assign(n_voxels, nan);
  r.iterations.assign(n_voxels, 0);
  return r;
}

/// Which voxels are fitted: those listed, or all of them.
struct Voxels {
  std::vector<std::int64_t> listed;
  std::size_t all = 0;
  std::size_t size() const { return listed.empty() ? all : listed.size(); }
  std::int64_t operator[](std::size_t i) const { return listed.empty() ? static_cast<std::int64_t>(i) : listed[i]; }
};

/// The masked voxels, gathered tile by tile, through `fit`.
void run_tiles(const FitSetup& s, const float* data, std::int64_t frame_stride, const Voxels& voxels,
               double fixed_delay, const TileFit& fit_tile, FitResult& out, const Progress& progress,
               const Cancel* cancel) {
  const std::size_t n_tiles = (voxels.size() + tile_voxels - 1) / tile_voxels;
  // A linear model reads its data once: copying them first would cost as much as fitting them.
  const auto& fixed = s.options.fixed;
  const bool in_place =
      s.kernels->linear && !s.with_delay && !s.options.use_prior &&
      std::none_of(std::begin(fixed), std::begin(fixed) + std::ssize(s.params), [](auto f) { return f; }) &&
      s.frames.back() - s.frames.front() + 1 == std::ssize(s.frames);
  // A few tiles a piece: their workspace is allocated once.
  const std::size_t grain = std::clamp<std::size_t>(n_tiles / (8 * static_cast<std::size_t>(thread_count())), 1, 16);
  parallel_for(
      n_tiles, grain,
      [&](std::size_t begin, std::size_t end) {
        Workspace work(s);
        float* y = reinterpret_cast<float*>(work.y.get());
        for (std::size_t t = begin; t < end; ++t) {
          if (cancel) cancel->check();
          const std::size_t start = t * tile_voxels, n = std::min<std::size_t>(tile_voxels, voxels.size() - start);
          const std::int64_t first = voxels[start];
          // Consecutive voxels are copied whole.
          const bool run = voxels[start + n - 1] - first == static_cast<std::int64_t>(n) - 1;
          const auto place = [&](std::size_t v) { return static_cast<std::size_t>(voxels[start + v]); };
          Tile tile = work.tile(s, fixed_delay, static_cast<int>(n));
          if (in_place && run && n == tile_voxels) {
            tile.y = data + s.frames[0] * frame_stride + first, tile.y_stride = frame_stride;
          } else {
            for (std::size_t f = 0; f < s.frames.size(); ++f) {
              const float* from = data + s.frames[f] * frame_stride;
              float* to = y + f * tile_stride;
              if (run)
                std::copy_n(from + first, n, to);
              else
                for (std::size_t v = 0; v < n; ++v) to[v] = from[place(v)];
              if (n < tile_voxels) std::fill(to + n, to + tile_stride, 0.0f);
            }
          }
          fit_tile(tile);
          const auto take = [&](const auto* from, auto& to) {  // NaN where there is no estimate
            if (run)
              std::copy_n(from, n, to.data() + first);
            else
              for (std::size_t v = 0; v < n; ++v) to[place(v)] = from[v];
          };
          for (std::size_t v = 0; v < n; ++v) out.status[place(v)] = static_cast<fit::FitStatus>(tile.status[v]);
          take(tile.iterations, out.iterations);
          for (std::size_t i = 0; i < s.params.size(); ++i) {
            take(tile.values + i * tile_stride, out.values[i]);
            take(tile.errors + i * tile_stride, out.standard_error[i]);
          }
          for (std::size_t i = 0; i < out.derived_error.size(); ++i)
            take(tile.derived + i * tile_stride, out.derived_error[i]);
          take(tile.residual_sd, out.residual_sd), take(tile.R2, out.R2), take(tile.AICc, out.AICc);
          progress.add(n);
        }
      },
      cancel);
}

double median_of_finite(std::vector<float> values) {
  std::erase_if(values, [](float v) { return !std::isfinite(v) || v <= 0; });
  if (values.empty())
    throw Error(Errc::numeric, "no voxel could be fitted, so the noise level is unknown", "give noise_sd [mM]");
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

std::int64_t FitResult::count(fit::FitStatus s) const { return std::count(status.begin(), status.end(), s); }

FitResult fit_model(const Model& model, const Array& concentration, std::span<const double> times,
                    std::span<const Aif> inputs, std::span<const std::uint8_t> mask, const FitOptions& options,
                    const Progress& progress, const Cancel* cancel) {
  const std::int64_t n_frames = static_cast<std::int64_t>(times.size());
  if (concentration.rank() < 1 || n_frames == 0 || concentration.extent(concentration.rank() - 1) != n_frames)
    throw Error(Errc::shape, fmt::format("{} times for data of {} (time is the last axis)", n_frames,
                                         to_string(concentration.shape())));
  const std::string fitter = fitters().resolve(options.fitter);
  FitSetup s = make_setup(model, times, inputs, options);

  const std::int64_t n_voxels = concentration.size() / n_frames;
  if (!mask.empty() && static_cast<std::int64_t>(mask.size()) != n_voxels)
    throw Error(Errc::shape, fmt::format("a mask of {} voxels for data of {}", mask.size(), n_voxels));
  Voxels voxels;
  if (mask.empty()) voxels.all = static_cast<std::size_t>(n_voxels);
  for (std::size_t v = 0; v < mask.size(); ++v)
    if (mask[v]) voxels.listed.push_back(static_cast<std::int64_t>(v));
  if (voxels.size() == 0)
    throw Error(Errc::range, "the mask selects no voxel", "give a mask with at least one voxel that is not 0");

  const Array data = concentration.to(Device::cpu()).cast(DType::f32).contiguous_copy();
  const float* y = data.data<float>();
  FitResult result = empty_result(s, static_cast<std::size_t>(n_voxels));
  const FitTile lm = s.kernels->now().fit[s.with_delay];
  if (fitter == "fitter.map") {
    double noise = options.noise_sd.value_or(0.0);
    if (options.noise_sd && !(noise > 0))
      throw Error(Errc::range, fmt::format("a noise sd of {} mM", noise), "give a number above 0");
    if (!options.noise_sd) {
      Voxels some;  // the median of 20,000 is known to better than 1 %
      const std::size_t step = std::max<std::size_t>(1, voxels.size() / 20000);
      for (std::size_t i = 0; i < voxels.size(); i += step) some.listed.push_back(voxels[i]);
      FitResult plain = empty_result(s, static_cast<std::size_t>(n_voxels));
      run_tiles(s, y, n_voxels, some, options.delay, lm, plain, {}, cancel);
      noise = median_of_finite(plain.residual_sd);
    }
    fit::use_prior(s.options, s.params, noise);
  }
  progress.begin("fit " + model.title, voxels.size());
  FitOptions on_device = options;  // the data's device decides, then the caller's
  if (!concentration.device().is_cpu()) on_device.device = concentration.device();
  if (!on_device.device.is_cpu() && fitter != "fitter.linear") {
    if (voxels.listed.empty())
      voxels.listed.resize(voxels.all), std::iota(voxels.listed.begin(), voxels.listed.end(), 0);
    fit_on_cuda(s, data, voxels.listed, on_device, result, progress, cancel);
  } else {
    run_tiles(s, y, n_voxels, voxels, options.delay,
              fitter == "fitter.linear" ? linear_fit(s, options.delay) : TileFit(lm), result, progress, cancel);
  }
  progress.end();
  return result;
}

Selection select_model(std::span<const std::string> model_ids, const Array& concentration,
                       std::span<const double> times, std::span<const Aif> inputs, std::span<const std::uint8_t> mask,
                       const FitOptions& options, const Progress& progress, const Cancel* cancel) {
  if (model_ids.empty()) throw Error(Errc::usage, "no model to select from", "name at least one");
  Selection out;
  for (const auto& id : model_ids) {
    const Model& model = models().get(id);
    FitOptions mine = options;  // a setting for a parameter that only some of the models have is not an error
    std::erase_if(mine.params, [&](const auto& set) {
      const bool here =
          std::any_of(model.params.begin(), model.params.end(), [&](const Param& p) { return p.name == set.first; });
      return !here && set.first != "delay";
    });
    out.fits.push_back(
        fit_model(model, concentration, times,
                  inputs.first(std::min<std::size_t>(inputs.size(), static_cast<std::size_t>(model.n_inputs))), mask,
                  mine, progress, cancel));
  }
  for (const auto& set : options.params) {
    const std::string& name = set.first;
    if (name != "delay" && std::none_of(model_ids.begin(), model_ids.end(), [&](const auto& id) {
          const auto& params = models().get(id).params;
          return std::any_of(params.begin(), params.end(), [&](const Param& p) { return p.name == name; });
        }))
      throw Error(Errc::unknown_name, "no model here has a parameter called '" + name + "'", "see larmor list models");
  }
  const std::size_t n = out.fits[0].status.size();
  out.best.assign(n, 255);
  for (std::size_t v = 0; v < n; ++v) {
    float least = std::numeric_limits<float>::infinity();
    for (std::size_t m = 0; m < out.fits.size(); ++m)
      if (usable(out.fits[m].status[v]) && out.fits[m].AICc[v] < least)
        least = out.fits[m].AICc[v], out.best[v] = static_cast<std::uint8_t>(m);
  }
  return out;
}

const Fitters& fitters() {
  static const Fitters all = [] {
    Fitters f("fitter", "larmor list fitters");
    f.add("fitter.lm",
          {"Bounded Levenberg-Marquardt",
           "Marquardt, J Soc Ind Appl Math 11:431 (1963); Golub & Pereyra, SIAM J Numer Anal 10:413 (1973) for the "
           "separable start",
           "Starts from the best of a grid over all rates whose amplitudes are solved in closed form; exact "
           "derivatives; standard errors from the Jacobian."},
          {"levenberg_marquardt"});
    f.add("fitter.linear",
          {"Linear least squares", "Murase, MRM 51:858 (2004); Flouri et al., MRM 76:998 (2016)",
           "Integrates the model's differential equation and solves for its coefficients; no bounds, no start, biased "
           "at high noise."},
          {"lls"});
    f.add("fitter.map",
          {"Maximum a posteriori",
           "Gelman et al., Bayesian Data Analysis (2013), ch. 4; Schmid et al., IEEE TMI 25:1627 (2006)",
           "Levenberg-Marquardt on the posterior: Gaussian noise of one level, a Gaussian or log-normal prior a "
           "parameter (by default log-normal about the model's start, sd of ln 1.5)."},
          {"bayes"});
    return f;
  }();
  return all;
}

}  // namespace larmor::dce
