// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/cancel.hpp>
#include <larmor/core/progress.hpp>
#include <larmor/perfusion/dce/fit_setup.hpp>

namespace larmor::dce {

/// The fit of `voxels` of `data` (f32, frames last, on the CPU) on options.device, into `out`.
/// Errors   Errc::device when the program has no CUDA or the machine no device
void fit_on_cuda(const FitSetup& setup, const Array& data, std::span<const std::int64_t> voxels,
                 const FitOptions& options, FitResult& out, const Progress& progress, const Cancel* cancel);

}  // namespace larmor::dce
