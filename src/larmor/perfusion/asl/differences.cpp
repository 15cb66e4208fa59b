// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/perfusion/asl/differences.hpp>
#include <map>

namespace larmor::asl {

void register_difference_methods(DifferenceMethods& registry);  // generated

const DifferenceMethods& difference_methods() {
  static const DifferenceMethods all = [] {
    DifferenceMethods m("difference method", "larmor list differences");
    register_difference_methods(m);
    return m;
  }();
  return all;
}

std::string name_of(Role role) {
  switch (role) {
    case Role::control:
      return "control";
    case Role::label:
      return "label";
    case Role::m0:
      return "m0scan";
    case Role::difference:
      return "deltam";
    case Role::encoded:
      return "encoded";
    case Role::other:
      break;
  }
  return "n/a";
}

Role role_of(const std::string& text) {
  static const std::map<std::string, Role> names{
      {"control", Role::control}, {"label", Role::label}, {"m0scan", Role::m0},  {"deltam", Role::difference},
      {"encoded", Role::encoded}, {"cbf", Role::other},   {"noRF", Role::other}, {"n/a", Role::other}};
  const auto at = names.find(text);
  if (at != names.end()) return at->second;
  std::vector<std::string> known;
  for (const auto& [name, role] : names) known.push_back(name);
  throw unknown_name("volume type", text, known);
}

Array weighted_sums(const Array& series, const WeightRows& rows, const Cancel* cancel) {
  if (series.rank() < 1) throw Error(Errc::shape, "an empty series");
  const auto n_volumes = static_cast<std::size_t>(series.extent(series.rank() - 1));
  for (const auto& row : rows)
    if (row.size() != n_volumes)
      throw Error(Errc::shape, fmt::format("{} weights for {} volumes", row.size(), n_volumes));
  const Array packed = series.to(Device::cpu()).cast(DType::f32).contiguous_copy();
  const auto n_voxels = static_cast<std::size_t>(packed.size()) / std::max<std::size_t>(n_volumes, 1);
  Shape shape = series.shape();
  const Axes& axes = series.axes();
  shape.back() = static_cast<std::int64_t>(rows.size());
  Array out = Array::uninitialised(DType::f32, shape, axes);
  const float* from = packed.data<float>();
  float* to = out.data<float>();
  parallel_for(
      n_voxels, 4096,
      [&](std::size_t begin, std::size_t end) {
        std::vector<double> sum(end - begin);
        for (std::size_t r = 0; r < rows.size(); ++r) {
          std::fill(sum.begin(), sum.end(), 0.0);
          for (std::size_t t = 0; t < n_volumes; ++t) {
            const double w = rows[r][t];
            if (w == 0) continue;  // a volume that is not used may hold anything
            const float* volume = from + t * n_voxels;
            for (std::size_t v = begin; v < end; ++v) sum[v - begin] += w * static_cast<double>(volume[v]);
          }
          for (std::size_t v = begin; v < end; ++v) to[r * n_voxels + v] = static_cast<float>(sum[v - begin]);
        }
      },
      cancel);
  return out;
}

GroupedRows grouped_rows(const Difference& method, std::span<const Role> roles, std::span<const int> groups) {
  if (roles.size() != groups.size())
    throw Error(Errc::shape, fmt::format("{} timings for {} volumes", groups.size(), roles.size()));
  std::vector<int> order;  // groups as they appear
  for (const int g : groups)
    if (std::find(order.begin(), order.end(), g) == order.end()) order.push_back(g);
  GroupedRows all;
  for (const int g : order) {
    std::vector<Role> mine;
    std::vector<std::size_t> place;
    for (std::size_t i = 0; i < roles.size(); ++i) {
      if (groups[i] != g) continue;
      if (roles[i] == Role::difference) {
        all.rows.emplace_back(roles.size(), 0.0);
        all.rows.back()[i] = 1;
        all.group.push_back(g);
      } else if (roles[i] == Role::control || roles[i] == Role::label) {
        mine.push_back(roles[i]), place.push_back(i);
      }
    }
    if (mine.empty()) continue;
    for (const auto& row : method.weights(mine)) {
      all.rows.emplace_back(roles.size(), 0.0);
      for (std::size_t k = 0; k < row.size(); ++k) all.rows.back()[place[k]] = row[k];
      all.group.push_back(g);
    }
  }
  if (all.rows.empty())
    throw Error(Errc::shape, "the series holds no control, label or difference volume",
                "check the volume types (aslcontext.tsv)");
  return all;
}

}  // namespace larmor::asl
