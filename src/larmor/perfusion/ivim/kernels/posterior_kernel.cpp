// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set, and for CUDA.
#include <larmor/perfusion/ivim/kernels/posterior_lanes.hpp>
#include <larmor/perfusion/ivim/kernels/voxel_kernel.hpp>

LARMOR_VOXEL_KERNEL(posterior, PosteriorRun, simd::Pack<double>, double, "the posterior")
