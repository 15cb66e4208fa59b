// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/sim/alike.hpp>
#include <larmor/sim/program.hpp>
#include <larmor/sim/program_maps.hpp>
#include <larmor/sim/pulse_steps.hpp>
#include <map>
#include <numbers>
#include <string>
#include <tuple>

namespace larmor::sim {
namespace {

constexpr double two_pi = 2 * std::numbers::pi;

/// An instance whose `out` counts from the block's first sample.
using Instances = std::vector<Instance>;

class Compiler {
 public:
  Compiler(const Sequence& sequence, const Reach& reach, const CompileOptions& options)
      : sequence_(sequence), reach_(reach), options_(options), scale_(sequence.gamma * 1e-3) {}

  Program run() {
    sequence_.check();
    check(sequence_, options_);
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
        out.push_back({shared_.kept(s), 0});
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

  int record_segment() {
    Segment s;
    s.kind = segment_record;
    return shared_.kept(s);
  }
  void add_record() {
    out_.instances.push_back({record_segment(), static_cast<int>(next_record_)});
    ++next_record_;
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
    s.decay = shared_.decay(s.tau);
    out.push_back({shared_.kept(s), 0});
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
      s.decay_first = shared_.decay(s.tau), s.decay = shared_.decay(adc.dwell);
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
      out.push_back({shared_.kept(s), static_cast<int>(next)});
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

  void rf(const RfWave& wave, const Waves& waves, double a, double e, Instances& out) {
    const double share = options_.tolerance * (e - a) / (wave.end() - wave.begin());
    const PulseSteps pulse = pulse_steps(wave, waves, a, e, reach_, share);
    const double dt_group = pulse.dt * static_cast<double>(pulse.group);
    out_.error_bound += pulse.error_bound;

    Segment s;
    s.kind = segment_rf;
    moments(waves, a, e, s);
    s.decay = shared_.decay(dt_group), s.decay_first = shared_.decay(0.5 * dt_group);
    put_steps(pulse, s, out_.rf);
    out.push_back({shared_.kept(s), 0});
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
        both.decay = shared_.decay(both.tau);
        merged.back().segment = shared_.kept(both);
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
  Shared shared_{out_};
  using BlockKey = std::tuple<const void*, const void*, const void*, const void*, const void*, double, bool>;
  Alike<Rf> pulses_;
  Alike<Gradient> gradients_;
  Alike<Adc> samplings_;
  std::map<BlockKey, Instances> blocks_;
  std::map<BlockKey, double> errors_;
};

}  // namespace

Program compile(const Sequence& sequence, const Reach& reach, const CompileOptions& options) {
  return Compiler(sequence, reach, options).run();
}

}  // namespace larmor::sim
