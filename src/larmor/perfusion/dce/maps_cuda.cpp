// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/device_memory.hpp>
#include <larmor/perfusion/dce/maps_cuda.hpp>

namespace larmor::dce {

void vfa_run_on_cuda(Device device, [[maybe_unused]] VfaFit fit, [[maybe_unused]] const VfaRun& run) {
  require_cuda(device);
#if defined(LARMOR_HAS_CUDA)
  DeviceMemory d(device);
  const auto volumes = static_cast<std::size_t>(run.n_volumes);
  std::vector<const float*> signal;
  for (std::size_t i = 0; i < volumes; ++i) signal.push_back(d.copy(run.signal[i], run.n));
  VfaRun there = run;
  there.signal = d.copy(signal.data(), volumes);
  there.FA = d.copy(run.FA, volumes), there.TR = d.copy(run.TR, volumes);
  if (run.B1) there.B1 = d.copy(run.B1, run.n);
  constexpr float* VfaRun::*results[] = {&VfaRun::T1,    &VfaRun::T1_se, &VfaRun::M0,
                                         &VfaRun::M0_se, &VfaRun::R2,    &VfaRun::status};
  for (const auto r : results) there.*r = d.room<float>(run.n);
  vfa_launch(fit, there, device.index);
  for (const auto r : results) d.back(run.*r, there.*r, run.n);
#endif
}

void spgr_on_cuda(Device device, [[maybe_unused]] const VoxelRows& rows, [[maybe_unused]] std::size_t first,
                  [[maybe_unused]] const SpgrRun& run) {
  require_cuda(device);
#if defined(LARMOR_HAS_CUDA)
  DeviceMemory d(device);
  const std::size_t n = run.n;
  float *signal = d.room<float>(n * run.n_frames), *poison = d.room<float>(n);
  std::vector<float> buffer(n);
  for (std::size_t t = 0; t < run.n_frames; ++t) d.to_device(signal + t * n, rows.get(t, first, n, buffer.data()), n);
  d.to_device(poison, run.poison, n);
  SpgrRun there = run;
  there.signal = signal, there.out = d.room<float>(n * run.n_frames), there.poison = poison;
  there.scale = d.copy(run.scale, n), there.cos_FA = d.copy(run.cos_FA, n), there.offset = d.copy(run.offset, n);
  spgr_launch(there, device.index);
  for (std::size_t t = 0; t < run.n_frames; ++t) d.back(run.out + t * rows.n_voxels(), there.out + t * n, n);
  d.back(run.poison, poison, n);
#endif
}

}  // namespace larmor::dce
