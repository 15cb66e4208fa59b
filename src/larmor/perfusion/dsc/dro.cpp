// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/core/units.hpp>
#include <larmor/perfusion/dce/dro_parts.hpp>
#include <larmor/perfusion/dce/steps.hpp>
#include <larmor/perfusion/dsc/dro.hpp>
#include <larmor/perfusion/dsc/residue.hpp>
#include <limits>
#include <map>

namespace larmor::dsc {
namespace {

constexpr double h = 0.02;  // [s] of the quadrature

void check(const DroOptions& o) {
  const auto positive = [](double x, const char* what) {
    if (!(x > 0) || !std::isfinite(x))
      throw Error(Errc::range, fmt::format("{} is {}", what, x), "give a number above 0");
  };
  const auto levels = [&](const std::vector<double>& all, const char* what, double least) {
    if (all.empty()) throw Error(Errc::range, fmt::format("no level of {}", what), "give at least one");
    for (const double x : all)
      if (!(x >= least) || !std::isfinite(x))
        throw Error(Errc::range, fmt::format("{} of {}", what, x), fmt::format("give {:g} or more", least));
  };
  levels(o.CBF, "CBF", 0), levels(o.MTT, "MTT", 0.1), levels(o.delay, "delay", 0), levels(o.Ktrans, "Ktrans", 0);
  positive(o.TE, "TE"), positive(o.TR, "TR"), positive(o.FA, "FA"), positive(o.T10, "T10"), positive(o.S0, "S0");
  positive(o.input_alpha, "input_alpha"), positive(o.input_beta, "input_beta"), positive(o.input_peak, "input_peak");
  if (!(o.snr >= 0) || !(o.kep >= 0) || !(o.recirculation >= 0) || !(o.r1 >= 0) || !(o.r2_leak >= 0))
    throw Error(Errc::range, "snr, kep, recirculation, r1 and r2_leak cannot be negative", "give 0 or more");
  o.tissue.check(), o.blood.check(), o.factors.check();
  for (const auto n : o.grid)
    if (n < 1 || n > 4096)
      throw Error(Errc::range, fmt::format("a grid of {} voxels along an axis", n), "give 1 to 4096");
  for (std::size_t i = 1; i < o.times.size(); ++i)
    if (!(o.times[i] > o.times[i - 1])) throw Error(Errc::range, "the times do not increase", "give increasing times");
}

/// Unit-flow tissue curve of one residue, continuous input, at the frames, and the integral that leaks.
struct Curves {
  std::vector<double> tissue, leak;
};
Curves curves_of(const DroOptions& o, const ResidueModel& residue, double MTT, double delay,
                 std::span<const double> times) {
  const auto n = static_cast<std::size_t>(std::ceil((times.back() - o.arrival) / h)) + 2;
  std::vector<double> R(n);
  for (std::size_t i = 0; i < n; ++i) R[i] = h * residue.mean(h * static_cast<double>(i), h, MTT, o.shape);
  Curves c;
  for (const double t : times) {
    double tissue = 0, leak = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double u = h * (static_cast<double>(i) + 0.5), at = t - delay - u;
      if (at <= o.arrival) break;
      const double a = input_curve(at, o);
      tissue += R[i] * a;
      leak += h * std::exp(-o.kep * units::per_minute * u) * a;
    }
    c.tissue.push_back(o.input_peak * tissue), c.leak.push_back(o.input_peak * leak);
  }
  return c;
}

double spgr(double R1, const DroOptions& o) {
  const double E1 = std::exp(-o.TR * R1);
  return (1 - E1) / (1 - std::cos(o.FA) * E1);
}

}  // namespace

void Blood::check() const {
  for (const double H : {Hct_large, Hct_small})
    if (!(H >= 0 && H < 1))
      throw Error(Errc::range, fmt::format("a haematocrit of {}", H), "give a fraction from 0 to below 1");
  if (!(density > 0) || !std::isfinite(density))
    throw Error(Errc::range, fmt::format("a density of {} g/mL", density), "give a number above 0");
}

double input_curve(double t, const DroOptions& o) {
  const auto bolus = [&](double u, double beta) {
    if (!(u > 0)) return 0.0;
    const double x = u / (o.input_alpha * beta);
    return std::pow(x, o.input_alpha) * std::exp(o.input_alpha * (1 - x));
  };
  return bolus(t - o.arrival, o.input_beta) + o.recirculation * bolus(t - o.arrival - 15, 3 * o.input_beta);
}

