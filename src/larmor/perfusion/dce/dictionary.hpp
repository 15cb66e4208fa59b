// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/perfusion/dce/kernel_types.hpp>
#include <span>
#include <vector>

namespace larmor::dce {

/// Candidates for the global start of a fit: the model's curves on a grid of its non-linear parameters, each made by
/// the exact convolution, unit-norm over the fitted frames. One matrix product gives every voxel's projection on all of
/// them; the amplitudes of every candidate follow in closed form, so the start is the best of a grid over the whole
/// range of rates, whatever the data.
class DictionaryBuilder {
 public:
  /// delays  candidates for a fitted delay [s]; {0} when it is not fitted
  DictionaryBuilder(const Search& search, const TimeGrid& grid, std::span<const double> delays);
  DictionaryBuilder(const DictionaryBuilder&) = delete;
  DictionaryBuilder& operator=(const DictionaryBuilder&) = delete;
  const Dictionary& view() const { return dictionary_; }

 private:
  int add_curve(const std::vector<double>& curve);  // -1 for a curve that is zero everywhere
  void add_candidate(int first, int second, double rate1, double rate2, double lag, double delay);
  void pack(int n_out);

  std::vector<std::vector<double>> units_;
  std::vector<double> norms_;
  std::vector<int> first_, second_;
  std::vector<float> packed_, cosine_, inverse_sine_, first_norm_, second_norm_, rate1_, rate2_, lag_, delay_;
  Dictionary dictionary_{};
};

}  // namespace larmor::dce
