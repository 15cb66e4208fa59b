// SPDX-License-Identifier: Apache-2.0
#include "statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cmath>
#include <larmor/core/parallel.hpp>
#include <limits>

namespace larmor::server {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t most_sorted = std::int64_t{4} << 20;

/// Count, extremes and moments of a piece; pieces are joined by Chan, Golub and LeVeque (1979).
struct Moments {
  std::int64_t elements = 0, n = 0;
  double min = std::numeric_limits<double>::infinity(), max = -min, mean = 0, squares = 0;
  // Sums about the first value, so that a large offset costs no digits, and no division for every element.
  double shift = 0, sum = 0, sum2 = 0;
  void add(double v) {
    if (n++ == 0) shift = v;
    min = v < min ? v : min, max = v > max ? v : max;
    const double d = v - shift;
    sum += d;
    sum2 += d * d;
  }
  void close() {
    if (n == 0) return;
    mean = shift + sum / static_cast<double>(n);
    squares = std::max(0.0, sum2 - sum * sum / static_cast<double>(n));
  }
  void join(const Moments& o) {
    elements += o.elements;
    if (o.n == 0) return;
    const double a = static_cast<double>(n), b = static_cast<double>(o.n), d = o.mean - mean;
    squares += o.squares + d * d * a * b / (a + b);
    mean += d * b / (a + b);
    n += o.n;
    min = std::min(min, o.min), max = std::max(max, o.max);
  }
};

/// Rows along the first axis of a view, and which of their elements are in the region.
class Rows {
 public:
  Rows(Array view, int a, int b, std::vector<std::uint8_t> mask, Part part)
      : view_(std::move(view)), a_(a), b_(b), mask_(std::move(mask)), part_(part) {
    length_ = view_.rank() ? view_.extent(0) : 1;
    count_ = length_ ? view_.size() / length_ : 0;
    per_block_ = std::max<std::int64_t>(1, 65536 / std::max<std::int64_t>(1, length_));
  }
  std::int64_t blocks() const { return (count_ + per_block_ - 1) / per_block_; }

  /// f(value) for the elements of the region in the rows of a block, in order.
  template <class F>
  void block(std::int64_t k, F&& f) const {
    std::vector<double> row(static_cast<std::size_t>(length_));
    const std::int64_t end = std::min(count_, (k + 1) * per_block_);
    Shape index(static_cast<std::size_t>(view_.rank()), 0);
    for (std::int64_t r = k * per_block_; r < end; ++r) {
      std::int64_t rest = r, offset = 0;
      for (std::size_t i = 1; i < index.size(); ++i) {
        index[i] = rest % view_.shape()[i];
        rest /= view_.shape()[i];
        offset += index[i] * view_.strides()[i];
      }
      read_row(view_, offset, length_, view_.rank() ? view_.strides()[0] : 0, part_, row.data());
      for (std::int64_t i = 0; i < length_; ++i)
        if (mask_.empty() || inside(index, i)) f(row[static_cast<std::size_t>(i)]);
    }
  }

