// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/recon/trajectory/arms.hpp>
#include <larmor/recon/trajectory/spiral.hpp>
#include <string>

namespace larmor::recon::test {

/// A waveform is linear between its points, so its limits hold if they hold there; the design samples a continuous
/// motion that obeys them, and only roundings are left.
constexpr double rounding = 1 + 1e-9;

inline void expect_limits(const Waveform& w, const GradientLimits& limits) {
  EXPECT_LE(w.max_gradient(), limits.max_gradient * rounding);
  EXPECT_LE(w.max_slew(), limits.max_slew * rounding);
  for (const auto& g : w.g)
    for (const double v : g) ASSERT_TRUE(std::isfinite(v));
}

template <class F>
std::string message_of(F&& run) {
  try {
    run();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace larmor::recon::test
