// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/nodes/sim_ports.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/sim/epg.hpp>

namespace larmor::nodes {
namespace {

using flow::Setting;

std::vector<float> tissue_row(flow::Ports& io, const char* name, bool time) {
  std::vector<float> out;
  if (io.has(name)) {
    for (const double v : io.in<std::vector<double>>(name)) out.push_back(static_cast<float>(v));
  } else if (time) {
    for (const double v : io.setting(name).numbers()) out.push_back(static_cast<float>(1e-3 * v));
  }
  return out;
}

/// T1, T2, B1 side by side; one value goes with all others.
sim::EpgTissue tissue_of(flow::Ports& io) {
  sim::EpgTissue t{
      .T1 = tissue_row(io, "T1", true), .T2 = tissue_row(io, "T2", true), .B1 = tissue_row(io, "B1", false)};
  const std::size_t n = std::max({t.T1.size(), t.T2.size(), t.B1.size()});
  for (auto* row : {&t.T1, &t.T2, &t.B1})
    if (row->size() == 1) row->assign(n, (*row)[0]);
  if (const double D = io.setting("D"); D > 0) t.D.assign(n, static_cast<float>(D));
  return t;
}

void give(flow::Ports& io, const sim::EpgSequence& sequence, const std::vector<double>& times) {
  const auto tissue = tissue_of(io);
  // [cycles/mm] of one order.
  const double dk = 2 * std::numbers::pi * double(io.setting("spoiler"));
  const Array signal = sim::epg_run(sequence, tissue, {.dk = dk}, &io.cancel());
  io.out("signal") = signal;
  const auto n = static_cast<std::size_t>(signal.extent(0)), reads = static_cast<std::size_t>(signal.extent(1));
  Curve c{.x = times, .y = {}, .label = "|F0|", .unit = "M0"};
  for (std::size_t i = 0; i < std::min<std::size_t>(n, 20); ++i) {
    c.y.emplace_back();
    for (std::size_t r = 0; r < reads; ++r)
      c.y.back().push_back(static_cast<double>(std::abs(signal.data<std::complex<float>>()[r * n + i])));
    c.series.push_back(fmt::format("T1 {:g} ms, T2 {:g} ms", 1e3 * static_cast<double>(tissue.T1[i]),
                                   1e3 * static_cast<double>(tissue.T2[i])));
  }
  io.out("curve") = c;
}

std::vector<double> even(double first, double step, int n) {
  std::vector<double> out;
  for (int i = 0; i < n; ++i) out.push_back(first + step * i);
  return out;
}

void spgr(flow::Ports& io) {
  const double TR = 1e-3 * double(io.setting("TR")), TE = 1e-3 * double(io.setting("TE"));
  const int n = int(io.setting("pulses"));
  give(io, sim::epg_spgr(degree * double(io.setting("FA")), TR, TE, n, degree * double(io.setting("phase_increment"))),
       even(TE, TR, n));
}
void bssfp(flow::Ports& io) {
  const double TR = 1e-3 * double(io.setting("TR"));
  const int n = int(io.setting("pulses"));
  const bool half = io.setting("half");
  give(io, sim::epg_bssfp(degree * double(io.setting("FA")), TR, n, half), even(half ? TR : TR / 2, TR, n));
}
void fse(flow::Ports& io) {
  const double spacing = 1e-3 * double(io.setting("spacing"));
  auto FA = io.setting("FA").numbers();
  const int n = int(io.setting("echoes"));
  if (FA.size() == 1) FA.assign(static_cast<std::size_t>(n), FA[0]);
  if (static_cast<int>(FA.size()) != n)
    throw Error(Errc::shape, fmt::format("{} refocusing angles for {} echoes", FA.size(), n),
                "give one, or one for each");
  for (double& a : FA) a *= degree;
  give(io, sim::epg_fse(FA, spacing, io.setting("cpmg")), even(spacing, spacing, n));
}

flow::NodeType&& graph(flow::NodeType&& type) {
  type.from = "Hennig, J. Magn. Reson. 78:397 (1988); Weigel, JMRI 41:266 (2015)";
  type.tags = {"extended phase graph", "EPG", "dictionary", "fingerprinting", "echo train"};
  return std::move(type)
      .maybe<std::vector<double>>("T1", "one a tissue, or one for all, instead of the setting [s]")
      .maybe<std::vector<double>>("T2", "one a tissue, or one for all, instead of the setting [s]")
      .maybe<std::vector<double>>("B1", "transmit field over the nominal one [1]")
      .out<Array>("signal", "F0 at each read (tissue, read), complex [M0]")
      .out<Curve>("curve", "its magnitude against time, of the first 20 tissues")
      .set(Setting::numbers("T1", "one or several", {1000}).in("ms"))
      .set(Setting::numbers("T2", "one or several", {100}).in("ms"))
      .set(Setting{"D", "diffusion coefficient; needs a spoiler", 0.0, 0.0, 1.0}.in("mm2/s"))
      .set(Setting{"spoiler", "gradient area of one order, for diffusion", 0.0, 0.0, 1e4}.in("cycles/mm"));
}

}  // namespace

/// sim.epg_spgr, epg_bssfp and epg_fse.
void register_sim_epg(flow::NodeTypes& nodes) {
  nodes.add(
      "sim.epg_spgr",
      graph(flow::NodeType{.title = "Phase graph of SPGR",
                           .does = "Signal of a gradient echo train with RF spoiling, by extended phase graphs",
                           .help = "Pulse $n$ has the phase $\\varphi\\, n (n + 1) / 2$ and the receiver follows."})
          .set(Setting{"FA", "flip angle", 15.0, 0.0, 360.0}.in("deg"))
          .set(Setting{"TR", "repetition time", 10.0, 1e-3, 1e6}.in("ms"))
          .set(Setting{"TE", "echo time", 3.0, 0.0, 1e6}.in("ms"))
          .set({"pulses", "how many", 200, 1, 1000000})
          .set(Setting{"phase_increment", "of RF spoiling", 117.0, -360.0, 360.0}.in("deg"))
          .run(spgr));
  nodes.add("sim.epg_bssfp", graph(flow::NodeType{.title = "Phase graph of balanced SSFP",
                                                  .does = "Signal of balanced SSFP on its way to the steady state"})
                                 .set(Setting{"FA", "flip angle", 40.0, 0.0, 360.0}.in("deg"))
                                 .set(Setting{"TR", "repetition time", 5.0, 1e-3, 1e6}.in("ms"))
                                 .set({"pulses", "how many", 200, 1, 1000000})
                                 .set({"half", "begins with half the angle half a TR before", true})
                                 .run(bssfp));
  nodes.add("sim.epg_fse",
            graph(flow::NodeType{.title = "Phase graph of fast spin echo",
                                 .does = "Echoes of a train of refocusing pulses, stimulated ones included"})
                .set(Setting::numbers("FA", "refocusing angles: one, or one for each echo", {180}).in("deg"))
                .set(Setting{"spacing", "time between echoes", 10.0, 1e-3, 1e6}.in("ms"))
                .set({"echoes", "how many", 16, 1, 1000000})
                .set({"cpmg", "refocusing pulses 90 degrees ahead of the excitation", true})
                .run(fse));
}

}  // namespace larmor::nodes
