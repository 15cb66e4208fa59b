// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/device_memory.hpp>
#include <larmor/core/error.hpp>
#include <larmor/core/isa.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/perfusion/dce/maps_cuda.hpp>
#include <larmor/perfusion/dce/vfa.hpp>
#include <limits>
#include <numbers>

extern "C" {
using VfaKernel = void(const larmor::dce::VfaRun&);
VfaKernel larmor_vfa_linear_baseline, larmor_vfa_nonlinear_baseline;
#if defined(__x86_64__)
VfaKernel larmor_vfa_linear_v3, larmor_vfa_nonlinear_v3, larmor_vfa_linear_v4, larmor_vfa_nonlinear_v4;
#endif
}

namespace larmor::dce {

void vfa_run(VfaFit fit, const VfaRun& run) {
  const bool linear = fit == VfaFit::linear;
#if defined(__x86_64__)
  if (isa() == Isa::v4) return linear ? larmor_vfa_linear_v4(run) : larmor_vfa_nonlinear_v4(run);
  if (isa() == Isa::v3) return linear ? larmor_vfa_linear_v3(run) : larmor_vfa_nonlinear_v3(run);
#endif
  return linear ? larmor_vfa_linear_baseline(run) : larmor_vfa_nonlinear_baseline(run);
}

T1Result empty_t1_result(std::size_t n) {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  return {.T1 = std::vector<float>(n, nan),
          .T1_se = std::vector<float>(n, nan),
          .M0 = std::vector<float>(n, nan),
          .M0_se = std::vector<float>(n, nan),
          .R2 = std::vector<float>(n, nan),
          .efficiency = {},
          .status = std::vector<fit::FitStatus>(n, fit::FitStatus::outside)};
}

void require_volumes(const VoxelRows& rows, std::span<const double> values, const std::string& what, int least) {
  if (values.size() != rows.n_frames())
    throw Error(Errc::shape,
                fmt::format("T1 mapping: {} values of {} for {} volumes", values.size(), what, rows.n_frames()),
                fmt::format("give one {} for each volume", what));
  if (rows.n_frames() < static_cast<std::size_t>(least))
    throw Error(Errc::shape, fmt::format("T1 mapping: {} volumes", rows.n_frames()),
                fmt::format("this method needs at least {}", least));
}

namespace {

struct Angles {
  std::vector<double> FA, TR;
};
Angles check_vfa(VfaFit fit, const VoxelRows& rows, const T1Protocol& p) {
  require_volumes(rows, p.FA, "flip angle", 2);
  if (p.FA.size() > static_cast<std::size_t>(vfa_max_volumes))
    throw Error(Errc::range, fmt::format("T1 mapping: {} flip angles", p.FA.size()),
                fmt::format("give at most {}", vfa_max_volumes));
  if (p.TR.size() != 1 && p.TR.size() != p.FA.size())
    throw Error(Errc::shape, fmt::format("T1 mapping: {} TRs for {} flip angles", p.TR.size(), p.FA.size()),
                "give one TR for all volumes, or one for each [s]");
  Angles a{p.FA, p.TR};
  a.TR.resize(a.FA.size(), p.TR[0]);
  for (std::size_t i = 0; i < a.FA.size(); ++i) {
    if (!(a.FA[i] > 0 && a.FA[i] < std::numbers::pi))
      throw Error(Errc::range,
                  fmt::format("T1 mapping: flip angle {} is {} rad ({:.4g} degrees)", i, a.FA[i],
                              a.FA[i] * 180 / std::numbers::pi),
                  "give angles above 0 and below 180 degrees");
    if (!(a.TR[i] > 0 && std::isfinite(a.TR[i])))
      throw Error(Errc::range, fmt::format("T1 mapping: TR of volume {} is {} s", i, a.TR[i]), "give a TR above 0 [s]");
  }
  const auto same = [](const std::vector<double>& v) {
    return std::all_of(v.begin(), v.end(), [&](double x) { return x == v[0]; });
  };
  if (fit == VfaFit::linear && !same(a.TR))
    throw Error(Errc::range, "T1 mapping: the linear method has one TR for all volumes, these differ",
                "use t1.vfa_nonlinear");
  if (same(a.FA) && same(a.TR))
    throw Error(Errc::range, fmt::format("T1 mapping: all {} volumes have the same flip angle", a.FA.size()),
                "give at least 2 different angles");
  return a;
}

}  // namespace

T1Result vfa_map(VfaFit fit, const Array& signal, const T1Protocol& protocol, std::span<const float> B1,
                 std::span<const std::uint8_t> mask, const Progress& progress, const Cancel* cancel) {
  const VoxelRows rows(signal, "VFA series");
  const Angles angles = check_vfa(fit, rows, protocol);
  rows.check_mask(mask);
  if (!B1.empty()) rows.check_count(B1.size(), "B1");
  T1Result out = empty_t1_result(rows.n_voxels());
  const std::size_t n_volumes = rows.n_frames();
  const double FA_most = *std::max_element(angles.FA.begin(), angles.FA.end());

  const Device device = signal.device().is_cpu() ? protocol.device : signal.device();
  const bool on_cpu = device.is_cpu();
  if (!on_cpu) require_cuda(device);
  const std::size_t all = (rows.n_voxels() + vfa_pack - 1) / vfa_pack * vfa_pack;
  const std::size_t block = on_cpu ? 1024 : std::min(all, cuda_piece(n_volumes));
  progress.begin("T1 map", rows.n_voxels());
  const auto map = [&](std::size_t begin, std::size_t end) {
    std::vector<float> series(n_volumes * block), b1(block), work(6 * block);
    std::vector<const float*> pointers(n_volumes);
    for (std::size_t b = begin; b < end; b += block) {
      const std::size_t n = std::min(block, end - b), padded = (n + vfa_pack - 1) / vfa_pack * vfa_pack;
      if (!mask.empty() && std::none_of(&mask[b], &mask[b] + n, [](auto m) { return m != 0; })) continue;
      for (std::size_t i = 0; i < n_volumes; ++i) {
        float* to = series.data() + i * block;
        pointers[i] = rows.get(i, b, n, to);
        if (padded != n) {
          std::copy(pointers[i], pointers[i] + n, to);
          std::fill(to + n, to + padded, 0.0f);
          pointers[i] = to;
        }
      }
      const auto bad_B1 = [&](std::size_t i) { return !(B1[b + i] > 0 && B1[b + i] * FA_most < std::numbers::pi); };
      if (!B1.empty())
        for (std::size_t i = 0; i < padded; ++i) b1[i] = i >= n || bad_B1(i) ? 1.0f : B1[b + i];
      // Whole packs go to their place at once.
      float* w = work.data();
      const bool in_place = padded == n;
      const auto place = [&](std::vector<float>& to, std::size_t row) {
        return in_place ? to.data() + b : w + row * block;
      };
      float* const status = w + 5 * block;
      const VfaRun run{.n = padded,
                       .n_volumes = static_cast<int>(n_volumes),
                       .signal = pointers.data(),
                       .FA = angles.FA.data(),
                       .TR = angles.TR.data(),
                       .B1 = B1.empty() ? nullptr : b1.data(),
                       .T1 = place(out.T1, 0),
                       .T1_se = place(out.T1_se, 1),
                       .M0 = place(out.M0, 2),
                       .M0_se = place(out.M0_se, 3),
                       .R2 = place(out.R2, 4),
                       .status = status};
      on_cpu ? vfa_run(fit, run) : vfa_run_on_cuda(device, fit, run);
      std::vector<float>* const maps[] = {&out.T1, &out.T1_se, &out.M0, &out.M0_se, &out.R2};
      for (std::size_t k = 0; k < std::size(maps) && !in_place; ++k) std::copy_n(w + k * block, n, maps[k]->data() + b);
      auto* const to = out.status.data() + b;
      for (std::size_t i = 0; i < n; ++i) to[i] = static_cast<fit::FitStatus>(static_cast<int>(status[i]));
      if (mask.empty() && B1.empty()) continue;
      for (std::size_t i = 0; i < n; ++i) {
        const bool outside = !mask.empty() && !mask[b + i];
        if (!outside && (B1.empty() || !bad_B1(i))) continue;
        for (auto* map : maps) (*map)[b + i] = std::numeric_limits<float>::quiet_NaN();
        to[i] = outside ? fit::FitStatus::outside : fit::FitStatus::bad_data;
      }
    }
    progress.add(end - begin);
  };
  if (on_cpu) {
    parallel_for(rows.n_voxels(), block, map, cancel);
  } else {
    for (std::size_t b = 0; b < rows.n_voxels(); b += block) {
      if (cancel) cancel->check();
      map(b, std::min(b + block, rows.n_voxels()));
    }
  }
  progress.end();
  return out;
}

}  // namespace larmor::dce
