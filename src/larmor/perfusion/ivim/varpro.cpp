// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/device_memory.hpp>
#include <larmor/core/error.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/perfusion/ivim/kernels/varpro_kernel.hpp>
#include <larmor/perfusion/ivim/model.hpp>
#include <larmor/perfusion/ivim/varpro.hpp>
#include <limits>

namespace larmor::ivim {
namespace {

std::vector<std::size_t> voxels_of(const Array& data, std::span<const double> b, std::span<const std::uint8_t> mask,
                                   const VarproOptions& o) {
  const std::size_t n_samples = b.size();
  if (data.rank() < 1 || data.extent(data.rank() - 1) != static_cast<std::int64_t>(n_samples))
    throw Error(Errc::shape,
                fmt::format("{} b-values for data of {} (b is the last axis)", n_samples, to_string(data.shape())));
  check_b_values(b);
  check_samples(b, 1, 4, models().get("ivim.biexponential").title);
  if (!o.weights.empty() && o.weights.size() != n_samples)
    throw Error(Errc::shape, fmt::format("{} weights for {} b-values", o.weights.size(), n_samples));
  for (const double w : o.weights)
    if (!(w > 0) || !std::isfinite(w))
      throw Error(Errc::range, fmt::format("a weight of {}", w), "give weights above 0");
  const auto n_voxels = static_cast<std::size_t>(data.size()) / n_samples;
  if (!mask.empty() && mask.size() != n_voxels)
    throw Error(Errc::shape, fmt::format("a mask of {} voxels for data of {}", mask.size(), n_voxels));
  std::vector<std::size_t> voxels;
  for (std::size_t v = 0; v < n_voxels; ++v)
    if (mask.empty() || mask[v]) voxels.push_back(v);
  if (voxels.empty())
    throw Error(Errc::range, "the mask selects no voxel", "give a mask with at least one voxel that is not 0");
  return voxels;
}

auto launch_on([[maybe_unused]] Device device) {
#if defined(LARMOR_HAS_CUDA)
  if (!device.is_cpu()) return varpro_launch;
#endif
  return varpro_emulated;
}

}  // namespace

fit::CurveFit varpro_fit(const Array& data, std::span<const double> b, std::span<const std::uint8_t> mask,
                         const VarproOptions& options, const Progress& progress, const Cancel* cancel) {
  const auto voxels = voxels_of(data, b, mask, options);
  const std::size_t K = b.size(), n_voxels = static_cast<std::size_t>(data.size()) / K;
  fit::CurveFit out;
  out.params = models().get("ivim.biexponential").params;
  std::vector<double> starts;
  apply_settings(options.params, "variable projection", out.params, starts);
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  out.values.assign(4, std::vector<float>(n_voxels, nan)), out.standard_error = out.values;
  out.status.assign(n_voxels, fit::FitStatus::outside);
  out.residual_sd.assign(n_voxels, nan), out.R2 = out.AICc = out.residual_sd;
  out.iterations.assign(n_voxels, 0);

  VarproRun common{};
  const std::vector<double> weights = options.weights.empty() ? std::vector<double>(K, 1.0) : options.weights;
  common.stride = varpro_stride, common.n_samples = static_cast<int>(K);
  common.b = b.data(), common.weight = weights.data();
  common.max_iterations = options.max_iterations, common.tolerance = options.tolerance;
  for (std::size_t m = 0; m < 4; ++m) common.lower[m] = out.params[m].lower, common.upper[m] = out.params[m].upper;
  std::vector<double> slow, fast;
  const auto fill = [&](double low, double high, double* values, int n, std::vector<double>& exponentials) {
    for (int i = 0; i < n; ++i) {
      values[i] = low * std::pow(high / low, (i + 0.5) / n);
      for (std::size_t k = 0; k < K; ++k) exponentials.push_back(std::exp(-b[k] * values[i]));
    }
  };
  fill(std::max(common.lower[2], 1e-4), common.upper[2], common.D_start, varpro_D_starts, slow);
  fill(std::max(common.lower[3], 1e-4), common.upper[3], common.star_start, varpro_star_starts, fast);
  common.slow = slow.data(), common.fast = fast.data();

  const Device device = data.device();
  if (!device.is_cpu()) require_cuda(device);
  const Array packed = data.to(Device::cpu()).cast(DType::f32).contiguous_copy();
  const float* from = packed.data<float>();
  double total_weight = 0;
  for (const double w : weights) total_weight += w;
  constexpr std::size_t n_fields = 11;
  const auto fields_at = [](VarproRun& r, double* base, std::size_t stride) {
    for (std::size_t m = 0; m < 4; ++m) r.value[m] = base + m * stride, r.error[m] = base + (4 + m) * stride;
    r.sse = base + 8 * stride, r.status = base + 9 * stride, r.iterations = base + 10 * stride;
  };
  // Results of voxels `first` to `first` + n of those to do, whose signals are y, rows `stride` apart.
  const auto keep = [&](const VarproRun& r, const double* y, std::size_t stride, std::size_t first, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t v = voxels[first + i];
      const double variance = K > 4 ? r.sse[i] / static_cast<double>(K - 4) : std::nan("");
      double mean = 0, sst = 0;
      for (std::size_t k = 0; k < K; ++k) mean += weights[k] * y[k * stride + i] / total_weight;
      for (std::size_t k = 0; k < K; ++k) sst += weights[k] * std::pow(y[k * stride + i] - mean, 2);
      for (std::size_t m = 0; m < 4; ++m) {
        out.values[m][v] = static_cast<float>(r.value[m][i]);
        out.standard_error[m][v] = static_cast<float>(r.error[m][i] * std::sqrt(variance));
      }
      out.residual_sd[v] = static_cast<float>(std::sqrt(variance));
      out.R2[v] = static_cast<float>(1 - r.sse[i] / sst);
      out.status[v] = static_cast<fit::FitStatus>(r.status[i]);
      out.iterations[v] = static_cast<std::uint8_t>(r.iterations[i]);
    }
  };
  progress.begin("IVIM by variable projection", voxels.size());
  if (options.scalar || !device.is_cpu()) {
    const auto launch = launch_on(device);
    DeviceMemory fixed(device);
    common.b = fixed.copy(b.data(), K), common.weight = fixed.copy(weights.data(), K);
    common.slow = fixed.copy(slow.data(), slow.size()), common.fast = fixed.copy(fast.data(), fast.size());
    const std::size_t piece = device.is_cpu() ? 1000 : 1u << 19;  // tests see more than one
    for (std::size_t first = 0; first < voxels.size(); first += piece) {
      if (cancel) cancel->check();
      const std::size_t n = std::min(piece, voxels.size() - first);
      std::vector<double> y(K * n), results(n_fields * n);
      for (std::size_t k = 0; k < K; ++k)
        for (std::size_t i = 0; i < n; ++i) y[k * n + i] = double{from[k * n_voxels + voxels[first + i]]};
      DeviceMemory memory(device);
      VarproRun r = common;
      r.n = r.stride = static_cast<std::int64_t>(n), r.y = memory.copy(y.data(), y.size());
      double* there = memory.room<double>(results.size());
      fields_at(r, there, n);
      launch(r, device.index);
      memory.back(results.data(), static_cast<const double*>(there), results.size());
      fields_at(r, results.data(), n);
      keep(r, y.data(), n, first, n);
      progress.add(n);
    }
    progress.end();
    return out;
  }
  const auto kernel = varpro_kernel();
  const std::size_t n_tiles = (voxels.size() + varpro_tile - 1) / varpro_tile;
  parallel_for(
      n_tiles, std::clamp<std::size_t>(n_tiles / (8 * static_cast<std::size_t>(thread_count())), 1, 16),
      [&](std::size_t begin, std::size_t end) {
        std::vector<double> y(K * varpro_stride), results(n_fields * varpro_stride);
        VarproRun r = common;
        r.y = y.data();
        fields_at(r, results.data(), varpro_stride);
        for (std::size_t tile = begin; tile < end; ++tile) {
          if (cancel) cancel->check();
          const std::size_t first = tile * varpro_tile, n = std::min<std::size_t>(varpro_tile, voxels.size() - first);
          const std::size_t padded = (n + 7) / 8 * 8;
          for (std::size_t k = 0; k < K; ++k)
            for (std::size_t i = 0; i < padded; ++i)
              y[k * varpro_stride + i] = double{from[k * n_voxels + voxels[first + std::min(i, n - 1)]]};
          r.n = static_cast<std::int64_t>(padded);
          kernel(r);
          keep(r, y.data(), varpro_stride, first, n);
          progress.add(n);
        }
      },
      cancel);
  progress.end();
  return out;
}

}  // namespace larmor::ivim
