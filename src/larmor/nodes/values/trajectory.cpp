// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/values/trajectory.hpp>

namespace larmor::flow {
namespace {

std::vector<double> numbers_of(const Value& field) {
  return field.none() ? std::vector<double>{} : ValueTraits<std::vector<double>>::from(field);
}

}  // namespace

Value ValueTraits<Trajectory>::to(const Trajectory& traj) {
  using Numbers = ValueTraits<std::vector<double>>;
  return Value::record("trajectory", {{"data", traj.k},
                                      {"matrix", Numbers::to({traj.matrix.begin(), traj.matrix.end()})},
                                      {"fov", Numbers::to(traj.fov)},
                                      {"times", Numbers::to(traj.times)},
                                      {"source", traj.source}});
}

Trajectory ValueTraits<Trajectory>::from(const Value& value) {
  if (value.type() != "trajectory")
    throw Error(Errc::type, "a trajectory is needed and this is " + value.describe(),
                "make one: traj.spiral, traj.radial, traj.from_array");
  Trajectory traj{.k = ValueTraits<Array>::from(value.field("data")),
                  .fov = numbers_of(value.field("fov")),
                  .times = numbers_of(value.field("times"))};
  for (const double n : numbers_of(value.field("matrix"))) traj.matrix.push_back(static_cast<std::int64_t>(n));
  if (const Value v = value.field("source"); v.kind() == Value::Kind::text) traj.source = v.text();
  traj.check();
  return traj;
}

}  // namespace larmor::flow
