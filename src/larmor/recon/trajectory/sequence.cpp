// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/recon/trajectory/edit.hpp>
#include <numbers>

namespace larmor::recon {
namespace {

bool on_microsecond(double t) { return std::abs(1e6 * t - std::round(1e6 * t)) < 1e-4; }

/// Whole rasters of waiting that let the first sample's edge fall on a whole microsecond, as sequence files want it;
/// where none do, as few as let it not be before the block.
std::size_t rasters_before(double edge, double raster) {
  const auto least = static_cast<std::size_t>(std::max(0.0, std::ceil(-edge / raster - 1e-9)));
  for (std::size_t n = least; n < least + 1000; ++n)
    if (on_microsecond(edge + static_cast<double>(n) * raster)) return n;
  return least;
}

/// The waveform `late` (under a raster) later, at the points of the raster, after `before` points of 0.
std::vector<Vec3> played_later(const Waveform& w, double late, std::size_t before) {
  std::vector<Vec3> g(before);
  if (late == 0) {
    g.insert(g.end(), w.g.begin(), w.g.end());
    return g;
  }
  const double part = late / w.raster;
  for (std::size_t i = 0; i <= w.g.size(); ++i)
    g.push_back((i < w.g.size() ? (1 - part) * w.g[i] : Vec3{}) + (i > 0 ? part * w.g[i - 1] : Vec3{}));
  return g;
}

/// Where the blocks of an arm begin and end [rasters]: between runs at a raster from which the sampling begins on a
/// whole microsecond, nearest to the middle.
std::vector<std::size_t> block_cuts(const Sampling& s, double shift, double raster, std::size_t end) {
  std::vector<std::size_t> cuts{0};
  for (std::size_t i = 1; i < s.runs.size(); ++i) {
    const double edge = s.runs[i] - 0.5 * s.dwell + shift,
                 before = s.runs[i - 1] + (static_cast<double>(s.samples) - 0.5) * s.dwell + shift;
    const auto lowest = static_cast<std::int64_t>(std::ceil(before / raster - 1e-9)),
               highest = static_cast<std::int64_t>(std::floor(edge / raster + 1e-9));
    if (highest < lowest)
      throw Error(Errc::range, fmt::format("sequence: less than a raster between samples {} and {}", i - 1, i),
                  "sample with a longer dwell time, or a finer raster");
    std::int64_t cut = (lowest + highest) / 2;
    for (std::int64_t away = 0; away <= highest - lowest; ++away) {
      const std::int64_t c = (lowest + highest) / 2 + (away % 2 ? (away + 1) / 2 : -away / 2);
      if (c >= lowest && c <= highest && on_microsecond(edge - static_cast<double>(c) * raster)) {
        cut = c;
        break;
      }
    }
    cuts.push_back(static_cast<std::size_t>(cut));
  }
  cuts.push_back(end);
  return cuts;
}

/// Integral of the gradients from the start of the sequence [T s/m], at times that do not decrease.
class Areas {
 public:
  explicit Areas(const GradientTable& table) : table_(table) {}
  Vec3 at(double t) {
    while (next_ < table_.times.size() && table_.times[next_] <= t) {
      if (next_ > 0) sum_ = sum_ + piece(next_, table_.times[next_]);
      ++next_;
    }
    return next_ > 0 && next_ < table_.times.size() ? sum_ + piece(next_, t) : sum_;
  }

 private:
  const GradientTable& table_;
  std::size_t next_ = 0;
  Vec3 sum_{};

