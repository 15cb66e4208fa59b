// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "../studio.hpp"

namespace larmor::server {
namespace {

Response start_run(Session& session, const Call& call) {
  const json body = call.body();
  std::vector<std::string> targets;
  if (body.contains("targets")) {
    if (!body["targets"].is_array()) throw Error(Errc::type, "'targets' is no list of node names");
    for (const auto& t : body["targets"]) {
      if (!t.is_string()) throw Error(Errc::type, fmt::format("the target {} is no name of a node", t.dump()));
      targets.push_back(t);
    }
  }
  return json_response({{"run", session.run(std::move(targets), flag_member(body, "force", false))}});
}

}  // namespace

void add_run_routes(Router& router, Studio& studio) {
  const auto one = [&studio](const Call& call) { return studio.session(call.place("g")); };
  router.add({.method = "POST",
              .path = "/api/graphs/{g}/run",
              .id = "run",
              .does = "Runs the graph, or only some nodes and what they need; the run under way is cancelled",
              .tag = "runs",
              .body = R"({"type":"object","properties":{"targets":{"type":"array","items":{"type":"string"}},
                  "force":{"type":"boolean","description":"compute again what is cached"}}})",
              .body_example = R"({"targets":[],"force":false})",
              .reply = R"({"type":"object","required":["run"],"properties":{"run":{"type":"integer"}}})",
              .fails = {404},
              .run = [one](const Call& call) { return start_run(*one(call), call); }});
  router.add({.method = "POST",
              .path = "/api/graphs/{g}/cancel",
              .id = "cancelRun",
              .does = "Stops the run under way",
              .tag = "runs",
              .reply = R"({"type":"object"})",
              .fails = {404},
              .run = [one](const Call& call) {
                one(call)->cancel();
                return json_response(json::object());
              }});
  router.add(
      {.method = "PUT",
       .path = "/api/graphs/{g}/auto",
       .id = "setAuto",
       .does = "Whether edits run what depends on them at once. Operations that write files run only when told to",
       .tag = "runs",
       .body = R"({"type":"object","required":["on"],"properties":{"on":{"type":"boolean"}}})",
       .body_example = R"({"on":true})",
       .reply = R"({"type":"object","properties":{"on":{"type":"boolean"}}})",
       .fails = {404},
       .run = [one](const Call& call) {
         const bool on = flag_member(call.body(), "on", true);
         one(call)->set_auto(on);
         return json_response({{"on", on}});
       }});
  router.add({.method = "GET",
              .path = "/api/graphs/{g}/runs",
              .id = "listRuns",
              .does = "The last 50 runs",
              .tag = "runs",
              .reply = R"({"type":"array","items":{"type":"object","properties":{"run":{"type":"integer"},
                  "started":{"type":"number","description":"seconds since 1970"},"seconds":{"type":"number"},
                  "state":{"type":"string"},"peak_bytes":{"type":"integer"}}}})",
              .fails = {404},
              .run = [one](const Call& call) { return json_response(one(call)->runs()); }});
  router.add({.method = "GET",
              .path = "/api/graphs/{g}/runs/{n}",
              .id = "readRun",
              .does = "The report of a run: time, bytes, cache hits and state of every node",
              .tag = "runs",
              .reply = R"({"type":"object","required":["state","nodes"]})",
              .fails = {404},
              .run = [one](const Call& call) {
                const std::string& n = call.place("n");
                if (n.empty() || n.size() > 9 || n.find_first_not_of("0123456789") != std::string::npos)
                  throw Error(Errc::format, fmt::format("'{}' is no number of a run", n));
                Response r = json_response(json());
                r.body = one(call)->run_report(std::stoi(n));
                return r;
              }});
  router.add({.method = "GET",
              .path = "/api/graphs/{g}/log",
              .id = "readLog",
              .does = "Errors, warnings and what operations say",
              .tag = "runs",
              .params = {{"since", "number of the last line that is known", "0"}},
              .reply = R"({"type":"array","items":{"type":"object","properties":{"n":{"type":"integer"},
                  "time":{"type":"number"},"level":{"type":"string"},"text":{"type":"string"},"node":{"type":"string"}}}})",
              .fails = {404},
              .run = [one](const Call& call) {
                return json_response(one(call)->log(static_cast<std::uint64_t>(call.integer("since").value_or(0))));
              }});
}

}  // namespace larmor::server
