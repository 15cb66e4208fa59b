// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <larmor/sim/program_maps.hpp>
#include <map>

namespace larmor::sim {
namespace {

// Making a map takes four passes through its run; applying it about as long as one jump.
constexpr int least = 5;
// 12 floats a spin each: this many stay in the second-level cache for a tile.
constexpr std::size_t most_maps = 64;

struct Run {
  std::size_t first, count;
};

/// A pulse with what follows it, up to the next pulse, sample or record.
std::vector<Run> runs_of(const Program& p) {
  std::vector<Run> out;
  const auto kind = [&](std::size_t i) { return p.segments[static_cast<std::size_t>(p.instances[i].segment)].kind; };
  for (std::size_t i = 0; i < p.instances.size();) {
    if (kind(i) != segment_rf) {
      ++i;
      continue;
    }
    std::size_t end = i + 1;
    while (end < p.instances.size() && (kind(end) == segment_free || kind(end) == segment_spoil)) ++end;
    out.push_back({i, end - i});
    i = end;
  }
  return out;
}

}  // namespace

void make_maps(Program& p) {
  const auto runs = runs_of(p);
  std::map<std::vector<int>, std::vector<std::size_t>> by_content;  // of segments; indices into runs
  for (std::size_t r = 0; r < runs.size(); ++r) {
    std::vector<int> key;
    for (std::size_t i = 0; i < runs[r].count; ++i) key.push_back(p.instances[runs[r].first + i].segment);
    by_content[key].push_back(r);
  }
  std::vector<std::pair<std::size_t, const std::vector<int>*>> worth;  // what is saved
  for (const auto& [key, where] : by_content) {
    if (where.size() < least) continue;
    std::size_t steps = 0;
    for (const int s : key) steps += 2 + static_cast<std::size_t>(p.segments[static_cast<std::size_t>(s)].count);
    worth.emplace_back(steps * where.size(), &key);
  }
  std::sort(worth.begin(), worth.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  if (worth.size() > most_maps) worth.resize(most_maps);
  if (worth.empty()) return;

  constexpr int none = -1;
  std::vector<int> map_of(p.instances.size(), none);  // at the first instance of a run
  std::vector<char> gone(p.instances.size(), 0);
  for (const auto& [saved, key] : worth) {
    const int id = static_cast<int>(p.maps.size());
    p.maps.push_back({static_cast<int>(p.map_instances.size()), static_cast<int>(key->size())});
    for (const int s : *key) p.map_instances.push_back({s, 0});
    for (const std::size_t r : by_content.at(*key)) {
      map_of[runs[r].first] = id;
      for (std::size_t i = 1; i < runs[r].count; ++i) gone[runs[r].first + i] = 1;
      p.mapped += static_cast<std::int64_t>(runs[r].count);
    }
  }
  const int first_map = static_cast<int>(p.segments.size());
  for (std::size_t m = 0; m < p.maps.size(); ++m) {
    Segment s;
    s.kind = segment_map, s.first = static_cast<int>(m);
    p.segments.push_back(s);
  }
  std::vector<Instance> out;
  for (std::size_t i = 0; i < p.instances.size(); ++i) {
    if (gone[i]) continue;
    Instance at = p.instances[i];
    if (map_of[i] != none) at.segment = first_map + map_of[i];
    out.push_back(at);
  }
  p.instances = std::move(out);
}

}  // namespace larmor::sim
