// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace larmor::dce {

/// |estimate - truth| <= absolute + relative |truth|, in the unit of the truth.
struct Tolerance {
  double absolute = 0, relative = 0.1;
};
/// What the OSIPI collection asks of DCE implementations (van Houdt et al., MRM 91:1774, 2024) of the quantity, in
/// `unit` (empty: the lexicon's); 10 % for one that it does not name. Errors   those of units::factor
Tolerance usual_tolerance(std::string_view quantity, const std::string& unit);

/// An estimated map against the truth, over the voxels where the truth is finite.
struct Comparison {
  Tolerance tolerance;
  std::int64_t n = 0, missing = 0, within = 0;   // missing: without an estimate
  double truth = 0, estimate = 0;                // means
  double bias = 0, sd = 0, median = 0, p95 = 0;  // of the error; p95 and median of |error|
  /// At least `need` (0..1) of the voxels are within tolerance; one without an estimate is not.
  bool good(double need) const {
    return n > 0 && static_cast<double>(within) >= need * static_cast<double>(n + missing);
  }
};
/// The estimate is multiplied by `scale` first. mask: one a voxel, or none for all. Errors   Errc::shape
Comparison compare_map(std::span<const float> estimate, std::span<const float> truth, const Tolerance& tolerance,
                       double scale = 1, std::span<const std::uint8_t> mask = {});

}  // namespace larmor::dce
