// SPDX-License-Identifier: Apache-2.0
#include "op_templates.hpp"

namespace larmor::cli {
namespace {

constexpr const char* python =
    R"TEXT("""An operation for larmor graphs: saving this file loads it again, also while Studio runs."""
import numpy as np


def describe():
  # Everything that people see of it: the palette, the form, the checks and the help are made from this.
  return {
    "id": "user.@NAME@",
    "title": "@NAME@",
    "does": "Multiplies an array by a factor.",
    "help": "out = gain * in. Markdown, with TeX between dollars.",
    "inputs": [
      # type: array, image, number, numbers, boolean, text, list, any; "required": False when it may be left unwired.
      {"name": "in", "what": "any array; the first axis of numpy is the first one here", "type": "array"},
    ],
    "outputs": [
      {"name": "out", "what": "gain times in", "type": "array"},
    ],
    "settings": [
      # The kind follows from the default: 1.0 a number, 1 a whole one, True, "text", [1.0, 2.0]; "choices" make a choice.
      {"name": "gain", "what": "factor", "default": 2.0, "lower": 0.0, "upper": 100.0, "unit": "1"},
    ],
  }


def compute(io):
  # io["name"]: what comes in and what is set. Arrays are numpy arrays that cannot be written to; their axes are in
  # .axes, and results keep them. io.state is a dict that stays from run to run. print() goes to the log of the node.
  # io.warn("text") and io.progress(0.5) show at the node. For large results, io.empty(shape, dtype, axes) saves a copy.
  a = io["in"]
  return np.multiply(a, io["gain"], dtype=np.result_type(a.dtype, np.float32))
)TEXT";

constexpr const char* cpp =
    R"TEXT(// An operation for larmor graphs: it is compiled when it is needed, and saving this file loads it again.
#include <larmor/flow/user/op.hpp>

using namespace larmor;

namespace {

void compute(flow::Ports& io) {
  // What comes in must not be written to. Memory for results: Array::uninitialised(type, shape, axes).
  const Array in = io.in<Array>("in").cast(DType::f32).contiguous_copy();
  const float gain = static_cast<float>(double(io.setting("gain")));
  Array out = Array::uninitialised(DType::f32, in.shape(), in.axes());
  const auto from = in.span<const float>();
  const auto to = out.span<float>();
  parallel_for(from.size(), 1 << 16, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) to[i] = gain * from[i];
  });
  // throw Error(Errc::shape, "what is wrong", "what to do") shows at the node; io.warn, io.log and io.progress() too.
  // flow::user::state<T>("name") is kept from run to run.
  io.out("out") = out;
}

flow::NodeType describe() {
  // Everything that people see of it: the palette, the form, the checks and the help are made from this.
  return flow::NodeType{.title = "@NAME@", .does = "Multiplies an array by a factor.", .help = "out = gain * in"}
      .in<Array>("in", "any real array")
      .out<Array>("out", "gain times in")
      .set({"gain", "factor", 2.0, 0.0, 100.0})
      .run(compute);
}

}  // namespace

LARMOR_OPERATION("user.@NAME@", describe)
)TEXT";

std::string filled(std::string text, const std::string& name) {
  for (auto at = text.find("@NAME@"); at != std::string::npos; at = text.find("@NAME@")) text.replace(at, 6, name);
  return text;
}

}  // namespace

std::string python_template(const std::string& name) { return filled(python, name); }
std::string cpp_template(const std::string& name) { return filled(cpp, name); }

}  // namespace larmor::cli
