// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <larmor/core/error.hpp>
#include <larmor/data/parameter_maps.hpp>

namespace larmor {

const ParameterMap& ParameterMaps::get(std::string_view name) const {
  const auto found = std::find_if(maps.begin(), maps.end(), [&](const auto& map) { return map.name == name; });
  if (found != maps.end()) return *found;
  std::vector<std::string> names;
  for (const auto& map : maps) names.push_back(map.name);
  throw unknown_name("map", name, names, names.empty() ? "there are no maps here" : "");
}

bool ParameterMaps::has(std::string_view name) const {
  return std::any_of(maps.begin(), maps.end(), [&](const auto& map) { return map.name == name; });
}

}  // namespace larmor
