// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/nodes/values/curve.hpp>
#include <string>
#include <vector>

namespace larmor::nodes {

/// Curves one below the other as a drawing of its own (SVG), series called "limit" dashed and, where the values take
/// both signs, on both sides.
std::string waveform_svg(const std::vector<Curve>& curves);

}  // namespace larmor::nodes
