// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/io/raw.hpp>
#include <larmor/nodes/axis_names.hpp>

namespace larmor::nodes {
namespace {

void read_raw(flow::Ports& io) {
  io::RawLayout layout{.type = io.setting("dtype").str(),
                       .shape = {},
                       .offset = static_cast<std::uint64_t>(static_cast<double>(io.setting("offset"))),
                       .big_endian = io.setting("big_endian")};
  for (const double extent : io.setting("shape").numbers()) layout.shape.push_back(static_cast<std::int64_t>(extent));
  io.out("array") = with_axis_names(io::read_raw(io.setting("path").str(), layout), io.setting("axes").str());
}

}  // namespace

void register_io_read_raw(flow::NodeTypes& nodes) {
  nodes.add("io.read_raw", flow::NodeType{.title = "Read bare numbers",
                                          .does = "Reads a file of numbers whose type and shape the file does not say",
                                          .tags = {"raw", "binary", "dat", "bin", "load", "open"}}
                               .out<Array>("array", "the array, first axis fastest")
                               .set(flow::Setting::open("path", "the file"))
                               .set(flow::Setting::choice("dtype", "type of the numbers", "f32", io::raw_types()))
                               .set(flow::Setting::numbers(
                                   "shape", "extents, fastest axis first; one may be -1 (what is there)", {-1}))
                               .set({"offset", "bytes before the first number", 0, 0, 1e12})
                               .set({"big_endian", "most significant byte first", false})
                               .set({"axes", "names of the axes, separated by spaces: x y coil; empty: x y z ...", ""})
                               .run(read_raw));
}

}  // namespace larmor::nodes
