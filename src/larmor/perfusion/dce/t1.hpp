// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <larmor/core/progress.hpp>
#include <larmor/core/registry.hpp>
#include <larmor/fit/status.hpp>
#include <span>
#include <string>
#include <vector>

namespace larmor::dce {

/// T1 and M0 of V voxels, with standard errors (NaN when the data leave no degree of freedom).
struct T1Result {
  std::vector<float> T1, T1_se, M0, M0_se, R2;  // T1 [s]
  std::vector<float> efficiency;                // inversion efficiency (or Look-Locker B/A), empty when not fitted
  std::vector<fit::FitStatus> status;
};

/// What the acquisition was: which of these a method needs is in its description.
struct T1Protocol {
  std::vector<double> FA = {};  // [rad] one a volume (VFA)
  std::vector<double> TR = {};  // [s] one for all or one a volume (VFA, IR)
  std::vector<double> TI = {};  // [s] one a volume (IR, Look-Locker)
  double readout_FA = 0;        // [rad] Look-Locker
  bool magnitude = true;        // IR and Look-Locker data are magnitudes (sign is restored by the fit)
  /// Where the VFA methods run; a signal that is on a CUDA device runs there. Look-Locker and inversion recovery always
  /// run on the CPU. Errors   Errc::device when there is no such device
  Device device = {};
};

struct T1Method {
  std::string title, source;
  std::string needs;  // "FA, TR" in words
  int min_volumes = 2;
  /// signal (voxels..., n) any real type, on any device; B1 one a voxel (actual/nominal) or empty
  std::function<T1Result(const Array& signal, const T1Protocol&, std::span<const float> B1,
                         std::span<const std::uint8_t> mask, const Progress&, const Cancel*)>
      map;
};
using T1Methods = Registry<T1Method>;
/// t1.vfa_linear (DESPOT1), t1.vfa_nonlinear, t1.vfa_two_angle, t1.look_locker, t1.inversion_recovery
const T1Methods& t1_methods();

}  // namespace larmor::dce
