// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <larmor/data/image.hpp>
#include <optional>
#include <string>

namespace larmor::io {

/// What the XML header says of the first encoding space.
struct MrdHeader {
  std::array<std::int64_t, 3> encoded{0, 0, 0}, matrix{0, 0, 0};  // 0: not said
  std::array<double, 3> encoded_fov{0, 0, 0}, fov{0, 0, 0};       // [mm]
  std::optional<std::int64_t> centre_1, centre_2;                 // encoding steps of k = 0
  bool cartesian = true;
  Metadata protocol;
};
/// Errors   Errc::format for a text that is no ISMRMRD header
MrdHeader parse_mrd_header(const std::string& xml);
/// The header of data with this protocol and these sizes; `limits` are the numbers of the encoding counters, in the
/// order of MrdReadout::Counter.
std::string make_mrd_header(const Metadata& protocol, const MrdHeader& sizes, const std::array<std::int64_t, 8>& limits,
                            std::int64_t coils);

}  // namespace larmor::io
