// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/sim/epg.hpp>
#include <nlohmann/json.hpp>
#include <numbers>

#include "command.hpp"
#include "print_json.hpp"

namespace larmor::cli {
namespace {

constexpr double degree = std::numbers::pi / 180;

int run(const Call& call) {
  const std::string kind = call.text("--sequence");
  const double FA = degree * call.number("--FA"), TR = 1e-3 * call.number("--TR"), TE = 1e-3 * call.number("--TE");
  const int n = call.integer("--pulses");
  const auto refuse = [&](const char* option, bool useful) {
    if (call.given(option) && !useful)
      throw Error(Errc::usage, fmt::format("larmor sim epg: {} does nothing with --sequence {}", option, kind),
                  "leave it out");
  };
  refuse("--TR", kind != "fse"), refuse("--TE", kind != "bssfp"), refuse("--phase-increment", kind == "spgr");
  if (kind == "fse" && !(TE > 0))
    throw Error(Errc::usage, "larmor sim epg: an echo spacing of 0 ms", "give --TE in ms");
  sim::EpgSequence sequence;
  double first = TE, step = TR;
  if (kind == "spgr") {
    if (TE > TR)
      throw Error(Errc::usage,
                  fmt::format("larmor sim epg: --TE {:g} ms is longer than --TR {:g} ms", 1e3 * TE, 1e3 * TR),
                  "give a shorter echo time");
    sequence = sim::epg_spgr(FA, TR, TE, n, degree * call.number("--phase-increment"));
  } else if (kind == "bssfp") {
    sequence = sim::epg_bssfp(FA, TR, n), first = TR;
  } else {
    sequence = sim::epg_fse(std::vector<double>(static_cast<std::size_t>(n), FA), TE), step = TE;
  }
  sim::EpgTissue tissue;
  for (const double T1 : call.numbers("--T1"))
    for (const double T2 : call.numbers("--T2"))
      tissue.T1.push_back(static_cast<float>(1e-3 * T1)), tissue.T2.push_back(static_cast<float>(1e-3 * T2));
  tissue.B1.assign(tissue.T1.size(), static_cast<float>(call.number("--B1")));
  const Array signal = sim::epg_run(sequence, tissue, {}, &Cancel::interrupt());
  std::vector<Column> columns{
      {.name = "T1_ms", .digits = 6},  {.name = "T2_ms", .digits = 6}, {.name = "read"},
      {.name = "time_s", .digits = 6}, {.name = "re", .digits = 7},    {.name = "im", .digits = 7},
      {.name = "abs", .digits = 7}};
  const auto count = tissue.T1.size();
  for (std::size_t i = 0; i < count; ++i)
    for (int r = 0; r < n; ++r) {
      const auto s = signal.data<std::complex<float>>()[static_cast<std::size_t>(r) * count + i];
      const double row[] = {1e3f * tissue.T1[i], 1e3f * tissue.T2[i], double(r), first + step * r, s.real(), s.imag(),
                            std::abs(s)};
      for (std::size_t k = 0; k < columns.size(); ++k) columns[k].values.push_back(row[k]);
    }
  print_columns(call, {{"sequence", kind}}, columns);
  return 0;
}

}  // namespace

void register_sim_epg(Commands& commands) {
  commands.add({.name = "sim epg",
                .does = "Signal of a pulse train by extended phase graphs, as CSV on stdout",
                .opt = {text("--sequence", "which train", "spgr").one_of([] {
                          return std::vector<std::string>{"spgr", "bssfp", "fse"};
                        }),
                        number("--FA", "flip angle, of fse the refocusing angle [deg]", 15, 0, 360),
                        number("--TR", "repetition time of spgr and bssfp [ms]", 10, 1e-3, 1e6),
                        number("--TE", "echo time of spgr, echo spacing of fse [ms]", 3, 0, 1e6),
                        integer("--pulses", "how many pulses or echoes", 100, 1, 1000000),
                        number("--phase-increment", "of RF spoiling [deg]", 117, -360, 360),
                        number("--T1", "longitudinal relaxation, one or several [ms]", 1000, 1e-3, 1e12).many(),
                        number("--T2", "transverse relaxation, one or several [ms]", 100, 1e-3, 1e12).many(),
                        number("--B1", "transmit field over the nominal one [1]", 1, 0, 10)},
                .refs = {"Hennig, J. Magn. Reson. 78:397 (1988)", "Weigel, JMRI 41:266 (2015)"},
                .examples = {"larmor sim epg --sequence fse --FA 150 --TE 10 --pulses 16 --T2 50,100 > echoes.csv"},
                .run = run});
}

}  // namespace larmor::cli
