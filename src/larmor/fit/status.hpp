// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string_view>

namespace larmor::fit {

/// What became of the fit of one voxel. Values are stable: they are written to status maps.
enum class FitStatus : std::uint8_t {
  outside = 0,        // not in the mask: never looked at
  converged = 1,      // inside all bounds
  at_bound = 2,       // converged with at least one parameter on a bound; that parameter has no standard error
  no_signal = 3,      // constant or zero data: nothing to fit; NaN
  bad_data = 4,       // NaN or Inf in the data; NaN
  not_converged = 5,  // the iteration limit came first; NaN
  singular = 6,       // the data do not determine the parameters; NaN
  out_of_range = 7,   // data that the equation cannot produce (no real solution); NaN
};

constexpr bool usable(FitStatus s) { return s == FitStatus::converged || s == FitStatus::at_bound; }
std::string_view to_string(FitStatus status);
/// One sentence for reports.
std::string_view explain(FitStatus status);
inline constexpr int n_fit_status = 8;

}  // namespace larmor::fit
