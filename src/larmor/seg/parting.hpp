// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/data/image.hpp>
#include <larmor/nn/trainer.hpp>
#include <optional>
#include <string>
#include <vector>

namespace larmor::seg {

/// Two labels that raters part by one plane: they draw slice by slice and call each slice one or the other, as head and
/// body of the hippocampus are parted at the slice where the uncus ends. A network that decides voxel by voxel gives a
/// ragged border instead.
struct Parting {
  int low = 0, high = 0;  // `low` is where the index along `axis` is smaller
  int axis = 0;           // of the grid of training: 0 R, 1 A, 2 S
};

/// The two labels and the axis for which the most volumes have no slice of both, when these are at least `share` of all
/// volumes that hold both labels.
std::optional<Parting> find_parting(const std::vector<nn::TrainSample>& volumes, int classes, double share = 0.75);

/// Gives every voxel of the two labels that of its side of one plane of the image's grid, the plane for which the
/// fewest voxels are expected wrong by `probabilities`. What is neither label stays. labels          u8 (x, y, z),
/// contiguous, changed in place probabilities   f32 (x, y, z, class), contiguous image, training   the affines of both
/// grids: which axis of the image is that of the parting, and its direction
void part(Array& labels, const Array& probabilities, const Parting& parting, const Affine& image,
          const Affine& training);

/// "2,1,1": low, high, axis, as kept in the file of weights. Errors   Errc::format
std::string to_string(const Parting& parting);
Parting parse_parting(const std::string& text, int classes);

}  // namespace larmor::seg
