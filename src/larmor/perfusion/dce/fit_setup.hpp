// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/perfusion/dce/dictionary.hpp>
#include <larmor/perfusion/dce/fit.hpp>
#include <larmor/perfusion/dce/kernels.hpp>
#include <larmor/perfusion/dce/time_grid.hpp>
#include <memory>
#include <vector>

namespace larmor::dce {

/// Everything a fit needs besides the data, checked: bounds, frames, the time grid, the dictionary.
struct FitSetup {
  const Model* model = nullptr;
  const FitKernels* kernels = nullptr;
  bool with_delay = false;
  std::vector<Param> params;  // the model's, then delay, bounds as set
  std::vector<int> frames;    // which frames are fitted
  std::vector<double> frame_times;
  std::unique_ptr<TimeGridBuilder> grid;
  std::unique_ptr<DictionaryBuilder> dictionary;
  fit::LmOptions options{};
  std::vector<double> start;  // NaN where the dictionary decides
};

FitSetup make_setup(const Model& model, std::span<const double> times, std::span<const Aif> inputs,
                    const FitOptions& options);

}  // namespace larmor::dce
