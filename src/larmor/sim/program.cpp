// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/sim/program.hpp>
#include <larmor/sim/program_maps.hpp>
#include <larmor/sim/waves.hpp>
#include <map>
#include <numbers>
#include <string>
#include <tuple>

namespace larmor::sim {
namespace {

constexpr double two_pi = 2 * std::numbers::pi;
// Two times closer than this are one: decimal fractions of a block have rounding errors.
constexpr double same_time = 1e-10;

struct Waves {
  GradientWave g[3];
  explicit Waves(const Block& b, double scale)
      : g{{b.g[0].get(), scale}, {b.g[1].get(), scale}, {b.g[2].get(), scale}} {}
};

/// An instance whose `out` counts from the block's first sample.
using Instances = std::vector<Instance>;

/// Events that do the same to spins are one: their phases are applied elsewhere.
template <class Event>
class Alike {
 public:
  const Event* of(const Event* event) {
    if (!event) return nullptr;
    const auto known = known_.find(event);
    if (known != known_.end()) return known->second;
    auto& bucket = buckets_[key(*event)];
    for (const Event* other : bucket)
      if (same(*event, *other)) return known_[event] = other;
    bucket.push_back(event);
    return known_[event] = event;
  }

 private:
  using Key = std::array<double, 4>;
  static Key key(const Gradient& g) {
    if (g.trapezoid) return {g.delay, g.trapezoid->amplitude, g.trapezoid->rise, g.trapezoid->flat};
    return {g.delay, static_cast<double>(g.values.size()), g.values[0], g.values[g.values.size() / 2]};
  }
  static Key key(const Rf& r) {
    return {r.delay, static_cast<double>(r.magnitude.size()), r.magnitude[r.magnitude.size() / 2], r.frequency_offset};
  }
  static Key key(const Adc& a) { return {a.delay, static_cast<double>(a.samples), a.dwell, 0}; }
  static bool same(const Gradient& a, const Gradient& b) { return a == b; }
  static bool same(const Rf& a, const Rf& b) {
    return a.delay == b.delay && a.raster == b.raster && a.frequency_offset == b.frequency_offset &&
           a.magnitude == b.magnitude && a.phase == b.phase && a.times == b.times;
  }
  static bool same(const Adc& a, const Adc& b) {
    return a.delay == b.delay && a.samples == b.samples && a.dwell == b.dwell;
  }
  std::map<const Event*, const Event*> known_;
  std::map<Key, std::vector<const Event*>> buckets_;
};

class Compiler {
 public:
  Compiler(const Sequence& sequence, const Reach& reach, const CompileOptions& options)
      : sequence_(sequence), reach_(reach), options_(options), scale_(sequence.gamma * 1e-3) {}

  Program run() {
    sequence_.check();
    check();
    const bool moving = reach_.flowing || reach_.diffusing;
    for (std::size_t b = 0; b < sequence_.blocks.size(); ++b) {
      const Block& block = sequence_.blocks[b];
      const auto records = records_within(block.duration);
      append(b, records.empty() ? cached(b) : made(b, records));
      finish_block(b);
    }
    while (next_record_ < options_.record_times.size()) add_record();
    if (options_.record_times.empty() && !moving) merge_free();
    if (options_.maps && !moving) make_maps(out_);
    if (moving)  // random numbers count instances
      for (std::size_t i = 0; i < out_.instances.size(); ++i)
        if (const int kind = kind_of(out_.instances[i]); kind == segment_free || kind == segment_rf)
          out_.instances[i].out = static_cast<int>(i);
    for (const auto& at : out_.instances) {
      const Segment& s = out_.segments[static_cast<std::size_t>(at.segment)];
      out_.rf_steps += s.kind == segment_rf ? s.count : 0;
      out_.jumps += s.kind == segment_free || s.kind == segment_adc;
    }
    out_.duration = now_;
    out_.record_times = options_.record_times;
    return std::move(out_);
  }

