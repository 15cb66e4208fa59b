// SPDX-License-Identifier: Apache-2.0
#include "hippocampus_job.hpp"

#include <fmt/format.h>

#include <chrono>
#include <larmor/flow/engine.hpp>
#include <larmor/io/bids.hpp>
#include <larmor/io/file.hpp>
#include <larmor/nodes/operations.hpp>
#include <larmor/nodes/shipped_graphs.hpp>
#include <larmor/nodes/values/hippocampus.hpp>
#include <larmor/nodes/values/image.hpp>
#include <nlohmann/json.hpp>

#include "graph_run.hpp"
#include "text_table.hpp"

namespace larmor::cli {
namespace {

using flow::Value;
using flow::ValueTraits;
using json = nlohmann::ordered_json;

std::string lines(const std::vector<std::string>& all) {
  std::string out;
  for (const auto& l : all) out += (out.empty() ? "" : "\n") + l;
  return out;
}

// Settings that are not the default, by name of the node.
void set(flow::Graph& graph, const std::string& node, const char* setting, const Value& value) {
  const auto& n = graph.nodes.at(node);
  if (nodes::operations().get(n.op).setting(setting)->value.hash() != value.hash())
    graph.nodes.at(node).settings[setting] = value;
}

// Names of files as they are from everywhere: those of settings are relative to the folder of a graph.
std::string absolute(const std::string& path) { return path.empty() ? path : std::filesystem::absolute(path).string(); }

flow::Graph graph_of(const HippocampusJob& job) {
  flow::Graph graph = nodes::shipped_graph("hippocampus");
  set(graph, "choose", "study", absolute(job.study));
  set(graph, "choose", "files", lines(job.files));
  set(graph, "choose", "rules", absolute(job.rules));
  set(graph, "choose", "side", job.side);
  set(graph, "segment", "model", absolute(job.model));
  set(graph, "segment", "mirror", job.mirror);
  set(graph, "write", "folder", absolute(job.out));
  set(graph, "write", "segmentation", job.fractional ? "fractional" : "binary");
  set(graph, "write", "pdf", job.pdf);
  set(graph, "write", "page", job.page);
  set(graph, "write", "norms", absolute(job.norms));
  std::vector<std::string> earlier;
  for (const auto& e : job.earlier) earlier.push_back(absolute(e));
  set(graph, "write", "earlier", lines(earlier));
  set(graph, "write", "series_number", job.series_number);
  return graph;
}

// The same three steps for the other side, and its wire to the results.
void add_second_side(flow::Graph& graph) {
  for (const char* name : {"choose", "segment", "measure"}) {
    auto node = graph.nodes.at(name);
    node.at[1] += 240;
    graph.nodes[std::string(name) + "_right"] = node;
  }
  graph.nodes.at("choose_right").settings["second"] = true;
  for (const auto& [to, from] : std::map<std::string, std::string>(graph.wires.begin(), graph.wires.end())) {
    const auto dot = to.find('.');
    if (to.substr(0, dot) == "write") continue;
    graph.wires[to.substr(0, dot) + "_right" + to.substr(dot)] =
        from.substr(0, from.find('.')) + "_right" + from.substr(from.find('.'));
  }
  graph.wires["write.other"] = "measure_right.hippocampus";
  flow::GraphPort labels = graph.inputs.at("labels");
  labels.inside = {"segment_right.labels"};
  graph.inputs["labels_right"] = labels;
}

}  // namespace

std::vector<Option> hippocampus_options() {
  return {file("--rules", "which series is measured (YAML); default: MR with SeriesDescription HippoCrop"),
          text("--side", "side of the hippocampus where DICOM does not say it", "as_stored").one_of([] {
            return std::vector<std::string>{"as_stored", "left", "right"};
          }),
          file("--model", "weights of the network; default: the model that comes with Larmor"),
          flag("--no-mirror", "no mean over mirrored images: half the time, a little less exact"),
          file("--norms", "table of normal volumes (CSV), for percentiles"),
          flag("--fractional", "segmentation object with 8-bit frames, for viewers that scramble binary ones"),
          flag("--no-pdf", "no PDF"),
          flag("--no-page", "no Secondary Capture"),
          integer("--series-number", "series numbers of the new objects count from here", 9900, 0, 99999),
          text("--send", "archive that receives the objects (C-STORE), host:port"),
          text("--aet", "our application entity title", "LARMOR"),
          text("--called", "that of the archive", "ANY-SCP"),
          integer("--attempts", "how often sending is tried", 3, 1, 100)};
}

HippocampusJob job_from(const Call& call) {
  HippocampusJob job;
  const auto text = [&](const char* name) { return call.given(name) ? call.text(name) : std::string(); };
  job.rules = text("--rules"), job.model = text("--model"), job.norms = text("--norms");
  job.side = call.text("--side");
  job.fractional = call.flag("--fractional"), job.pdf = !call.flag("--no-pdf"), job.page = !call.flag("--no-page"),
  job.mirror = !call.flag("--no-mirror");
  job.series_number = call.integer("--series-number");
  return job;
}

std::optional<clinic::Archive> archive_from(const Call& call) {
  if (!call.given("--send")) return {};
  auto archive = clinic::parse_archive(call.text("--send"));
  archive.calling = call.text("--aet"), archive.called = call.text("--called"),
  archive.attempts = call.integer("--attempts");
  for (const auto& title : {archive.calling, archive.called})
    if (title.empty() || title.size() > 16)
      throw Error(Errc::usage, fmt::format("'{}' is no application entity title", title), "write 1 to 16 characters");
  return archive;
}

HippocampusDone run_hippocampus(const HippocampusJob& job, const Progress& progress, const Cancel& cancel) {
  const auto start = std::chrono::steady_clock::now();
  flow::Graph graph = graph_of(job);
  flow::EngineOptions machine;
  machine.memory_budget = std::size_t{1} << 40;
  flow::Engine engine(nodes::operations(), machine);
  flow::RunOptions run;
  run.policy = flow::Policy::keep;
  run.cancel = cancel;
  run.targets = {"choose"};
  HippocampusDone done;
  int sides = 1;
  run_or_throw(engine, graph, run, progress, [&](const flow::RunOptions& same) {
    sides = static_cast<int>(engine.value(graph, "choose.sides", same).number());
    for (const auto& line : engine.value(graph, "choose.series", same).field("explanation").list())
      done.explanation.push_back(line.text());
  });
  if (sides == 2) add_second_side(graph);
  if (job.labels.size() > static_cast<std::size_t>(sides) ||
      (!job.labels.empty() && job.labels.size() < static_cast<std::size_t>(sides)))
    throw Error(Errc::usage,
                fmt::format("{} label files for {} side{}", job.labels.size(), sides, sides == 1 ? "" : "s"),
                "give one a side, the left one first");
  for (std::size_t k = 0; k < job.labels.size(); ++k)
    run.inputs[k == 0 ? "labels" : "labels_right"] = ValueTraits<Image>::to(io::read_image(job.labels[k]));
  run.targets = {"write"};
  const auto report = run_or_throw(engine, graph, run, progress, [&](const flow::RunOptions& same) {
    done.results = flow::to_json(engine.value(graph, "write.results", same), 1000000);
    for (const auto& o : engine.value(graph, "write.objects", same).list()) done.objects.emplace_back(o.text());
  });
  for (const auto& [path, node] : report.nodes)
    for (const auto& w : node.warnings) done.warnings.push_back(w);
  done.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return done;
}

bool send_results(const std::vector<std::filesystem::path>& objects, const clinic::Archive& archive,
                  const Cancel& cancel, std::string& told) {
  if (objects.empty()) return true;
  const auto sent = clinic::send(objects, archive, &cancel);
  json all = json::array();
  std::size_t stored = 0;
  std::string first;
  for (const auto& s : sent) {
    all.push_back({{"file", s.file.filename().string()}, {"stored", s.stored}, {"status", s.status}});
    stored += s.stored;
    if (!s.stored && first.empty()) first = s.status;
  }
  io::write_text(objects[0].parent_path() / "sent.json",
                 json{{"archive", fmt::format("{}:{}", archive.host, archive.port)},
                      {"called", archive.called},
                      {"stored", stored == sent.size()},
                      {"objects", all}}
                         .dump(2) +
                     "\n");
  told = fmt::format("{} of {} objects stored at {}:{}{}", stored, sent.size(), archive.host, archive.port,
                     first.empty() ? "" : " (" + first + ")");
  return stored == sent.size();
}

std::string results_text(const std::string& results) {
  const auto j = json::parse(results);
  std::vector<std::vector<std::string>> rows{{"side", "structure", "mL", "mm3"}};
  std::string notes;
  for (const auto& side : j.at("sides")) {
    const auto name = side.at("side").get<std::string>();
    for (const auto& v : side.at("volumes"))
      rows.push_back({name.empty() ? "-" : name, v.at("structure"), fmt::format("{:.3f}", v.at("mL").get<double>()),
                      fmt::format("{:.0f}", v.at("mm3").get<double>())});
    for (const auto& n : side.at("flags"))
      notes += fmt::format("{}: {}{}{}\n", n.at("serious").get<bool>() ? "review" : "note",
                           j.at("sides").size() > 1 ? name + ", " : "", n.at("what").get<std::string>(),
                           n.at("id") == "side" ? " (--side left or right does)" : "");
  }
  std::string out = text_table(rows);
  for (const auto& a : j.at("asymmetry"))
    if (a.at("structure") == "total" && a.at("percent").is_number())
      out += fmt::format("asymmetry of the total  {:+.1f} %\n", a.at("percent").get<double>());
  for (const auto& c : j.at("changes"))
    if (c.at("structure") == "total")
      out += fmt::format("change of the {} total since {}  {:+.1f} %\n", c.at("side").get<std::string>(),
                         c.at("earlier_date").get<std::string>(), c.at("percent").get<double>());
  return out + notes;
}

}  // namespace larmor::cli
