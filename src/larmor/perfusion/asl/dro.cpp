// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/core/units.hpp>
#include <larmor/fit/status.hpp>
#include <larmor/perfusion/asl/dro.hpp>
#include <larmor/perfusion/asl/steps.hpp>
#include <larmor/perfusion/dce/dro_parts.hpp>
#include <limits>
#include <numbers>

namespace larmor::asl {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr double GM_CBF = 10, WM_CBF = 20 / 6.0, GM_ATT = 0.8, WM_ATT = 1.2;

void check(const DroOptions& o) {
  for (const auto n : o.grid)
    if (n < 5 || n > 2048)
      throw Error(Errc::range, fmt::format("DRO: a grid of {} x {} x {}", o.grid[0], o.grid[1], o.grid[2]),
                  "give 5 to 2048 voxels along each axis");
  const auto positive = [](double x, const char* what) {
    if (!(x > 0) || !std::isfinite(x))
      throw Error(Errc::range, fmt::format("DRO: {} is {}", what, x), "give a value above 0");
  };
  positive(o.T1, "T1"), positive(o.T1_blood, "T1 of blood"), positive(o.partition, "the partition coefficient");
  positive(o.M0, "M0"), positive(o.M0_TR, "TR of the M0 scan");
  if (o.repeats < 1 || o.repeats > 10000)
    throw Error(Errc::range, fmt::format("DRO: {} repeats", o.repeats), "give 1 to 10000");
  if (!(o.snr >= 0) || !(o.slice_interval >= 0))
    throw Error(Errc::range, "DRO: snr or slice_interval below 0", "give 0 or more");
  if (o.CBF.empty() || o.ATT.empty())
    throw Error(Errc::shape, "DRO: no levels of CBF or ATT", "give at least one value");
  for (const double x : o.CBF)
    if (!(x >= 0 && x <= 1000))
      throw Error(Errc::range, fmt::format("DRO: a CBF of {} mm3/(g s)", x), "give 0 or more");
  for (const double x : o.ATT)
    if (!(x >= 0 && x < 20)) throw Error(Errc::range, fmt::format("DRO: an ATT of {} s", x), "give 0 to 20 s");
}

Protocol protocol_of(const DroOptions& o) {
  Protocol p;
  p.labelling = labellings().resolve(o.labelling);
  p.label_eff = o.label_eff, p.T1_blood = o.T1_blood, p.suppression_pulses = o.suppression_pulses;
  p.LD = o.LD, p.PLD = o.PLD;
  if (o.encoding) {
    p.encoding = hadamard_encoding(o.encoding);
    return p;
  }
  if (o.LD.size() != 1 && o.LD.size() != o.PLD.size())
    throw Error(Errc::shape, fmt::format("DRO: {} labelling durations for {} delays", o.LD.size(), o.PLD.size()),
                "give one for all or one a delay");
  p.LD.clear(), p.PLD.clear();  // label and control of each delay, as often as repeated
  for (std::size_t k = 0; k < o.PLD.size(); ++k)
    for (int i = 0; i < 2 * o.repeats; ++i)
      p.PLD.push_back(o.PLD[k]), p.LD.push_back(o.LD.size() == 1 ? o.LD[0] : o.LD[k]);
  return p;
}

Metadata sidecar(const DroOptions& o, const Protocol& p, std::size_t n_volumes, std::size_t n_pairs) {
  const auto& labelling = labellings().get(p.labelling);
  const double lead = o.M0_included ? 1 : 0;
  const auto each = [&](const std::vector<double>& v) {
    if (v.size() == 1 && lead == 0) return MetaValue(v[0]);
    std::vector<double> all;
    if (lead > 0) all.push_back(0);
    const std::size_t own = n_volumes - all.size();
    for (std::size_t i = 0; i < own; ++i) all.push_back(v.size() == 1 ? v[0] : v[i]);
    return MetaValue(all);
  };
  Metadata m;
  m["ArterialSpinLabelingType"] = labelling.bids.empty() ? std::string("VSASL") : labelling.bids;
  const bool same_PLD = std::adjacent_find(p.PLD.begin(), p.PLD.end(), std::not_equal_to<>()) == p.PLD.end();
  m["PostLabelingDelay"] = each(same_PLD ? std::vector<double>{p.PLD[0]} : p.PLD);
  if (labelling.bids == "PASL") {
    m["BolusCutOffFlag"] = true, m["BolusCutOffDelayTime"] = p.LD[0], m["BolusCutOffTechnique"] = labelling.cut_off;
  } else if (o.encoding) {
    m["LabelingDuration"] = p.LD.size() == 1 ? MetaValue(p.LD[0]) : MetaValue(p.LD);
  } else {
    const bool same_LD = std::adjacent_find(p.LD.begin(), p.LD.end(), std::not_equal_to<>()) == p.LD.end();
    m["LabelingDuration"] = each(same_LD ? std::vector<double>{p.LD[0]} : p.LD);
  }
  m["LabelingEfficiency"] = o.label_eff;
  m["BackgroundSuppression"] = o.suppression_pulses > 0;
  if (o.suppression_pulses > 0) m["BackgroundSuppressionNumberPulses"] = static_cast<double>(o.suppression_pulses);
  m["M0Type"] = std::string(o.M0_included ? "Included" : "Separate");
  m["TotalAcquiredPairs"] = static_cast<double>(n_pairs);
  // Long enough between preparations that control volumes have recovered; the M0 volume has its own.
  if (o.M0_included) {
    std::vector<double> TR(n_volumes, 20.0);
    TR[0] = o.M0_TR;
    m["RepetitionTimePreparation"] = TR;
  } else {
    m["RepetitionTimePreparation"] = 20.0;
  }
  m["EchoTime"] = 0.013, m["MagneticFieldStrength"] = 3.0;
  m["MRAcquisitionType"] = std::string(o.slice_interval > 0 ? "2D" : "3D");
  if (!p.slice_times.empty()) m["SliceTiming"] = p.slice_times;
  return m;
}

}  // namespace