 private:
  void check() const {
    if (sequence_.blocks.empty() || !(sequence_.duration() > 0))
      throw Error(Errc::range,
                  fmt::format("a sequence of {} blocks and {:g} s", sequence_.blocks.size(), sequence_.duration()),
                  "give at least one block that lasts");
    if (!(options_.tolerance > 0 && options_.tolerance <= 0.1))
      throw Error(Errc::range, fmt::format("a tolerance of {:g} rad", options_.tolerance), "give 1e-7 to 0.1");
    for (std::size_t b = 0; b < sequence_.blocks.size(); ++b) {
      const Block& block = sequence_.blocks[b];
      for (const auto& g : block.g)
        if (g) {
          const double most = GradientWave(g.get(), 1).largest();
          if (most > 10)
            throw Error(Errc::range, fmt::format("a gradient of {:g} T/m in block {}", most, b),
                        "gradients are in T/m: 40 mT/m is 0.04");
        }
      if (block.rf && block.adc && block.rf->delay < block.adc->duration() - same_time &&
          block.adc->delay < block.rf->duration() - same_time)
        throw Error(Errc::range, fmt::format("a pulse and samples at the same time in block {}", b),
                    "let one begin after the other ends");
    }
    double before = 0;
    for (const double t : options_.record_times) {
      if (!(t >= before) || t > sequence_.duration() * (1 + 1e-9) + same_time)
        throw Error(
            Errc::range,
            fmt::format("record at {:g} s, after {:g} s, of a sequence of {:g} s", t, before, sequence_.duration()),
            "give increasing times within the sequence");
      before = t;
    }
  }

  int kind_of(const Instance& at) const { return out_.segments[static_cast<std::size_t>(at.segment)].kind; }

  std::vector<double> records_within(double duration) const {
    std::vector<double> out;
    for (std::size_t r = next_record_; r < options_.record_times.size(); ++r) {
      const double t = options_.record_times[r] - now_;
      if (t > duration + same_time) break;
      out.push_back(std::clamp(t, 0.0, duration));
    }
    return out;
  }

  // --- a block ---

  const Instances& cached(std::size_t b) {
    const Block& block = sequence_.blocks[b];
    const bool spoils = std::any_of(block.labels.begin(), block.labels.end(),
                                    [](const Label& l) { return l.name == spoil_label && l.value != 0; });
    const BlockKey key(pulses_.of(block.rf.get()), gradients_.of(block.g[0].get()), gradients_.of(block.g[1].get()),
                       gradients_.of(block.g[2].get()), samplings_.of(block.adc.get()), block.duration, spoils);
    const auto found = blocks_.find(key);
    if (found != blocks_.end()) {
      out_.error_bound += errors_.at(key);
      return found->second;
    }
    const double before = out_.error_bound;
    auto instances = made(b, {});
    errors_[key] = out_.error_bound - before;
    return blocks_.emplace(key, std::move(instances)).first->second;
  }

  Instances made(std::size_t b, const std::vector<double>& records) {
    const Block& block = sequence_.blocks[b];
    const Waves waves(block, scale_);
    Instances out;
    double t = 0;
    std::size_t record = 0;
    // Until `end`, stopping at records; `part` does what happens in between.
    const auto until = [&](double end, const auto& part) {
      while (record < records.size() && records[record] <= end + same_time) {
        if (records[record] > t + same_time) part(t, records[record]), t = records[record];
        out.push_back({record_segment(), 0});
        ++record;
      }
      if (end > t + same_time) part(t, end), t = end;
    };
    const auto wait = [&](double a, double e) { free(waves, a, e, out); };
    const auto pulse = [&] {
      const RfWave wave(*block.rf, sequence_.gamma);
      until(wave.begin(), wait);
      // The tolerance is shared among the parts that records cut a pulse into.
      until(wave.end(), [&](double a, double e) { rf(wave, waves, a, e, out); });
    };
    const auto samples = [&] {
      until(block.adc->delay, wait);
      std::int64_t next = 0;
      until(block.adc->duration(), [&](double a, double e) { next = adc(*block.adc, waves, next, a, e, out); });
    };
    if (block.rf && block.adc) {
      if (block.rf->delay <= block.adc->delay)
        pulse(), samples();
      else
        samples(), pulse();
    } else if (block.rf) {
      pulse();
    } else if (block.adc) {
      samples();
    }
    until(block.duration, wait);
    for (const auto& label : block.labels)
      if (label.name == spoil_label && label.value != 0) {
        Segment s;
        s.kind = segment_spoil;
        out.push_back({kept(s), 0});
      }
    return out;
  }

