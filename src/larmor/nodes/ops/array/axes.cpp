// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/core/nd/arrange.hpp>
#include <larmor/data/grid.hpp>
#include <larmor/nodes/axes.hpp>

namespace larmor::nodes {
namespace {

void transpose(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  const auto order = all_axes_in(in.data, io.setting("order"));
  Gridded out = in;
  out.data = in.data.permuted(order).contiguous_copy();
  const bool space_first = order.size() >= 3 && std::max({order[0], order[1], order[2]}) == 2;
  if (in.geometry && space_first) {
    out.geometry->affine = permuted(in.geometry->affine, {order[0], order[1], order[2]});
    Axes names = out.data.axes();
    names[0] = "x", names[1] = "y", names[2] = "z";
    out.data = out.data.with_axes(names);
  }
  Array data = out.data;
  io.out("out") = out.with(std::move(data));
}

void rename(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  const std::string text = io.setting("names");
  Axes names = in.data.axes();
  if (text.find('=') == std::string::npos) {
    const auto all = names_in(text);
    if (all.size() != names.size())
      throw Error(Errc::shape, fmt::format("{} names for {}", all.size(), in.data.describe()),
                  "give a name for every axis, or old=new for some");
    names = all;
  } else {
    for (const auto& item : axis_texts(in.data, text)) names[static_cast<std::size_t>(item.axis)] = item.text;
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty()) throw Error(Errc::format, "an axis without a name in '" + text + "'", "write old=new");
    if (std::find(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i), names[i]) !=
        names.begin() + static_cast<std::ptrdiff_t>(i))
      throw Error(Errc::shape, fmt::format("two axes would be called '{}'", names[i]), "give different names");
  }
  io.out("out") = in.with(in.data.with_axes(names));
}

void reshape(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  Axes names;
  Shape shape;
  std::int64_t known = 1;
  for (const auto& item : names_in(io.setting("shape"))) {
    const auto equals = item.find('=');
    names.push_back(equals == std::string::npos ? item : item.substr(0, equals));
    shape.push_back(equals == std::string::npos ? -1 : whole({0, names.back(), item.substr(equals + 1)}));
    if (shape.back() != -1) known *= shape.back();
  }
  const auto open = std::count(shape.begin(), shape.end(), -1);
  if (open > 1) throw Error(Errc::format, "two axes without an extent", "leave one open at most");
  if (open == 1 && known > 0) std::replace(shape.begin(), shape.end(), std::int64_t{-1}, in.data.size() / known);
  io.out("out") = in.with(in.data.reshaped(shape, names));
}

void merge(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  const std::string name = io.setting("name");
  const auto axes = axes_in(in.data, io.setting("axes"));
  if (name.empty()) throw Error(Errc::usage, "the merged axis has no name", "set 'name'");
  for (int i = 0; i < in.data.rank(); ++i)
    if (in.data.axes()[static_cast<std::size_t>(i)] == name && std::find(axes.begin(), axes.end(), i) == axes.end())
      throw Error(Errc::shape, "there is an axis '" + name + "' already", "give the merged axis another name");
  io.out("out") = in.with(nd::merge_axes(in.data, axes, name));
}

void split(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  Axes names;
  Shape extents;
  for (const auto& item : names_in(io.setting("into"))) {
    const auto equals = item.find('=');
    names.push_back(equals == std::string::npos ? item : item.substr(0, equals));
    extents.push_back(equals == std::string::npos ? -1 : whole({0, names.back(), item.substr(equals + 1)}));
  }
  io.out("out") = in.with(nd::split_axis(in.data, need_axis(in.data, io.setting("axis")), names, extents));
}

void squeeze(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  const auto wanted = axes_in(in.data, io.setting("axes"));
  Shape shape;
  Axes names;
  for (int i = 0; i < in.data.rank(); ++i) {
    const bool chosen = std::find(wanted.begin(), wanted.end(), i) != wanted.end();
    const auto& name = in.data.axes()[static_cast<std::size_t>(i)];
    if (chosen && in.data.extent(i) != 1)
      throw Error(Errc::shape, fmt::format("axis '{}' has {} elements and cannot be left out", name, in.data.extent(i)),
                  "take one with array.slice, or reduce over it");
    if (chosen || (wanted.empty() && in.data.extent(i) == 1)) continue;
    shape.push_back(in.data.extent(i)), names.push_back(name);
  }
  Array out = names.empty() ? in.data.reshaped(shape, {}) : in.data.reshaped(shape, names);
  io.out("out") = in.with(std::move(out));
}

