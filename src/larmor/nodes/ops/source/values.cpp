// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/flow/node_type.hpp>

namespace larmor::nodes {
namespace {

void range(flow::Ports& io) {
  const double from = io.setting("from"), to = io.setting("to");
  const std::int64_t n = io.setting("count");
  std::vector<double> out(static_cast<std::size_t>(n));
  const bool log = io.setting("spacing").str() == "logarithmic";
  if (log && !(from > 0 && to > 0))
    throw Error(Errc::range, fmt::format("logarithmic steps from {:g} to {:g}", from, to), "give positive ends");
  for (std::int64_t k = 0; k < n; ++k) {
    const double part = n == 1 ? 0 : static_cast<double>(k) / static_cast<double>(n - 1);
    out[static_cast<std::size_t>(k)] = log ? from * std::pow(to / from, part) : from + part * (to - from);
  }
  io.out("out") = out;
}

}  // namespace

/// source.number, text, boolean, numbers, range and list.
void register_source_values(flow::NodeTypes& nodes) {
  nodes.add("source.number", flow::NodeType{.title = "Number", .does = "Gives a number", .tags = {"constant", "value"}}
                                 .out<double>("out", "the number")
                                 .set({"value", "the number", 0.0})
                                 .run([](flow::Ports& io) { io.out("out") = double(io.setting("value")); }));
  nodes.add("source.text", flow::NodeType{.title = "Text", .does = "Gives a text", .tags = {"constant", "string"}}
                               .out<std::string>("out", "the text")
                               .set(flow::Setting{"value", "the text", ""}.lines())
                               .run([](flow::Ports& io) { io.out("out") = io.setting("value").str(); }));
  nodes.add("source.boolean", flow::NodeType{.title = "Yes or no", .does = "Gives true or false", .tags = {"constant"}}
                                  .out<bool>("out", "true or false")
                                  .set({"value", "true or false", false})
                                  .run([](flow::Ports& io) { io.out("out") = bool(io.setting("value")); }));
  nodes.add(
      "source.numbers",
      flow::NodeType{.title = "Numbers", .does = "Gives a list of numbers", .tags = {"constant", "vector", "list"}}
          .out<std::vector<double>>("out", "the numbers")
          .set(flow::Setting::numbers("value", "the numbers", {}))
          .run([](flow::Ports& io) { io.out("out") = io.setting("value").numbers(); }));
  nodes.add("source.range", flow::NodeType{.title = "Range of numbers",
                                           .does = "Gives numbers from one end to the other",
                                           .tags = {"linspace", "logspace", "steps"}}
                                .out<std::vector<double>>("out", "the numbers, both ends included")
                                .set({"from", "first number", 0.0})
                                .set({"to", "last number", 1.0})
                                .set({"count", "how many", 11, 1, 1000000})
                                .set(flow::Setting::choice("spacing", "equal differences or equal ratios", "linear",
                                                           {"linear", "logarithmic"}))
                                .run(range));
  nodes.add("source.list",
            flow::NodeType{.title = "List", .does = "Collects values into a list", .tags = {"collect", "gather"}}
                .in<flow::Value>("in", "values of any type", {.repeated = true})
                .out<flow::Value::List>("out", "the values in order")
                .run([](flow::Ports& io) { io.out("out") = io.all("in"); }));
}

}  // namespace larmor::nodes
