// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/nodes/sim_ports.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/sequence.hpp>
#include <larmor/sim/program.hpp>

namespace larmor::nodes {
namespace {

using flow::Setting;

void pulse(flow::Ports& io) {
  Sequence s = before_of(io);
  const int axis = axis_of(io, "axis");
  const auto limits = limits_of(io);
  const Block b = sim::pulse_block(pulse_of(io), io.setting("thickness"), axis, limits);
  const double area = sim::rephasing_area(b, axis);
  s.blocks.push_back(b);
  if (io.setting("rephase") && area != 0)
    s.blocks.push_back(sim::gradient_block({{axis, sim::trapezoid_of_area(area, 0, limits)}}));
  io.out("sequence") = s;
  io.out("B1_peak") = 1e6 * *std::max_element(b.rf->magnitude.begin(), b.rf->magnitude.end());
}

void gradient(flow::Ports& io) {
  Sequence s = before_of(io);
  const auto limits = limits_of(io);
  // cycles/mm to T s/m.
  const double scale = 1 / (proton_gamma * 1e-3);
  std::vector<std::pair<int, Gradient>> axes;
  const double duration = 1e-3 * double(io.setting("duration"));
  for (int a = 0; a < 3; ++a) {
    const double area = scale * double(io.setting(std::string("area_") + static_cast<char>('x' + a)));
    if (area != 0) axes.emplace_back(a, sim::trapezoid_of_area(area, duration, limits));
  }
  Block b = sim::gradient_block(axes);
  b.duration = std::max(b.duration, duration);
  s.blocks.push_back(b);
  io.out("sequence") = s;
}

void delay(flow::Ports& io) {
  Sequence s = before_of(io);
  const double t = 1e-3 * double(io.setting("duration"));
  double rest = t;
  if (io.setting("until").str() == "from_start") {
    rest = t - s.duration();
    if (rest < -1e-9)
      throw Error(
          Errc::range,
          fmt::format("a delay until {:g} ms, and what comes before takes {:g} ms", 1e3 * t, 1e3 * s.duration()),
          "give a later time, or make pulses and gradients shorter");
    rest = std::max(rest, 0.0);
  }
  s.blocks.push_back(io.setting("spoil") ? sim::spoil_block(rest) : sim::delay_block(rest));
  io.out("sequence") = s;
}

void readout(flow::Ports& io) {
  Sequence s = before_of(io);
  s.blocks.push_back(sim::readout_block(io.setting("samples"), 1e-6 * double(io.setting("dwell")), io.setting("fov"),
                                        axis_of(io, "axis"), degree * double(io.setting("phase")), limits_of(io)));
  io.out("sequence") = s;
}

void repeat(flow::Ports& io) {
  Sequence s = before_of(io);
  sim::append(s, sim::repeated(io.in<Sequence>("one"), int(io.setting("times")),
                               degree * double(io.setting("phase_increment")), io.setting("alternate")));
  io.out("sequence") = s;
}

void join(flow::Ports& io) {
  Sequence s;
  for (const auto& v : io.all("in")) sim::append(s, flow::ValueTraits<Sequence>::from(v));
  io.out("sequence") = s;
}

std::vector<double> numbers_of(flow::Ports& io, const char* port, double scale) {
  if (!io.has(port)) return {};
  auto v = io.in<std::vector<double>>(port);
  for (double& x : v) x *= scale;
  return v;
}

void waveforms(flow::Ports& io) {
  Sequence s = before_of(io);
  const double raster = 1e-6 * double(io.setting("raster"));
  Block b;
  if (io.has("B1")) {
    const Array a = io.in<Array>("B1").cast(DType::c128).contiguous_copy();
    if (a.rank() != 1) throw Error(Errc::shape, "B1 is " + a.describe(), "give one axis");
    Rf rf;
    rf.raster = raster, rf.use = io.setting("use").str()[0];
    for (const auto& v : a.span<const std::complex<double>>())
      rf.magnitude.push_back(1e-6 * std::abs(v)), rf.phase.push_back(std::arg(v));
    b.rf = std::make_shared<const Rf>(std::move(rf));
    b.duration = b.rf->duration();
  }
  const char* ports[] = {"Gx", "Gy", "Gz"};
  for (std::size_t a = 0; a < 3; ++a)
    if (auto v = numbers_of(io, ports[a], 1e-3); !v.empty()) {
      Gradient g;
      g.raster = raster, g.values = std::move(v);
      b.duration = std::max(b.duration, g.duration());
      b.g[a] = std::make_shared<const Gradient>(std::move(g));
    }
  if (const std::int64_t n = io.setting("samples"); n > 0) {
    Adc adc;
    adc.samples = n, adc.dwell = 1e-6 * double(io.setting("dwell")), adc.delay = 1e-6 * double(io.setting("delay"));
    b.duration = std::max(b.duration, adc.duration());
    b.adc = std::make_shared<const Adc>(adc);
  }
  if (b.duration == 0) throw Error(Errc::range, "waveforms of nothing", "wire B1, Gx, Gy or Gz, or give samples");
  s.blocks.push_back(std::move(b));
  s.check();
  io.out("sequence") = s;
}

}  // namespace

/// sim.pulse, gradient, delay, readout, repeat, join and waveforms.
void register_sim_blocks(flow::NodeTypes& nodes) {
  const auto block = [](const char* title, const char* does, const char* help, std::vector<std::string> tags) {
    return as_block(flow::NodeType{.title = title, .does = does, .help = help, .tags = std::move(tags)});
  };
  nodes.add(
      "sim.pulse",
      with_limits(with_pulse(block("Pulse", "Appends a radio-frequency pulse, with a slice gradient if wanted",
                                   "The slice is as wide as time_bandwidth / duration is in Hz. Angles and senses: "
                                   "a pulse of phase 0 turns Mz to +y; a positive offset turns clockwise.",
                                   {"RF", "excitation", "refocusing", "slice selection", "inversion"}))
                      .out<double>("B1_peak", "largest B1 [uT]")
                      .set(Setting{"thickness", "of the slice; 0: no gradient", 0.0, 0.0, 1e4}.in("mm"))
                      .set(axis_setting("axis", "of the slice gradient", "z"))
                      .set({"rephase", "a gradient after the pulse rephases the slice", true}))
          .run(pulse));
  nodes.add("sim.gradient",
            with_limits(block("Gradient", "Appends trapezoids of given areas: rephasers, phase encoding, crushers",
                              "An area is the k-space step: 1 cycle/mm turns spins 1 mm apart by one turn.",
                              {"crusher", "spoiler", "phase encoding", "trapezoid"})
                            .set(Setting{"area_x", "of the gradient along x", 0.0, -1e4, 1e4}.in("cycles/mm"))
                            .set(Setting{"area_y", "of the gradient along y", 0.0, -1e4, 1e4}.in("cycles/mm"))
                            .set(Setting{"area_z", "of the gradient along z", 0.0, -1e4, 1e4}.in("cycles/mm"))
                            .set(Setting{"duration", "length; 0: the shortest", 0.0, 0.0, 1e5}.in("ms")))
                .run(gradient));
  nodes.add(
      "sim.delay",
      block("Delay", "Appends waiting, and spoils at its end if wanted",
            "Spoiling sets transverse magnetisation to 0, as a perfect crusher does.", {"wait", "spoil", "TR", "TI"})
          .set(Setting{"duration", "how long, or until when", 10.0, 0.0, 1e6}.in("ms"))
          .set(Setting::choice("until", "what the duration counts from", "lasts", {"lasts", "from_start"}))
          .set({"spoil", "transverse magnetisation is gone at the end", false})
          .run(delay));
  nodes.add("sim.readout",
            with_limits(block("Readout", "Appends samples, on the flat top of a gradient if wanted",
                              "With a field of view, neighbouring samples lie one cycle over it apart.",
                              {"ADC", "sampling", "echo", "acquisition"})
                            .set({"samples", "how many", 64, 1, 10000000})
                            .set(Setting{"dwell", "time between samples", 10.0, 1e-3, 1e6}.in("us"))
                            .set(Setting{"fov", "field of view along the axis; 0: no gradient", 0.0, 0.0, 1e5}.in("mm"))
                            .set(axis_setting("axis", "of the readout gradient", "x"))
                            .set(Setting{"phase", "of the receiver", 0.0, -36000.0, 36000.0}.in("deg")))
                .run(readout));
  nodes.add(
      "sim.repeat",
      block("Repeat", "Appends a part of a sequence several times, with RF spoiling or alternating pulses",
            "Pulses and receiver of repeat $n$ get the phase $\\varphi\\, n (n + 1) / 2$ more (Zur et al., MRM 21:251, "
            "1991).",
            {"TR", "loop", "RF spoiling", "bSSFP"})
          .in<Sequence>("one", "what is repeated")
          .set({"times", "how often", 10, 1, 1000000})
          .set(Setting{"phase_increment", "for RF spoiling, usually 117 or 50", 0.0, -360.0, 360.0}.in("deg"))
          .set({"alternate", "every second repeat has pulses of opposite phase", false})
          .run(repeat));
  nodes.add("sim.join", flow::NodeType{.title = "Join sequences",
                                       .does = "Puts sequences one after the other",
                                       .tags = {"sequence", "append", "concatenate"}}
                            .in<Sequence>("in", "sequences, in this order", {.repeated = true})
                            .out<Sequence>("sequence", "all of them")
                            .run(join));
  nodes.add("sim.waveforms",
            block("Waveforms", "Appends a block of arrays: B1, gradients and samples on a raster",
                  "Values are constant (B1) or on lines (gradients) between samples at the middles of the raster.",
                  {"array", "arbitrary gradient", "own pulse"})
                .maybe<Array>("B1", "pulse (t), complex or real [uT]")
                .maybe<std::vector<double>>("Gx", "gradient along x [mT/m]")
                .maybe<std::vector<double>>("Gy", "gradient along y [mT/m]")
                .maybe<std::vector<double>>("Gz", "gradient along z [mT/m]")
                .set(Setting{"raster", "time between values", 10.0, 1e-3, 1e6}.in("us"))
                .set({"samples", "samples taken; 0: none", 0, 0, 10000000})
                .set(Setting{"dwell", "time between samples", 10.0, 1e-3, 1e6}.in("us"))
                .set(Setting{"delay", "before the first dwell time", 0.0, 0.0, 1e9}.in("us"))
                .set(Setting::choice("use", "what the pulse is for", "excitation",
                                     {"excitation", "refocusing", "inversion", "saturation"}))
                .run(waveforms));
}

}  // namespace larmor::nodes
