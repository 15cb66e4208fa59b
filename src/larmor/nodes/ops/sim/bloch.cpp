// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/io/table.hpp>
#include <larmor/nodes/sim_ports.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/sequence.hpp>
#include <larmor/nodes/values/spins.hpp>
#include <larmor/nodes/values/table.hpp>
#include <larmor/sim/bloch.hpp>

namespace larmor::nodes {
namespace {

using flow::Setting;

std::vector<double> record_times(flow::Ports& io, double duration) {
  const double step = 1e-3 * double(io.setting("record_every"));
  if (step <= 0) return {};
  double from = 1e-3 * double(io.setting("record_from"));
  std::vector<double> out;
  if ((duration - from) / step > 1e6)
    throw Error(Errc::range, fmt::format("{:.0f} records of {:g} s", (duration - from) / step, duration),
                "record less often: a million at most");
  for (std::size_t i = 0; from + static_cast<double>(i) * step <= duration * (1 + 1e-12); ++i)
    out.push_back(std::min(from + static_cast<double>(i) * step, duration));
  return out;
}

void compute(flow::Ports& io) {
  const auto sequence = io.in<Sequence>("sequence");
  const auto spins = io.in<sim::Spins>("spins");
  sim::BlochOptions o;
  o.compile.tolerance = io.setting("tolerance");
  o.compile.maps = io.setting("maps");
  o.compile.record_times = record_times(io, sequence.duration());
  o.seed = static_cast<std::uint64_t>(std::int64_t(io.setting("seed")));
  o.device = io.device();
  Array start;
  if (io.has("start")) {
    start = io.in<Array>("start");
    const auto n = static_cast<std::int64_t>(spins.size());
    if (start.size() == 3 * n && start.extent(0) == 3) start = start.reshaped({3, n}, {"component", "spin"});
    o.start = &start;
  }
  const auto r = sim::simulate(sequence, spins, o, &io.cancel(), io.progress());
  Array signal = r.signal;
  if (io.setting("scale").str() == "mean") {
    signal = signal.clone();
    for (auto& v : signal.span<std::complex<float>>()) v /= static_cast<float>(spins.size());
  }
  if (spins.coil.empty() && signal.rank() > 1) signal = signal.slice(signal.rank() - 1, 0).contiguous_copy();
  io.out("signal") = signal;
  io.out("magnetisation") = on_grid(r.magnetisation, spins);
  // An empty record has no axes to lie on.
  io.out("record") = r.record.size() ? on_grid(r.record, spins) : Array(DType::f32, {3, 0}, {"component", "t"});
  io.out("record_times") = r.record_times;
  io.out("sample_times") = r.sample_times;
  Array k(DType::f64, {static_cast<std::int64_t>(r.sample_k.size()), 3}, {"sample", "d"});
  for (std::size_t i = 0; i < r.sample_k.size(); ++i)
    for (std::size_t a = 0; a < 3; ++a) k.data<double>()[a * r.sample_k.size() + i] = r.sample_k[i][a];
  io.out("k") = k;
  io::Table t;
  t.columns = {"quantity", "value", "unit"};
  const auto row = [&](const char* name, double v, const char* unit) {
    t.rows.push_back({name, fmt::format("{:.6g}", v), unit});
  };
  row("spins", static_cast<double>(spins.size()), "1"), row("duration", r.duration, "s");
  row("steps of pulses", static_cast<double>(r.rf_steps), "spin steps"),
      row("jumps", static_cast<double>(r.jumps), "spin steps");
  row("samples", static_cast<double>(r.samples), "spin steps"),
      row("taken by maps", static_cast<double>(r.mapped), "spin segments");
  row("bound on the error of steps", r.error_bound, "rad");
  io.out("facts") = t;
}

}  // namespace

void register_sim_bloch(flow::NodeTypes& nodes) {
  nodes.add("sim.bloch",
            flow::NodeType{
                .title = "Bloch simulation",
                .does = "Runs spins through a pulse sequence",
                .from = "Bloch, Phys. Rev. 70:460 (1946); Torrey, Phys. Rev. 104:563 (1956)",
                .help = "$$\\dot M = \\gamma M \\times B - (M_x, M_y, 0) / T_2 + (0, 0, M_0 - M_z) / T_1$$ in steps "
                        "that are exact for a constant field; precession of any length under any gradient is one "
                        "step, with flow and diffusion. Parts of the sequence that repeat are one affine map of "
                        "each spin.",
                .tags = {"Bloch equations", "simulation", "isochromats", "signal", "slice profile"}}
                .in<Sequence>("sequence", "what happens")
                .in<sim::Spins>("spins", "to whom")
                .maybe<Array>("start", "magnetisation to begin with (component, spins); equilibrium when not wired")
                .out<Array>("signal", "sum over spins of coil x M_xy (sample, readout[, coil]), or (sample[, coil])")
                .out<Array>("magnetisation", "Mx, My, Mz at the end (component, axes of the spins)")
                .out<Array>("record", "the same against time (component, axes of the spins, t)")
                .out<std::vector<double>>("record_times", "[s]")
                .out<std::vector<double>>("sample_times", "[s]")
                .out<Array>("k", "where samples lie in k-space (sample, d) [cycles/mm]")
                .out<io::Table>("facts", "what was done, and the bound on its error")
                .set(Setting{"tolerance", "how wrong the steps of a pulse may be", 1e-4, 1e-7, 0.1}.in("rad"))
                .set(Setting{"record_every", "time between records; 0: none", 0.0, 0.0, 1e6}.in("ms"))
                .set(Setting{"record_from", "time of the first record", 0.0, 0.0, 1e9}.in("ms"))
                .set(Setting::choice("scale", "of the signal", "sum", {"sum", "mean"}))
                .set({"maps", "repeats as affine maps", true})
                .set({"seed", "of diffusion", 1, 0})
                .run(compute));
}

}  // namespace larmor::nodes
