// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/core/error.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/recon/parallel/grappa_weights.hpp>
#include <map>
#include <numeric>

namespace larmor::recon {
namespace {

using C = std::complex<double>;

Place difference(const Place& a, const Place& b) { return {a[0] - b[0], a[1] - b[1], a[2] - b[2]}; }

/// The calibration region: real and imaginary parts apart, the longest axis slowest.
class Region {
 public:
  Region(const C* k, const SampleGrid& grid, std::int64_t coils, const Box& box) {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::stable_sort(order_.begin(), order_.end(),
                     [&](std::size_t a, std::size_t b) { return box.extent(a) < box.extent(b); });
    for (std::size_t i = 0; i < 3; ++i) n_[i] = box.extent(order_[i]);
    const auto size = static_cast<std::size_t>(points() * coils);
    re_.resize(size), im_.resize(size);
    for (std::int64_t c = 0; c < coils; ++c)
      for (std::int64_t i = 0; i < points(); ++i) {
        Place at{};
        const Place here{i % n_[0], i / n_[0] % n_[1], i / n_[0] / n_[1]};
        for (std::size_t a = 0; a < 3; ++a) at[order_[a]] = box.begin[order_[a]] + here[a];
        const C v = k[grid.point(at) + grid.points() * c];
        re_[static_cast<std::size_t>(i + points() * c)] = v.real();
        im_[static_cast<std::size_t>(i + points() * c)] = v.imag();
      }
  }
  Place turned(const Place& p) const { return {p[order_[0]], p[order_[1]], p[order_[2]]}; }
  const Place& size() const { return n_; }
  std::int64_t points() const { return n_[0] * n_[1] * n_[2]; }
  const double* re(std::int64_t coil) const { return re_.data() + points() * coil; }
  const double* im(std::int64_t coil) const { return im_.data() + points() * coil; }

 private:
  std::array<std::size_t, 3> order_{};
  Place n_{};
  std::vector<double> re_, im_;
};

/// Where samples q and q + d are multiplied: entry (i, j) of a pattern, over q in [from, from + extent).
struct Use {
  std::size_t pattern, i, j;
  Place from;
};

/// conj(a(q)) b(q + d), added up along the last axis: plane m holds the sum over planes before m of the q that d
/// leaves.
class Sums {
 public:
  void make(const Region& r, std::int64_t a, std::int64_t b, const Place& d) {
    const Place n = r.size();
    for (std::size_t x = 0; x < 3; ++x)
      begin_[x] = std::max<std::int64_t>(0, -d[x]), end_[x] = n[x] - std::max<std::int64_t>(0, d[x]);
    plane_ = n[0] * n[1];
    re_.resize(static_cast<std::size_t>(plane_ * (n[2] + 1))), im_.resize(re_.size());
    n_ = n;
    const std::int64_t shift = d[0] + n[0] * (d[1] + n[1] * d[2]);
    std::fill_n(re_.begin() + begin_[2] * plane_, plane_, 0.0),
        std::fill_n(im_.begin() + begin_[2] * plane_, plane_, 0.0);
    for (auto z = begin_[2]; z < end_[2]; ++z)
      for (auto y = begin_[1]; y < end_[1]; ++y) {
        const std::int64_t at = n[0] * (y + n[1] * z);
        const double *ar = r.re(a) + at, *ai = r.im(a) + at, *br = r.re(b) + at + shift, *bi = r.im(b) + at + shift;
        const double *sr = re_.data() + at, *si = im_.data() + at;
        double *tr = re_.data() + at + plane_, *ti = im_.data() + at + plane_;
        for (auto x = begin_[0]; x < end_[0]; ++x) {
          tr[x] = sr[x] + (ar[x] * br[x] + ai[x] * bi[x]);
          ti[x] = si[x] + (ar[x] * bi[x] - ai[x] * br[x]);
        }
      }
  }
  C over(const Place& from, const Place& extent) const {
    double re = 0, im = 0;
    for (auto y = from[1]; y < from[1] + extent[1]; ++y) {
      const std::int64_t low = n_[0] * (y + n_[1] * from[2]) + from[0], high = low + plane_ * extent[2];
      for (std::int64_t x = 0; x < extent[0]; ++x) {
        re += re_[static_cast<std::size_t>(high + x)] - re_[static_cast<std::size_t>(low + x)];
        im += im_[static_cast<std::size_t>(high + x)] - im_[static_cast<std::size_t>(low + x)];
      }
    }
    return {re, im};
  }