  void append(std::size_t b, const Instances& instances) {
    const Block& block = sequence_.blocks[b];
    const int first = static_cast<int>(out_.sample_times.size());
    for (Instance at : instances) {
      const int kind = kind_of(at);
      if (kind == segment_adc) at.out += first;
      if (kind == segment_record) at.out = static_cast<int>(next_record_++);
      if (kind == segment_rf) {
        at.cos = static_cast<float>(std::cos(block.rf->phase_offset));
        at.sin = static_cast<float>(std::sin(block.rf->phase_offset));
      }
      out_.instances.push_back(at);
    }
    if (block.adc) list_samples(block);
  }

  void list_samples(const Block& block) {
    const Waves waves(block, scale_);
    const Adc& adc = *block.adc;
    for (std::int64_t i = 0; i < adc.samples; ++i) {
      const double t = adc.sample_time(i);
      out_.sample_times.push_back(now_ + t);
      out_.demodulation.push_back(std::polar(1.0, -adc.phase_offset - two_pi * adc.frequency_offset * (t - adc.delay)));
      std::array<double, 3> k = k_;
      for (std::size_t a = 0; a < 3; ++a) k[a] += waves.g[a].integral(t);
      out_.sample_k.push_back(k);
    }
    out_.readouts.push_back(adc.samples);
  }

  void finish_block(std::size_t b) {
    const Block& block = sequence_.blocks[b];
    const Waves waves(block, scale_);
    const double end = block.duration;
    if (block.rf) {
      const double centre = block.rf->centre_time();
      // Above 135 degrees a pulse whose use is not known refocuses.
      const bool turns_over = block.rf->use == 'r' ||
                              (block.rf->use == 'u' && block.rf->flip_angle(sequence_.gamma) > 0.75 * std::numbers::pi);
      const bool excites = block.rf->use == 'e' || (block.rf->use == 'u' && !turns_over);
      for (std::size_t a = 0; a < 3; ++a) {
        const double before = k_[a] + waves.g[a].integral(centre),
                     after = waves.g[a].integral(end) - waves.g[a].integral(centre);
        k_[a] = (excites ? 0 : turns_over ? -before : before) + after;
      }
    } else {
      for (std::size_t a = 0; a < 3; ++a) k_[a] += waves.g[a].integral(end);
    }
    now_ += block.duration;
  }

  // --- segments ---

  int kept(const Segment& s) {
    // Equal segments are one; the bytes are compared, padding is zero because Segment{} is.
    const auto key = std::tuple(s.kind, s.first, s.count, s.decay, s.decay_first, s.tau,
                                std::array{s.k[0], s.k[1], s.k[2]}, std::array{s.m[0], s.m[1], s.m[2]}, s.spread);
    const auto [found, added] = known_.emplace(key, static_cast<int>(out_.segments.size()));
    if (added) out_.segments.push_back(s);
    return found->second;
  }
  int record_segment() {
    Segment s;
    s.kind = segment_record;
    return kept(s);
  }
  void add_record() {
    out_.instances.push_back({record_segment(), static_cast<int>(next_record_)});
    ++next_record_;
  }

  int decay(double tau) {
    const auto key = static_cast<std::int64_t>(std::llround(tau * 1e12));
    const auto [found, added] = decays_.emplace(key, static_cast<int>(out_.decay_times.size()));
    if (added) out_.decay_times.push_back(static_cast<float>(tau));
    return found->second;
  }

  void moments(const Waves& waves, double a, double e, Segment& s) const {
    s.tau = e - a;
    for (std::size_t x = 0; x < 3; ++x) {
      const auto& g = waves.g[x];
      s.k[x] = g.integral(e) - g.integral(a);
      s.m[x] = g.moment(e) - g.moment(a) - a * s.k[x];
      if (reach_.diffusing) {
        // The integral still to come has the mean m / tau: by exchange of the order of integration.
        s.walk[x] = s.tau > 0 ? s.m[x] / s.tau : 0;
        s.spread += std::max(0.0, g.remaining_squared(a, e) - s.tau * s.walk[x] * s.walk[x]);
      }
    }
  }

