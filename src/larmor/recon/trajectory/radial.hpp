// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/recon/trajectory/line.hpp>
#include <string_view>

namespace larmor::recon {

/// Spokes in a plane, or all over a sphere.
struct RadialProtocol {
  LineProtocol line = {};
  std::int64_t spokes = 0;  // 0: as many as sample the edge at 1 / FOV (spokes_needed)
  bool golden = false;      // golden angles instead of even ones
};
/// Spokes that leave gaps of 1 / FOV at the edge: in a plane pi n / 2 through the centre, pi n from it; over a sphere
/// pi n^2 / 2, pi n^2.
std::int64_t spokes_needed(std::int64_t matrix, bool from_centre, bool sphere);

/// Source   Lauterbur, Nature 242:190 (1973); Winkelmann et al., IEEE TMI 26:68 (2007), golden angle
ArmWaveforms design_radial(const RadialProtocol& protocol);

/// Directions that cover the half of a sphere (through the centre) or all of it evenly: heights at even steps, each
/// turned by the golden angle against the one before; or, golden, by the golden means of two dimensions, so that every
/// run of them covers it. Source   Chan et al., MRM 61:354 (2009)
std::vector<Vec3> sphere_directions(std::int64_t n, bool half, bool golden);
ArmWaveforms design_kooshball(const RadialProtocol& protocol);

/// Blades of parallel lines, turned by pi / blades.
struct PropellerProtocol {
  LineProtocol line = {};
  std::int64_t blades = 0;  // 0: as few as cover the disc (blades_needed)
  std::int64_t lines = 16;  // of a blade
};
/// pi / 2 n / lines, rounded up: neighbours then touch at the edge.  Source   Pipe, MRM 42:963 (1999)
std::int64_t blades_needed(std::int64_t matrix, std::int64_t lines);
/// Arms (line, fastest, blade).
ArmWaveforms design_propeller(const PropellerProtocol& protocol);

}  // namespace larmor::recon
