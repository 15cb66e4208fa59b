// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <larmor/flow/graph_look.hpp>

namespace larmor::flow {
namespace {

class WireChecker {
 public:
  explicit WireChecker(const GraphLook& look) : look_(look) {}
  void all() {
    wires();
    outer_ports();
    promoted();
  }

 private:
  struct End {
    const Node* node = nullptr;
    const NodeType* type = nullptr;
    const Port* port = nullptr;
  };
  /// What a reference names; says what is not there, at `node` and `port`.
  End end(const std::string& reference, bool input, const std::string& node, const std::string& port,
          const char* code = nullptr) {
    const auto [id, name] = split_port(reference);
    End found;
    const auto it = look_.graph.nodes.find(id);
    if (it == look_.graph.nodes.end()) {
      look_.add(node, port, code ? code : "unknown_node", unknown_name("node", id, keys(look_.graph.nodes)));
      return found;
    }
    found.node = &it->second;
    found.type = look_.resolver.type(it->second, look_.graph, look_.library);
    if (!found.type) return found;  // said already
    found.port = input ? found.type->input(name) : found.type->output(name);
    if (found.port) return found;
    const bool setting = input && found.type->setting(name);
    Error error =
        unknown_name(input ? "in-port" : "out-port", name, names(input ? found.type->inputs : found.type->outputs));
    if (setting) error.advise(fmt::format("'{}' is a setting: make it a port first", name));
    look_.add(code ? node : id, code ? port : name, code ? code : "unknown_port", error);
    return found;
  }

  void wires() {
    for (const auto& [in, out] : look_.graph.wires) {
      const auto [id, name] = split_port(in);
      const End from = end(out, false, look_.graph.nodes.count(id) ? id : "", name);
      const End to = end(in, true, "", in);
      if (from.port && to.port) fit(id, name, from, to, out);
    }
  }

  void fit(const std::string& id, const std::string& name, const End& from, const End& to, const std::string& out) {
    const auto& types = look_.resolver.types();
    if (const auto no = types.types.refusal(to.port->type, from.port->type); !no.empty()) {
      const auto help = converters(types, to.port->type, from.port->type);
      look_.add(id, name, "type", fmt::format("in-port '{}' takes from {}: {}", name, out, no),
                help.empty() ? "wire something else to it: " + to.port->what
                             : fmt::format("put one of these between them: {}", fmt::join(help, ", ")));
      return;
    }
    const Limits &give = from.port->limits, &take = to.port->limits;
    const auto taken = [&](DType t) {
      return std::find(take.dtypes.begin(), take.dtypes.end(), t) != take.dtypes.end();
    };
    if (!give.dtypes.empty() && !take.dtypes.empty() && std::none_of(give.dtypes.begin(), give.dtypes.end(), taken))
      look_.add(id, name, "type",
                fmt::format("in-port '{}' takes elements of {} and {} gives {}", name, listed(take.dtypes), out,
                            listed(give.dtypes)),
                "put array.cast between them");
    // Slices, rounds and sweeps change how many axes there are.
    const bool same_rank = !from.node->map && !to.node->map && !from.node->loop && !to.node->loop &&
                           from.node->sweeps.empty() && from.port->type == to.port->type;
    if (same_rank && (give.min_rank > take.max_rank || give.max_rank < take.min_rank))
      look_.add(id, name, "type",
                fmt::format("in-port '{}' takes {} and {} gives {}", name, ranks(take), out, ranks(give)),
                to.port->what);
  }

  static std::string listed(const std::vector<DType>& types) {
    std::vector<std::string_view> out;
    for (const auto t : types) out.push_back(to_string(t));
    return fmt::format("{}", fmt::join(out, ", "));
  }
  static std::string ranks(const Limits& l) {
    if (l.max_rank >= 99) return fmt::format("{} axes or more", l.min_rank);
    return l.min_rank == l.max_rank ? fmt::format("{} axes", l.min_rank)
                                    : fmt::format("{} to {} axes", l.min_rank, l.max_rank);
  }

  void outer_ports() {
    const auto& types = look_.resolver.types().types;
    for (const auto& [name, port] : look_.graph.inputs) {
      if (port.type != "any" && !types.has(port.type))
        look_.add("", name, "graph_port", unknown_name("type", port.type, types.ids()));
      for (const auto& inside : port.inside) {
        const End to = end(inside, true, "", name, "graph_port");
        if (!to.port) continue;
        if (const auto no = types.refusal(to.port->type, port.type); !no.empty())
          look_.add("", name, "graph_port", fmt::format("the input '{}' of the graph feeds {}: {}", name, inside, no));
      }
    }
    for (const auto& [name, port] : look_.graph.outputs) {
      if (port.type != "any" && !types.has(port.type))
        look_.add("", name, "graph_port", unknown_name("type", port.type, types.ids()));
      if (port.inside.size() != 1) {
        look_.add("", name, "graph_port",
                  fmt::format("the output '{}' of the graph comes from {} ports", name, port.inside.size()),
                  "name one");
        continue;
      }
      const End from = end(port.inside.front(), false, "", name, "graph_port");
      if (!from.port) continue;
      if (const auto no = types.refusal(port.type, from.port->type); !no.empty())
        look_.add("", name, "graph_port",
                  fmt::format("the output '{}' of the graph comes from {}: {}", name, port.inside.front(), no));
    }
  }

  void promoted() {
    for (const auto& [name, p] : look_.graph.settings)
      if (!look_.resolver.promoted(look_.graph, p.node, p.setting, look_.library))
        look_.add("", name, "promoted",
                  fmt::format("'{}' stands for the setting '{}' of the node '{}', which is not there", name, p.setting,
                              p.node),
                  "promote another, or take it away");
  }

  const GraphLook& look_;
};

}  // namespace

void check_wires(const GraphLook& look) { WireChecker(look).all(); }

std::vector<std::string> converters(const NodeTypes& types, std::string_view to, std::string_view from) {
  std::vector<std::pair<int, std::string>> found;
  for (const auto& [id, type] : types) {
    const Port* in = nullptr;
    int needed = 0;
    for (const auto& port : type.inputs) {
      if (port.limits.required) ++needed;
      if (!in || (port.limits.required && !in->limits.required)) in = &port;
    }
    if (!in || needed > 1 || in->type == "any" || !types.types.accepts(in->type, from)) continue;
    for (const auto& out : type.outputs) {
      if (out.type == "any" || !types.types.accepts(to, out.type)) continue;
      found.emplace_back((in->type != from) + (out.type != to), id);
      break;
    }
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> out;
  for (auto& [distance, id] : found) out.push_back(std::move(id));
  return out;
}

}  // namespace larmor::flow
