// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/flow/graph_json.hpp>
#include <set>

namespace larmor::flow {
namespace {

constexpr int deepest = 200;  // brackets in brackets; a recursion of this depth is far from any stack's end

}  // namespace

Json parse_document(std::string_view text) {
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > deepest)
      throw Error(Errc::format, fmt::format("brackets are nested more than {} deep", deepest), "this is no graph");
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second)
      throw Error(Errc::format, fmt::format("'{}' is there twice in one object", parsed.get<std::string>()),
                  "keep one of the two");
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), watch);
  } catch (const Json::exception& e) {
    std::string what = e.what();
    if (const auto end = what.find("] "); end != std::string::npos) what.erase(0, end + 2);
    throw Error(Errc::format, "not JSON: " + what, "mend the text at that place");
  }
}

void migrate(Json& document) {
  if (!document.is_object())
    throw Error(Errc::format, std::string("a graph is an object and this is ") + document.type_name());
  const auto key = document.find("larmor");
  if (key == document.end())
    throw Error(Errc::format, "no key 'larmor' with the version of the format",
                "is this a graph? they begin with "
                "\"larmor\": " +
                    std::to_string(Graph::current_version));
  if (!key->is_number_integer() || key->get<std::int64_t>() < 0)
    throw Error(Errc::format, "'larmor' is " + key->dump() + " and not the number of a version");
  auto version = key->get<std::int64_t>();
  if (version > Graph::current_version)
    throw Error(Errc::format,
                fmt::format("the graph is of version {} and this program reads up to version {}", version,
                            Graph::current_version),
                "open it with a newer larmor");
  if (version == 0) {
    // Drafts: wires were a list of [out-port, in-port], and an in-port could stand in it twice.
    if (const auto wires = document.find("wires"); wires != document.end()) {
      if (!wires->is_array()) throw Error(Errc::format, "a list of [out, in] is needed").at("wires");
      Json now = Json::object();
      for (std::size_t i = 0; i < wires->size(); ++i) {
        const Json& wire = (*wires)[i];
        if (!wire.is_array() || wire.size() != 2 || !wire[0].is_string() || !wire[1].is_string())
          throw Error(Errc::format, "a wire is [\"node.out\", \"node.in\"] and this is " + wire.dump())
              .at(fmt::format("wires.{}", i));
        if (now.contains(wire[1].get<std::string>()))
          throw Error(Errc::format, "'" + wire[1].get<std::string>() + "' has two wires", "keep one of them")
              .at(fmt::format("wires.{}", i));
        now[wire[1].get<std::string>()] = wire[0];
      }
      *wires = std::move(now);
    }
    version = 1;
  }
  document["larmor"] = version;
}

}  // namespace larmor::flow
