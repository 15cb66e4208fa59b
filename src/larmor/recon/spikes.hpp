// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <string>
#include <vector>

namespace larmor::recon {

/// Samples of k-space that do not belong to it: sparks in the scanner, bytes that went wrong.
///
/// A sample is one when its magnitude is above `factor` times the upper quartile of those around it: `reach` samples to
/// both sides along the readout and `arms` lines to both sides. A line through the good samples beside it along the
/// readout takes its place. Not finite samples are always replaced.
struct SpikeOptions {
  std::string along = "sample";  // axis of the readout
  std::string across = "arm";    // axis of its neighbours; one that is not there is left out
  double factor = 10;
  int reach = 6, arms = 2;
  const Cancel* cancel = nullptr;
};
struct Despiked {
  Array data;                        // as the input
  std::vector<std::int64_t> places;  // flat indices, first axis fastest, in order
};
/// data   c64, any axes
/// Errors   Errc::type unless complex, Errc::unknown_name for `along`, Errc::range (factor <= 1, reach < 1, arms < 0)
Despiked despike(const Array& data, const SpikeOptions& options = {});

}  // namespace larmor::recon
