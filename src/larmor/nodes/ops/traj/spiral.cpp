// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/nodes/traj_ports.hpp>
#include <larmor/nodes/traj_protocol.hpp>
#include <numbers>
#include <tuple>

namespace larmor::nodes {
namespace {

ScanProtocol protocol_of(const flow::Ports& io) {
  recon::SpiralProtocol p{
      .fov = 1e-3 * double(io.setting("fov")),
      .resolution = 1e-3 * double(io.setting("resolution")),
      .arms = io.setting("arms"),
      .dwell = 1e-6 * double(io.setting("dwell")),
      .limits = limits_of(io),
      .undersampling = {.begin = io.setting("undersampling_begin"),
                        .end = io.setting("undersampling_end"),
                        .factor = io.setting("undersampling"),
                        .shape = recon::undersampling_shape(io.setting("undersampling_shape").str())},
      .direction = recon::spiral_direction(io.setting("direction").str()),
      .end = recon::spiral_end(io.setting("end").str()),
      .T2_match = 1e-3 * double(io.setting("T2_match")),
      .spoil_cycles = io.setting("spoil_cycles"),
      .true_resolution = io.setting("true_resolution")};
  if (!io.has("protocol")) return {.spiral = p, .echo_time = echo_time_of(io), .delay = delay_of(io)};
  ScanProtocol scan = scan_protocol(io.value("protocol"), p);
  for (std::size_t d = 0; d < 2; ++d)
    if (io.setting(d == 0 ? "delay_x" : "delay_y").given()) scan.delay[d] = delay_of(io)[d];
  return scan;
}

/// Scanners differ in how they round the radius: where the readout is not as long as it was recorded, another of the
/// usual radii may be the one.
recon::SpiralDesign design(recon::SpiralProtocol& p, const ScanProtocol& scan) {
  auto made = recon::design_spiral(p);
  const auto length = [](const recon::SpiralDesign& d) {
    return static_cast<std::int64_t>(d.readout_end - d.readout_begin);
  };
  if (!scan.readout_end || *scan.readout_end == length(made)) return made;
  const double half = p.fov / (2 * p.resolution), wide = half * 2 / std::sqrt(std::numbers::pi);
  for (const double radius : {wide, std::ceil(wide), std::round(wide), half}) {
    auto other = p;
    other.radius = radius;
    auto tried = recon::design_spiral(other);
    if (*scan.readout_end == length(tried)) {
      p = other;
      return tried;
    }
  }
  return made;
}

void compare(const flow::Ports& io, const ScanProtocol& scan, const recon::SpiralDesign& design) {
  for (const auto& text : scan.warnings) io.warn(text);
  // Rasters count from the begin of the readout; what comes before it is not recorded.
  const auto since = [&](std::size_t end) { return static_cast<std::int64_t>(end - design.readout_begin); };
  for (const auto& [what, recorded, made] : {std::tuple{"readout", scan.readout_end, since(design.readout_end)},
                                             std::tuple{"ramp", scan.ramp_end, since(design.ramp_end)},
                                             std::tuple{"rewinder", scan.rewind_end, since(design.rewind_end)}})
    if (recorded && *recorded != made)
      io.warn(fmt::format("the protocol recorded the end of the {} at {} rasters and the design has {}", what,
                          *recorded, made));
}

void compute(flow::Ports& io) {
  const ScanProtocol scan = protocol_of(io);
  auto p = scan.spiral;
  auto design = nodes::design(p, scan);
  compare(io, scan, design);
  const std::int64_t samples = scan.samples.value_or(design.samples);
  if (samples != design.samples)
    io.warn(fmt::format("the protocol has {} samples and the readout of the design holds {}", samples, design.samples));
  if (samples > design.samples) {
    p.least_samples = samples;
    design = recon::design_spiral(p);
  }
  const auto arms = recon::turned_arms(recon::arm_angles(p.arms, recon::arm_order(io.setting("order").str())));
  const ArmWaveforms waves{.waveforms = {design.waveform},
                           .arms = arms,
                           .sampling = {.samples = samples,
                                        .dwell = p.dwell,
                                        .start = design.readout_start(),
                                        .centre = design.centre_time(),
                                        .echo_time = scan.echo_time.value_or(echo_time_of(io)),
                                        .delay = scan.delay},
                           .limits = p.limits,
                           .fov = {p.fov, p.fov}};
  const auto n = scan.matrix.value_or(recon::spiral_matrix(p.fov, p.resolution, p.true_resolution));
  put_outputs(io, waves, {n, n},
              fmt::format("spiral of {} arms, {:.4g} mm over {:.4g} mm", p.arms, 1e3 * p.resolution, 1e3 * p.fov));
  const auto raster = [](std::size_t i) { return flow::Value(static_cast<double>(i)); };
  io.out("points") = flow::Value::record("record", {{"readout_begin", raster(design.readout_begin)},
                                                    {"centre", raster(design.centre)},
                                                    {"readout_end", raster(design.readout_end)},
                                                    {"ramp_end", raster(design.ramp_end)},
                                                    {"rewind_end", raster(design.rewind_end)},
                                                    {"samples", static_cast<double>(design.samples)}});
}

}  // namespace

void register_traj_spiral(flow::NodeTypes& nodes) {
  using flow::Setting;
  auto type =
      flow::NodeType{
          .title = "Spiral",
          .does = "Designs a spiral as fast as the gradient system allows, and gives its waveforms and positions",
          .from = "Pipe & Zwart, MRM 71:278 (2014)",
          .help =
              "Archimedean: dr/dtheta = arms / (2 pi FOV), times the undersampling at the radius r. Along that curve "
              "the gradient is as large as its own limit, the slew rate, the rate of turning and the sampling along "
              "the arm (one sample a cycle/FOV at most) allow. True resolution goes out to where the disc has the "
              "area of the square, by 2/sqrt(pi), and gives the image 1.25 times the matrix. A wired protocol (JSON) "
              "takes the place of the settings that it names; delays that are set stay.",
          .tags = {"trajectory", "waveform", "gradient", "non-cartesian", "arms", "interleaves"}}
          .maybe<flow::Value>("protocol", "what io.read_json reads of a protocol file: fov_m, arms, dwell_ms, ...");
  add_outputs(type);
  std::move(type)
      .out<flow::Value>("points", "rasters at which the readout begins and ends, and the samples it holds")
      .set(Setting("fov", "field of view [mm]", 240.0, 1.0, 10000.0).in("mm"))
      .set(Setting("resolution", "size of a voxel [mm]", 1.0, 0.001, 1000.0).in("mm"))
      .set(Setting("arms", "arms in all", 32, 1, 100000))
      .set(Setting("dwell", "time between samples [us]", 5.0, 0.01, 1000.0).in("us"))
      .set(Setting::choice("direction", "from the centre, to it, or through it", "out", {"out", "in", "in-out"}))
      .set(Setting::choice("end",
                           "what follows the readout: gradient to zero, moment 0 too, moments 0 and 1 too, "
                           "or more of it to spoil",
                           "rewind", {"ramp", "rewind", "rewind-both", "spoil"}))
      .set(Setting::choice("order", "arm to arm: against its own sense of turning, with it, or golden angles",
                           "against", {"against", "with", "golden"}))
      .set(Setting("true_resolution", "go out by 2/sqrt(pi) and enlarge the matrix by 1.25", true))
      .set(Setting("undersampling", "factor at the outer end; 1: none", 1.0, 0.1, 100.0))
      .set(Setting("undersampling_begin", "where it begins, in parts of the radius", 1.0, 0.0, 1.0))
      .set(Setting("undersampling_end", "where it has reached its factor", 1.0, 0.0, 1.0))
      .set(Setting::choice("undersampling_shape", "how it grows", "linear", {"linear", "quadratic", "hanning"}))
      .set(Setting("T2_match", "decay that the gradient makes up for; 0: off [ms]", 0.0, 0.0, 1e5).in("ms"))
      .set(Setting("spoil_cycles", "cycles a voxel of an end by spoiling", 2.0, 0.0, 1000.0));
  add_limits(type);
  add_timing(type, 2);
  nodes.add("traj.spiral", std::move(type).run(compute));
}

}  // namespace larmor::nodes
