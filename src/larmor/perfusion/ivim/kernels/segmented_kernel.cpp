// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set.
#include <larmor/perfusion/ivim/kernels/segmented_lanes.hpp>

namespace larmor::ivim {

#if defined(LARMOR_ISA_baseline)
void segmented_v3(const SegmentedRun&);
void segmented_v4(const SegmentedRun&);
void segmented_baseline(const SegmentedRun&);
void segmented_scalar(const SegmentedRun& r) { segmented<float>(r); }
#endif
void LARMOR_ISA_JOIN(segmented_, LARMOR_ISA)(const SegmentedRun& r) { segmented<simd::Pair<simd::Pack<float>>>(r); }

}  // namespace larmor::ivim

#if defined(LARMOR_ISA_baseline)
#include <larmor/core/isa.hpp>
namespace larmor::ivim {

SegmentedKernel segmented_kernel() {
#if defined(__x86_64__)
  if (isa() == Isa::v4) return segmented_v4;
  if (isa() == Isa::v3) return segmented_v3;
#endif
  return segmented_baseline;
}
SegmentedKernel segmented_kernel_scalar() { return segmented_scalar; }

}  // namespace larmor::ivim
#endif
