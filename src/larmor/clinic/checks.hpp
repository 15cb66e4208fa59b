// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/clinic/results.hpp>

namespace larmor::clinic {

/// Errors   Errc::range when all voxels of the picture have one value ("an empty image"), Errc::numeric for NaN or
/// infinite ones
void check_picture(const Image& image);

/// What of a segmentation a person should look at, from labels and picture alone: pieces, contact with the edge of the
/// picture, a ragged surface, total volume, clipped intensities, contrast to what lies around. Notes with an id that
/// `side` already has (from the segmenter) are not added again.
void add_checks(Side& side);

/// What was measured for the checks, for the report: numbers that are fine are worth to be seen too.
struct Quality {
  int pieces = 0;
  double largest = 0;        // share of the largest piece
  std::int64_t at_edge = 0;  // voxels
  double surface = 0;        // over that of a ball of the same volume; usual 2.2 to 2.9
  double anterior = 0;       // share of the volume
  double clipped = 0;        // share of the picture at its highest value
  double highest = 0;
  std::optional<double> contrast = {};     // inside against around, in standard deviations
  std::optional<double> uncertainty = {};  // mean inside, 0 to 1; where there are probabilities
};
Quality quality_of(const Side& side);

}  // namespace larmor::clinic
