// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set.
#include <larmor/perfusion/ivim/kernels/varpro_lanes.hpp>

namespace larmor::ivim {

#if defined(LARMOR_ISA_baseline)
void varpro_v3(const VarproRun&);
void varpro_v4(const VarproRun&);
void varpro_baseline(const VarproRun&);
void varpro_scalar(const VarproRun& r) { varpro<double>(r); }
#endif
void LARMOR_ISA_JOIN(varpro_, LARMOR_ISA)(const VarproRun& r) { varpro<simd::Pack<double>>(r); }

}  // namespace larmor::ivim

#if defined(LARMOR_ISA_baseline)
#include <larmor/core/isa.hpp>
namespace larmor::ivim {

VarproKernel varpro_kernel() {
#if defined(__x86_64__)
  if (isa() == Isa::v4) return varpro_v4;
  if (isa() == Isa::v3) return varpro_v3;
#endif
  return varpro_baseline;
}
VarproKernel varpro_kernel_scalar() { return varpro_scalar; }

}  // namespace larmor::ivim
#endif
