// SPDX-License-Identifier: Apache-2.0
#include <fmt/args.h>
#include <fmt/format.h>

#include <larmor/flow/node_type.hpp>

namespace larmor::nodes {
namespace {

// A value as what a format may ask for: numbers with their digits, anything else as text.
void compute(flow::Ports& io) {
  fmt::dynamic_format_arg_store<fmt::format_context> values;
  for (const char* name : {"a", "b", "c", "d"}) {
    if (!io.has(name)) continue;
    const auto& v = io.value(name);
    if (v.kind() == flow::Value::Kind::number)
      values.push_back(fmt::arg(name, v.number()));
    else if (v.kind() == flow::Value::Kind::text)
      values.push_back(fmt::arg(name, v.text()));
    else if (v.kind() == flow::Value::Kind::array && v.array().size() == 1 && v.array().dtype() != DType::c64 &&
             v.array().dtype() != DType::c128)
      values.push_back(fmt::arg(name, flow::ValueTraits<double>::from(v)));
    else
      values.push_back(fmt::arg(name, v.kind() == flow::Value::Kind::array ? v.describe() : flow::to_json(v)));
  }
  try {
    io.out("out") = fmt::vformat(io.setting("format").str(), values);
  } catch (const fmt::format_error& e) {
    throw Error(Errc::format, std::string("the format '") + io.setting("format").str() + "': " + e.what(),
                "write wired values in braces, like: mean {a:.3f} of {b}");
  }
}

}  // namespace

void register_view_text(flow::NodeTypes& nodes) {
  auto type = flow::NodeType{.title = "Format text",
                             .does = "Puts values into a text",
                             .help =
                                 "`{a}` is what is wired to a; `{a:.3f}` with three digits, `{a:10.2e}` in ten "
                                 "places. Two braces `{{` stand for one.",
                             .tags = {"print", "label", "string", "template"}};
  for (const char* name : {"a", "b", "c", "d"})
    type.inputs.push_back({name, "number, text or any value", "any", {.required = false}});
  nodes.add("view.text", std::move(type)
                             .out<std::string>("out", "the text")
                             .set(flow::Setting{"format", "text with values in braces", "{a}"}.lines())
                             .run(compute));
}

}  // namespace larmor::nodes