  void free(const Waves& waves, double a, double e, Instances& out) {
    Segment s;
    moments(waves, a, e, s);
    s.decay = decay(s.tau);
    out.push_back({kept(s), 0});
  }

  std::int64_t adc(const Adc& adc, const Waves& waves, std::int64_t next, double a, double e, Instances& out) {
    const bool moving = reach_.flowing || reach_.diffusing;
    double t = a;
    const int most = moving ? 1 : adc_chunk;
    while (next < adc.samples && adc.sample_time(next) <= e + same_time) {
      Segment s;
      s.kind = segment_adc;
      const double first = adc.sample_time(next);
      if (moving && first > t + same_time) free(waves, t, first, out), t = first;
      std::int64_t last = next;
      while (last + 1 < adc.samples && last + 1 < next + most && adc.sample_time(last + 1) <= e + same_time) ++last;
      if (!moving) moments(waves, t, std::max(t, first), s);
      s.count = static_cast<int>(last - next + 1);
      s.dt = static_cast<float>(adc.dwell);
      s.decay_first = decay(s.tau), s.decay = decay(adc.dwell);
      std::vector<AdcStep> steps;
      double largest = 0, difference = 0, widest = 0;
      for (std::int64_t i = next + 1; i <= last; ++i) {
        AdcStep step{};
        double turns = reach_.df * adc.dwell;
        for (std::size_t x = 0; x < 3; ++x) {
          const double k = waves.g[x].integral(adc.sample_time(i)) - waves.g[x].integral(adc.sample_time(i - 1));
          step.g[x] = static_cast<float>(k);
          largest = std::max(largest, std::abs(k));
          turns += std::abs(k) * reach_.place[x];
          if (!steps.empty()) difference = std::max(difference, std::abs(k - static_cast<double>(steps[0].g[x])));
        }
        widest = std::max(widest, turns);
        steps.push_back(step);
      }
      s.within_half = widest <= 0.499;
      // Equal up to the rounding of a float: the phase is set up again after each chunk.
      s.same_steps = !steps.empty() && difference <= 2e-7 * largest;
      s.first = static_cast<int>(out_.adc.size());
      out_.adc.insert(out_.adc.end(), steps.begin(), s.same_steps ? steps.begin() + 1 : steps.end());
      out.push_back({kept(s), static_cast<int>(next)});
      next = last + 1;
      if (!moving && next < adc.samples) {
        // To the last sample taken, so that the next chunk begins one dwell later.
        const double at = adc.sample_time(last);
        if (at > t + same_time) free(waves, t, at, out), t = at;
      }
    }
    if (e > t + same_time) free(waves, t, e, out);
    return next;
  }

  // --- pulses ---

  struct Step {
    std::complex<double> b;   // [rad]
    std::array<double, 3> g;  // [rad/mm]
    double wz = 0;            // of the farthest spin
  };
  std::vector<Step> steps_of(const RfWave& wave, const Waves& waves, double a, double e, std::size_t n) const {
    std::vector<Step> out(n);
    const double dt = (e - a) / static_cast<double>(n);
    std::complex<double> b = wave.integral(a);
    std::array<double, 3> k{};
    for (std::size_t x = 0; x < 3; ++x) k[x] = waves.g[x].integral(a);
    for (std::size_t i = 0; i < n; ++i) {
      const double t = i + 1 == n ? e : a + dt * static_cast<double>(i + 1);
      const auto next = wave.integral(t);
      out[i].b = two_pi * (next - b), b = next;
      out[i].wz = two_pi * reach_.df * dt;
      for (std::size_t x = 0; x < 3; ++x) {
        const double k_next = waves.g[x].integral(t);
        out[i].g[x] = two_pi * (k_next - k[x]), k[x] = k_next;
        out[i].wz += std::abs(out[i].g[x]) * reach_.place[x];
      }
    }
    return out;
  }

