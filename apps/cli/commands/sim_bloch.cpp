// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/core/progress.hpp>
#include <larmor/io/pulseq.hpp>
#include <larmor/sim/bloch.hpp>
#include <larmor/sim/blocks.hpp>
#include <nlohmann/json.hpp>
#include <numbers>

#include "command.hpp"
#include "print_json.hpp"

namespace larmor::cli {
namespace {

constexpr double degree = std::numbers::pi / 180;

void print_signal(const Call& call, const sim::BlochResult& r, std::size_t spins) {
  std::vector<Column> columns{{.name = "time_s", .values = r.sample_times}};
  for (const char* name : {"kx_per_mm", "ky_per_mm", "kz_per_mm", "re", "im"})
    columns.push_back({.name = name, .digits = 7});
  for (std::size_t i = 0; i < r.sample_times.size(); ++i) {
    const auto s = r.signal.data<std::complex<float>>()[i] / static_cast<float>(spins);
    const auto& k = r.sample_k[i];
    const double row[] = {k[0], k[1], k[2], s.real(), s.imag()};
    for (std::size_t c = 0; c < 5; ++c) columns[c + 1].values.push_back(row[c]);
  }
  print_columns(call, {{"sequence", call.text("--seq")}, {"spins", spins}}, columns);
}

sim::BlochOptions options_of(const Call& call) {
  sim::BlochOptions options;
  options.compile.tolerance = call.number("--tolerance");
  options.device = call.device;
  return options;
}

/// The mean signal of spins along one axis through a sequence of a file.
int run_file(const Call& call) {
  const Sequence sequence = io::read_pulseq(call.text("--seq"));
  const double from = call.given("--from") ? call.number("--from") : -100;
  const double to = call.given("--to") ? call.number("--to") : -from;
  sim::SpinGrid grid;
  const std::string along = call.text("--along");
  auto& places = along == "x" ? grid.x : along == "y" ? grid.y : along == "z" ? grid.z : grid.df;
  if (along != "df") grid.df = {call.number("--df")};
  places = sim::spaced(from, to, call.integer("--points"));
  grid.T1 = {1e-3 * call.number("--T1")}, grid.T2 = {1e-3 * call.number("--T2")};
  const auto spins = sim::spin_grid(grid);
  const auto result =
      sim::simulate(sequence, spins, options_of(call), &Cancel::interrupt(), console_progress(call.quiet));
  if (result.sample_times.empty())
    throw Error(Errc::usage, "larmor sim bloch: '" + call.text("--seq") + "' takes no samples",
                "give a sequence with readouts");
  print_signal(call, result, spins.size());
  return 0;
}

/// Options that would be left undone.
void refuse(const Call& call, std::initializer_list<const char*> options, const char* what) {
  for (const char* option : options)
    if (call.given(option))
      throw Error(Errc::usage, fmt::format("larmor sim bloch: {} does nothing {}", option, what), "leave it out");
}

int run(const Call& call) {
  if (call.given("--seq")) {
    refuse(call, {"--shape", "--FA", "--phase", "--duration", "--time-bandwidth", "--apodisation", "--thickness"},
           "with --seq, whose pulses are in the file");
    return run_file(call);
  }
  refuse(call, {"--along"}, "without --seq: spins of a pulse lie along z, or df when --thickness is 0");
  if (call.number("--thickness") == 0) refuse(call, {"--df"}, "when --thickness is 0: spins lie along it");
  const std::string shape = call.text("--shape");
  sim::PulseSpec pulse;
  pulse.shape = shape == "hard"    ? sim::PulseShape::hard
                : shape == "gauss" ? sim::PulseShape::gauss
                                   : sim::PulseShape::sinc;
  pulse.FA = degree * call.number("--FA"), pulse.phase = degree * call.number("--phase");
  pulse.duration = 1e-3 * call.number("--duration"), pulse.time_bandwidth = call.number("--time-bandwidth");
  pulse.apodisation = call.number("--apodisation");
  const double thickness = call.number("--thickness");
  const bool slice = thickness > 0;
  Sequence sequence;
  sequence.blocks.push_back(sim::pulse_block(pulse, thickness));
  if (const double area = sim::rephasing_area(sequence.blocks[0]); area != 0)
    sequence.blocks.push_back(sim::gradient_block({{2, sim::trapezoid_of_area(area)}}));
  const double from = call.given("--from") ? call.number("--from") : slice ? -2 * thickness : -1000;
  const double to = call.given("--to") ? call.number("--to") : -from;
  sim::SpinGrid grid;
  (slice ? grid.z : grid.df) = sim::spaced(from, to, call.integer("--points"));
  if (slice) grid.df = {call.number("--df")};
  grid.T1 = {1e-3 * call.number("--T1")}, grid.T2 = {1e-3 * call.number("--T2")};
  const auto spins = sim::spin_grid(grid);
  const auto result = sim::simulate(sequence, spins, options_of(call), &Cancel::interrupt());
  const auto steps = result.rf_steps / static_cast<std::int64_t>(spins.size());
  const auto& B1 = sequence.blocks[0].rf->magnitude;
  const double most_B1 = 1e6 * *std::max_element(B1.begin(), B1.end());
  if (!call.quiet)
    fmt::print(stderr, "{} steps of the pulse, wrong by {:.1e} rad at most; B1 {:.3g} uT\n", steps, result.error_bound,
               most_B1);
  std::vector<Column> columns{{.name = slice ? "z_mm" : "df_Hz"}};
  for (const char* name : {"Mx", "My", "Mz"}) columns.push_back({.name = name, .digits = 7});
  for (std::size_t i = 0; i < spins.size(); ++i) {
    columns[0].values.push_back(slice ? spins.z[i] : spins.df[i]);
    for (std::size_t c = 0; c < 3; ++c) columns[c + 1].values.push_back(result.magnetisation.data<float>()[3 * i + c]);
  }
  print_columns(call, {{"steps", steps}, {"error_bound_rad", result.error_bound}, {"B1_uT", most_B1}}, columns);
  return 0;
}

}  // namespace

void register_sim_bloch(Commands& commands) {
  commands.add(
      {.name = "sim bloch",
       .does = "Slice profile of a pulse, its spectrum without a slice gradient, or the signal of a sequence, as CSV "
               "on stdout",
       .opt = {file("--seq", "Pulseq file (.seq) instead of a pulse: the mean signal of spins along an axis"),
               text("--along", "axis of those spins", "z").one_of([] {
                 return std::vector<std::string>{"x", "y", "z", "df"};
               }),
               text("--shape", "shape of the pulse", "sinc").one_of([] {
                 return std::vector<std::string>{"sinc", "gauss", "hard"};
               }),
               number("--FA", "flip angle [deg]", 90, -1440, 1440),
               number("--phase", "phase of the pulse [deg]", 0, -36000, 36000),
               number("--duration", "length of the pulse [ms]", 3, 1e-4, 1000),
               number("--time-bandwidth", "bandwidth times duration [1]", 4, 0.1, 100),
               number("--apodisation", "of a sinc: 0.5 Hann, 0.46 Hamming, 0 none [1]", 0.46, 0, 0.5),
               number("--thickness", "of the slice; 0: no gradient, spins by their offset [mm]", 5, 0, 1e4),
               number("--from",
                      "first place or offset; default: minus two thicknesses, -1000 Hz, of a file -100 mm [mm or Hz]"),
               number("--to", "last place or offset; default: minus the first [mm or Hz]"),
               integer("--points", "how many", 101, 1, 10000000),
               number("--df", "off-resonance of a slice [Hz]", 0, -1e6, 1e6),
               number("--T1", "longitudinal relaxation [ms]", 1000, 1e-3, 1e12),
               number("--T2", "transverse relaxation [ms]", 100, 1e-3, 1e12),
               number("--tolerance", "how wrong the steps may be [rad]", 1e-4, 1e-7, 0.1)},
       .refs = {"Bloch, Phys. Rev. 70:460 (1946)", "Pulseq: Layton et al., MRM 77:1544 (2017)"},
       .examples = {"larmor sim bloch --FA 180 --thickness 3 > profile.csv"},
       .run = run});
}

}  // namespace larmor::cli
