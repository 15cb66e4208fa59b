// SPDX-License-Identifier: Apache-2.0
#include "trajectory_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <larmor/nodes/nufft_ports.hpp>
#include <larmor/nodes/values/trajectory.hpp>

namespace larmor::cli {

Trajectory trajectory_of_json(const flow::Value& file, const std::string& path) {
  const auto numbers = [&](const char* name) {
    const flow::Value field = file.kind() == flow::Value::Kind::record ? file.field(name) : flow::Value();
    try {
      return field.none() ? std::vector<double>{} : flow::ValueTraits<std::vector<double>>::from(field);
    } catch (Error& e) {
      throw e.at(fmt::format("{}, '{}'", path, name));
    }
  };
  const auto k = numbers("data"), matrix = numbers("matrix");
  Trajectory traj{
      .k = {}, .matrix = nodes::voxels_of(matrix, "matrix"), .fov = numbers("fov"), .times = numbers("times")};
  const auto d = static_cast<std::int64_t>(matrix.size()), all = static_cast<std::int64_t>(k.size());
  const auto samples = traj.times.empty() ? all / std::max<std::int64_t>(1, d) : std::ssize(traj.times);
  if (all == 0 || d == 0 || all % (samples * d) != 0)
    throw Error(Errc::format,
                fmt::format("{} numbers as 'data', {} as 'matrix', {} as 'times'", all, d, traj.times.size()),
                "give a trajectory that larmor traj wrote, or a .npy with --matrix")
        .at(path);
  traj.k = Array::from<double>(k, {samples, all / (samples * d), d}, {"sample", "arm", "d"});
  if (const auto source = file.field("source"); source.kind() == flow::Value::Kind::text) traj.source = source.text();
  traj.check();
  return traj;
}

}  // namespace larmor::cli