  /// The bound of CompileOptions::tolerance for these steps.
  double error_of(const std::vector<Step>& steps, double dt) const {
    double sum = 0;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const Step &s = steps[i], &before = steps[i == 0 ? 0 : i - 1], &after = steps[std::min(i + 1, steps.size() - 1)];
      const double half = i == 0 || i + 1 == steps.size() ? 1 : 0.5;
      const double db = half * reach_.B1 * std::abs(after.b - before.b), b = reach_.B1 * std::abs(s.b);
      double dwz = 0;
      for (std::size_t x = 0; x < 3; ++x) dwz += half * std::abs(after.g[x] - before.g[x]) * (reach_.place[x]);
      // A field that is wrong by at most d / 2 over a step turns by d / 4 too much at most, however fast the spin
      // turns.
      const double wz = std::min(s.wz, 3.0);
      sum += (std::min(b, 3.0) * (dwz + db) + wz * db) / 12;
      sum += b * std::min(std::hypot(b, s.wz), 3.0) * reach_.rate * dt / 12;
    }
    return sum;
  }
  /// What relaxation only every `group` steps costs: that of single steps, with all of a group in their places.
  double relaxation_error(const std::vector<Step>& steps, double dt, std::size_t group) const {
    double sum = 0;
    for (std::size_t i = 0; i < steps.size(); i += group) {
      double b = 0, w = 0;
      for (std::size_t j = i; j < std::min(i + group, steps.size()); ++j)
        b += reach_.B1 * std::abs(steps[j].b), w += std::hypot(reach_.B1 * std::abs(steps[j].b), steps[j].wz);
      sum += b * std::min(w, 3.0) * reach_.rate * dt * static_cast<double>(group) / 12;
    }
    return sum;
  }

  void rf(const RfWave& wave, const Waves& waves, double a, double e, Instances& out) {
    const double whole = wave.end() - wave.begin(), share = options_.tolerance * (e - a) / whole;
    const auto error = [&](std::size_t n) {
      return error_of(steps_of(wave, waves, a, e, n), (e - a) / static_cast<double>(n));
    };
    // The error falls as 1 / n^2 once the steps resolve the waveform: ask the finest and go on from there.
    const std::size_t finest = std::clamp<std::size_t>(
        static_cast<std::size_t>(std::ceil(static_cast<double>(wave.cells()) * (e - a) / whole)), 1, 20000);
    std::size_t n = 1;
    if (error(1) > 0.75 * share || !constant(wave, waves, a, e)) {
      const double guess = static_cast<double>(finest) * std::sqrt(error(finest) / (0.75 * share));
      n = static_cast<std::size_t>(std::clamp(guess, 2.0, 200000.0));
      while (n < 200000 && error(n) > 0.75 * share) n += n / 3 + 1;
    }
    // Relaxation less often than rotation, where a quarter of the tolerance allows: less work, and in f32 its small
    // changes are rounded less often.
    std::size_t group = 1;
    for (std::size_t next = 2; next <= 16 && 2 * next <= n; next *= 2) {
      const std::size_t m = (n + next - 1) / next * next;
      if (relaxation_error(steps_of(wave, waves, a, e, m), (e - a) / static_cast<double>(m), next) > 0.25 * share)
        break;
      group = next;
    }
    n = (n + group - 1) / group * group;
    const auto steps = steps_of(wave, waves, a, e, n);
    const double dt = (e - a) / static_cast<double>(n), dt_group = dt * static_cast<double>(group);
    out_.error_bound += error_of(steps, dt) + (group > 1 ? relaxation_error(steps, dt, group) : 0);

    Segment s;
    s.kind = segment_rf;
    moments(waves, a, e, s);
    s.first = static_cast<int>(out_.rf.size()), s.count = static_cast<int>(n);
    s.dt = static_cast<float>(dt);
    s.relax_every = static_cast<int>(group);
    s.decay = decay(dt_group), s.decay_first = decay(0.5 * dt_group);
    std::array<double, 3> direction{};
    double strongest = 0;
    for (const auto& step : steps)
      if (const double g = std::hypot(step.g[0], step.g[1], step.g[2]); g > strongest) {
        strongest = g;
        for (std::size_t x = 0; x < 3; ++x) direction[x] = step.g[x] / g;
      }
    bool one = true;
    double b_most = 0, g_most = 0;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const auto& g = steps[i].g;
      const double along = g[0] * direction[0] + g[1] * direction[1] + g[2] * direction[2];
      double off = 0;
      for (std::size_t x = 0; x < 3; ++x) off = std::max(off, std::abs(g[x] - along * direction[x]));
      one = one && off <= 1e-9 * strongest;
      RfStep step{};
      step.bx = static_cast<float>(steps[i].b.real()), step.by = static_cast<float>(steps[i].b.imag());
      step.bb = step.bx * step.bx + step.by * step.by;
      step.along = static_cast<float>(along);
      for (std::size_t x = 0; x < 3; ++x) {
        step.g[x] = static_cast<float>(g[x]);
        step.gv[x] = static_cast<float>(g[x] * (static_cast<double>(i) + 0.5) * dt);
        g_most = std::max(g_most, std::abs(g[x]));
      }
      b_most = std::max(b_most, std::abs(steps[i].b));
      out_.rf.push_back(step);
    }
    s.one_direction = one;
    s.b_most = static_cast<float>(b_most), s.g_most = static_cast<float>(one ? strongest : g_most);
    for (std::size_t x = 0; x < 3; ++x) s.direction[x] = direction[x];
    out.push_back({kept(s), 0});
  }

