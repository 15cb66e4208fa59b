// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <larmor/io/file.hpp>

#include "../assets.hpp"
#include "../describe.hpp"
#include "../studio.hpp"

namespace larmor::server {
namespace {

double seconds_of(fs::file_time_type time) {
  const auto system = std::chrono::file_clock::to_sys(time);
  return std::chrono::duration<double>(system.time_since_epoch()).count();
}

Response list_files(Studio& studio, const Call& call) {
  const Roots& roots = studio.roots();
  const fs::path folder = roots.allow(std::string(call.param("path")));
  std::error_code error;
  if (!fs::is_directory(folder, error))
    throw HttpError(404, Errc::file, fmt::format("'{}' is no folder", folder.string()), "list the folder it is in");
  constexpr std::size_t most = 10000;
  json entries = json::array();
  for (const auto& e : fs::directory_iterator(folder, error)) {
    const std::string name = e.path().filename().string();
    // A link that leads outside is as good as not there.
    if (name.starts_with('.') || (e.is_symlink(error) && !roots.allows(e.path()))) continue;
    const bool dir = e.is_directory(error);
    const auto size = dir || !e.is_regular_file(error) ? 0 : e.file_size(error);
    const auto time = e.last_write_time(error);
    entries.push_back({{"name", name}, {"dir", dir}, {"size", size}, {"mtime", error ? 0.0 : seconds_of(time)}});
    if (entries.size() == most) break;
  }
  if (error && entries.empty())
    throw HttpError(403, Errc::file, fmt::format("'{}' cannot be read: {}", folder.string(), error.message()));
  std::sort(entries.begin(), entries.end(), [](const json& a, const json& b) {
    if (a["dir"] != b["dir"]) return a["dir"].get<bool>();
    return a["name"].get_ref<const std::string&>() < b["name"].get_ref<const std::string&>();
  });
  json names = json::array();
  for (const auto& r : roots.all()) names.push_back(r.string());
  return json_response({{"path", folder.string()}, {"entries", entries}, {"roots", names}});
}

/// Only files that operations were loaded from: an id chooses, never a path.
Response list_sources(Studio& studio, const Call& call) {
  const std::string op(call.param("op"));
  json out = json::array();
  std::vector<std::string> ids;
  for (const auto& o : studio.user_operations()) {
    ids.push_back(o.id);
    if (!op.empty() && o.id != op) continue;
    json one{
        {"id", o.id}, {"file", o.file.string()}, {"python", o.python}, {"error", o.error}, {"error_at", o.error_at}};
    if (!op.empty()) one["text"] = io::read_text(o.file);
    out.push_back(std::move(one));
  }
  if (!op.empty() && out.empty()) throw unknown_name("operation of a user", op, ids);
  return json_response({{"operations", out}});
}

}  // namespace

void add_about_routes(Router& router, Studio& studio) {
  router.add({.method = "GET",
              .path = "/api/version",
              .id = "readVersion",
              .does = "Versions of the program and of this API",
              .tag = "about",
              .reply = R"({"type":"object","properties":{"larmor":{"type":"string"},"api":{"type":"integer"},
                  "client":{"type":"boolean","description":"the web client is in the program"}}})",
              .run = [](const Call&) {
                return json_response({{"larmor", LARMOR_VERSION}, {"api", 1}, {"client", !assets().empty()}});
              }});
  router.add({.method = "GET",
              .path = "/api/openapi.json",
              .id = "readOpenApi",
              .does = "This description",
              .tag = "about",
              .reply = R"({"type":"object"})",
              .run = [&router](const Call&) { return json_response(router.openapi()); }});
  router.add({.method = "GET",
              .path = "/api/catalogue",
              .id = "readCatalogue",
              .does = "Types, operations with ports and settings, shipped graphs, and what opens which file",
              .tag = "about",
              .reply = R"({"type":"object","required":["types","categories","ops","graphs","extensions"],"properties":{
                  "types":{"type":"object"},
                  "categories":{"type":"object","description":"first part of operations' ids: what it is called"},"ops":{"type":"array","items":{"type":"object"}},
                  "graphs":{"type":"array","items":{"type":"object"},"description":"with the graph itself"},
                  "extensions":{"type":"object","description":"file ending: operation that opens it"}}})",
              .run = [&studio](const Call&) { return json_response(catalogue(studio.types(), studio.shipped())); }});
  router.add({.method = "GET",
              .path = "/api/sources",
              .id = "listSources",
              .does = "Operations of users: their files and why one does not load; of one, its text too",
              .tag = "about",
              .params = {{"op", "id of the operation whose text is wanted", ""}},
              .reply = R"({"type":"object","required":["operations"],"properties":{"operations":{"type":"array",
                  "items":{"type":"object","properties":{"id":{"type":"string"},"file":{"type":"string"},
                    "python":{"type":"boolean"},"error":{"type":"string"},"error_at":{"type":"string"},
                    "text":{"type":"string"}}}}}})",
              .fails = {404},
              .run = [&studio](const Call& call) { return list_sources(studio, call); }});
  router.add({.method = "GET",
              .path = "/api/files",
              .id = "listFiles",
              .does = "Files of a folder below the roots; hidden ones are left out",
              .tag = "files",
              .params = {{"path", "folder; empty: the first root", ""}},
              .reply = R"({"type":"object","required":["path","entries","roots"],"properties":{"path":{"type":"string"},
                  "entries":{"type":"array","items":{"type":"object","properties":{"name":{"type":"string"},
                    "dir":{"type":"boolean"},"size":{"type":"integer","description":"bytes"},
                    "mtime":{"type":"number","description":"seconds since 1970"}}}},
                  "roots":{"type":"array","items":{"type":"string"}}}})",
              .fails = {404},
              .run = [&studio](const Call& call) { return list_files(studio, call); }});
}

}  // namespace larmor::server