  /// From the corner before i up to t.
  Vec3 piece(std::size_t i, double t) const {
    const double from = table_.times[i - 1], length = table_.times[i] - from, u = t - from;
    Vec3 out{};
    if (!(length > 0)) return out;
    for (std::size_t d = 0; d < 3; ++d) {
      const double a = table_.values[d][i - 1], b = table_.values[d][i];
      out[d] = u * (a + 0.5 * (b - a) * u / length);
    }
    return out;
  }
};

bool refocuses(const Rf& rf, double gamma) {
  if (rf.use == 'r') return true;
  return rf.use == 'u' && rf.flip_angle(gamma) >= 120 * std::numbers::pi / 180;
}
bool excites(const Rf& rf, double gamma) { return rf.use == 'e' || (rf.use == 'u' && !refocuses(rf, gamma)); }

}  // namespace

Sequence to_sequence(const ArmWaveforms& w, const SequenceOptions& options) {
  w.limits.check();
  if (w.arms.empty() || w.waveforms.empty())
    throw Error(Errc::shape, "sequence: no arms", "give a trajectory with waveforms");
  const double raster = w.limits.raster;
  Sequence s;
  s.gradient_raster = raster, s.block_raster = raster, s.gamma = w.limits.gamma;
  const double edge = w.sampling.time(0) - 0.5 * w.sampling.dwell;
  std::size_t before = rasters_before(edge, raster);
  const double wanted = edge + static_cast<double>(before) * raster;
  double late = on_microsecond(wanted) ? 0 : 1e-6 * std::ceil(1e6 * wanted) - wanted;
  const double whole = std::floor(late / raster);
  before += static_cast<std::size_t>(whole), late -= whole * raster;
  const double shift = static_cast<double>(before) * raster + late;  // of everything, against the waveform
  const auto on_raster = [&](double t) { return raster * std::ceil(t / raster * (1 - 1e-12)); };

  Block pulse;
  if (options.flip_angle > 0) {
    const auto n = static_cast<std::size_t>(std::llround(options.pulse_duration / s.rf_raster));
    if (n < 1)
      throw Error(Errc::range, fmt::format("sequence: a pulse of {:.4g} s", options.pulse_duration),
                  "give a microsecond or more");
    const double b1 = options.flip_angle / (2 * std::numbers::pi * s.gamma * static_cast<double>(n) * s.rf_raster);
    pulse.rf = std::make_shared<const Rf>(Rf{.magnitude = std::vector<double>(n, b1),
                                             .phase = std::vector<double>(n, 0.0),
                                             .raster = s.rf_raster,
                                             .use = 'e'});
    pulse.duration = on_raster(pulse.rf->duration());
  }
  const std::size_t points = w.waveforms[0].g.size() + before + (late > 0);
  const double readout = on_raster(std::max(static_cast<double>(points - 1) * raster,
                                            w.sampling.time(w.sampling.count() - 1) + 0.5 * w.sampling.dwell + shift));
  const auto cuts = block_cuts(w.sampling, shift, raster, points - 1);
  std::vector<std::shared_ptr<const Adc>> samplings;
  for (std::size_t run = 0; run + 1 < cuts.size(); ++run) {
    const double first = w.sampling.time(static_cast<std::int64_t>(run) * w.sampling.samples);
    const double delay = first - 0.5 * w.sampling.dwell + shift - static_cast<double>(cuts[run]) * raster;
    samplings.push_back(
        std::make_shared<const Adc>(Adc{.samples = w.sampling.samples,
                                        .dwell = w.sampling.dwell,
                                        .delay = on_microsecond(delay) ? 1e-6 * std::round(1e6 * delay) : delay}));
  }
  const double least = pulse.duration + readout;
  if (options.TR > 0 && options.TR < least * (1 - 1e-12))
    throw Error(Errc::range,
                fmt::format("sequence: an arm takes {:.6g} ms and the TR is {:.6g} ms", 1e3 * least, 1e3 * options.TR),
                "give a longer TR, or 0 for the shortest");
  const double wait = options.TR > 0 ? on_raster(options.TR - least) : 0;

  for (const auto& arm : w.arms) {
    if (pulse.rf) s.blocks.push_back(pulse);
    const auto g = played_later(waveform_of(w.waveforms, arm), late, before);
    for (std::size_t run = 0; run + 1 < cuts.size(); ++run) {
      const std::size_t from = cuts[run], to = cuts[run + 1];
      const bool last = run + 2 == cuts.size();
      Block block{.duration = static_cast<double>(to - from) * raster, .adc = samplings[run]};
      if (last) block.duration = readout - static_cast<double>(from) * raster + wait;
      for (std::size_t d = 0; d < 3; ++d) {
        Gradient one;
        bool any = false;
        for (std::size_t i = from; i <= to; ++i) {
          // Of what waits at 0 the last point stands for all.
          if (i + 1 < before && from == 0) continue;
          one.times.push_back(static_cast<double>(i - from) * raster);
          one.values.push_back(g[i][d]), any = any || g[i][d] != 0;
        }
        if (any) block.g[d] = std::make_shared<const Gradient>(std::move(one));
      }
      s.blocks.push_back(std::move(block));
    }
  }
  std::string fov;
  for (const double f : w.fov) fov += fmt::format("{}{:.9g}", fov.empty() ? "" : " ", f);
  s.define("FOV", fov);
  s.check();
  return s;
}

Trajectory sequence_trajectory(const Sequence& s, std::vector<double> fov, std::vector<std::int64_t> matrix) {
  const GradientTable table = gradient_table(s);
  Areas areas(table);
  const auto starts = s.starts();
  std::vector<Vec3> k;
  std::vector<double> times;
  std::int64_t samples = 0, arms = 0;
  Vec3 origin{};  // area that counts as k = 0
  double excited = 0;
  for (std::size_t b = 0; b < s.blocks.size(); ++b) {
    const Block& block = s.blocks[b];
    if (block.rf && block.adc)
      throw Error(Errc::usage, fmt::format("sequence: block {} plays a pulse while sampling", b),
                  "k-space has no meaning there");
    if (block.rf && (excites(*block.rf, s.gamma) || refocuses(*block.rf, s.gamma))) {
      const double at = starts[b] + block.rf->centre_time();
      const Vec3 area = areas.at(at);
      if (excites(*block.rf, s.gamma))
        origin = area, excited = at;
      else  // k becomes -k: area - origin' = -(area - origin)
        origin = 2.0 * area - origin;
    }
    if (!block.adc) continue;
    if (arms > 0 && block.adc->samples != samples)
      throw Error(
          Errc::shape,
          fmt::format("sequence: block {} takes {} samples and those before {}", b, block.adc->samples, samples),
          "give sequences whose samplings are of one length");
    samples = block.adc->samples;
    for (std::int64_t i = 0; i < samples; ++i) {
      const double t = starts[b] + block.adc->sample_time(i);
      k.push_back(s.gamma * (areas.at(t) - origin));
      if (arms == 0) times.push_back(t - excited);
    }
    ++arms;
  }
  if (arms == 0) throw Error(Errc::shape, "sequence: nothing is sampled", "give a sequence with an ADC");
  const double deepest = std::abs((*std::max_element(
      k.begin(), k.end(), [](const Vec3& a, const Vec3& b) { return std::abs(a[2]) < std::abs(b[2]); }))[2]);
  if (fov.size() != 2 && fov.size() != 3)
    throw Error(Errc::shape, fmt::format("sequence: {} fields of view", fov.size()),
                "give those of x and y, and of z for 3D [m]");
  // A thousandth of a cycle/FOV, where the field of view of z is known: encoded or not.
  const bool three = fov.size() == 3 && deepest * fov[2] > 1e-3;
  const std::size_t d = three ? 3 : 2;
  fov.resize(d);
  Trajectory out{.k = Array::of<double>({samples, arms, static_cast<std::int64_t>(d)}, {"sample", "arm", "d"}),
                 .matrix = std::move(matrix),
                 .times = std::move(times),
                 .source = s.source};
  out.matrix.resize(d, 2);
  for (std::size_t axis = 0; axis < d; ++axis) {
    double most = 0;
    for (std::size_t i = 0; i < k.size(); ++i) {
      const double v = fov[axis] * k[i][axis];
      out.k.data<double>()[axis * k.size() + i] = v;
      most = std::max(most, std::abs(v));
    }
    if (most > 0.5 * static_cast<double>(out.matrix[axis]))
      out.matrix[axis] = 2 * static_cast<std::int64_t>(std::ceil(most * (1 - 1e-6)));
    out.fov.push_back(1e3 * fov[axis]);
  }
  out.check();
  return out;
}

}  // namespace larmor::recon