Dro make_dro(const DroOptions& given, const Cancel* cancel) {
  DroOptions o = given;
  check(o);
  if (o.times.empty())
    for (int i = 0; i < 60; ++i) o.times.push_back(1.5 * i);
  const ResidueModel& residue = residues().get(o.residue);
  const auto [nx, ny, nz] = o.grid;
  const Shape grid{nx, ny, nz};
  const auto frames = o.times.size();
  const dce::DroLayout layout(o.grid, {{"CBF", "mL/min/100g", "", o.CBF},
                                       {"MTT", "s", "", o.MTT},
                                       {"delay", "s", "", o.delay},
                                       {"Ktrans", "1/min", "", o.Ktrans}});
  const auto voxels = static_cast<std::size_t>(nx * ny * nz);
  const auto all_curves = [&] {
    std::vector<Curves> out(o.MTT.size() * o.delay.size());
    parallel_for(
        out.size(), 1,
        [&](std::size_t begin, std::size_t end) {
          for (std::size_t k = begin; k < end; ++k)
            out[k] = curves_of(o, residue, o.MTT[k % o.MTT.size()], o.delay[k / o.MTT.size()], o.times);
        },
        cancel);
    return out;
  }();

  Dro dro;
  dro.aif = {.times = o.times, .values = {}, .plasma = false, .Hct = 0, .source = "digital reference object"};
  for (const double t : o.times) dro.aif.values.push_back(o.input_peak * input_curve(t, o));

  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> CBF(voxels, nan), CBV = CBF, MTT = CBF, delay = CBF, Ktrans = CBF;
  std::vector<std::uint8_t> mask(voxels, 0), artery(voxels, 0), reference(voxels, 0);
  Array signal = Array::of<float>({nx, ny, nz, static_cast<std::int64_t>(frames)});
  float* S = signal.data<float>();
  const double lowest = *std::min_element(o.CBF.begin(), o.CBF.end()), base = spgr(1 / o.T10, o);
  const double flow_unit = 1.0 / 6000 * 1e3;  // mL/min/100g in mm3/(g s)
  const auto first_inside = [&](std::int64_t n) { return std::min<std::int64_t>(2, (n - 1) / 8); };
  parallel_for(
      voxels, 256,
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t v = begin; v < end; ++v) {
          const auto i = static_cast<std::int64_t>(v);
          const std::array<std::int64_t, 3> at{i % nx, i / nx % ny, i / nx / ny};
          if (!layout.inside(at)) continue;
          const bool blood = at[0] < first_inside(nx) + 4 && at[1] < first_inside(ny) + 4;
          const std::size_t level[] = {layout.level(0, at), layout.level(1, at), layout.level(2, at),
                                       layout.level(3, at)};
          const Curves& c = all_curves[level[2] * o.MTT.size() + level[1]];
          const double flow = o.CBF[level[0]] * flow_unit, leak = o.Ktrans[level[3]] * units::per_minute;
          const double rate = flow / o.factors.per_mass();  // [1/s]
          if (blood) {
            artery[v] = 1;
          } else {
            mask[v] = 1;
            MTT[v] = static_cast<float>(o.MTT[level[1]]), delay[v] = static_cast<float>(o.delay[level[2]]);
            CBF[v] = static_cast<float>(flow), CBV[v] = CBF[v] * MTT[v], Ktrans[v] = static_cast<float>(leak);
            reference[v] = leak == 0 && o.CBF[level[0]] == lowest;
          }
          for (std::size_t t = 0; t < frames; ++t) {
            double s = o.S0;
            if (blood) {
              s *= std::exp(-o.TE * o.blood.relaxation(dro.aif.values[t]));
            } else {
              const double leaked = leak * c.leak[t];
              s *= spgr(1 / o.T10 + o.r1 * leaked, o) / base *
                   std::exp(-o.TE * (o.tissue.relaxation(rate * c.tissue[t]) + o.r2_leak * leaked));
            }
            if (o.snr > 0) s += o.S0 / o.snr * dce::gaussians(o.seed, v, t).a;
            S[t * voxels + v] = static_cast<float>(s);
          }
        }
      },
      cancel);

  dro.dynamic.data = signal, dro.dynamic.times = o.times;
  dro.dynamic.affine = Affine::scaling(2, 2, 4);
  dro.dynamic.meta = {{"EchoTime", o.TE},
                      {"RepetitionTime", o.times.size() > 1 ? o.times[1] - o.times[0] : o.TR},
                      {"FlipAngle", o.FA / units::degree}};
  dro.dynamic.source = "digital reference object";
  Image flat = dro.dynamic;
  flat.times.clear();
  const auto u8 = [&](const std::vector<std::uint8_t>& m) {
    Image image = flat;
    image.data = Array::from<std::uint8_t>(m, grid);
    return image;
  };
  dro.mask = u8(mask), dro.artery = u8(artery), dro.reference = u8(reference);
  dro.truth.reference = dro.mask;
  dro.truth.status = Array::from<std::uint8_t>(mask, grid);
  dro.truth.maps = {dce::make_map("CBF", "mm3/(g s)", "", CBF, {}, grid),
                    dce::make_map("CBV", "mm3/g", "", CBV, {}, grid), dce::make_map("MTT", "s", "", MTT, {}, grid),
                    dce::make_map("delay", "s", "", delay, {}, grid),
                    dce::make_map("Ktrans", "1/s", "", Ktrans, {}, grid)};
  return dro;
}

}  // namespace larmor::dsc
