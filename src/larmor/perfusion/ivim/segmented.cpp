// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/device_memory.hpp>
#include <larmor/core/error.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/perfusion/ivim/kernels/segmented_kernel.hpp>
#include <larmor/perfusion/ivim/model.hpp>
#include <larmor/perfusion/ivim/segmented.hpp>
#include <limits>
#include <set>

namespace larmor::ivim {
namespace {

std::vector<std::uint8_t> parts_of(std::span<const double> b, double threshold) {
  check_b_values(b);
  std::vector<std::uint8_t> parts;
  std::set<double> high, low;
  bool zero = false;
  for (const double v : b) {
    parts.push_back(v == 0 ? 1 : v >= threshold ? 2 : 0);
    if (v == 0) zero = true;
    if (v >= threshold) high.insert(v);
    if (v > 0 && v < threshold) low.insert(v);
  }
  if (!zero) throw Error(Errc::range, "the segmented fit needs samples at b = 0", "use the full fit");
  if (high.size() < 2 || low.empty())
    throw Error(Errc::range,
                fmt::format("{} different b-values from the threshold of {:g} s/mm2 on and {} between 0 and it",
                            high.size(), threshold, low.size()),
                "move the threshold so that there are 2 or more above and 1 or more below");
  return parts;
}

auto launch_on([[maybe_unused]] Device device) {
#if defined(LARMOR_HAS_CUDA)
  if (!device.is_cpu()) return segmented_launch;
#endif
  return segmented_emulated;
}

}  // namespace

fit::CurveFit segmented_fit(const Array& data, std::span<const double> b, std::span<const std::uint8_t> mask,
                            const SegmentedOptions& options, const Progress& progress, const Cancel* cancel) {
  const std::size_t n_samples = b.size();
  if (data.rank() < 1 || data.extent(data.rank() - 1) != static_cast<std::int64_t>(n_samples))
    throw Error(Errc::shape,
                fmt::format("{} b-values for data of {} (b is the last axis)", n_samples, to_string(data.shape())));
  const auto parts = parts_of(b, options.b_threshold);
  if (n_samples > segmented_max_samples)
    throw Error(Errc::range, fmt::format("{} samples", n_samples),
                fmt::format("average repeats: at most {}", segmented_max_samples));
  const auto n_voxels = static_cast<std::size_t>(data.size()) / n_samples;
  if (!mask.empty() && mask.size() != n_voxels)
    throw Error(Errc::shape, fmt::format("a mask of {} voxels for data of {}", mask.size(), n_voxels));
  std::vector<std::size_t> voxels;
  for (std::size_t v = 0; v < n_voxels; ++v)
    if (mask.empty() || mask[v]) voxels.push_back(v);
  if (voxels.empty())
    throw Error(Errc::range, "the mask selects no voxel", "give a mask with at least one voxel that is not 0");

  fit::CurveFit out;
  out.params = models().get("ivim.biexponential").params;
  std::vector<double> starts;
  apply_settings(options.params, "the segmented fit", out.params, starts);
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  out.values.assign(4, std::vector<float>(n_voxels, nan)), out.standard_error = out.values;
  out.status.assign(n_voxels, fit::FitStatus::outside);
  out.residual_sd.assign(n_voxels, nan), out.R2 = out.AICc = out.residual_sd;
  out.iterations.assign(n_voxels, 0);

  SegmentedRun common{};
  std::vector<float> b_values(b.begin(), b.end());
  common.stride = segmented_stride, common.n_samples = static_cast<int>(n_samples);
  common.b = b_values.data(), common.part = parts.data();
  common.n_zero = static_cast<int>(std::count(parts.begin(), parts.end(), 1));
  for (std::size_t m = 0; m < 4; ++m)
    common.lower[m] = static_cast<float>(out.params[m].lower),
    common.upper[m] = static_cast<float>(out.params[m].upper);
  const double low = std::max(out.params[3].lower, 1e-4), high = out.params[3].upper;
  for (int c = 0; c < segmented_starts; ++c)
    common.starts[c] = static_cast<float>(low * std::pow(high / low, (c + 0.5) / segmented_starts));

  std::vector<float> fast;
  for (int c = 0; c < segmented_starts; ++c) {
    double squares = 0;
    for (const double x : b) {
      const double e = std::exp(-x * static_cast<double>(common.starts[c]));
      fast.push_back(e > 1e-26 ? static_cast<float>(e) : 0.0F), squares += e * e;
    }
    common.fast_fast[c] = static_cast<float>(squares);
  }
  common.fast = fast.data();

  const Device device = data.device();
  if (!device.is_cpu()) require_cuda(device);
  const Array packed = data.to(Device::cpu()).cast(DType::f32).contiguous_copy();
  const float* from = packed.data<float>();
  // Columns `first` to `first` + n of the voxels to do, rows `stride` apart.
  const auto gather = [&](std::size_t first, std::size_t n, float* to, std::size_t stride) {
    const bool run = voxels[first + n - 1] - voxels[first] == n - 1;  // consecutive voxels are copied whole
    for (std::size_t k = 0; k < n_samples; ++k, to += stride) {
      if (run)
        std::copy_n(from + k * n_voxels + voxels[first], n, to);
      else
        for (std::size_t i = 0; i < n; ++i) to[i] = from[k * n_voxels + voxels[first + i]];
      std::fill(to + n, to + stride, 0.0f);
    }
  };
  constexpr std::size_t n_fields = 10;
  const auto fields_at = [](SegmentedRun& r, float* base, std::size_t stride) {
    for (std::size_t m = 0; m < 4; ++m) r.value[m] = base + m * stride, r.error[m] = base + (4 + m) * stride;
    r.residual_sd = base + 8 * stride, r.status = base + 9 * stride;
  };
  const auto keep = [&](const SegmentedRun& r, std::size_t first, std::size_t n) {
    const bool run = voxels[first + n - 1] - voxels[first] == n - 1;
    const auto put = [&](const float* from_run, std::vector<float>& to) {
      if (run)
        std::copy_n(from_run, n, to.data() + voxels[first]);
      else
        for (std::size_t i = 0; i < n; ++i) to[voxels[first + i]] = from_run[i];
    };
    for (std::size_t m = 0; m < 4; ++m) put(r.value[m], out.values[m]), put(r.error[m], out.standard_error[m]);
    put(r.residual_sd, out.residual_sd);
    for (std::size_t i = 0; i < n; ++i) out.status[voxels[first + i]] = static_cast<fit::FitStatus>(r.status[i]);
  };
  progress.begin("segmented IVIM fit", voxels.size());
  if (options.scalar || !device.is_cpu()) {
    const auto launch = launch_on(device);
    DeviceMemory fixed(device);
    common.b = fixed.copy(b_values.data(), b_values.size()), common.part = fixed.copy(parts.data(), parts.size());
    common.fast = fixed.copy(fast.data(), fast.size());
    const std::size_t piece = device.is_cpu() ? 1000 : 1u << 20;  // tests see more than one
    for (std::size_t first = 0; first < voxels.size(); first += piece) {
      if (cancel) cancel->check();
      const std::size_t n = std::min(piece, voxels.size() - first);
      std::vector<float> y(n_samples * n), results(n_fields * n);
      gather(first, n, y.data(), n);
      DeviceMemory memory(device);
      SegmentedRun r = common;
      r.n = r.stride = static_cast<std::int64_t>(n), r.y = memory.copy(y.data(), y.size());
      float* there = memory.room<float>(results.size());
      fields_at(r, there, n);
      launch(r, device.index);
      memory.back(results.data(), static_cast<const float*>(there), results.size());
      fields_at(r, results.data(), n);
      keep(r, first, n);
      progress.add(n);
    }
    progress.end();
    return out;
  }
  const auto kernel = segmented_kernel();
  const std::size_t n_tiles = (voxels.size() + segmented_tile - 1) / segmented_tile;
  parallel_for(
      n_tiles, std::clamp<std::size_t>(n_tiles / (8 * static_cast<std::size_t>(thread_count())), 1, 32),
      [&](std::size_t begin, std::size_t end) {
        std::vector<float> y(n_samples * segmented_stride), results(n_fields * segmented_stride);
        SegmentedRun r = common;
        r.y = y.data();
        fields_at(r, results.data(), segmented_stride);
        for (std::size_t tile = begin; tile < end; ++tile) {
          if (cancel) cancel->check();
          const std::size_t first = tile * segmented_tile,
                            n = std::min<std::size_t>(segmented_tile, voxels.size() - first);
          gather(first, n, y.data(), segmented_stride);
          r.n = static_cast<std::int64_t>((n + 31) / 32 * 32);
          kernel(r);
          keep(r, first, n);
          progress.add(n);
        }
      },
      cancel);
  progress.end();
  return out;
}

}  // namespace larmor::ivim
