// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <larmor/core/log.hpp>
#include <larmor/io/file.hpp>
#include <larmor/nodes/files.hpp>
#include <larmor/nodes/operations.hpp>
#include <nlohmann/json.hpp>
#include <set>

#include "catalogue_ops.hpp"
#include "command.hpp"
#include "graph_job.hpp"
#include "print_json.hpp"
#include "user_ops.hpp"

namespace larmor::cli {
namespace {

using flow::NodeType;
using flow::Value;

std::pair<std::string, std::string> halves(const std::string& text, const char* option, const char* as) {
  const auto at = text.find('=');
  if (at == std::string::npos || at == 0 || at + 1 == text.size())
    throw Error(Errc::usage,
                fmt::format("{} {}: {}", option, text, at == std::string::npos ? "no '='" : "nothing beside '='"),
                fmt::format("write {} {}", option, as));
  return {text.substr(0, at), text.substr(at + 1)};
}

std::vector<std::string> port_names(const std::vector<flow::Port>& ports) {
  std::vector<std::string> names;
  for (const auto& port : ports) names.push_back(port.name);
  return names;
}

// A file; or a number or a list as it stands, where no such file is there.
Value input(const std::string& text, const std::string& type) {
  if (!std::filesystem::exists(text)) {
    try {
      const Value plain = flow::from_json(text);
      if (plain.kind() == Value::Kind::number || plain.kind() == Value::Kind::list) return plain;
    } catch (const Error&) {  // a file name then, whose reader says that it is missing
    }
  }
  return read_value(text, type);
}

std::map<std::string, Value> inputs_of(const Call& call, const NodeType& type) {
  std::map<std::string, Value> out;
  for (const auto& assignment : call.texts("--in")) {
    const auto [name, file] = halves(assignment, "--in", "port=file");
    const flow::Port* port = type.input(name);
    if (!port) throw unknown_name("in-port", name, port_names(type.inputs));
    // A repeated port takes its files in order, also without numbers.
    std::string key = name;
    if (port->limits.repeated && name == port->name)
      for (int k = 1; out.count(key = fmt::format("{}.{}", name, k)); ++k) {
      }
    if (out.count(key)) throw Error(Errc::usage, fmt::format("port '{}' is given twice", key), "give it once");
    out[key] = input(file, port->type);
  }
  for (const auto& port : type.inputs) {
    const bool there =
        std::any_of(out.begin(), out.end(), [&](const auto& in) { return type.input(in.first) == &port; });
    if (port.limits.required && !there)
      throw Error(Errc::usage, fmt::format("port '{}' is missing: {}", port.name, port.what),
                  fmt::format("give it with --in {}=FILE", port.name));
  }
  return out;
}

std::map<std::string, Value> settings_of(const Call& call, const std::string& id, const flow::NodeTypes& types) {
  flow::Graph graph;
  graph.nodes["op"].op = id;
  std::set<std::string> seen;
  for (const auto& assignment : call.texts("--set")) {
    const auto name = halves(assignment + " ", "--set", "name=value").first;
    if (!seen.insert(name).second)
      throw Error(Errc::usage, fmt::format("setting '{}' is given twice", name), "give it once");
    set_in_graph(graph, "op." + assignment, types, {});
  }
  const auto& node = graph.nodes.at("op");
  if (!node.sweeps.empty())
    throw Error(Errc::usage, fmt::format("'{}' takes one value, not a list", node.sweeps.begin()->first),
                "larmor run sweeps a setting");
  return node.settings;
}

int run(const Call& call) {
  const auto& types = all_operations(call);
  const std::string id = types.resolve(call.text("OP"));
  const NodeType& type = types.get(id);
  std::map<std::string, std::string> wanted;
  for (const auto& assignment : call.texts("--out")) {
    const auto [name, file] = halves(assignment, "--out", "port=file");
    if (!type.output(name)) throw unknown_name("out-port", name, port_names(type.outputs));
    nodes::file_kind(file);  // an unknown ending, or a place where nothing can be written, is said before the work
    io::require_writable_file(file);
    wanted[name] = file;
  }
  flow::Ports::Services services;
  services.cancel = Cancel::interrupt();
  services.progress = console_progress(call.quiet);
  services.device = call.device;
  services.warn = [](const std::string& text) { log::warning(text); };
  services.log = [](const std::string& text) { log::info(text); };
  std::map<std::string, Value> outputs;
  try {
    outputs = flow::run_operation(type, types.types, inputs_of(call, type), settings_of(call, id, types), services);
  } catch (Error& e) {
    e.at("larmor run-op " + id);
    throw;
  }
  nlohmann::ordered_json told = nlohmann::ordered_json::object(), files = nlohmann::ordered_json::object();
  for (const auto& port : type.outputs) {
    const auto it = outputs.find(port.name);
    if (it == outputs.end() || it->second.none()) continue;
    const Value value = a_number(it->second);
    if (wanted.count(port.name)) nodes::write_file(wanted.at(port.name), it->second);
    const bool plain = value.kind() == Value::Kind::number || value.kind() == Value::Kind::boolean ||
                       value.kind() == Value::Kind::text || value.kind() == Value::Kind::list;
    const bool finite = value.kind() != Value::Kind::number || std::isfinite(value.number());
    const std::string shown = plain && finite ? flow::to_json(value) : value.describe();
    if (!finite)
      told[port.name] = nullptr;
    else if (plain)
      told[port.name] = nlohmann::ordered_json::parse(shown);
    else
      told[port.name] = shown;
    if (wanted.count(port.name)) files[port.name] = wanted.at(port.name);
    if (!call.json)
      fmt::print("{}  {}{}\n", port.name, shown, wanted.count(port.name) ? "  -> " + wanted.at(port.name) : "");
  }
  if (!files.empty()) told["files"] = files;
  if (call.json) print_json(told);
  return 0;
}

std::string bounds(const flow::Setting& s) {
  std::string out;
  if (std::isfinite(s.lower) && std::isfinite(s.upper))
    out = fmt::format(", {:g} to {:g}", s.lower, s.upper);
  else if (std::isfinite(s.lower))
    out = fmt::format(", at least {:g}", s.lower);
  else if (std::isfinite(s.upper))
    out = fmt::format(", at most {:g}", s.upper);
  return out;
}

// What the description says, as help of a command.
std::string help(const Call&, const std::vector<std::string>& words) {
  const auto& types = nodes::operations();
  const std::string id = types.resolve(words.at(0));
  const NodeType& type = types.get(id);
  std::string usage = "larmor run-op " + id;
  for (const auto& port : type.inputs)
    usage += port.limits.required ? " --in " + port.name + "=FILE" : " [--in " + port.name + "=FILE]";
  if (!type.settings.empty()) usage += " [--set NAME=VALUE ...]";
  for (const auto& port : type.outputs) usage += fmt::format(" [--out {}=FILE]", port.name);
  std::string out = fmt::format("{}: {}.\n\nusage: {}\n", type.title, type.does, wrapped(usage, 7));
  const auto section = [&](const char* title, const std::vector<flow::Port>& ports) {
    if (!ports.empty()) out += fmt::format("\n{}:\n", title);
    for (const auto& p : ports)
      out += fmt::format("  {:16} {}\n", p.name,
                         wrapped(fmt::format("{} ({}{}{})", p.what, p.type, p.limits.repeated ? ", any number" : "",
                                             p.limits.required ? "" : ", optional"),
                                 19));
  };
  section("inputs", type.inputs);
  section("outputs", type.outputs);
  if (!type.settings.empty()) out += "\nsettings:\n";
  for (const auto& s : type.settings) {
    std::string text = s.what;
    if (!s.choices.empty()) text += fmt::format("; one of {}", fmt::join(s.choices, ", "));
    text += fmt::format(" ({}{}{}{})", flow::to_string(s.kind), bounds(s), s.unit.empty() ? "" : " " + s.unit,
                        s.value.none() ? "" : ", default " + flow::to_json(s.value));
    out += fmt::format("  {:16} {}\n", s.name, wrapped(text, 19));
  }
  if (!type.help.empty()) out += "\n" + wrapped(type.help, 0) + "\n";
  if (!type.from.empty()) out += "\nsource: " + wrapped(type.from, 8) + "\n";
  return out;
}

}  // namespace

void register_run_op(Commands& commands) {
  commands.add(
      {.name = "run-op",
       .does = "Runs one operation on files",
       .in = {{.name = "OP", .what = "operation, see larmor list ops", .kind = Kind::text}},
       .opt = {text("--in", "port=file for what the operation takes; a number or a list as it stands").many(),
               text("--set", "name=value for a setting").many(),
               text("--out", "port=file for what it gives; the name's ending says the format").many(), ops_option()},
       .examples = {"larmor run-op fourier.fft --help",
                    "larmor run-op mask.threshold --in in=head.nii.gz --out mask=mask.nii.gz",
                    "larmor run-op math.expression --in a=post.nii --in b=pre.nii --set 'formula=(a - b) / b' "
                    "--out out=enhancement.nii"},
       .more = "larmor run-op OP --help tells the ports and settings of an operation. Outputs without a file are "
               "shown.",
       .run = run,
       .help = help});
}

}  // namespace larmor::cli
