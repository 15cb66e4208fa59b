// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <larmor/core/device_memory.hpp>
#include <larmor/perfusion/dce/cuda_check.hpp>
#include <larmor/perfusion/dce/fit_cuda.hpp>
#include <vector>

namespace larmor::dce {
namespace {

TimeGrid grid_on(DeviceMemory& d, const TimeGrid& g, bool lagged) {
  TimeGrid out = g;
  const auto nodes = static_cast<std::size_t>(g.n_nodes), steps = nodes - 1;
  out.out_node = d.copy(g.out_node, static_cast<std::size_t>(g.n_out));
  out.dt = d.copy(g.dt, steps), out.inverse_dt = d.copy(g.inverse_dt, steps), out.kind = d.copy(g.kind, steps);
  out.longest_ahead = d.copy(g.longest_ahead, (steps + steps_ahead - 1) / steps_ahead);
  out.kind_dt = d.copy(g.kind_dt, static_cast<std::size_t>(g.n_kinds));
  out.node_time = d.copy(g.node_time, nodes);
  for (int k = 0; k < max_inputs; ++k) {
    out.input[k] = d.copy(g.input[k], nodes), out.integral[k] = d.copy(g.integral[k], nodes);
    out.fall[k] = d.copy(g.fall[k], steps), out.held[k] = d.copy(g.held[k], steps);
    if (!lagged) continue;
    out.table[k] = d.copy(g.table[k], table_row * (static_cast<std::size_t>(g.n_cells) + 1));
  }
  return out;
}

Dictionary dictionary_on(DeviceMemory& d, const Dictionary& h, int n_out) {
  Dictionary out = h;
  const auto n = static_cast<std::size_t>(h.n_candidates);
  const auto blocks = static_cast<std::size_t>((h.n_curves + 7) / 8);
  out.curves = d.copy(h.curves, blocks * 8 * static_cast<std::size_t>(n_out));
  out.first = d.copy(h.first, n), out.second = d.copy(h.second, n);
  out.cosine = d.copy(h.cosine, n), out.inverse_sine = d.copy(h.inverse_sine, n);
  out.first_norm = d.copy(h.first_norm, n), out.second_norm = d.copy(h.second_norm, n);
  out.rate1 = d.copy(h.rate1, n), out.rate2 = d.copy(h.rate2, n);
  out.lag = d.copy(h.lag, n), out.delay = d.copy(h.delay, n);
  return out;
}

}  // namespace

void fit_on_cuda(const FitSetup& s, const Array& data, std::span<const std::int64_t> voxels, const FitOptions& options,
                 FitResult& out, const Progress& progress, const Cancel* cancel) {
  require_cuda(options.device);
  const std::size_t n_frames = s.frames.size(), np = s.params.size(), nd = s.model->derived.size();
  const std::int64_t n_voxels = data.size() / data.extent(data.rank() - 1);
  DeviceMemory fixed(options.device);
  CudaJob job{};
  job.grid = grid_on(fixed, s.grid->view(), s.kernels->lagged || s.with_delay);
  job.dictionary = dictionary_on(fixed, s.dictionary->view(), static_cast<int>(n_frames));
  job.options = s.options, job.with_delay = s.with_delay;
  job.tile.start = fixed.copy(s.start.data(), np), job.tile.fixed_delay = options.delay;

  // Pieces whose projections on the dictionary stay below 512 MB.
  const std::size_t curves = (static_cast<std::size_t>(s.dictionary->view().n_curves) + 8);
  const std::size_t piece = std::clamp<std::size_t>((512u << 20) / (4 * curves), 4096, 1u << 20);
  const float* from = data.data<float>();
  for (std::size_t begin = 0; begin < voxels.size(); begin += piece) {
    if (cancel) cancel->check();
    const auto mine = voxels.subspan(begin, std::min(piece, voxels.size() - begin));
    const std::size_t n = mine.size();
    std::vector<float> y(n_frames * n);
    for (std::size_t f = 0; f < n_frames; ++f)
      for (std::size_t v = 0; v < n; ++v) y[f * n + v] = from[s.frames[f] * n_voxels + mine[v]];
    DeviceMemory d(options.device);
    Tile& t = job.tile;
    t.y = d.copy(y.data(), y.size());
    t.y_stride = static_cast<std::int64_t>(n);
    t.stride = static_cast<int>(n), t.n = static_cast<int>(n);
    t.values = d.room<float>(np * n), t.errors = d.room<float>(np * n), t.derived = d.room<float>(nd * n);
    t.residual_sd = d.room<float>(n), t.R2 = d.room<float>(n), t.AICc = d.room<float>(n);
    t.status = d.room<std::uint8_t>(n), t.iterations = d.room<std::uint8_t>(n);
    t.scratch = d.room<float>(curves * n);
#ifdef LARMOR_HAS_CUDA
    use_cuda_device(options.device.index);
#endif
    s.kernels->fit_cuda(job);

    std::vector<float> values(np * n), errors(np * n), derived(nd * n), sd(n), R2(n), AICc(n);
    std::vector<std::uint8_t> status(n), iterations(n);
    d.back(values.data(), t.values, np * n), d.back(errors.data(), t.errors, np * n);
    d.back(derived.data(), t.derived, nd * n);
    d.back(sd.data(), t.residual_sd, n), d.back(R2.data(), t.R2, n), d.back(AICc.data(), t.AICc, n);
    d.back(status.data(), t.status, n), d.back(iterations.data(), t.iterations, n);
    for (std::size_t v = 0; v < n; ++v) {
      const auto at = static_cast<std::size_t>(mine[v]);
      out.status[at] = static_cast<fit::FitStatus>(status[v]), out.iterations[at] = iterations[v];
      for (std::size_t i = 0; i < np; ++i)
        out.values[i][at] = values[i * n + v], out.standard_error[i][at] = errors[i * n + v];
      for (std::size_t i = 0; i < nd; ++i) out.derived_error[i][at] = derived[i * n + v];
      out.residual_sd[at] = sd[v], out.R2[at] = R2[v], out.AICc[at] = AICc[v];
    }
    progress.add(n);
  }
}

}  // namespace larmor::dce
