// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <spawn.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <larmor/core/cancel.hpp>
#include <larmor/core/log.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/nodes/operations.hpp>
#include <larmor/nodes/shipped_graphs.hpp>
#include <nlohmann/json.hpp>
#include <server/studio.hpp>
#include <thread>

#include "command.hpp"
#include "graph_files.hpp"

namespace larmor::cli {
namespace {

namespace fs = std::filesystem;
constexpr int usual_port = 8090, ports_to_try = 20;

// "512M", "2 GB", "1.5g": powers of 1024.
std::size_t bytes_of(const std::string& text) {
  std::size_t n = 0;
  while (n < text.size() && (std::isdigit(static_cast<unsigned char>(text[n])) || text[n] == '.')) ++n;
  const double number = parse_number(text.substr(0, n), "larmor studio: --memory");
  std::string unit = text.substr(n);
  unit.erase(std::remove(unit.begin(), unit.end(), ' '), unit.end());
  const int letter = unit.empty() ? 'B' : std::toupper(static_cast<unsigned char>(unit[0]));
  const std::string_view letters = "BKMGT";
  const auto power = letters.find(static_cast<char>(letter));
  const bool plain = unit.size() <= 1 || (unit.size() <= 3 && std::toupper(unit.back()) == 'B');
  const double bytes =
      power == std::string_view::npos ? 0 : number * static_cast<double>(std::size_t{1} << (10 * power));
  if (!plain || bytes < 1 << 20)
    throw Error(Errc::usage, fmt::format("larmor studio: --memory '{}' is no size of 1 MB or more", text),
                "write 512M or 4G");
  return static_cast<std::size_t>(bytes);
}

fs::path usual_cache() {
  if (const char* folder = std::getenv("XDG_CACHE_HOME"); folder && *folder) return fs::path(folder) / "larmor";
  if (const char* home = std::getenv("HOME"); home && *home) return fs::path(home) / ".cache" / "larmor";
  return fs::temp_directory_path() / fmt::format("larmor-cache-{}", ::getuid());  // others have one there, too
}

std::unique_ptr<server::HttpServer> listen(const Call& call, server::HttpOptions options,
                                           const server::Handlers& handlers) {
  options.port = call.integer("--port");
  for (int k = 1;; ++k) try {
      return std::make_unique<server::HttpServer>(options, handlers);
    } catch (const Error&) {
      // Another Studio may have the usual one; a port that was asked for is that one or none.
      if (call.given("--port") || k == ports_to_try) throw;
      ++options.port;
    }
}

void open_browser(const std::string& address) {
  if (!std::getenv("DISPLAY") && !std::getenv("WAYLAND_DISPLAY")) return;
  std::string program = "xdg-open", argument = address;
  char* const words[] = {program.data(), argument.data(), nullptr};
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", 1 /* O_WRONLY */, 0);
  posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", 1, 0);
  pid_t child;
  posix_spawnp(&child, program.c_str(), &quiet, nullptr, words, environ);
  posix_spawn_file_actions_destroy(&quiet);
}

int run(const Call& call) {
  const std::string host = call.text("--host");
  // A name that is no file is that of a graph that comes with the program.
  std::error_code none;
  const std::string given = call.given("GRAPH") ? call.text("GRAPH") : "";
  const bool shipped = !given.empty() && !fs::exists(given, none) &&
                       (nodes::shipped_graphs().count(given) || nodes::example_graphs().count(given));
  if (!given.empty() && !shipped && !fs::exists(given, none)) open_graph(given);  // says what is not there
  const fs::path file = given.empty() || shipped ? fs::path() : fs::absolute(given);
  server::StudioOptions options;
  for (const auto& root : call.texts("--root")) options.roots.emplace_back(root);
  if (options.roots.empty()) options.roots.push_back(fs::current_path());
  if (!file.empty()) options.roots.push_back(file.parent_path());
  options.cache = call.given("--cache") ? fs::path(call.text("--cache")) : usual_cache();
  options.shipped = example_graph_folders();
  options.engine.disk_cache = options.cache / "values";
  for (const auto& folder : call.texts("--ops")) {
    if (!fs::is_directory(folder))
      throw Error(Errc::usage, fmt::format("larmor studio: --ops '{}' is no folder", folder),
                  "name one with .py or .cpp files");
    options.user.folders.emplace_back(folder);
  }
  if (const auto home = flow::user::home_folder(); call.flag("--allow-user-code") && !home.empty())
    options.user.folders.push_back(home);
  options.engine.allow_user_code = call.flag("--allow-user-code") || call.given("--ops");
  if (call.given("--memory")) options.engine.memory_budget = bytes_of(call.text("--memory"));
  options.token = call.text("--token");
  const bool open_to_all = !server::is_loopback(host);
  if (open_to_all && options.token.empty()) options.token = server::random_token();

  server::Studio studio(nodes::make_operations(), options);
  std::string page = "/";
  if (!options.token.empty()) page += "?token=" + options.token;
  if (shipped) page += "#/g/" + server::encode_url(studio.open_example(given)->id());
  if (!file.empty()) page += "#/g/" + server::encode_url(studio.open(file)->id());
  server::HttpOptions http;
  http.host = host;
  const auto server = listen(call, http, studio.handlers());
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  const std::string address = fmt::format("http://{}:{}{}", name, server->port(), page);
  if (call.json)
    // In one line, because whoever started Studio reads it while that runs.
    fmt::print("{}\n",
               nlohmann::ordered_json{{"address", address}, {"port", server->port()}, {"token", options.token}}.dump(
                   -1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  else if (!call.quiet)
    fmt::print("Larmor Studio: {}\n  folders: {}\n  stop with Ctrl-C\n", address,
               fmt::join(
                   [&] {
                     std::vector<std::string> names;
                     for (const auto& r : studio.roots().all()) names.push_back(r.string());
                     return names;
                   }(),
                   ", "));
  std::fflush(stdout);
  if (open_to_all)
    log::warning("anyone who knows the address with its token can use this computer's folders through Studio");
  if (!call.flag("--no-browser")) open_browser(address);
  while (!Cancel::interrupt().requested()) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  studio.stop();
  server->stop();
  return 0;
}

}  // namespace

void register_studio(Commands& commands) {
  commands.add(
      {.name = "studio",
       .does = "Opens graphs in the browser: edit, run, look at every value",
       .in = {{.name = "GRAPH",
               .what = "graph to open (.json), or the name of one that comes with the program",
               .optional = true}},
       .opt = {integer("--port", "port to listen on; when it is taken and not asked for, the next free one", usual_port,
                       0, 65535),
               text("--host", "address to listen on; any but this computer's own asks for a token", "127.0.0.1"),
               flag("--no-browser", "open no browser window"),
               folder("--root", "folder that Studio may read and write; default: the current one and that of GRAPH")
                   .many(),
               text("--token", "what clients have to know; default: made at random when --host is given"),
               folder("--ops", "folder with operations of users (.py, .cpp), which may then run").many(),
               folder("--cache", "folder of the disk cache and recovery copies; default: ~/.cache/larmor"),
               text("--memory", "memory for values, such as 4G; default: 2G"),
               flag("--allow-user-code",
                    "load and run also the operations of ~/.larmor/ops, whoever made the graph that names them")},
       .examples = {"larmor studio", "larmor studio dce.json --root /data --memory 8G",
                    "larmor studio --host 0.0.0.0 --port 8090 --no-browser"},
       .more =
           "The server is for this computer: it listens on 127.0.0.1 and answers only its own page. With another "
           "--host "
           "it asks for a token, which is printed with the address, and the connection is not encrypted: use an SSH "
           "tunnel or a proxy with TLS. Work that is not saved is kept beside the cache and restored at the next "
           "start.",
       .run = run});
}

}  // namespace larmor::cli