 private:
  bool inside(const Shape& index, std::int64_t i) const {
    const std::int64_t ia = a_ == 0 ? i : index[static_cast<std::size_t>(a_)];
    const std::int64_t ib = b_ == 0 ? i : index[static_cast<std::size_t>(b_)];
    return mask_[static_cast<std::size_t>(ia + view_.extent(a_) * ib)] != 0;
  }
  Array view_;
  int a_, b_;
  std::vector<std::uint8_t> mask_;
  Part part_;
  std::int64_t length_ = 0, count_ = 0, per_block_ = 1;
};

Rows rows_of(const Array& array, const StatisticsQuery& q) {
  SliceQuery slice;
  slice.at = q.at;
  for (const auto& name : q.axes) {
    array.axis(name);
    slice.at.erase(name);
  }
  if (q.region.kind == Region::Kind::all) {
    Array view = view_of(array, slice);
    return {view.device().is_cpu() ? view : view.to(Device::cpu()), 0, 0, {}, q.part};
  }
  if (q.axes.size() != 2)
    throw Error(Errc::usage, fmt::format("a region lies on two axes and {} are given", q.axes.size()),
                "write axes=x,y");
  // Only the box around the region is read.
  double low[2] = {HUGE_VAL, HUGE_VAL}, high[2] = {-HUGE_VAL, -HUGE_VAL};
  for (const auto& [x, y] : q.region.points) {
    low[0] = std::min(low[0], x), high[0] = std::max(high[0], x);
    low[1] = std::min(low[1], y), high[1] = std::max(high[1], y);
  }
  std::int64_t begin[2], n[2];
  for (int k = 0; k < 2; ++k) {
    const auto& name = q.axes[static_cast<std::size_t>(k)];
    const double extent = static_cast<double>(array.extent(array.axis(name)));
    const double from = std::clamp(std::ceil(low[k]), 0.0, extent),
                 to = std::clamp(std::floor(high[k]) + 1, from, extent);
    slice.range[name] = {static_cast<std::int64_t>(from), static_cast<std::int64_t>(to)};
    begin[k] = slice.range[name].first;
    n[k] = slice.range[name].second - begin[k];
  }
  std::vector<std::uint8_t> mask(static_cast<std::size_t>(n[0] * n[1]));
  for (std::int64_t j = 0; j < n[1]; ++j)
    for (std::int64_t i = 0; i < n[0]; ++i)
      mask[static_cast<std::size_t>(i + n[0] * j)] =
          q.region.holds(static_cast<double>(begin[0] + i), static_cast<double>(begin[1] + j));
  Array view = view_of(array, slice);
  if (!view.device().is_cpu()) view = view.to(Device::cpu());
  const int a = view.axis(q.axes[0]), b = view.axis(q.axes[1]);
  return {view, a, b, std::move(mask), q.part};
}

std::vector<Moments> moments_of(const Rows& rows) {
  std::vector<Moments> all(static_cast<std::size_t>(rows.blocks()));
  parallel_for(all.size(), 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t k = begin; k < end; ++k) {
      Moments m;
      rows.block(static_cast<std::int64_t>(k), [&](double v) {
        ++m.elements;
        if (std::isfinite(v)) m.add(v);
      });
      m.close();
      all[k] = m;
    }
  });
  return all;
}

double percentile(const std::vector<double>& sorted, double p) {  // linear between order statistics, as NumPy
  const double at = p / 100 * static_cast<double>(sorted.size() - 1);
  const auto i = static_cast<std::size_t>(at);
  const double f = at - static_cast<double>(i);
  return i + 1 < sorted.size() ? sorted[i] + f * (sorted[i + 1] - sorted[i]) : sorted.back();
}

}  // namespace

