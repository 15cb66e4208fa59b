// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/io/png.hpp>
#include <optional>
#include <string>
#include <utility>

namespace larmor::io {

/// Colour of a complex number: brightness from the magnitude (0..1), hue from the phase [rad]: 0 cyan, +90 degrees
/// green, 180 red, -90 magenta, linear between.
std::array<std::uint8_t, 3> complex_colour(double magnitude, double phase);

struct Montage {
  std::string map = "grey";                              // of io::colour(), for real numbers
  std::optional<std::pair<double, double>> window = {};  // values of the colours' ends; none: 1st to 99th percentile,
                                                         // for complex numbers 0 to the 99th of the magnitude
  double gamma = 1;                                      // exponent of the brightness
  int columns = 0;                                       // 0: as square as can be
  int zoom = 1;                                          // pixels a voxel
  bool y_up = true;                                      // the first row of the array is at the bottom
  bool ring = false;                                     // legend of phases, for complex numbers
};

/// The planes of the first two axes side by side, RGB; NaN is dark blue-grey. Complex numbers in complex colour.
/// Errors   Errc::shape without two axes or with more than 4,096 planes or 100 million pixels, Errc::range (window,
/// columns, zoom, gamma), Errc::unknown_name (map)
Picture montage(const Array& array, const Montage& options = {});

}  // namespace larmor::io
