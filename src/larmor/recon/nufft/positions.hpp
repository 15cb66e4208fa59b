// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where samples lie on a grid. For plans only.
#include <cmath>
#include <cstdint>
#include <larmor/core/array.hpp>

namespace larmor::recon::nufft {

/// The first cell that a sample touches along each axis, in [0, N), and where within it: 2 u - 1.
struct Position {
  float u[3];
  std::int32_t start[3];
};

/// Positions of coordinates of type T, (sample, d) packed, folded onto the grid in double precision.
template <class T>
class Positions {
 public:
  Positions(const Array& k, int dims, int width, const std::int32_t* n, const std::int32_t* N)
      : dims_(dims), half_width_(width / 2.0) {
    const std::int64_t M = k.size() / dims;
    for (int d = 0; d < dims_; ++d) {
      k_[d] = k.data<T>() + d * M;
      N_[d] = N[d];
      scale_[d] = static_cast<double>(N[d]) / static_cast<double>(n[d]);
    }
  }
  Position operator[](std::int64_t j) const {
    Position p{};
    for (int d = 0; d < dims_; ++d) {
      const double t = static_cast<double>(k_[d][j]) * scale_[d] - half_width_, s = std::ceil(t);
      p.u[d] = static_cast<float>(2 * (s - t) - 1);
      const auto i = static_cast<std::int32_t>(s);
      p.start[d] = i < 0 ? i + N_[d] : i >= N_[d] ? i - N_[d] : i;
    }
    return p;
  }

 private:
  int dims_;
  double half_width_, scale_[3]{};
  std::int32_t N_[3]{};
  const T* k_[3]{};
};

}  // namespace larmor::recon::nufft
