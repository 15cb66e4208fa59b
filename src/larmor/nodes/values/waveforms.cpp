// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/values/waveforms.hpp>

namespace larmor::flow {
namespace {

using nodes::ArmWaveforms;
using recon::Vec3;

double number_of(const Value& record, const char* name) { return ValueTraits<double>::from(record.field(name)); }

Array doubles(const Value& record, const char* name, int rank) {
  const Array a = ValueTraits<Array>::from(record.field(name)).cast(DType::f64).contiguous_copy();
  if (a.rank() != rank)
    throw Error(Errc::shape, std::string("waveforms: '") + name + "' is " + a.describe(),
                "make them by an operation: traj.spiral, traj.radial");
  return a;
}

}  // namespace

Value ValueTraits<ArmWaveforms>::to(const ArmWaveforms& w) {
  const auto n = static_cast<std::int64_t>(w.waveforms.empty() ? 0 : w.waveforms[0].g.size());
  const auto count = static_cast<std::int64_t>(w.waveforms.size()), arms = static_cast<std::int64_t>(w.arms.size());
  Array g = Array::of<double>({n, 3, count}, {"t", "d", "waveform"});
  for (std::int64_t i = 0; i < count; ++i)
    for (std::int64_t t = 0; t < n; ++t)
      for (std::int64_t d = 0; d < 3; ++d)
        g.data<double>()[(i * 3 + d) * n + t] =
            w.waveforms[static_cast<std::size_t>(i)].g[static_cast<std::size_t>(t)][static_cast<std::size_t>(d)];
  Array which = Array::of<std::int32_t>({arms}, {"arm"}),
        maps = Array::of<double>({3, 3, arms}, {"column", "row", "arm"}),
        offsets = Array::of<double>({3, arms}, {"d", "arm"});
  for (std::int64_t a = 0; a < arms; ++a) {
    const auto& arm = w.arms[static_cast<std::size_t>(a)];
    which.data<std::int32_t>()[a] = static_cast<std::int32_t>(arm.waveform);
    for (std::size_t row = 0; row < 3; ++row)
      for (std::size_t column = 0; column < 3; ++column)
        maps.data<double>()[static_cast<std::size_t>(a) * 9 + row * 3 + column] = arm.map[row][column];
    for (std::size_t d = 0; d < 3; ++d) offsets.data<double>()[static_cast<std::size_t>(a) * 3 + d] = arm.offset[d];
  }
  const auto list = [](auto begin, auto end) { return Value(Value::List(begin, end)); };
  const auto& s = w.sampling;
  const auto& l = w.limits;
  return Value::record("waveforms", {{"data", std::move(g)},
                                     {"which", std::move(which)},
                                     {"maps", std::move(maps)},
                                     {"offsets", std::move(offsets)},
                                     {"raster", l.raster},
                                     {"gamma", l.gamma},
                                     {"max_gradient", l.max_gradient},
                                     {"max_slew", l.max_slew},
                                     {"max_frequency", l.max_frequency},
                                     {"samples", s.samples},
                                     {"dwell", s.dwell},
                                     {"start", s.start},
                                     {"centre", s.centre},
                                     {"echo_time", s.echo_time},
                                     {"delay", list(s.delay.begin(), s.delay.end())},
                                     {"runs", list(s.runs.begin(), s.runs.end())},
                                     {"fov", list(w.fov.begin(), w.fov.end())}});
}

ArmWaveforms ValueTraits<ArmWaveforms>::from(const Value& value) {
  if (value.type() != "waveforms")
    throw Error(Errc::type, "gradient waveforms are needed and this is " + value.describe(),
                "take them from the operation that makes the trajectory: traj.spiral, traj.radial");
  const Array g = doubles(value, "data", 3), maps = doubles(value, "maps", 3), offsets = doubles(value, "offsets", 2);
  const Array which = ValueTraits<Array>::from(value.field("which")).cast(DType::i32).contiguous_copy();
  const std::int64_t n = g.extent(0), count = g.extent(2), arms = which.size();
  if (g.extent(1) != 3 || maps.size() != 9 * arms || offsets.size() != 3 * arms)
    throw Error(Errc::shape, "waveforms: " + g.describe() + " with maps " + maps.describe(), "give three axes");
  ArmWaveforms w;
  w.limits = {.max_gradient = number_of(value, "max_gradient"),
              .max_slew = number_of(value, "max_slew"),
              .max_frequency = number_of(value, "max_frequency"),
              .raster = number_of(value, "raster"),
              .gamma = number_of(value, "gamma")};
  w.sampling = {.samples = static_cast<std::int64_t>(number_of(value, "samples")),
                .dwell = number_of(value, "dwell"),
                .start = number_of(value, "start"),
                .centre = number_of(value, "centre"),
                .echo_time = number_of(value, "echo_time")};
  const auto delay = ValueTraits<std::vector<double>>::from(value.field("delay"));
  for (std::size_t d = 0; d < 3 && d < delay.size(); ++d) w.sampling.delay[d] = delay[d];
  if (const Value runs = value.field("runs"); !runs.none())
    w.sampling.runs = ValueTraits<std::vector<double>>::from(runs);
  w.fov = ValueTraits<std::vector<double>>::from(value.field("fov"));
  w.limits.check();
  for (std::int64_t i = 0; i < count; ++i) {
    recon::Waveform one{.raster = w.limits.raster, .gamma = w.limits.gamma};
    for (std::int64_t t = 0; t < n; ++t) {
      const double* at = g.data<double>() + i * 3 * n + t;
      one.g.push_back({at[0], at[n], at[2 * n]});
    }
    w.waveforms.push_back(std::move(one));
  }
  for (std::int64_t a = 0; a < arms; ++a) {
    recon::Arm arm{.waveform = static_cast<std::size_t>(which.data<std::int32_t>()[a])};
    if (arm.waveform >= w.waveforms.size())
      throw Error(Errc::range, "waveforms: arm " + std::to_string(a) + " uses a waveform that is not there");
    for (std::size_t row = 0; row < 3; ++row)
      for (std::size_t column = 0; column < 3; ++column)
        arm.map[row][column] = maps.data<double>()[static_cast<std::size_t>(a) * 9 + row * 3 + column];
    for (std::size_t d = 0; d < 3; ++d) arm.offset[d] = offsets.data<double>()[static_cast<std::size_t>(a) * 3 + d];
    w.arms.push_back(arm);
  }
  return w;
}

}  // namespace larmor::flow