  /// Whether sixteen parts of [a, e] have the same field.
  bool constant(const RfWave& wave, const Waves& waves, double a, double e) const {
    const auto steps = steps_of(wave, waves, a, e, 16);
    for (const auto& s : steps) {
      if (std::abs(s.b - steps[0].b) > 1e-9 * std::abs(steps[0].b)) return false;
      for (std::size_t x = 0; x < 3; ++x)
        if (std::abs(s.g[x] - steps[0].g[x]) > 1e-9 * std::abs(steps[0].g[x]) + 1e-15) return false;
    }
    return true;
  }

  /// Neighbours that only precess are one jump.
  void merge_free() {
    std::vector<Instance> merged;
    for (const auto& at : out_.instances) {
      if (!merged.empty() && kind_of(at) == segment_free && kind_of(merged.back()) == segment_free) {
        const Segment first = out_.segments[static_cast<std::size_t>(merged.back().segment)];
        const Segment second = out_.segments[static_cast<std::size_t>(at.segment)];
        Segment both;
        both.tau = first.tau + second.tau;
        for (std::size_t x = 0; x < 3; ++x) both.k[x] = first.k[x] + second.k[x];
        both.decay = decay(both.tau);
        merged.back().segment = kept(both);
      } else {
        merged.push_back(at);
      }
    }
    out_.instances = std::move(merged);
  }

  const Sequence& sequence_;
  const Reach& reach_;
  const CompileOptions& options_;
  double scale_, now_ = 0;
  std::array<double, 3> k_{};
  std::size_t next_record_ = 0;
  Program out_;
  using BlockKey = std::tuple<const void*, const void*, const void*, const void*, const void*, double, bool>;
  Alike<Rf> pulses_;
  Alike<Gradient> gradients_;
  Alike<Adc> samplings_;
  std::map<BlockKey, Instances> blocks_;
  std::map<BlockKey, double> errors_;
  std::map<std::tuple<int, int, int, int, int, double, std::array<double, 3>, std::array<double, 3>, double>, int>
      known_;
  std::map<std::int64_t, int> decays_;
};

}  // namespace

Reach reach_of(const Spins& spins) {
  Reach out;
  const std::vector<double>* places[] = {&spins.x, &spins.y, &spins.z};
  const std::vector<double>* speeds[] = {&spins.vx, &spins.vy, &spins.vz};
  for (std::size_t a = 0; a < 3; ++a) {
    for (const double v : *places[a]) out.place[a] = std::max(out.place[a], std::abs(v));
    for (const double v : *speeds[a]) {
      out.speed[a] = std::max(out.speed[a], std::abs(v));
      out.flowing = out.flowing || v != 0;
    }
  }
  for (const double f : spins.df) out.df = std::max(out.df, std::abs(f));
  for (const float b : spins.B1) out.B1 = std::max(out.B1, static_cast<double>(b));
  for (const float d : spins.D) out.diffusing = out.diffusing || d > 0;
  for (std::size_t i = 0; i < spins.size(); ++i)
    out.rate =
        std::max(out.rate, std::abs(1.0 / static_cast<double>(spins.T2[i]) - 1.0 / static_cast<double>(spins.T1[i])));
  return out;
}

Program compile(const Sequence& sequence, const Reach& reach, const CompileOptions& options) {
  return Compiler(sequence, reach, options).run();
}

}  // namespace larmor::sim
