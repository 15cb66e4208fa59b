// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/isa.hpp>
#include <larmor/perfusion/dce/kernel_types.hpp>

namespace larmor::dce {

/// The kernels of one model, for the host to choose from.
struct FitKernels {
  const IsaKernels* (*baseline)();
  const IsaKernels* (*v3)();
  const IsaKernels* (*v4)();
  Search search;
  bool lagged;                           // the model has a lag of its own
  bool linear;                           // in its parameters: solved in one pass over the data, where they are
  void (*fit_cuda)(const CudaJob& job);  // null without CUDA

  /// Those for the instruction set in use.
  const IsaKernels& now() const {
    const Isa level = isa();
    return *(level == Isa::v4 && v4 ? v4 : level != Isa::baseline && v3 ? v3 : baseline)();
  }
};

}  // namespace larmor::dce
