// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <larmor/flow/graph_json.hpp>
#include <larmor/flow/graph_order.hpp>
#include <larmor/flow/graph_types.hpp>
#include <larmor/flow/provenance.hpp>
#include <mutex>

namespace larmor::flow {
namespace {

class Collector {
 public:
  Collector(Provenance& out, const NodeTypes& types, const std::filesystem::path& base)
      : out_(out), types_(types), base_(base) {}

  /// Everything that node `path` of `graph` depends on, itself included.
  void upstream(const Graph& graph, const std::string& path, const Library& library) {
    const auto slash = path.find('/');
    const std::string id = path.substr(0, slash);
    if (!graph.nodes.count(id)) {
      std::vector<std::string> ids;
      for (const auto& [known, node] : graph.nodes) ids.push_back(known);
      throw unknown_name("node", id, ids);
    }
    const auto sources = sources_by_node(graph);
    std::set<std::string> seen{id};
    std::vector<std::string> open{id};
    while (!open.empty()) {
      const std::string next = open.back();
      open.pop_back();
      if (next != id || slash == std::string::npos) whole(graph.nodes.at(next), graph, library);
      for (const auto& source : sources.at(next))
        if (seen.insert(source).second) open.push_back(source);
    }
    if (slash == std::string::npos) return;
    const auto inner = definition_of(graph.nodes.at(id), graph, library);
    if (inner) upstream(*inner, path.substr(slash + 1), library_inside(graph, library));
  }

 private:
  /// A node with all that is inside it.
  void whole(const Node& node, const Graph& graph, const Library& library) {
    if (!node.op.empty()) {
      if (!types_.has(node.op)) return;
      const NodeType& type = types_.get(node.op);
      out_.operations[node.op] = type.version;
      for (const auto& setting : type.settings)
        if (setting.kind == SettingKind::file_open) files(node, setting);
      return;
    }
    const auto inner = definition_of(node, graph, library);
    if (!inner || !seen_.insert(inner.get()).second) return;
    held_.push_back(inner);
    for (const auto& [id, child] : inner->nodes) whole(child, *inner, library_inside(graph, library));
  }

  void files(const Node& node, const Setting& setting) {
    const auto file = [&](const Value& value) {
      if (value.kind() != Value::Kind::text || value.text().empty()) return;
      const Hash hash = hash_file(base_ / value.text());
      out_.files[value.text()] = hash.zero() ? std::string() : hash.str();
    };
    if (const auto swept = node.sweeps.find(setting.name); swept != node.sweeps.end()) {
      for (const auto& value : swept->second) file(value);
      return;
    }
    const auto given = node.settings.find(setting.name);
    file(given == node.settings.end() ? setting.value : given->second);
  }

  Provenance& out_;
  const NodeTypes& types_;
  const std::filesystem::path& base_;
  std::set<const Graph*> seen_;
  std::vector<std::shared_ptr<const Graph>> held_;
};

}  // namespace

Provenance provenance_of(const Graph& graph, const std::string& node, const NodeTypes& types, const Library& library,
                         const std::filesystem::path& base) {
  Provenance out{.larmor = LARMOR_VERSION, .graph = graph, .node = node, .operations = {}, .files = {}};
  const auto lock = types.reading();
  Collector(out, types, base).upstream(graph, node, remembering(library));
  return out;
}

std::string to_json(const Provenance& provenance) {
  return Json{{"larmor", provenance.larmor},
              {"graph", Json::parse(to_json(provenance.graph))},
              {"node", provenance.node},
              {"operations", provenance.operations},
              {"files", provenance.files}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

Provenance parse_provenance(std::string_view json) {
  const Json document = parse_document(json);
  if (!document.is_object() || !document.contains("graph") || !document["graph"].is_object())
    throw Error(Errc::format, "no graph in it: it was not made by one", "only what graphs write holds a graph");
  Provenance out;
  out.graph = parse_graph(document["graph"].dump());
  try {
    out.larmor = document.value("larmor", "");
    out.node = document.value("node", "");
    out.operations = document.value("operations", out.operations);
    out.files = document.value("files", out.files);
  } catch (const Json::exception& e) {
    throw Error(Errc::format, std::string("not the provenance that a graph writes: ") + e.what());
  }
  return out;
}

Hash hash_file(const std::filesystem::path& path) {
  struct Known {
    std::uintmax_t size;
    std::filesystem::file_time_type changed;
    Hash hash;
  };
  static std::mutex mutex;
  static std::map<std::filesystem::path, Known> known;
  std::error_code failed;
  if (!std::filesystem::is_regular_file(path, failed)) return {};
  const auto size = std::filesystem::file_size(path, failed);
  const auto changed = std::filesystem::last_write_time(path, failed);
  const auto name = std::filesystem::absolute(path, failed);
  {
    const std::lock_guard lock(mutex);
    if (const auto it = known.find(name); it != known.end() && it->second.size == size && it->second.changed == changed)
      return it->second.hash;
  }
  std::ifstream file(path, std::ios::binary);
  Hasher hasher;
  std::vector<char> block(std::size_t{1} << 20);
  while (file.read(block.data(), static_cast<std::streamsize>(block.size())), file.gcount() > 0)
    hasher.add(block.data(), static_cast<std::size_t>(file.gcount()));
  if (file.bad() || !file.eof()) return {};
  const Hash hash = hasher.done();
  const std::lock_guard lock(mutex);
  known[name] = {size, changed, hash};
  return hash;
}

}  // namespace larmor::flow
