// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/units.hpp>
#include <larmor/nodes/protocol.hpp>

namespace larmor::nodes {

std::vector<double> meta_numbers(const Metadata& meta, const std::string& key) {
  const auto it = meta.find(key);
  if (it == meta.end()) return {};
  if (const auto* x = std::get_if<double>(&it->second)) return std::vector<double>(1, *x);
  if (const auto* v = std::get_if<std::vector<double>>(&it->second)) return *v;
  return {};
}

std::vector<double> meta_TR(const Metadata& meta) {
  auto TR = meta_numbers(meta, "RepetitionTimeExcitation");
  return TR.empty() ? meta_numbers(meta, "RepetitionTime") : TR;
}

std::vector<double> in_rad(std::vector<double> deg) {
  for (double& x : deg) x *= units::degree;
  return deg;
}
std::vector<double> in_s(std::vector<double> ms) {
  for (double& x : ms) x *= units::millisecond;
  return ms;
}

}  // namespace larmor::nodes