void add_axis(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  const std::string name = io.setting("name");
  const std::int64_t at = io.setting("at");
  Shape shape = in.data.shape();
  Axes names = in.data.axes();
  if (name.empty() || std::find(names.begin(), names.end(), name) != names.end())
    throw Error(Errc::shape, fmt::format("a new axis '{}' for {}", name, in.data.describe()),
                "give a name that is not there yet");
  const auto place = at < 0 ? static_cast<std::int64_t>(names.size()) : std::min<std::int64_t>(at, in.data.rank());
  shape.insert(shape.begin() + place, 1), names.insert(names.begin() + place, name);
  io.out("out") = in.with(in.data.reshaped(shape, names));
}

}  // namespace

/// Operations on the axes themselves: array.transpose, rename_axes, reshape, merge_axes, split_axis, squeeze, add_axis.
void register_array_axes(flow::NodeTypes& nodes) {
  nodes.add("array.transpose",
            flow::NodeType{.title = "Transpose",
                           .does = "Puts axes in another order",
                           .help = "Axes that are not named follow in their order. When x, y and z of an image change "
                                   "places, they are named x, y, z again and the affine follows: every voxel stays "
                                   "where it is in space.",
                           .tags = {"permute", "reorder"}}
                .in<Gridded>("in", "array")
                .out<Gridded>("out", "the same elements")
                .set({"order", "axes in their new order, like: y, x", "y, x"})
                .validate([](flow::Form& form) { offer_axes(form, "in", "order"); })
                .run(transpose));
  nodes.add("array.rename_axes", flow::NodeType{.title = "Rename axes",
                                                .does = "Gives axes other names",
                                                .help = "Either old=new for some, or a name for every axis."}
                                     .in<Gridded>("in", "array")
                                     .out<Gridded>("out", "the same elements")
                                     .set({"names", "like: x=kx, y=ky, or all: kx, ky, coil", ""})
                                     .run(rename));
  nodes.add("array.reshape", flow::NodeType{.title = "Reshape",
                                            .does = "Reads the same elements as another shape, first axis fastest",
                                            .help = "An image whose x, y and z stay as they are stays an image; else "
                                                    "its grid is gone and the result is a plain array.",
                                            .version = 2}
                                 .in<Gridded>("in", "array")
                                 .out<Gridded>("out", "the same number of elements")
                                 .set({"shape", "axes and extents, like: x=64, y=64, coil; one may be left open", "x"})
                                 .run(reshape));
  nodes.add("array.merge_axes", flow::NodeType{.title = "Merge axes",
                                               .does = "Makes one axis of several, the first running fastest",
                                               .version = 2,
                                               .tags = {"flatten", "collapse"}}
                                    .in<Gridded>("in", "array")
                                    .out<Gridded>("out", "fewer axes; the merged one stands where the first was")
                                    .set({"axes", "axes to merge, like: x, y", "x, y"})
                                    .set({"name", "name of the merged axis", "x"})
                                    .validate([](flow::Form& form) { offer_axes(form, "in", "axes"); })
                                    .run(merge));
  nodes.add("array.split_axis",
            flow::NodeType{.title = "Split an axis", .does = "Makes several axes of one", .version = 2}
                .in<Gridded>("in", "array")
                .out<Gridded>("out", "more axes")
                .set({"axis", "axis to split", "x"})
                .set({"into", "new axes, like: x=64, echo; one may be left open", ""})
                .validate([](flow::Form& form) { offer_axes(form, "in", "axis"); })
                .run(split));
  nodes.add("array.squeeze", flow::NodeType{.title = "Squeeze", .does = "Leaves out axes of one element"}
                                 .in<Gridded>("in", "array")
                                 .out<Gridded>("out", "fewer axes")
                                 .set({"axes", "axes to leave out; all of one element when empty", ""})
                                 .validate([](flow::Form& form) { offer_axes(form, "in", "axes"); })
                                 .run(squeeze));
  nodes.add("array.add_axis", flow::NodeType{.title = "Add an axis", .does = "Adds an axis of one element"}
                                  .in<Gridded>("in", "array")
                                  .out<Gridded>("out", "one axis more")
                                  .set({"name", "name of the new axis", "z"})
                                  .set({"at", "place among the axes, -1: last", -1, -1})
                                  .run(add_axis));
}

}  // namespace larmor::nodes
