// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set.
#include <larmor/fit/curve_kernel.hpp>
#include <larmor/perfusion/dsc/kernels/scan_kernel.hpp>

namespace larmor::dsc {

#if defined(LARMOR_ISA_baseline)
void scan_v3(const ScanRun&);
void scan_v4(const ScanRun&);
void scan_baseline(const ScanRun&);
#endif
void LARMOR_ISA_JOIN(scan_, LARMOR_ISA)(const ScanRun& r) {
  using F = simd::Pack<float>;
  for (int v = 0; v < r.n; v += F::size) {
    F index, amplitude;
    fit::best_candidate<F>(r.candidates, r.n_data, r.y + v, r.stride, index, amplitude);
    simd::store(r.index + v, index);
  }
}

}  // namespace larmor::dsc

#if defined(LARMOR_ISA_baseline)
#include <larmor/core/isa.hpp>
namespace larmor::dsc {

ScanKernel scan_kernel() {
#if defined(__x86_64__)
  if (isa() == Isa::v4) return scan_v4;
  if (isa() == Isa::v3) return scan_v3;
#endif
  return scan_baseline;
}

}  // namespace larmor::dsc
#endif
