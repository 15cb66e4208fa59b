// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <functional>
#include <larmor/core/parallel.hpp>
#include <larmor/nodes/sim_ports.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/sim/signals.hpp>

namespace larmor::nodes {
namespace {

using flow::Setting;

/// Maps in, a map out, voxel by voxel. M0 is 1 when not wired.
void mapped(flow::Ports& io, const std::function<double(double M0, double T1, double T2, double df)>& signal) {
  const auto place = io.in<Gridded>("T1");
  const auto read = [&](const char* name) -> Array {
    if (!io.has(name)) return {};
    const Array a = io.in<Array>(name).to(Device::cpu()).cast(DType::f64).contiguous_copy();
    if (a.shape() != place.data.shape() && a.size() != 1)
      throw Error(Errc::shape, fmt::format("'{}' is {} and T1 {}", name, a.describe(), place.data.describe()),
                  "give maps of one shape, or a number");
    return a;
  };
  const Array T1 = read("T1"), T2 = read(io.type().input("T2") ? "T2" : "T2_star"), M0 = read("M0"),
              df = io.type().input("df") ? read("df") : Array();
  const auto at = [](const Array& a, std::int64_t i, double otherwise) {
    return a.size() == 0 ? otherwise : a.data<double>()[a.size() == 1 ? 0 : i];
  };
  Array out = Array::uninitialised(DType::f32, place.data.shape(), place.data.axes());
  parallel_for(
      static_cast<std::size_t>(out.size()), 4096,
      [&](std::size_t first, std::size_t last) {
        for (std::size_t p = first; p < last; ++p) {
          const auto i = static_cast<std::int64_t>(p);
          out.data<float>()[i] =
              static_cast<float>(signal(at(M0, i, 1), T1.data<double>()[i], at(T2, i, flow::unbounded), at(df, i, 0)));
        }
      },
      &io.cancel());
  io.out("signal") = place.with(out);
}

double ms(flow::Ports& io, const char* name) { return 1e-3 * double(io.setting(name)); }

flow::NodeType&& closed(flow::NodeType&& type, const char* decay, const char* decay_what) {
  type.tags = {"steady state", "signal equation", "contrast", "analytic", "synthetic"};
  return std::move(type)
      .in<Gridded>("T1", "map, or a number [s]")
      .maybe<Gridded>(decay, decay_what)
      .maybe<Gridded>("M0", "map; 1 when not wired [a.u.]")
      .out<Gridded>("signal", "in units of M0; NaN where T1 or T2 is not above 0");
}

}  // namespace

/// sim.signal_spgr, signal_ir, signal_bssfp and signal_spin_echo.
void register_sim_signals(flow::NodeTypes& nodes) {
  const Setting FA = Setting{"FA", "flip angle", 15.0, -360.0, 360.0}.in("deg");
  const auto time = [](const char* name, const char* what, double v) {
    return Setting{name, what, v, 0.0, 1e7}.in("ms");
  };
  nodes.add(
      "sim.signal_spgr",
      closed(
          flow::NodeType{.title = "Signal of SPGR",
                         .does = "Spoiled gradient echo in the steady state, from maps of T1 and T2*",
                         .from = "Ernst and Anderson, Rev. Sci. Instrum. 37:93 (1966)",
                         .help = "$$S = M_0 \\sin\\alpha \\frac{1 - E_1}{1 - \\cos\\alpha\\, E_1} e^{-TE / T_2^*}$$"},
          "T2_star", "map; no decay when not wired [s]")
          .set(FA)
          .set(time("TR", "repetition time", 10))
          .set(time("TE", "echo time", 3))
          .run([](flow::Ports& io) {
            const double a = degree * double(io.setting("FA")), TR = ms(io, "TR"), TE = ms(io, "TE");
            mapped(io,
                   [=](double M0, double T1, double T2, double) { return sim::spgr_signal(M0, T1, T2, a, TR, TE); });
          }));
  nodes.add(
      "sim.signal_ir",
      closed(flow::NodeType{.title = "Signal of inversion recovery",
                            .does = "Inversion recovery in the steady state, with its sign",
                            .from = "Bernstein et al., Handbook of MRI Pulse Sequences (2004), ch. 14.2",
                            .help = "$$S = M_0 (1 - (1 - c) e^{-TI/T_1} - c\\, e^{-TR/T_1}) e^{-TE/T_2}, \\quad c = "
                                    "\\cos\\alpha_{inv}$$"},
             "T2", "map; no decay when not wired [s]")
          .set(time("TI", "inversion time", 400))
          .set(time("TR", "repetition time", 3000))
          .set(time("TE", "echo time", 10))
          .set(Setting{"FA_inversion", "angle of the inversion", 180.0, 0.0, 360.0}.in("deg"))
          .run([](flow::Ports& io) {
            const double TI = ms(io, "TI"), TR = ms(io, "TR"), TE = ms(io, "TE"),
                         a = degree * double(io.setting("FA_inversion"));
            if (TI > TR)
              throw Error(Errc::range, fmt::format("TI = {:g} ms is longer than TR = {:g} ms", 1e3 * TI, 1e3 * TR),
                          "give a shorter TI");
            mapped(io, [=](double M0, double T1, double T2, double) {
              return sim::inversion_recovery_signal(M0, T1, T2, TI, TR, TE, a);
            });
          }));
  nodes.add(
      "sim.signal_bssfp",
      closed(flow::NodeType{.title = "Signal of balanced SSFP",
                            .does = "Magnitude of balanced SSFP in the steady state at TE = TR / 2, with its bands",
                            .from = "Freeman and Hill, J. Magn. Reson. 4:366 (1971)"},
             "T2", "map [s]; none when not wired")
          .maybe<Gridded>("df", "off-resonance [Hz]")
          .set(Setting{"FA", "flip angle", 40.0, -360.0, 360.0}.in("deg"))
          .set(time("TR", "repetition time", 5))
          .run([](flow::Ports& io) {
            const double a = degree * double(io.setting("FA")), TR = ms(io, "TR");
            mapped(io, [=](double M0, double T1, double T2, double df) {
              return std::abs(sim::bssfp_signal(M0, T1, T2, a, TR, df));
            });
          }));
  nodes.add("sim.signal_spin_echo",
            closed(flow::NodeType{.title = "Signal of a spin echo",
                                  .does = "Spin echo of 90 and 180 degrees, repeated",
                                  .from = "Bernstein et al., Handbook of MRI Pulse Sequences (2004), ch. 14.3",
                                  .help = "$$S = M_0 (1 - 2 e^{-(TR - TE/2)/T_1} + e^{-TR/T_1}) e^{-TE/T_2}$$"},
                   "T2", "map; no decay when not wired [s]")
                .set(time("TR", "repetition time", 2000))
                .set(time("TE", "echo time", 20))
                .run([](flow::Ports& io) {
                  const double TR = ms(io, "TR"), TE = ms(io, "TE");
                  mapped(io, [=](double M0, double T1, double T2, double) {
                    return sim::spin_echo_signal(M0, T1, T2, TR, TE);
                  });
                }));
}

}  // namespace larmor::nodes
