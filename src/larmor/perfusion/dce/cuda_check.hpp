// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace larmor::dce {

/// Errors   Errc::device, with the runtime's own words, when `code` (a cudaError_t) is not success
void check_cuda(int code, const char* what);

}  // namespace larmor::dce
