// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cmath>
#include <larmor/data/sequence.hpp>
#include <larmor/sim/program.hpp>
#include <map>
#include <tuple>
#include <vector>

namespace larmor::sim {

/// Two times closer than this are one: decimal fractions of a block have rounding errors.
inline constexpr double same_time = 1e-10;

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

/// Segments and decay times of a program, each kept once.
class Shared {
 public:
  explicit Shared(Program& program) : out_(program) {}

  int kept(const Segment& s) {
    // Equal segments are one; the bytes are compared, padding is zero because Segment{} is.
    const auto key = std::tuple(s.kind, s.first, s.count, s.decay, s.decay_first, s.tau,
                                std::array{s.k[0], s.k[1], s.k[2]}, std::array{s.m[0], s.m[1], s.m[2]}, s.spread);
    const auto [found, added] = known_.emplace(key, static_cast<int>(out_.segments.size()));
    if (added) out_.segments.push_back(s);
    return found->second;
  }
  int decay(double tau) {
    const auto key = static_cast<std::int64_t>(std::llround(tau * 1e12));
    const auto [found, added] = decays_.emplace(key, static_cast<int>(out_.decay_times.size()));
    if (added) out_.decay_times.push_back(static_cast<float>(tau));
    return found->second;
  }

 private:
  Program& out_;
  std::map<std::tuple<int, int, int, int, int, double, std::array<double, 3>, std::array<double, 3>, double>, int>
      known_;
  std::map<std::int64_t, int> decays_;
};

}  // namespace larmor::sim
