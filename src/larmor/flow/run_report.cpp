// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/engine.hpp>
#include <nlohmann/json.hpp>

namespace larmor::flow {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const PortReport& p) {
  return {{"type", p.type},   {"describe", p.describe}, {"hash", p.hash.str()},
          {"bytes", p.bytes}, {"resident", p.resident}, {"unchanged", p.unchanged}};
}

Json json_of(const NodeReport& n) {
  Json j{{"path", n.path},
         {"op", n.op},
         {"state", std::string(to_string(n.state))},
         {"progress", n.progress},
         {"doing", n.doing},
         {"started", n.started},
         {"seconds", n.seconds},
         {"expected_seconds", n.expected_seconds},
         {"mean_seconds", n.mean_seconds},
         {"sd_seconds", n.sd_seconds},
         {"runs", n.runs},
         {"rounds", n.rounds},
         {"thread", n.thread},
         {"peak_bytes", n.peak_bytes},
         {"output_bytes", n.output_bytes},
         {"cache_hits", n.cache_hits},
         {"warnings", n.warnings},
         {"error", n.error},
         {"advice", n.advice},
         {"log", n.log},
         {"error_at", n.error_at},
         {"code", n.code},
         {"where", n.where}};
  Json outputs = Json::object();
  for (const auto& [name, port] : n.outputs) outputs[name] = json_of(port);
  j["outputs"] = std::move(outputs);
  return j;
}

std::string text_of(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string_view to_string(State state) {
  static constexpr std::string_view names[] = {"idle",  "waiting", "running",   "done",     "cached", "warning",
                                               "error", "skipped", "cancelled", "bypassed", "frozen"};
  return names[static_cast<std::size_t>(state)];
}

std::string to_json(const NodeReport& report) { return text_of(json_of(report), -1); }

std::string RunReport::to_json() const {
  Json j{{"state", state}, {"seconds", seconds}, {"peak_bytes", peak_bytes}, {"resident_bytes", resident_bytes},
         {"ran", ran},     {"cached", cached},   {"failed", failed},         {"skipped", skipped}};
  Json all = Json::object();
  for (const auto& [path, node] : nodes) all[path] = json_of(node);
  j["nodes"] = std::move(all);
  Json list = Json::array();
  for (const auto& i : issues)
    list.push_back({{"kind", i.kind == Issue::Kind::error ? "error" : "warning"},
                    {"node", i.node},
                    {"port", i.port},
                    {"message", i.message},
                    {"advice", i.advice},
                    {"code", i.code}});
  j["issues"] = std::move(list);
  return text_of(j, 2);
}

}  // namespace larmor::flow
