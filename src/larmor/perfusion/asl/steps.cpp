// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/core/units.hpp>
#include <larmor/perfusion/asl/steps.hpp>
#include <limits>

namespace larmor::asl {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

void check_series(const Image& series, std::span<const Role> roles) {
  if (series.data.rank() != 4)
    throw Error(Errc::shape, fmt::format("the ASL series is {}, not (x, y, z, t)", to_string(series.data.shape())),
                "give a 4-D file with all control and label volumes");
  if (roles.size() != static_cast<std::size_t>(series.volumes()))
    throw Error(Errc::shape, fmt::format("{} volume types for {} volumes", roles.size(), series.volumes()),
                "give one line of aslcontext.tsv a volume");
}

GroupedRows encoded_rows(const Protocol& protocol, std::span<const Role> roles) {
  const WeightRows decoding = decoding_rows(protocol.encoding);
  const std::size_t n = protocol.encoding.size();
  std::vector<std::size_t> place;
  for (std::size_t i = 0; i < roles.size(); ++i)
    if (roles[i] == Role::encoded) place.push_back(i);
  if (place.empty() || place.size() % n != 0)
    throw Error(Errc::shape, fmt::format("{} encoded volumes for {} encodings", place.size(), n),
                "give every encoding the same number of times");
  GroupedRows g;
  for (std::size_t j = 0; j < decoding.size(); ++j)
    for (std::size_t repeat = 0; repeat < place.size() / n; ++repeat) {
      g.rows.emplace_back(roles.size(), 0.0);
      for (std::size_t k = 0; k < n; ++k) g.rows.back()[place[repeat * n + k]] = decoding[j][k];
      g.group.push_back(static_cast<int>(j));
    }
  return g;
}

}  // namespace

Differences differences_of(const Image& series, std::span<const Role> roles, const Protocol& protocol,
                           const DifferenceOptions& options, Mask mask, const Progress& progress,
                           const Cancel* cancel) {
  check_series(series, roles);
  const auto& method = difference_methods().get(options.method);
  const Timings timings = timings_of(protocol, roles.size());
  GroupedRows g =
      protocol.encoding.empty() ? grouped_rows(method, roles, timings.group) : encoded_rows(protocol, roles);
  progress.begin("differences", 3);
  Differences d;
  d.all = series.like(weighted_sums(series.data, g.rows, cancel));
  progress.add(1);
  d.group = g.group;
  if (options.outlier_sd > 0) {
    d.outliers = find_outliers(d.all.data, mask, g.group, options.outlier_sd);
  } else {
    d.outliers.keep.assign(g.rows.size(), 1);
  }
  progress.add(1);

  // Rows and moments of the mean of each timing. Of white noise of variance s2 the differences have covariance
  // s2 R R^T, so the squares about their mean expect s2 (trace - total / n) and the mean has variance s2 total / n^2.
  std::vector<int> kinds;
  for (const int k : d.group)
    if (std::find(kinds.begin(), kinds.end(), k) == kinds.end()) kinds.push_back(k);
  WeightRows means;
  struct Moments {
    std::vector<std::size_t> rows;
    double trace = 0, total = 0;
  };
  std::vector<Moments> moments;
  for (const int kind : kinds) {
    Moments m;
    std::vector<double> mean(roles.size());
    for (std::size_t r = 0; r < g.rows.size(); ++r)
      if (d.group[r] == kind && d.outliers.keep[r]) m.rows.push_back(r);
    for (const std::size_t r : m.rows)
      for (std::size_t t = 0; t < roles.size(); ++t) mean[t] += g.rows[r][t], m.trace += g.rows[r][t] * g.rows[r][t];
    for (const double w : mean) m.total += w * w;
    const auto n = static_cast<double>(m.rows.size());
    for (double& w : mean) w /= n;
    d.weights.push_back(n * n / m.total);
    const auto first = std::find(timings.group.begin(), timings.group.end(), kind) - timings.group.begin();
    d.samples.push_back(timings.samples[static_cast<std::size_t>(first)]);
    means.push_back(std::move(mean));
    moments.push_back(std::move(m));
  }
  const double largest = *std::max_element(d.weights.begin(), d.weights.end());
  for (double& w : d.weights) w /= largest;
  d.mean = series.like(weighted_sums(series.data, means, cancel));
  d.mean.times.clear(), d.all.times.clear();
  d.standard_error = Array::uninitialised(DType::f32, d.mean.data.shape(), d.mean.data.axes());
  const auto n_voxels = static_cast<std::size_t>(series.voxels());
  const float *each = d.all.data.data<float>(), *mean = d.mean.data.data<float>();
  float* error = d.standard_error.data<float>();
  for (std::size_t k = 0; k < kinds.size(); ++k) {
    const Moments& m = moments[k];
    const double n = static_cast<double>(m.rows.size()), freedom = m.trace - m.total / n;
    parallel_for(
        n_voxels, 8192,
        [&](std::size_t begin, std::size_t end) {
          for (std::size_t v = begin; v < end; ++v) {
            double squares = 0;
            for (const std::size_t r : m.rows) {
              const double gap = static_cast<double>(each[r * n_voxels + v] - mean[k * n_voxels + v]);
              squares += gap * gap;
            }
            error[k * n_voxels + v] =
                m.rows.size() < 2 ? nan : static_cast<float>(std::sqrt(squares / freedom * m.total) / n);
          }
        },
        cancel);
  }
  progress.end();
  return d;
}

Image mean_of_role(const Image& series, std::span<const Role> roles, Role role) {
  check_series(series, roles);
  const auto n = std::count(roles.begin(), roles.end(), role);
  if (n == 0)
    throw Error(Errc::range, fmt::format("the series holds no {} volume", name_of(role)),
                "check the volume types (aslcontext.tsv)");
  WeightRows rows(1);
  for (const Role r : roles) rows[0].push_back(r == role ? 1.0 / static_cast<double>(n) : 0.0);
  Image mean = series.like(weighted_sums(series.data, rows).slice(3, 0));
  mean.times.clear();
  return mean;
}

Array normalised(const Array& differences, const Array& M0_blood) {
  const Array d = differences.to(Device::cpu()).cast(DType::f32).contiguous_copy(),
              m = M0_blood.to(Device::cpu()).cast(DType::f32).contiguous_copy();
  const auto n = static_cast<std::size_t>(m.size());
  if (n == 0 || static_cast<std::size_t>(d.size()) % n != 0 || d.extent(0) != m.extent(0) || d.extent(1) != m.extent(1))
    throw Error(Errc::shape,
                fmt::format("difference images of {} and M0 of {}", to_string(d.shape()), to_string(m.shape())),
                "give M0 on the grid of the series");
  Array out = Array::uninitialised(DType::f32, d.shape(), d.axes());
  const float *x = d.data<float>(), *M0 = m.data<float>();
  float* y = out.data<float>();
  parallel_for(static_cast<std::size_t>(d.size()), 1 << 16, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) y[i] = x[i] / M0[i % n];
  });
  return out;
}

ParameterMap make_map(const std::string& name, const std::string& unit, const std::string& title,
                      std::span<const float> values, std::span<const float> standard_error, const Shape& grid) {
  const auto* q = units::find_quantity(name);
  ParameterMap m{.name = name,
                 .symbol = q ? std::string(q->symbol) : name,
                 .unit = unit,
                 .title = q ? std::string(q->title) : title,
                 .values = Array::from<float>(values, grid),
                 .standard_error = {}};
  if (!standard_error.empty()) m.standard_error = Array::from<float>(standard_error, grid);
  return m;
}

}  // namespace larmor::asl
