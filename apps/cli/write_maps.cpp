// SPDX-License-Identifier: Apache-2.0
#include "write_maps.hpp"

#include <filesystem>
#include <larmor/io/file.hpp>
#include <nlohmann/json.hpp>

namespace larmor::cli {

using json = nlohmann::ordered_json;

std::string provenance_json(const std::string& command, const std::map<std::string, std::string>& settings,
                            const std::vector<std::pair<std::string, std::string>>& sources) {
  json set = json::object(), from = json::array();
  for (const auto& [key, value] : settings) set[key] = json::parse(value);
  for (const auto& [role, path] : sources) {
    std::error_code error;
    const auto bytes = std::filesystem::file_size(path, error);
    json s{{"role", role}, {"file", path}};
    // A folder, or what was given in place of a file, has no content of its own.
    if (!error && std::filesystem::is_regular_file(path, error)) {
      s["bytes"] = bytes;
      s["sha256"] = io::sha256_of(path);
    }
    from.push_back(s);
  }
  return json{
      {"software", "larmor"}, {"version", LARMOR_VERSION}, {"command", command}, {"settings", set}, {"sources", from}}
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace larmor::cli
