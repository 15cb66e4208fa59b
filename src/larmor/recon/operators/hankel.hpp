// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/recon/operators/linear_op.hpp>

namespace larmor::recon {

/// Every window of `kernel` samples along the named axes as one row: the block Hankel (calibration) matrix of k-space.
///
/// domain   samples along `axes`, and a coil axis or others
/// range    (window, element): a window for every place where the kernel fits, first axis fastest; its elements are the
///          kernel's samples, first axis fastest, then those of the other axes
/// Errors   Errc::unknown_name, Errc::shape for a kernel that is longer than its axis, with both
Op hankel_op(Space space, const Axes& axes, const Shape& kernel);

}  // namespace larmor::recon
