// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <larmor/io/dicom/scan.hpp>

namespace larmor::dicom {

/// One picture of a series, from a single-frame object or from the functional groups of a multi-frame one.
struct Frame {
  std::size_t instance = 0;  // of the series
  int number = 0;            // of the frame in it, from 0
  int rows = 0, columns = 0;
  std::array<double, 3> position{};     // of the centre of its first pixel, LPS [mm]
  std::array<double, 6> orientation{};  // direction of a row (along columns), then of a column
  std::array<double, 2> spacing{};      // between rows, between columns [mm]
  bool placed = false;                  // position and orientation are there
  double slope = 1, intercept = 0;      // rescale
  double thickness = 0, gap = 0;        // SliceThickness, SpacingBetweenSlices [mm]; 0: not told
  // What may tell apart frames of the same place; NaN where it is not told.
  double acquisition, temporal, echo_time, trigger, b_value, inversion, flip;
  double instance_number = 0;
};

/// Per-frame functional groups win over shared ones, those over attributes of the object.
/// Errors   Errc::format (a multi-frame object with fewer functional groups than frames, with both numbers)
std::vector<Frame> frames_of(const Series& series);

}  // namespace larmor::dicom
