// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <larmor/nodes/traj_ports.hpp>

namespace larmor::nodes {
namespace {

using recon::operator*;
using recon::operator-;

/// Series x, y(, z) of what a function gives at each point, their magnitude, and a limit.
template <class F>
Curve vector_curve(std::size_t n, double raster, F at, double limit, bool three) {
  Curve c;
  c.x_unit = "ms";
  const std::size_t axes = three ? 3 : 2;
  c.y.resize(axes + 2);
  for (std::size_t i = 0; i < n; ++i) {
    c.x.push_back(1e3 * static_cast<double>(i) * raster);
    const recon::Vec3 v = at(i);
    for (std::size_t d = 0; d < axes; ++d) c.y[d].push_back(v[d]);
    c.y[axes].push_back(recon::norm(v));
    c.y[axes + 1].push_back(limit);
  }
  c.series = {"x", "y"};
  if (three) c.series.push_back("z");
  c.series.push_back("magnitude");
  c.series.push_back("limit");
  return c;
}

bool has_z(const recon::Waveform& w) {
  return std::any_of(w.g.begin(), w.g.end(), [](const recon::Vec3& g) { return g[2] != 0; });
}

}  // namespace

void add_limits(flow::NodeType& type) {
  std::move(type)
      .set(flow::Setting("max_gradient", "greatest magnitude of the gradient [mT/m]", 30.0, 0.0, 1000.0).in("mT/m"))
      .set(flow::Setting("max_slew", "greatest magnitude of its rate of change [T/m/s]", 120.0, 0.0, 10000.0)
               .in("T/m/s"))
      .set(flow::Setting("max_frequency", "greatest rate at which its direction turns; 0: none [kHz]", 0.0, 0.0, 100.0)
               .in("kHz"))
      .set(flow::Setting("raster", "time between points of the waveform [us]", 10.0, 0.1, 1000.0).in("us"))
      .set(flow::Setting("gamma", "gyromagnetic ratio over 2 pi [MHz/T]", proton_gamma / 1e6, 0.1, 100.0).in("MHz/T"));
}

recon::GradientLimits limits_of(const flow::Ports& io) {
  return {.max_gradient = 1e-3 * double(io.setting("max_gradient")),
          .max_slew = io.setting("max_slew"),
          .max_frequency = 1e3 * double(io.setting("max_frequency")),
          .raster = 1e-6 * double(io.setting("raster")),
          .gamma = 1e6 * double(io.setting("gamma"))};
}

void add_line(flow::NodeType& type) {
  std::move(type)
      .set(flow::Setting("fov", "field of view [mm]", 240.0, 1.0, 10000.0).in("mm"))
      .set(flow::Setting("resolution", "size of a voxel [mm]", 2.0, 0.001, 1000.0).in("mm"))
      .set(flow::Setting("oversampling", "samples along a line, over those of the field of view", 1.0, 1.0, 100.0))
      .set(flow::Setting("dwell", "time between samples [us]", 5.0, 0.01, 1000.0).in("us"));
  add_limits(type);
}

recon::LineProtocol line_of(const flow::Ports& io, bool from_centre) {
  return {.fov = 1e-3 * double(io.setting("fov")),
          .resolution = 1e-3 * double(io.setting("resolution")),
          .oversampling = io.setting("oversampling"),
          .dwell = 1e-6 * double(io.setting("dwell")),
          .from_centre = from_centre,
          .limits = limits_of(io)};
}

void add_timing(flow::NodeType& type, int axes) {
  for (int d = 0; d < axes; ++d) {
    const std::string axis(1, "xyz"[d]);
    type.settings.push_back(
        flow::Setting("delay_" + axis,
                      "how much later than intended the " + axis + " gradient acts; negative: earlier [us]", 0.0,
                      -999.0, 999.0)
            .in("us")
            .or_none());
    type.settings.back().value = {};
  }
  std::move(type).set(
      flow::Setting("echo_time", "from the excitation to the centre of k-space [ms]", 0.0, 0.0, 1e4).in("ms"));
}

recon::Vec3 delay_of(const flow::Ports& io) {
  recon::Vec3 delay{};
  for (std::size_t d = 0; d < 3; ++d) {
    const std::string name = std::string("delay_") + "xyz"[d];
    if (io.type().setting(name) && io.setting(name).given()) delay[d] = 1e-6 * double(io.setting(name));
  }
  return delay;
}

double echo_time_of(const flow::Ports& io) { return 1e-3 * double(io.setting("echo_time")); }

void add_outputs(flow::NodeType& type) {
  std::move(type)
      .out<Trajectory>("trajectory", "positions (sample, arm, d) [cycles/FOV]")
      .out<ArmWaveforms>("waveforms", "gradients of all arms, for traj.sequence")
      .out<Curve>("gradient", "gradient of the first arm, its magnitude and the limit [mT/m]")
      .out<Curve>("slew", "its rate of change, the magnitude and the limit [T/m/s]")
      .out<Curve>("kspace", "distance from the centre of k-space [cycles/m]");
}

void put_outputs(flow::Ports& io, const ArmWaveforms& waves, std::vector<std::int64_t> matrix, std::string source,
                 const std::vector<std::pair<std::string, std::int64_t>>& axes) {
  const auto nominal = matrix;
  Trajectory traj = recon::sample_arms(waves, std::move(matrix), std::move(source));
  if (!axes.empty()) {
    Shape shape{traj.k.extent(0)};
    Axes names{"sample"};
    for (const auto& [name, n] : axes) shape.push_back(n), names.push_back(name);
    shape.push_back(traj.k.extent(2)), names.emplace_back("d");
    traj.k = traj.k.reshaped(shape, names);
  }
  if (traj.matrix != nominal)
    io.warn("samples lie beyond the nominal matrix of " + to_string(nominal) + ": it is " + to_string(traj.matrix) +
            " now");
  const auto first = recon::waveform_of(waves.waveforms, waves.arms.front());
  io.out("trajectory") = traj;
  io.out("waveforms") = waves;
  io.out("gradient") = gradient_curve(first, waves.limits);
  io.out("slew") = slew_curve(first, waves.limits);
  io.out("kspace") = radius_curve(first);
}

Curve gradient_curve(const recon::Waveform& w, const recon::GradientLimits& limits) {
  Curve c = vector_curve(
      w.g.size(), w.raster, [&](std::size_t i) { return 1e3 * w.g[i]; }, 1e3 * limits.max_gradient, has_z(w));
  c.label = "gradient", c.unit = "mT/m";
  return c;
}

Curve slew_curve(const recon::Waveform& w, const recon::GradientLimits& limits) {
  const std::size_t n = w.g.size();
  Curve c = vector_curve(
      n > 0 ? n - 1 : 0, w.raster, [&](std::size_t i) { return (1 / w.raster) * (w.g[i + 1] - w.g[i]); },
      limits.max_slew, has_z(w));
  c.label = "slew rate", c.unit = "T/m/s";
  return c;
}

Curve radius_curve(const recon::Waveform& w) {
  Curve c;
  c.x_unit = "ms", c.label = "|k|", c.unit = "cycles/m";
  c.y.resize(1);
  const recon::Positions positions(w);
  for (std::size_t i = 0; i < positions.points().size(); ++i) {
    c.x.push_back(1e3 * static_cast<double>(i) * w.raster);
    c.y[0].push_back(recon::norm(positions.points()[i]));
  }
  return c;
}

}  // namespace larmor::nodes