 private:
  Place n_{}, begin_{}, end_{};
  std::int64_t plane_ = 0;
  std::vector<double> re_, im_;
};

/// A^H A and A^H t of a pattern, as one matrix: its sources and, last, the place itself; (place, coil), places fastest.
struct Normal {
  std::vector<Place> places;  // within the region's turned axes
  Place extent{};             // of the places where the pattern fits
  Matrix all;
};

void check(const Pattern& pattern, const Normal& normal, const Box& box, std::size_t unknowns) {
  if (pattern.sources.empty())
    throw Error(Errc::range, "grappa: some missing samples have no measured neighbour in the kernel's reach",
                "widen the kernel (lines)");
  std::int64_t places = 1;
  for (const auto n : normal.extent) places *= std::max<std::int64_t>(n, 0);
  if (places < static_cast<std::int64_t>(unknowns))
    throw Error(Errc::range,
                fmt::format("grappa: a calibration region of {} x {} x {} samples gives {} equations for {} weights",
                            box.extent(0), box.extent(1), box.extent(2), places, unknowns),
                "sample more of the middle in full, or make the kernel smaller (lines, width)");
}

Matrix solved(const Normal& normal, std::int64_t coils, double l2) {
  const std::size_t n = normal.places.size(), sources = n - 1, nc = static_cast<std::size_t>(coils);
  Matrix A(sources * nc, sources * nc), b(sources * nc, nc);
  double energy = 0;
  for (std::size_t c = 0; c < nc; ++c)
    for (std::size_t s = 0; s < sources; ++s) {
      for (std::size_t k = 0; k < nc; ++k) {
        for (std::size_t t = 0; t < sources; ++t)
          A(t + sources * k, s + sources * c) = normal.all(t + n * k, s + n * c);
        b(s + sources * c, k) = normal.all(s + n * c, sources + n * k);
      }
      energy += A(s + sources * c, s + sources * c).real();
    }
  if (!(energy > 0)) throw Error(Errc::numeric, "grappa: the calibration region holds nothing but 0");
  const double added = l2 * energy / static_cast<double>(A.rows);
  for (std::size_t u = 0; u < A.rows; ++u) A(u, u) += added;
  return solve_positive(A, b);
}

}  // namespace

std::vector<Matrix> grappa_weights(const C* k, const SampleGrid& grid, std::int64_t coils, const Box& box,
                                   const std::vector<Pattern>& patterns, double l2, const Cancel* cancel,
                                   const Progress& progress) {
  // So many patterns at a time that their matrices take 64 MB: their products are shared.
  constexpr std::size_t room = std::size_t{64} << 20;
  const auto nc = static_cast<std::size_t>(coils);
  const Region region(k, grid, coils, box);
  std::vector<Matrix> out(patterns.size());
  progress.begin("calibrating kernels", patterns.size());
  for (std::size_t begin = 0, end; begin < patterns.size(); begin = end) {
    std::vector<Normal> normals;
    std::map<Place, std::vector<Use>> uses;
    std::size_t bytes = 0;
    for (end = begin; end < patterns.size(); ++end) {
      const Pattern& pattern = patterns[end];
      const std::size_t rows = (pattern.sources.size() + 1) * nc, size = rows * rows * sizeof(C);
      if (end > begin && bytes + size > room) break;
      bytes += size;
      Normal normal;
      Place low{}, high{};
      for (const auto& s : pattern.sources) {
        normal.places.push_back(region.turned(s));
        for (std::size_t a = 0; a < 3; ++a) low[a] = std::min(low[a], s[a]), high[a] = std::max(high[a], s[a]);
      }
      normal.places.push_back({});
      low = region.turned(low), high = region.turned(high);
      for (std::size_t a = 0; a < 3; ++a) normal.extent[a] = region.size()[a] + low[a] - high[a];
      check(pattern, normal, box, pattern.sources.size() * nc);
      normal.all = Matrix(rows, rows);
      for (std::size_t i = 0; i < normal.places.size(); ++i)
        for (std::size_t j = 0; j <= i; ++j) {
          // One of d and -d; the other is its conjugate.
          const Place d = difference(normal.places[j], normal.places[i]);
          const bool up = d >= Place{};
          const Place first = difference(normal.places[up ? i : j], low);
          uses[up ? d : difference({}, d)].push_back({end - begin, up ? i : j, up ? j : i, first});
        }
      normals.push_back(std::move(normal));
    }
    const std::vector<std::pair<Place, std::vector<Use>>> list(uses.begin(), uses.end());
    parallel_for(
        list.size(), 1,
        [&](std::size_t from, std::size_t until) {
          Sums sums;
          for (std::size_t e = from; e < until; ++e)
            for (std::size_t a = 0; a < nc; ++a)
              for (std::size_t b = 0; b < nc; ++b) {
                sums.make(region, static_cast<std::int64_t>(a), static_cast<std::int64_t>(b), list[e].first);
                for (const Use& use : list[e].second) {
                  Normal& normal = normals[use.pattern];
                  const std::size_t n = normal.places.size();
                  const C v = sums.over(use.from, normal.extent);
                  normal.all(use.i + n * a, use.j + n * b) = v;
                  normal.all(use.j + n * b, use.i + n * a) = std::conj(v);
                }
              }
        },
        cancel);
    parallel_for(
        normals.size(), 1,
        [&](std::size_t from, std::size_t until) {
          for (std::size_t p = from; p < until; ++p) {
            out[begin + p] = solved(normals[p], coils, l2);
            progress.add(1);
          }
        },
        cancel);
  }
  progress.end();
  return out;
}

}  // namespace larmor::recon
