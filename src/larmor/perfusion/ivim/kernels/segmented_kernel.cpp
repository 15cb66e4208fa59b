// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set, and for CUDA.
#include <larmor/perfusion/ivim/kernels/segmented_lanes.hpp>
#include <larmor/perfusion/ivim/kernels/voxel_kernel.hpp>

LARMOR_VOXEL_KERNEL(segmented, SegmentedRun, simd::Pair<simd::Pack<float>>, float, "the segmented fit")
