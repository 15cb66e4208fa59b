// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace larmor::dce {

/// Errors   Errc::device, with the runtime's own words, when `code` (a cudaError_t) is not success
void check_cuda(int code, const char* what);
/// Makes device `index` the one that this thread launches on.
void use_cuda_device(int index);

}  // namespace larmor::dce
