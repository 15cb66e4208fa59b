// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/isa.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/sim/epg.hpp>
#include <larmor/sim/kernels/epg_types.hpp>
#include <larmor/sim/spins.hpp>
#include <numbers>

extern "C" {
void larmor_epg_baseline(const larmor::sim::EpgRun*, std::size_t, std::size_t, float*);
#if defined(__x86_64__)
void larmor_epg_v3(const larmor::sim::EpgRun*, std::size_t, std::size_t, float*);
void larmor_epg_v4(const larmor::sim::EpgRun*, std::size_t, std::size_t, float*);
#endif
}

namespace larmor::sim {
namespace {

constexpr double pi = std::numbers::pi;
constexpr std::size_t pack = 16;                 // lanes of the widest instruction set
constexpr long work_between_checks = 4'000'000;  // orders; some 0.1 s

EpgKernel kernel() {
#if defined(__x86_64__)
  if (isa() == Isa::v4) return larmor_epg_v4;
  if (isa() == Isa::v3) return larmor_epg_v3;
#endif
  return larmor_epg_baseline;
}

void check(const EpgSequence& sequence) {
  bool read = false;
  for (std::size_t i = 0; i < sequence.size(); ++i) {
    const EpgOp& op = sequence[i];
    read = read || op.kind == EpgOp::Kind::read;
    if (!std::isfinite(op.FA) || !std::isfinite(op.phase))
      throw Error(Errc::range,
                  fmt::format("phase graph: flip angle {:g}, phase {:g} rad of operation {}", op.FA, op.phase, i),
                  "give finite angles");
    if (!(op.tau >= 0) || !std::isfinite(op.tau))
      throw Error(Errc::range, fmt::format("phase graph: operation {} lasts {:g} s", i, op.tau),
                  "give 0 or more: echo times must fit into the repetition time");
    if (std::abs(op.shift) > 100000)
      throw Error(Errc::range, fmt::format("phase graph: a shift by {} orders", op.shift), "give 100,000 at most");
  }
  if (!read) throw Error(Errc::range, "phase graph: nothing is read", "add a read, or more repeats");
}

std::vector<float> padded(const std::vector<float>& v, std::size_t n, float otherwise) {
  std::vector<float> out(v);
  out.resize(n, otherwise);
  return out;
}

void counted(const char* what, int n) {
  if (n < 1 || n > 1000000) throw Error(Errc::range, fmt::format("phase graph: {} {}", n, what), "give 1 to 1,000,000");
}

}  // namespace

void EpgTissue::check() const {
  Spins spins;
  spins.T1 = T1, spins.T2 = T2, spins.B1 = B1, spins.D = D, spins.M0 = M0;
  spins.df.assign(df.begin(), df.end());
  spins.check();
}

EpgSequence epg_spgr(double FA, double TR, double TE, int n, double phase_increment) {
  counted("pulses", n);
  EpgSequence out;
  for (int i = 0; i < n; ++i) {
    const double phase = std::remainder(phase_increment * 0.5 * i * (i + 1.0), 2 * pi);
    out.push_back(EpgOp::pulse(FA, phase));
    out.push_back(EpgOp::evolve(TE));
    out.push_back(EpgOp::read(phase));
    out.push_back(EpgOp::evolve(TR - TE, 1));
  }
  return out;
}

EpgSequence epg_bssfp(double FA, double TR, int n, bool half) {
  counted("pulses", n);
  EpgSequence out;
  if (half) out.push_back(EpgOp::pulse(FA / 2, pi)), out.push_back(EpgOp::evolve(TR / 2));
  for (int i = 0; i < n; ++i) {
    const double phase = i % 2 ? pi : 0;
    out.push_back(EpgOp::pulse(FA, phase));
    out.push_back(EpgOp::evolve(TR / 2));
    out.push_back(EpgOp::read(phase));
    out.push_back(EpgOp::evolve(TR / 2));
  }
  return out;
}

EpgSequence epg_fse(const std::vector<double>& FA, double spacing, bool cpmg) {
  counted("refocusing pulses", static_cast<int>(FA.size()));
  // Excited along y; a refocusing pulse about y leaves it there.
  EpgSequence out{EpgOp::pulse(pi / 2, 0)};
  for (const double a : FA) {
    out.push_back(EpgOp::evolve(spacing / 2, 1));
    out.push_back(EpgOp::pulse(a, cpmg ? pi / 2 : 0));
    out.push_back(EpgOp::evolve(spacing / 2, 1));
    out.push_back(EpgOp::read());
  }
  return out;
}

Array epg_run(const EpgSequence& sequence, const EpgTissue& tissue, const EpgOptions& options, const Cancel* cancel) {
  check(sequence);
  tissue.check();
  if (!(options.dk >= 0) || !std::isfinite(options.dk) || options.max_orders < 0)
    throw Error(Errc::range, fmt::format("phase graph: dk {:g} rad/mm, {} orders", options.dk, options.max_orders),
                "give 0 or more");
  std::size_t last_read = 0;
  for (std::size_t i = 0; i < sequence.size(); ++i)
    if (sequence[i].kind == EpgOp::Kind::read) last_read = i;
  // Shifts still to come before the last read.
  std::vector<long> rest(sequence.size() + 1, 0);
  for (std::size_t i = last_read; i-- > 0;) rest[i] = rest[i + 1] + std::abs(sequence[i].shift);
  std::vector<EpgStep> steps;
  long reached = 0, n_orders = 1;
  int n_reads = 0;
  const long most = options.max_orders > 0 ? options.max_orders : 2000000;
  for (std::size_t i = 0; i < sequence.size(); ++i) {
    const EpgOp& op = sequence[i];
    EpgStep s{};
    const long orders = std::min({reached, rest[i], most - 1}) + 1;
    s.orders = static_cast<int>(orders);
    n_orders = std::max(n_orders, orders);
    s.cos = static_cast<float>(std::cos(op.phase)), s.sin = static_cast<float>(std::sin(op.phase));
    if (op.kind == EpgOp::Kind::pulse) {
      s.kind = epg_pulse, s.FA = static_cast<float>(op.FA / (2 * pi));
    } else if (op.kind == EpgOp::Kind::evolve) {
      s.kind = epg_evolve, s.tau = static_cast<float>(op.tau), s.shift = op.shift;
      reached += std::abs(op.shift);
    } else {
      s.kind = epg_read, ++n_reads;
    }
    steps.push_back(s);
    if (i == last_read) break;
  }
  const std::size_t count = tissue.T1.size(), n = (count + pack - 1) / pack * pack;
  std::vector<float> R1(n, 1), R2(n, 1);
  for (std::size_t i = 0; i < count; ++i) R1[i] = 1 / tissue.T1[i], R2[i] = 1 / tissue.T2[i];
  const auto B1 = padded(tissue.B1, n, 1), df = padded(tissue.df, n, 0), D = padded(tissue.D, n, 0);
  const auto M0 = padded(tissue.M0.empty() ? std::vector<float>(count, 1) : tissue.M0, n, 0);
  std::vector<float> signal(2 * n * static_cast<std::size_t>(n_reads));
  const bool diffusing = !tissue.D.empty() && options.dk > 0;
  const EpgRun run{.steps = steps.data(),
                   .first_step = 0,
                   .n_steps = static_cast<int>(steps.size()),
                   .n_orders = static_cast<int>(n_orders),
                   .first_read = 0,
                   .dk = static_cast<float>(options.dk),
                   .R1 = R1.data(),
                   .R2 = R2.data(),
                   .B1 = tissue.B1.empty() ? nullptr : B1.data(),
                   .df = tissue.df.empty() ? nullptr : df.data(),
                   .D = diffusing ? D.data() : nullptr,
                   .M0 = M0.data(),
                   .signal = signal.data(),
                   .n = n};
  const EpgKernel tissues = kernel();
  parallel_for(
      n / pack, 1,
      [&](std::size_t first, std::size_t last) {
        const auto scratch = allocate(epg_scratch(run) * sizeof(float), Device::cpu());
        for (std::size_t p = first; p < last; ++p) {
          EpgRun part = run;
          for (part.n_steps = 0; part.n_steps < run.n_steps;) {
            if (cancel) cancel->check();
            part.first_step = part.n_steps;
            for (long work = 0; part.n_steps < run.n_steps && work < work_between_checks; ++part.n_steps)
              work += steps[static_cast<std::size_t>(part.n_steps)].orders;
            tissues(&part, p * pack, pack, reinterpret_cast<float*>(scratch.get()));
            for (int i = part.first_step; i < part.n_steps; ++i)
              part.first_read += steps[static_cast<std::size_t>(i)].kind == epg_read ? 1 : 0;
          }
        }
      },
      cancel);
  Array out = Array::uninitialised(DType::c64, {static_cast<std::int64_t>(count), n_reads}, {"tissue", "read"});
  for (std::size_t r = 0; r < static_cast<std::size_t>(n_reads); ++r)
    for (std::size_t i = 0; i < count; ++i)
      out.data<std::complex<float>>()[r * count + i] = {signal[2 * r * n + i], signal[(2 * r + 1) * n + i]};
  return out;
}

}  // namespace larmor::sim
