// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/nodes/sim_ports.hpp>
#include <larmor/nodes/values/sequence.hpp>

namespace larmor::nodes {

using flow::Setting;

Setting axis_setting(std::string name, std::string what, const char* value) {
  return Setting::choice(std::move(name), std::move(what), value, {"x", "y", "z"});
}
int axis_of(flow::Ports& io, const char* setting) { return io.setting(setting).str()[0] - 'x'; }

flow::NodeType&& with_limits(flow::NodeType&& type) {
  return std::move(type)
      .set(Setting{"max_gradient", "strongest gradient", 40.0, 0.1, 1000.0}.in("mT/m"))
      .set(Setting{"max_slew", "steepest ramp", 150.0, 1.0, 10000.0}.in("T/m/s"));
}
sim::GradientLimits limits_of(flow::Ports& io) {
  return {.amplitude = 1e-3 * double(io.setting("max_gradient")), .slew = io.setting("max_slew")};
}

flow::NodeType&& with_pulse(flow::NodeType&& type) {
  return std::move(type)
      .set(Setting::choice("shape", "shape of the pulse", "sinc", {"sinc", "gauss", "hard"}))
      .set(Setting{"FA", "flip angle on resonance", 90.0, -1440.0, 1440.0}.in("deg"))
      .set(Setting{"phase", "phase of the pulse; 0 turns Mz to +y", 0.0, -36000.0, 36000.0}.in("deg"))
      .set(Setting{"duration", "length of the pulse", 3.0, 1e-4, 1000.0}.in("ms"))
      .set({"time_bandwidth", "bandwidth times duration, of sinc and gauss", 4.0, 0.1, 100.0})
      .set({"apodisation", "of a sinc: 0.5 Hann, 0.46 Hamming, 0 none", 0.46, 0.0, 0.5})
      .set(Setting{"frequency", "offset of the pulse's frequency", 0.0, -1e7, 1e7}.in("Hz"))
      .set(Setting::choice("use", "what it is for", "excitation",
                           {"excitation", "refocusing", "inversion", "saturation"}));
}
sim::PulseSpec pulse_of(flow::Ports& io) {
  const std::string shape = io.setting("shape");
  sim::PulseSpec s;
  s.shape = shape == "hard" ? sim::PulseShape::hard : shape == "gauss" ? sim::PulseShape::gauss : sim::PulseShape::sinc;
  s.FA = degree * double(io.setting("FA")), s.phase = degree * double(io.setting("phase"));
  s.duration = 1e-3 * double(io.setting("duration"));
  s.time_bandwidth = io.setting("time_bandwidth"), s.apodisation = io.setting("apodisation");
  s.frequency = io.setting("frequency"), s.use = io.setting("use").str()[0];
  return s;
}

flow::NodeType&& as_block(flow::NodeType&& type) {
  type.tags.insert(type.tags.end(), {"sequence", "pulse sequence", "block", "Bloch"});
  return std::move(type)
      .maybe<Sequence>("before", "what happens before; nothing when not wired")
      .out<Sequence>("sequence", "what comes before, then this");
}
Sequence before_of(flow::Ports& io) { return io.has("before") ? io.in<Sequence>("before") : Sequence{}; }

std::vector<double> spaced_setting(flow::Ports& io, const char* name) {
  const auto v = io.setting(name).numbers();
  if (v.size() == 1) return v;
  if (v.size() != 3 || v[2] != std::floor(v[2]) || v[2] < 1 || v[2] > 1e8)
    throw Error(Errc::shape, fmt::format("'{}' is {} numbers", name, v.size()),
                "give one place, or three numbers: first, last, how many");
  return sim::spaced(v[0], v[1], static_cast<int>(v[2]));
}

Array on_grid(const Array& per_spin, const sim::Spins& spins) {
  Shape shape;
  Axes axes;
  for (int i = 0; i < per_spin.rank(); ++i) {
    const std::string& name = per_spin.axes()[static_cast<std::size_t>(i)];
    if (name == "spin") {
      shape.insert(shape.end(), spins.shape.begin(), spins.shape.end());
      axes.insert(axes.end(), spins.axes.begin(), spins.axes.end());
    } else {
      shape.push_back(per_spin.extent(i)), axes.push_back(name);
    }
  }
  return per_spin.reshaped(shape, axes);
}

}  // namespace larmor::nodes
