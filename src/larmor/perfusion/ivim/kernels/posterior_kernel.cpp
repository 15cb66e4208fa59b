// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set.
#include <larmor/perfusion/ivim/kernels/posterior_lanes.hpp>

namespace larmor::ivim {

#if defined(LARMOR_ISA_baseline)
void posterior_v3(const PosteriorRun&);
void posterior_v4(const PosteriorRun&);
void posterior_baseline(const PosteriorRun&);
void posterior_scalar(const PosteriorRun& r) { posterior<double>(r); }
#endif
void LARMOR_ISA_JOIN(posterior_, LARMOR_ISA)(const PosteriorRun& r) { posterior<simd::Pack<double>>(r); }

}  // namespace larmor::ivim

#if defined(LARMOR_ISA_baseline)
#include <larmor/core/isa.hpp>
namespace larmor::ivim {

PosteriorKernel posterior_kernel() {
#if defined(__x86_64__)
  if (isa() == Isa::v4) return posterior_v4;
  if (isa() == Isa::v3) return posterior_v3;
#endif
  return posterior_baseline;
}
PosteriorKernel posterior_kernel_scalar() { return posterior_scalar; }

}  // namespace larmor::ivim
#endif
