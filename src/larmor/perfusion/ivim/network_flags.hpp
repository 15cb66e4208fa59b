// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

namespace larmor::ivim {

/// Beside those of PosteriorFlag: the noise over S0 is beyond what the network was trained for. It is taken for the
/// nearest level that the network knows, so the sd is not right.
inline constexpr std::uint8_t untrained_noise = 8;

}  // namespace larmor::ivim
