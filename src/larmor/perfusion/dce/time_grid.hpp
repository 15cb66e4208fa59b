// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/data/aif.hpp>
#include <larmor/perfusion/dce/kernel_types.hpp>
#include <span>
#include <vector>

namespace larmor::dce {

/// Owns the arrays behind a TimeGrid.
class TimeGridBuilder {
 public:
  /// frames  (N) [s] increasing: where the model is wanted; inputs: one or two checked curves
  /// delay   [s] shifts every input beforehand (cubic interpolation)
  /// lagged  also tabulate the inputs for evaluation at times of each voxel's own
  TimeGridBuilder(std::span<const double> frames, std::span<const Aif> inputs, double delay, bool lagged);
  TimeGridBuilder(const TimeGridBuilder&) = delete;
  TimeGridBuilder& operator=(const TimeGridBuilder&) = delete;
  const TimeGrid& view() const { return grid_; }

 private:
  void tabulate(std::span<const Aif> inputs, double last);
  std::vector<int> out_node_, kind_;
  std::vector<double> nodes_, dt_, inverse_dt_, longest_ahead_, kind_dt_, input_[max_inputs], integral_[max_inputs],
      fall_[max_inputs], held_[max_inputs], table_[max_inputs];
  TimeGrid grid_{};
};

}  // namespace larmor::dce
