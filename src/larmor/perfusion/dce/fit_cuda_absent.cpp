// SPDX-License-Identifier: Apache-2.0
#ifndef LARMOR_HAS_CUDA
#include <larmor/perfusion/dce/fit_cuda.hpp>

namespace larmor::dce {

void fit_on_cuda(const FitSetup&, const Array&, std::span<const std::int64_t>, const FitOptions& options, FitResult&,
                 const Cancel*) {
  throw Error(Errc::device, "no " + options.device.str() + " here: " + cuda_why_not(), "use device cpu");
}

}  // namespace larmor::dce
#endif
