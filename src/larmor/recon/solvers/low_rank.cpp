// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/parallel.hpp>
#include <larmor/recon/dense.hpp>
#include <larmor/recon/solvers/penalty.hpp>

namespace larmor::recon {
namespace {

// Blocks that tile the named axes, and the matrices in them: rows are voxels, columns go along one other axis.
class Blocks {
 public:
  Blocks(const Space& image, const Axes& axes, const std::string& across, std::int64_t block)
      : shape_(image.shape), across_(static_cast<std::size_t>(image.axis(across))), block_(block) {
    if (block < 1) throw Error(Errc::range, fmt::format("blocks of {} voxels", block), "give 1 or more");
    for (const auto& name : axes) tiled_.push_back(static_cast<std::size_t>(image.axis(name)));
    if (std::find(tiled_.begin(), tiled_.end(), across_) != tiled_.end())
      throw Error(Errc::usage, "axis " + across + " is to be both in the blocks and across them");
    strides_ = {1};
    for (const auto n : shape_) strides_.push_back(strides_.back() * n);
  }

  /// f(matrix) for each block, moved by `shift` along the tiled axes; the matrix is written to `to` when that is there.
  template <class T, class F>
  void each(const std::complex<T>* from, std::complex<T>* to, std::uint64_t shift, F&& f) const {
    // Places of blocks: every index of the axes that are neither tiled nor across, and the tiles.
    Shape places = shape_;
    places[across_] = 1;
    for (const auto a : tiled_) places[a] = (shape_[a] + block_ - 1) / block_;
    std::int64_t count = 1;
    for (const auto n : places) count *= n;
    parallel_for(static_cast<std::size_t>(count), 4, [&](std::size_t begin, std::size_t end) {
      for (auto k = begin; k < end; ++k) {
        std::vector<std::int64_t> rows{0};
        auto rest = static_cast<std::int64_t>(k);
        for (std::size_t a = 0; a < places.size(); ++a) {
          const std::int64_t index = rest % places[a];
          rest /= places[a];
          if (std::find(tiled_.begin(), tiled_.end(), a) == tiled_.end()) {
            for (auto& at : rows) at += index * strides_[a];
            continue;
          }
          std::vector<std::int64_t> next;
          const std::int64_t first = index * block_, last = std::min(first + block_, shape_[a]);
          for (std::int64_t i = first; i < last; ++i)
            for (const auto at : rows)
              next.push_back(at + (i + static_cast<std::int64_t>(shift % static_cast<std::uint64_t>(shape_[a]))) %
                                      shape_[a] * strides_[a]);
          rows = std::move(next);
        }
        Matrix m(rows.size(), static_cast<std::size_t>(shape_[across_]));
        for (std::size_t c = 0; c < m.columns; ++c)
          for (std::size_t r = 0; r < m.rows; ++r)
            m(r, c) = from[rows[r] + static_cast<std::int64_t>(c) * strides_[across_]];
        f(k, m);
        if (!to) continue;
        for (std::size_t c = 0; c < m.columns; ++c)
          for (std::size_t r = 0; r < m.rows; ++r)
            to[rows[r] + static_cast<std::int64_t>(c) * strides_[across_]] = std::complex<T>(m(r, c));
      }
    });
  }
  std::size_t count() const {
    std::int64_t n = 1;
    for (std::size_t a = 0; a < shape_.size(); ++a)
      if (a != across_)
        n *= std::find(tiled_.begin(), tiled_.end(), a) == tiled_.end() ? shape_[a] : (shape_[a] + block_ - 1) / block_;
    return static_cast<std::size_t>(n);
  }

 private:
  Shape shape_, strides_;
  std::size_t across_;
  std::int64_t block_;
  std::vector<std::size_t> tiled_;
};

// Singular values made smaller by `by`: A V diag(max(0, 1 - by / s)) V^H with A^H A = V s^2 V^H.
void shrink_singular_values(Matrix& a, double by) {
  const auto pairs = hermitian_eigen(gram(a));
  Matrix kept = pairs.vectors;
  for (std::size_t c = 0; c < kept.columns; ++c) {
    const double s = std::sqrt(std::max(0.0, pairs.values[c]));
    for (std::size_t r = 0; r < kept.rows; ++r) kept(r, c) *= s > by ? 1 - by / s : 0.0;
  }
  a = product(a, product(kept, conjugate_transpose(pairs.vectors)));
}

}  // namespace

Penalty locally_low_rank(const Space& image, const Axes& axes, const std::string& across, std::int64_t block,
                         double weight, bool shift) {
  if (!(weight >= 0) || !std::isfinite(weight))
    throw Error(Errc::range, fmt::format("a penalty of weight {}", weight), "give 0 or more");
  const Blocks blocks(image, axes, across, block);
  const auto visit = [](const Array& v, auto&& f) {
    if (v.dtype() == DType::c64)
      f(float{});
    else
      f(double{});
  };
  return {.name = "locally_low_rank",
          .prox =
              [=](const Array& v, double step, int iteration) {
                Array out = Array::uninitialised(v.dtype(), v.shape(), v.axes());
                // Steps of a prime near the golden section of the block visit all its places.
                const std::uint64_t by = shift ? static_cast<std::uint64_t>(iteration) * 5 : 0;
                visit(v, [&](auto t) {
                  using T = std::complex<decltype(t)>;
                  blocks.each(v.data<T>(), out.data<T>(), by,
                              [&](std::size_t, Matrix& m) { shrink_singular_values(m, weight * step); });
                });
                return out;
              },
          .value =
              [=](const Array& v) {
                std::vector<double> sums(blocks.count());
                visit(v, [&](auto t) {
                  using T = std::complex<decltype(t)>;
                  blocks.each(v.data<T>(), static_cast<T*>(nullptr), 0, [&](std::size_t k, Matrix& m) {
                    for (const double e : hermitian_eigen(gram(m)).values) sums[k] += std::sqrt(std::max(0.0, e));
                  });
                });
                double sum = 0;
                for (const double s : sums) sum += s;
                return weight * sum;
              }};
}

}  // namespace larmor::recon
