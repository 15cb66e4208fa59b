// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <larmor/core/progress.hpp>

/// One image out of those of several receive coils. Errors of all   Errc::type unless complex (root_sum_of_squares:
/// any), Errc::range for an axis that is not there
namespace larmor::recon {

/// Root of the sum of the squared magnitudes over an axis: f32 or f64, without phase.
/// Source   Roemer et al., MRM 16:192 (1990)
Array root_sum_of_squares(const Array& images, int coil_axis, const Cancel* cancel = nullptr);

/// Sum of the images times the conjugate of the sensitivities over the sum of the squared sensitivities: the least
/// squares answer for equal and independent noise; 0 where every sensitivity is 0.
/// Errors   also those of broadcasting the two
Array combine(const Array& images, const Array& sensitivities, const std::string& coil_axis,
              const Cancel* cancel = nullptr);

/// Whose phase the combined image takes: that of the coil that receives most over the whole image, or a mean of all
/// coils in each block, chosen so that the block's combined signal has phase 0. The second is smooth where the first
/// coil receives nothing, too, and takes the slow part of the object's phase into the sensitivities.
enum class AdaptivePhase : std::uint8_t { strongest_coil, block_mean };

struct AdaptiveOptions {
  int block = 7;  // voxels along each axis of space in the estimate, odd
  int space = 2;  // axes of space in the block: the first 2 or 3
  AdaptivePhase phase = AdaptivePhase::strongest_coil;
  const Cancel* cancel = nullptr;
  Progress progress = {};
};
struct Combined {
  Array image;          // complex, without the coil axis
  Array sensitivities;  // of norm 1 over the coils in every voxel, as the images
};
/// The local matched filter: in a block around every voxel, the eigenvector of the largest eigenvalue of the coils'
/// correlation matrix (found by power iteration on the block itself) is the direction of the sensitivities; the image
/// is its product with the voxel. Noise is kept, unlike in root_sum_of_squares, from being rectified: where there is no
/// signal the result has zero mean. The phase is that of the coil that receives most over the whole image. Errors
/// Errc::range unless block is odd and 1..31, space is 2 or 3 and there are that many other axes Source   Walsh et al.,
/// MRM 43:682 (2000); phase of the block: Inati et al., ISMRM 2013, 2672
Combined combine_adaptive(const Array& images, int coil_axis, const AdaptiveOptions& options = {});

}  // namespace larmor::recon
