// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <larmor/core/device_memory.hpp>
#include <larmor/perfusion/dsc/curve_table.hpp>
#include <larmor/perfusion/dsc/kernels/deconvolution_kernel.hpp>
#include <larmor/perfusion/dsc/residue_fit.hpp>
#include <larmor/perfusion/dsc/voxel_tiles.hpp>

namespace larmor::dsc {
namespace {

constexpr float* ResidueRun::*results[] = {&ResidueRun::area,   &ResidueRun::moment,      &ResidueRun::peak_at,
                                           &ResidueRun::flow,   &ResidueRun::MTT,         &ResidueRun::delay,
                                           &ResidueRun::shape,  &ResidueRun::flow_se,     &ResidueRun::MTT_se,
                                           &ResidueRun::CBV_se, &ResidueRun::residual_sd, &ResidueRun::status};
constexpr std::size_t n_results = std::size(results);

/// Everything that does not depend on the voxel.
struct Job {
  std::span<const std::int64_t> voxels;
  std::span<const double> times;
  double arrival, aif_moment;
  ResidueRun run;
};

/// What the kernel found in voxel i of a run, as quantities of voxel v.
void finish(const Job& job, const ResidueRun& r, std::size_t i, std::size_t v, Deconvolved& out) {
  out.status[v] = static_cast<fit::FitStatus>(static_cast<int>(r.status[i]));
  if (!fit::usable(out.status[v])) return;
  out.CBF[v] = r.flow[i], out.MTT[v] = r.MTT[i], out.CBV[v] = r.flow[i] * r.MTT[i];
  out.delay[v] = out.Tmax[v] = r.delay[i];
  out.first_moment[v] = static_cast<float>(static_cast<double>(r.moment[i] / r.area[i]) - job.aif_moment);
  out.TTP[v] = static_cast<float>(job.times[static_cast<std::size_t>(r.peak_at[i])] - job.arrival);
  out.residual_sd[v] = r.residual_sd[i];
  if (r.table.n_params > 3) out.regularisation[v] = r.shape[i];
  if (out.status[v] == fit::FitStatus::at_bound) return;
  out.CBF_se[v] = r.flow_se[i], out.MTT_se[v] = r.MTT_se[i], out.CBV_se[v] = r.CBV_se[i];
}

void take(const Job& job, const VoxelTile& tile, const ResidueRun& r, std::span<const std::int64_t> mine,
          Deconvolved& out) {
  for (std::size_t i = 0; i < mine.size(); ++i) {
    const auto v = static_cast<std::size_t>(mine[i]);
    out.status[v] = tile.screened(i);
    if (fit::usable(out.status[v])) finish(job, r, i, v, out);
  }
}

void run_tiles(const Job& job, const dce::VoxelRows& rows, bool scalar, Deconvolved& out, const Progress& progress,
               const Cancel* cancel) {
  constexpr std::size_t stride = deconvolution_stride;
  const auto kernel = scalar ? residue_kernel_scalar() : residue_kernel();
  for_tiles(
      job.voxels,
      [&](std::size_t begin, std::size_t end) {
        VoxelTile tile(rows.n_frames(), stride);
        std::vector<float> found(n_results * stride);
        ResidueRun r = job.run;
        r.stride = stride;
        for (std::size_t k = 0; k < n_results; ++k) r.*results[k] = found.data() + k * stride;
        for (std::size_t k = begin; k < end; ++k) {
          if (cancel) cancel->check();
          const auto mine = tile_of(job.voxels, k);
          tile.read(rows, mine);
          r.y = tile.curves().data(), r.n = static_cast<int>(mine.size());
          kernel(r);
          take(job, tile, r, mine, out);
          progress.add(mine.size());
        }
      },
      cancel);
}

void run_on_cuda([[maybe_unused]] const Job& job, [[maybe_unused]] const CurveTable& table,
                 [[maybe_unused]] const dce::VoxelRows& rows, Device device, [[maybe_unused]] Deconvolved& out,
                 [[maybe_unused]] const Progress& progress, [[maybe_unused]] const Cancel* cancel) {
  require_cuda(device);
#if defined(LARMOR_HAS_CUDA)
  DeviceMemory fixed(device);
  const auto put = [&](const auto& v) { return fixed.copy(v.data(), std::max<std::size_t>(v.size(), 1)); };
  ResidueRun r = job.run;
  const auto n_data = static_cast<std::size_t>(r.n_data);
  r.table.curves = put(table.curves()), r.table.inverse = put(table.inverse()), r.table.norm2 = put(table.norm2());
  r.table.ones = put(table.ones()), r.table.shapes = put(table.shapes());
  r.table.coarse.curves = put(table.coarse_curves()), r.table.coarse.norm = put(table.coarse_norms());
  r.table.coarse_node = put(table.coarse_nodes());
  r.basis = put(table.basis());
  r.area_weight = fixed.copy(job.run.area_weight, n_data), r.moment_weight = fixed.copy(job.run.moment_weight, n_data);
  constexpr std::size_t piece = 1u << 18;
  for (std::size_t begin = 0; begin < job.voxels.size(); begin += piece) {
    if (cancel) cancel->check();
    const auto mine = job.voxels.subspan(begin, std::min(piece, job.voxels.size() - begin));
    const std::size_t n = mine.size();
    VoxelTile tile(n_data, n);
    tile.read(rows, mine);
    DeviceMemory d(device);
    r.n = static_cast<int>(n), r.stride = static_cast<std::int64_t>(n);
    r.y = d.copy(tile.curves().data(), tile.curves().size());
    for (const auto result : results) r.*result = d.room<float>(n);
    residue_launch(r, device.index);
    std::vector<float> found(n_results * n);
    ResidueRun here = r;
    for (std::size_t k = 0; k < n_results; ++k) {
      here.*results[k] = found.data() + k * n;
      d.back(here.*results[k], r.*results[k], n);
    }
    take(job, tile, here, mine, out);
    progress.add(n);
  }
#endif
}

}  // namespace

void fit_residues(const ResidueModel& model, const dce::VoxelRows& rows, std::span<const std::int64_t> voxels,
                  std::span<const double> times, std::span<const double> aif, double step, double arrival,
                  const CurveArea& area, const DeconvolutionOptions& o, Device device, Deconvolved& out,
                  const Progress& progress, const Cancel* cancel) {
  const double latest = std::min(o.latest, 0.4 * (times.back() - times.front()));
  const CurveTable table(model, aif, step, o.earliest, latest);
  const auto weight = area.weights(), moment_weight = area.moment_weights();
  Job job{voxels, times, arrival, area.aif_moment, {}};
  ResidueRun& r = job.run;
  r.table = table.view(), r.basis = table.basis().data();
  r.n_data = static_cast<int>(times.size());
  r.area_weight = weight.data(), r.moment_weight = moment_weight.data();
  r.offset_variance = o.baseline_frames > 0 ? 1.0 / o.baseline_frames : 0.0;
  if (device.is_cpu())
    run_tiles(job, rows, o.scalar, out, progress, cancel);
  else
    run_on_cuda(job, table, rows, device, out, progress, cancel);
}

}  // namespace larmor::dsc
