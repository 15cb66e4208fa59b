// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <larmor/core/cancel.hpp>
#include <larmor/core/log.hpp>
#include <larmor/nodes/operations.hpp>
#include <larmor/nodes/values/image.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "print_json.hpp"
#include "user_ops.hpp"

namespace larmor::cli {
namespace {

namespace fs = std::filesystem;
using flow::Value;

Array ramp(const flow::Limits& limits) {
  Axes axes = limits.axes;
  const auto rank = static_cast<std::size_t>(std::max<int>({limits.min_rank, std::min(2, limits.max_rank), 0}));
  for (const char* name : {"x", "y", "z", "t", "coil", "b"})
    if (axes.size() < rank && std::find(axes.begin(), axes.end(), name) == axes.end()) axes.emplace_back(name);
  Array a = Array::of<double>(Shape(axes.size(), 8), axes);
  const double low = std::isfinite(limits.lower) ? limits.lower : std::isfinite(limits.upper) ? limits.upper - 1 : 0;
  const double high = std::isfinite(limits.upper) ? limits.upper : low + 1;
  const auto all = a.span<double>();
  for (std::size_t i = 0; i < all.size(); ++i)
    all[i] = low + (high - low) * static_cast<double>(i) / static_cast<double>(all.size());
  return a.cast(limits.dtypes.empty() ? DType::f32 : limits.dtypes.front());
}

/// Something that fits the port.
Value sample(const flow::Port& port) {
  const auto& l = port.limits;
  if (port.type == "array" || port.type == "any") return ramp(l);
  if (port.type == "image") {
    Image image;
    image.data = ramp(l);
    return flow::ValueTraits<Image>::to(image);
  }
  if (port.type == "number") return std::clamp(1.0, l.lower, l.upper);
  if (port.type == "numbers") return Value::List{1, 2, 3};
  if (port.type == "list") return Value::List{1, "two"};
  if (port.type == "boolean") return true;
  if (port.type == "text") return "text";
  throw Error(Errc::usage, fmt::format("no sample of the type '{}' of in-port '{}' can be made", port.type, port.name),
              "try the operation in a graph");
}

int run(const Call& call) {
  const std::string name = call.text("NAME");
  Call with = call;
  std::error_code failed;
  const bool file = fs::is_regular_file(name, failed);
  if (file) {
    const fs::path folder = fs::path(name).parent_path();
    auto& folders = with.values["--ops"];
    folders.insert(folders.begin(), folder.empty() ? "." : folder.string());
  }
  flow::NodeTypes types = nodes::make_operations();
  auto& user = user_operations(with);
  user.refresh(types);
  std::vector<std::string> ids;
  std::string id;
  for (const auto& op : user.list()) {
    ids.push_back(op.id);
    if (file ? fs::equivalent(op.file, name, failed) : op.id == name || op.id == "user." + name) id = op.id;
    if (id != op.id || op.error.empty()) continue;
    Error error(Errc::format, op.error, "");
    throw op.error_at.empty() ? error : error.at(op.error_at);
  }
  if (id.empty()) throw unknown_name("operation of a user", name, ids, "see all with: larmor op list");
  const auto& type = types.get(id);
  std::map<std::string, Value> inputs;
  for (const auto& port : type.inputs) {
    if (!port.limits.required) continue;
    inputs[port.name + (port.limits.repeated ? ".1" : "")] = sample(port);
  }
  flow::Ports::Services services;
  services.cancel = Cancel::interrupt();
  services.node = id;
  services.warn = [](const std::string& text) { log::warning(text); };
  services.log = [](const std::string& text) { fmt::print(stderr, "{}", text); };
  nlohmann::ordered_json told{{"operation", id}};
  for (const auto& [port, value] : inputs) {
    told["in"][port] = value.describe();
    if (!call.json) fmt::print("in   {}: {}\n", port, value.describe());
  }
  std::fflush(stdout);
  double seconds = 0;
  std::map<std::string, Value> outputs;
  for (int round = 0; round < 2; ++round) {  // the first starts the process
    const auto start = std::chrono::steady_clock::now();
    outputs = flow::run_operation(type, types.types, inputs, {}, services);
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  for (const auto& [port, value] : outputs) {
    told["out"][port] = value.describe();
    if (!call.json) fmt::print("out  {}: {}\n", port, value.describe());
  }
  told["ms"] = 1e3 * seconds;
  if (call.json)
    print_json(told);
  else
    fmt::print("{} works: {:.1f} ms\n", id, 1e3 * seconds);
  return 0;
}

}  // namespace

void register_op_test(Commands& commands) {
  commands.add({.name = "op test",
                .does = "Runs an operation of a user on made-up inputs",
                .in = {{.name = "NAME", .what = "its id, or its file", .kind = Kind::text}},
                .opt = {ops_option()},
                .examples = {"larmor op test sharpen", "larmor op test ops/sharpen.cpp"},
                .more =
                    "Required inputs get a ramp, a number or a text that fits their description; settings have their "
                    "defaults. It runs twice, and says how long the second took.",
                .run = run});
}

}  // namespace larmor::cli
