// SPDX-License-Identifier: Apache-2.0
#ifndef LARMOR_HAS_CUDA
#include <larmor/core/device_memory.hpp>
#include <larmor/recon/nufft/block_plan.hpp>

namespace larmor::recon::nufft {

void run_blocks_cuda(const BlockPlan& plan, const BlockCall&, bool) { require_cuda(plan.device()); }
std::vector<BlockComplex> probe_cuda(Device device, const BlockComplex*, std::int64_t, std::int64_t) {
  require_cuda(device);
  return {};
}

}  // namespace larmor::recon::nufft
#endif
