// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <larmor/core/array.hpp>
#include <vector>

/// Which neighbours a missing sample has, and where weights for them can be learned.
namespace larmor::recon {

using Place = std::array<std::int64_t, 3>;

struct Box {
  Place begin{}, end{1, 1, 1};
  std::int64_t extent(std::size_t a) const { return end[a] - begin[a]; }
};

/// Up to three axes of samples, some of them measured. Places beyond the ends go on periodically.
class SampleGrid {
 public:
  explicit SampleGrid(const Array& mask);  // boolean
  const Place& size() const { return n_; }
  std::int64_t points() const { return n_[0] * n_[1] * n_[2]; }
  bool measured(std::int64_t point) const { return mask_[static_cast<std::size_t>(point)] != 0; }
  Place place(std::int64_t point) const { return {point % n_[0], point / n_[0] % n_[1], point / n_[0] / n_[1]}; }
  std::int64_t point(const Place& p) const;  // periodic

  /// The largest gap between measured lines along each axis outside the middle, 1 where every line is measured.
  Place gaps() const;
  /// The box around the middle that is measured in full, grown in turn along the axes. Empty when the middle is
  /// missing.
  Box calibration() const;

 private:
  Place n_{1, 1, 1};
  std::vector<char> mask_;
};

/// Missing samples whose neighbours within `reach` are measured in the same places.
struct Pattern {
  std::vector<Place> sources;         // relative to the sample
  std::vector<std::int64_t> missing;  // points
};
/// Errors   Errc::range beyond `most` patterns
std::vector<Pattern> patterns_of(const SampleGrid& grid, const Place& reach, std::size_t most);

}  // namespace larmor::recon
