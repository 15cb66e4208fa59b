// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <larmor/core/device_memory.hpp>
#include <larmor/fit/curve_cuda.hpp>

namespace larmor::fit {

void fit_curves_on_cuda(const CurveJob& job, const CurveModelKernels& kernels, std::span<const std::int64_t> voxels,
                        Device device, CurveFit& out, const Progress& progress, const Cancel* cancel) {
  require_cuda(device);
  if (!kernels.fit_cuda) throw Error(Errc::device, "this program was built without CUDA kernels", "use device cpu");
  const std::size_t np = out.params.size();
  DeviceMemory fixed(device);
  Candidates candidates = job.table->view();
  const auto &first = job.table->first(), &second = job.table->second();
  const auto put = [&](const auto& v) { return v.empty() ? nullptr : fixed.copy(v.data(), v.size()); };
  candidates.curves = put(first.curves), candidates.norm = put(first.norms), candidates.params = put(first.params);
  candidates.second_curves = put(second.curves), candidates.second_norm = put(second.norms);
  candidates.second_params = put(second.params), candidates.overlap = put(job.table->overlap());
  CurveTile t{};
  t.n_samples = static_cast<int>(job.n_samples);
  t.design = fixed.copy(job.design.data(), job.design.size());
  t.root_weight = job.root_weights.empty() ? nullptr : fixed.copy(job.root_weights.data(), job.root_weights.size());

  constexpr std::size_t piece = 1u << 20;
  for (std::size_t begin = 0; begin < voxels.size(); begin += piece) {
    if (cancel) cancel->check();
    const auto mine = voxels.subspan(begin, std::min(piece, voxels.size() - begin));
    const std::size_t n = mine.size();
    DeviceMemory d(device);
    const auto gathered = [&](const float* from) {
      std::vector<float> run(n);
      for (std::size_t v = 0; v < n; ++v) run[v] = from[mine[v]];
      return run;
    };
    float* y = d.room<float>(job.n_samples * n);
    for (std::size_t k = 0; k < job.n_samples; ++k)
      d.to_device(y + k * n, gathered(job.data + static_cast<std::int64_t>(k) * job.n_voxels).data(), n);
    t.y = y;
    for (std::size_t c = 0; c < job.covariates.size(); ++c)
      t.covariate[c] = d.copy(gathered(job.covariates[c].data()).data(), n);
    t.stride = t.n = static_cast<int>(n);
    t.values = d.room<float>(np * n), t.errors = d.room<float>(np * n);
    t.residual_sd = d.room<float>(n), t.R2 = d.room<float>(n), t.AICc = d.room<float>(n);
    t.status = d.room<std::uint8_t>(n), t.iterations = d.room<std::uint8_t>(n);
    kernels.fit_cuda(t, job.options, candidates, device.index);

    std::vector<float> values(np * n), errors(np * n), sd(n), R2(n), AICc(n);
    std::vector<std::uint8_t> status(n), iterations(n);
    d.back(values.data(), t.values, np * n), d.back(errors.data(), t.errors, np * n);
    d.back(sd.data(), t.residual_sd, n), d.back(R2.data(), t.R2, n), d.back(AICc.data(), t.AICc, n);
    d.back(status.data(), t.status, n), d.back(iterations.data(), t.iterations, n);
    for (std::size_t v = 0; v < n; ++v) {
      const auto at = static_cast<std::size_t>(mine[v]);
      out.status[at] = static_cast<FitStatus>(status[v]), out.iterations[at] = iterations[v];
      for (std::size_t i = 0; i < np; ++i)
        out.values[i][at] = values[i * n + v], out.standard_error[i][at] = errors[i * n + v];
      out.residual_sd[at] = sd[v], out.R2[at] = R2[v], out.AICc[at] = AICc[v];
    }
    progress.add(n);
  }
}

}  // namespace larmor::fit
