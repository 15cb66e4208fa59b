// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <larmor/flow/inside.hpp>

namespace larmor::flow {
namespace {

// "loop@3" -> "loop", 3
int take_round(std::string& name, std::string_view whole) {
  const auto at = name.find('@');
  if (at == std::string::npos) return -1;
  int round = -1;
  const char* last = name.data() + name.size();
  const auto [end, error] = std::from_chars(name.data() + at + 1, last, round);
  if (error != std::errc() || end != last || round < 0)
    throw Error(Errc::format, "'" + std::string(whole) + "' names no round", "write a number after the @, from 0");
  name.erase(at);
  return round;
}

std::string joined(const std::vector<std::string>& ids, std::size_t begin, std::size_t end) {
  std::string out;
  for (std::size_t i = begin; i < end; ++i) out += (i > begin ? "/" : "") + ids[i];
  return out;
}

}  // namespace

PortPath::PortPath(std::string_view text) {
  std::size_t begin = 0;
  for (;;) {
    const auto slash = text.find('/', begin);
    std::string id(text.substr(begin, slash == std::string_view::npos ? slash : slash - begin));
    if (slash == std::string_view::npos) {
      const auto dot = id.find('.');
      if (dot == std::string::npos || dot == 0 || dot + 1 == id.size())
        throw Error(Errc::format, "'" + std::string(text) + "' is no port", "write node.port");
      port = id.substr(dot + 1);
      round = take_round(port, text);
      id.erase(dot);
    }
    rounds.push_back(take_round(id, text));
    ids.push_back(std::move(id));
    if (slash == std::string_view::npos) return;
    begin = slash + 1;
  }
}

std::string PortPath::node() const { return joined(ids, 0, ids.size()); }
std::string PortPath::plain() const { return node() + "." + port; }

int zone_of(const Plan& plan, PortPath& path) {
  const std::string node = path.node();
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    const Step& step = plan.steps[s];
    if (step.kind != Step::Kind::zone) continue;
    const auto& name = plan.paths->names[static_cast<std::size_t>(step.path)];
    if (node.starts_with(name + "/")) return static_cast<int>(s);
    if (node != name || path.round < 0 || !step.zone->loop) continue;
    // An output of the zone at a round is that of the node inside that it comes from.
    const Plan& body = *step.zone->body;
    for (const auto& feed : body.steps.back().inputs) {
      if (feed.name != path.port || feed.from.kind != Source::Kind::step) continue;
      const Step& from = body.steps[static_cast<std::size_t>(feed.from.step)];
      const auto inner = PortPath(body.paths->names[static_cast<std::size_t>(from.path)] + "." +
                                  from.outputs[static_cast<std::size_t>(feed.from.port)]);
      auto rounds = path.rounds;
      rounds.resize(inner.ids.size(), -1);
      path.ids = inner.ids, path.port = inner.port, path.rounds = std::move(rounds);
      return static_cast<int>(s);
    }
  }
  return -1;
}

RecordPtr record_inside(const Record& zone, const PortPath& path, std::size_t begin) {
  for (std::size_t end = path.ids.size(); end > begin; --end) {
    int round = path.rounds[begin - 1];
    if (round < 0 && end == path.ids.size()) round = path.round;
    const auto name = joined(path.ids, begin, end);
    const auto found = zone.inside.find(round < 0 ? name : name + "@" + std::to_string(round));
    if (found == zone.inside.end()) continue;
    return end == path.ids.size() ? found->second : record_inside(*found->second, path, end);
  }
  // A loop that is mapped: its own record lies in that of the map; a round that stands at the node is the map's.
  const int slice = path.rounds[begin - 1];
  const auto loop = zone.inside.find(slice < 0 ? "" : "@" + std::to_string(slice));
  if (loop == zone.inside.end()) return nullptr;
  PortPath rest = path;
  rest.rounds[begin - 1] = -1;
  return record_inside(*loop->second, rest, begin);
}

std::vector<std::string> all_ports(const Plan& plan) {
  std::vector<std::string> out;
  for (const auto& [name, bundle] : plan.ports) out.push_back(name);
  for (const auto& step : plan.steps)
    if (step.zone)
      for (auto& name : all_ports(*step.zone->body)) out.push_back(std::move(name));
  return out;
}

}  // namespace larmor::flow