Region Region::parse(std::string_view text) {
  Region r;
  if (text.empty()) return r;
  std::vector<double> numbers;
  const auto colon = text.find(':');
  const std::string kind(text.substr(0, colon));
  const std::vector<std::string> kinds{"rect", "ellipse", "polygon"};
  r.kind = kind == "rect"      ? Kind::rectangle
           : kind == "ellipse" ? Kind::ellipse
           : kind == "polygon" ? Kind::polygon
                               : throw unknown_name("shape", kind, kinds);
  std::string_view rest = colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
  while (!rest.empty()) {
    double v = 0;
    const auto end = std::min(rest.find(':'), rest.size());
    const auto [stop, error] = std::from_chars(rest.data(), rest.data() + end, v);
    if (error != std::errc{} || stop != rest.data() + end || !std::isfinite(v) || numbers.size() > 20000)
      throw Error(Errc::format, fmt::format("'{}' is no coordinate", rest.substr(0, end)), "write rect:2:3:10:12");
    numbers.push_back(v);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  const bool enough = r.kind == Kind::polygon ? numbers.size() >= 6 && numbers.size() % 2 == 0 : numbers.size() == 4;
  if (!enough)
    throw Error(Errc::format, fmt::format("{} numbers for a {}", numbers.size(), kind),
                "give 4: two corners; a polygon takes x and y of 3 corners or more");
  for (std::size_t i = 0; i < numbers.size(); i += 2) r.points.emplace_back(numbers[i], numbers[i + 1]);
  return r;
}

bool Region::holds(double x, double y) const {
  if (kind == Kind::all) return true;
  if (kind != Kind::polygon) {
    const double x0 = std::min(points[0].first, points[1].first), x1 = std::max(points[0].first, points[1].first);
    const double y0 = std::min(points[0].second, points[1].second), y1 = std::max(points[0].second, points[1].second);
    if (kind == Kind::rectangle) return x >= x0 && x <= x1 && y >= y0 && y <= y1;
    if (x1 == x0 || y1 == y0) return false;
    const double u = (2 * x - x0 - x1) / (x1 - x0), v = (2 * y - y0 - y1) / (y1 - y0);
    return u * u + v * v <= 1;
  }
  bool odd = false;  // even-odd rule
  for (std::size_t i = 0, j = points.size() - 1; i < points.size(); j = i++) {
    const auto& [xi, yi] = points[i];
    const auto& [xj, yj] = points[j];
    if ((yi > y) != (yj > y) && x < (xj - xi) * (y - yi) / (yj - yi) + xi) odd = !odd;
  }
  return odd;
}

Statistics statistics(const Array& array, const StatisticsQuery& query) {
  if (query.bins < 1 || query.bins > 65536)
    throw Error(Errc::range, fmt::format("{} bins", query.bins), "give 1 to 65536");
  const Rows rows = rows_of(array, query);
  const auto blocks = moments_of(rows);
  Moments all;
  std::vector<std::int64_t> before;
  for (const auto& m : blocks) {
    before.push_back(all.n);
    all.join(m);
  }
  Statistics s;
  s.elements = all.elements, s.count = all.n;
  if (all.n == 0) {
    s.min = s.max = s.mean = s.sd = s.median = nan;
    return s;
  }
  s.min = all.min, s.max = all.max, s.mean = all.mean;
  s.sd = all.n > 1 ? std::sqrt(all.squares / static_cast<double>(all.n - 1)) : 0;

  const std::int64_t every = (all.n + most_sorted - 1) / most_sorted;
  s.approximate = every > 1;
  std::vector<double> sorted(static_cast<std::size_t>((all.n + every - 1) / every));
  const auto bins = static_cast<std::size_t>(query.bins);
  s.counts.assign(bins, 0);
  const double scale = s.max > s.min ? static_cast<double>(bins) / (s.max - s.min) : 0;
  std::vector<std::atomic<std::int64_t>> counts(bins);
  parallel_for(blocks.size(), 1, [&](std::size_t begin, std::size_t end) {
    std::vector<std::int64_t> mine(bins, 0);
    for (std::size_t k = begin; k < end; ++k) {
      std::int64_t i = before[k];
      rows.block(static_cast<std::int64_t>(k), [&](double v) {
        if (!std::isfinite(v)) return;
        if (i % every == 0) sorted[static_cast<std::size_t>(i / every)] = v;
        ++i;
        ++mine[std::min(bins - 1, static_cast<std::size_t>((v - s.min) * scale))];
      });
    }
    for (std::size_t b = 0; b < bins; ++b) counts[b] += mine[b];
  });
  for (std::size_t b = 0; b < bins; ++b) s.counts[b] = counts[b];
  for (std::size_t b = 0; b <= bins; ++b)
    s.edges.push_back(s.min + (s.max - s.min) * static_cast<double>(b) / static_cast<double>(bins));
  std::sort(sorted.begin(), sorted.end());
  for (const int p : {1, 2, 5, 25, 75, 95, 98, 99}) s.percentiles.emplace_back(p, percentile(sorted, p));
  s.median = percentile(sorted, 50);
  return s;
}

nlohmann::json Statistics::json() const {
  nlohmann::json j{{"elements", elements}, {"count", count}, {"min", min},      {"max", max},
                   {"mean", mean},         {"sd", sd},       {"median", median}};
  j["percentiles"] = nlohmann::json::object();
  for (const auto& [p, v] : percentiles) j["percentiles"][std::to_string(p)] = v;
  j["histogram"] = {{"edges", edges}, {"counts", counts}};
  j["approximate"] = approximate;
  return j;
}

std::pair<double, double> extremes(const Array& array) {
  if (array.empty()) return {nan, nan};
  Moments all;
  for (const auto& m : moments_of(rows_of(array, {}))) all.join(m);
  return all.n ? std::pair(all.min, all.max) : std::pair(nan, nan);
}

}  // namespace larmor::server
