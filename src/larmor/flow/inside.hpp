// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/plan.hpp>
#include <larmor/flow/record.hpp>

namespace larmor::flow {

/// A port as people write it: "fit.Ktrans", "loop/blur.out@3" (round 3), "outer@1/inner/blur.out@3".
struct PortPath {
  std::vector<std::string> ids;
  std::vector<int> rounds;  // of the zone that the id is; -1: the last
  std::string port;
  int round = -1;

  /// Errors   Errc::format
  explicit PortPath(std::string_view text);
  std::string node() const;   // "loop/blur"
  std::string plain() const;  // "loop/blur.out"
};

/// The step of the outermost zone that a port lies in, or whose own port it is with a round; -1 when it is in none.
int zone_of(const Plan& plan, PortPath& path);

/// The record of a node inside a zone, and the number of ids that led to the zone; null when it is not known.
RecordPtr record_inside(const Record& zone, const PortPath& path, std::size_t begin);

/// All ports of a plan and of the bodies of its zones.
std::vector<std::string> all_ports(const Plan& plan);

}  // namespace larmor::flow