double reference_signal(bool pulsed, double f, double ATT, const Sample& s, double T1, double T1_blood,
                        double partition) {
  const double R1 = 1 / T1 + f / partition, end = std::min(s.time, ATT + s.LD);
  if (end <= ATT) return 0;
  // Five-point Gauss of pieces of at most 0.05 s: the integrand is an exponential of rates below 3 1/s, so the error is
  // below (0.15)^10 of it.
  constexpr double x[] = {0, 0.5384693101056831, 0.9061798459386640},
                   w[] = {0.5688888888888889, 0.4786286704993665, 0.2369268850561891};
  const int n = static_cast<int>(std::ceil((end - ATT) / 0.05));
  const double h = (end - ATT) / n;
  double sum = 0;
  for (int i = 0; i < n; ++i) {
    const double middle = ATT + (i + 0.5) * h;
    for (int k = -2; k <= 2; ++k) {
      const int at = std::abs(k);
      const double t = middle + (k < 0 ? -1 : 1) * x[at] * h / 2;
      sum += w[at] * h / 2 * std::exp(-(pulsed ? t : ATT) / T1_blood - R1 * (s.time - t));
    }
  }
  return 2 * s.efficiency * f * sum;
}

Dro make_dro(const DroOptions& o) {
  check(o);
  Protocol p = protocol_of(o);
  for (std::int64_t z = 0; o.slice_interval > 0 && z < o.grid[2]; ++z)
    p.slice_times.push_back(static_cast<double>(z) * o.slice_interval);
  const bool pulsed = labellings().get(p.labelling).model == "asl.pasl";
  const std::size_t n_labelled = o.encoding ? p.encoding.size() * static_cast<std::size_t>(o.repeats) : p.PLD.size();
  const Timings timings = timings_of(p, n_labelled);
  const std::size_t lead = o.M0_included ? 1 : 0, n_volumes = n_labelled + lead;
  const std::size_t n_kinds = o.encoding ? timings.samples.size() : o.PLD.size();
  const auto kind = [&](std::size_t k) {
    return o.encoding ? timings.samples[k] : timings.samples[k * 2 * static_cast<std::size_t>(o.repeats)];
  };

  const auto n_slices = static_cast<std::size_t>(o.grid[2]);
  const auto n_voxels = static_cast<std::size_t>(o.grid[0] * o.grid[1] * o.grid[2]), in_slice = n_voxels / n_slices;
  const std::vector<dce::Quantity> quantities{{"CBF", "mm3/(g s)", "Cerebral blood flow", o.CBF},
                                              {"ATT", "s", "Arterial transit time", o.ATT}};
  const dce::DroLayout layout(o.grid, quantities);
  std::vector<float> gm(n_voxels, 0), wm(n_voxels, 0);
  std::vector<std::int32_t> set(n_voxels, -1);  // index of the signal of a voxel: level of CBF, level of ATT
  std::vector<std::vector<float>> truth(6, std::vector<float>(n_voxels, nan));  // CBF ATT CBF_GM CBF_WM ATT_GM ATT_WM
  for (std::size_t v = 0; v < n_voxels; ++v) {
    const auto i = static_cast<std::int64_t>(v);
    const std::array<std::int64_t, 3> at{i % o.grid[0], i / o.grid[0] % o.grid[1], i / (o.grid[0] * o.grid[1])};
    if (!layout.inside(at)) continue;
    if (o.tissues) {
      // Waves of 7 and 9 voxels: no window of 5 x 5 sees one mixture only.
      const double g = 0.5 + 0.5 * std::sin(2 * std::numbers::pi * static_cast<double>(at[0]) / 7) *
                                 std::cos(2 * std::numbers::pi * static_cast<double>(at[1]) / 9);
      gm[v] = static_cast<float>(g), wm[v] = 1 - gm[v], set[v] = 0;
      const double p_gm = static_cast<double>(gm[v]);
      truth[0][v] = static_cast<float>(p_gm * GM_CBF + (1 - p_gm) * WM_CBF);
      if (p_gm >= 0.05) truth[2][v] = static_cast<float>(GM_CBF), truth[4][v] = static_cast<float>(GM_ATT);
      if (1 - p_gm >= 0.05) truth[3][v] = static_cast<float>(WM_CBF), truth[5][v] = static_cast<float>(WM_ATT);
    } else {
      const std::size_t a = layout.level(0, at), b = layout.level(1, at);
      truth[0][v] = static_cast<float>(o.CBF[a]), truth[1][v] = static_cast<float>(o.ATT[b]);
      set[v] = static_cast<std::int32_t>(a * o.ATT.size() + b);
    }
  }

  // Signals over M0 of blood: [slice][timing][set], or of grey and white matter.
  const std::size_t n_sets = o.tissues ? 2 : o.CBF.size() * o.ATT.size();
  std::vector<double> table(n_slices * n_kinds * n_sets);
  for (std::size_t z = 0; z < n_slices; ++z)
    for (std::size_t k = 0; k < n_kinds; ++k) {
      Sample s = kind(k);
      if (!p.slice_times.empty()) s.time += p.slice_times[z];
      for (std::size_t c = 0; c < n_sets; ++c) {
        double& y = table[(z * n_kinds + k) * n_sets + c];
        if (o.tissues)
          y = c == 0 ? reference_signal(pulsed, GM_CBF * 1e-3, GM_ATT, s, 1.33, o.T1_blood, 0.98)
                     : reference_signal(pulsed, WM_CBF * 1e-3, WM_ATT, s, 0.83, o.T1_blood, 0.82);
        else
          y = reference_signal(pulsed, o.CBF[c / o.ATT.size()] * 1e-3, o.ATT[c % o.ATT.size()], s, o.T1, o.T1_blood,
                               o.partition);
      }
    }
  const auto signal = [&](std::size_t v, std::size_t k) {
    const double* y = &table[(v / in_slice * n_kinds + k) * n_sets];
    if (!o.tissues) return y[set[v]];
    const double g = static_cast<double>(gm[v]);
    return g * y[0] + (1 - g) * y[1];
  };

  const double M0_blood = o.M0 / o.partition, sd = o.snr > 0 ? o.M0 / o.snr : 0;
  const double background = o.M0 * (o.suppression_pulses > 0 ? 0.1 : 1.0);
  const double M0_signal = o.M0 * (1 - std::exp(-o.M0_TR / o.T1));
  const auto noisy = [&](double clean, std::uint64_t stream, std::uint64_t i) {
    if (sd == 0) return static_cast<float>(clean);
    const auto [a, b] = dce::gaussians(o.seed, stream, i);
    return static_cast<float>(std::hypot(clean + sd * a, sd * b));
  };

  Dro dro;
  dro.series.affine = Affine::scaling(3.5, 3.5, 5);
  dro.series.source = "digital reference object " + p.labelling;
  dro.series.data = Array::uninitialised(
      DType::f32, {o.grid[0], o.grid[1], o.grid[2], static_cast<std::int64_t>(n_volumes)}, {"x", "y", "z", "t"});
  std::vector<std::string> types;
  if (o.M0_included) types.emplace_back("m0scan");
  for (std::size_t i = 0; i < n_labelled; ++i) types.emplace_back(o.encoding || i % 2 == 0 ? "label" : "control");
  float* out = dro.series.data.data<float>();
  parallel_for(n_volumes * n_voxels, 1 << 15, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t t = i / n_voxels, v = i % n_voxels;
      double clean = 0;
      if (set[v] >= 0 && t < lead) {
        clean = M0_signal;
      } else if (set[v] >= 0) {
        clean = background;
        const std::size_t volume = t - lead;
        if (o.encoding) {
          const auto& row = p.encoding[volume % p.encoding.size()];
          for (std::size_t j = 0; j < n_kinds; ++j)
            if (row[j]) clean -= M0_blood * signal(v, j);
        } else if (volume % 2 == 0) {
          clean -= M0_blood * signal(v, volume / (2 * static_cast<std::size_t>(o.repeats)));
        }
      }
      out[i] = noisy(clean, 0, i);
    }
  });
  dro.series.meta = sidecar(o, p, n_volumes, o.encoding ? static_cast<std::size_t>(o.repeats) : n_labelled / 2);
  dro.series.meta["VolumeType"] = types;

  const Shape grid{o.grid[0], o.grid[1], o.grid[2]};
  const auto volume = [&](std::span<const float> values) {
    return dro.series.like(Array::from<float>(values, grid, {"x", "y", "z"}));
  };
  if (!o.M0_included) {
    std::vector<float> m(n_voxels);
    for (std::size_t v = 0; v < n_voxels; ++v) m[v] = noisy(set[v] >= 0 ? M0_signal : 0, 1, v);
    dro.M0 = volume(m);
    dro.M0.meta = {{"RepetitionTimePreparation", o.M0_TR}, {"EchoTime", 0.013}, {"MagneticFieldStrength", 3.0}};
  }
  dro.mask = dro.series.like(Array(DType::u8, grid));
  dro.mask.meta.clear();
  dro.truth.status = Array(DType::u8, grid);
  for (std::size_t v = 0; v < n_voxels; ++v)
    if (set[v] >= 0) {
      dro.mask.data.data<std::uint8_t>()[v] = 1;
      dro.truth.status.data<std::uint8_t>()[v] = static_cast<std::uint8_t>(fit::FitStatus::converged);
    }
  dro.truth.reference = dro.mask;
  const char* names[] = {"CBF", "ATT", "CBF_GM", "CBF_WM", "ATT_GM", "ATT_WM"};
  for (std::size_t q = 0; q < 6; ++q)
    if (o.tissues ? q != 1 : q < 2)
      dro.truth.maps.push_back(
          make_map(names[q], names[q][0] == 'C' ? "mm3/(g s)" : "s", names[q], truth[q], {}, grid));
  std::vector<float> m0(n_voxels, nan);
  for (std::size_t v = 0; v < n_voxels; ++v)
    if (set[v] >= 0) m0[v] = static_cast<float>(M0_blood);
  dro.truth.maps.push_back(make_map("M0_blood", "a.u.", "M0 of arterial blood", m0, {}, grid));
  if (o.tissues) dro.tissue = {volume(gm), volume(wm)};
  for (auto& t : dro.tissue) t.meta.clear();
  return dro;
}

}  // namespace larmor::asl
