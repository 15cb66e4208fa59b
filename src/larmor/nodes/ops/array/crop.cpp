// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/core/nd/arrange.hpp>
#include <larmor/nodes/axes.hpp>

namespace larmor::nodes {
namespace {

struct Range {
  std::int64_t begin, end, step = 1;
};

// "10:20", "10:", ":20", "-5:", "::2", "7"; negative numbers count from the end.
Range range_of(const AxisText& item, std::int64_t n) {
  std::vector<std::string> parts{""};
  for (const char c : item.text)
    if (c == ':')
      parts.emplace_back();
    else
      parts.back() += c;
  if (parts.size() > 3)
    throw Error(Errc::format, fmt::format("'{}' for axis '{}' is no range", item.text, item.name),
                "write begin:end or begin:end:step, like x=10:20");
  const auto number = [&](std::size_t k, std::int64_t otherwise) {
    if (k >= parts.size() || parts[k].find_first_not_of(' ') == std::string::npos) return otherwise;
    return whole({item.axis, item.name, parts[k]});
  };
  Range r{number(0, 0), 0};
  if (r.begin < 0) r.begin += n;
  r.end = parts.size() == 1 ? r.begin + 1 : number(1, n);
  if (r.end < 0) r.end += n;
  r.step = number(2, 1);
  if (r.begin < 0 || r.end > n || r.begin >= r.end || r.step < 1)
    throw Error(Errc::range, fmt::format("'{}' of axis '{}', which has {} elements", item.text, item.name, n),
                "give begin < end inside the axis, and a step of 1 or more");
  return r;
}

Gridded cut(const Gridded& in, const AxisText& item, const Range& r, const Cancel& cancel) {
  std::vector<std::int64_t> from;
  for (auto k = r.begin; k < r.end; k += r.step) from.push_back(k);
  return along(in, nd::take(in.data, item.axis, from, 0, &cancel), item.name, static_cast<double>(r.begin),
               static_cast<double>(r.step));
}

void crop(flow::Ports& io) {
  auto out = io.in<Gridded>("in");
  for (const auto& item : axis_texts(out.data, io.setting("ranges")))
    out = cut(out, item, range_of(item, out.data.extent(item.axis)), io.cancel());
  io.out("out") = out;
}

void range(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  const std::string name = io.setting("axis");
  const int axis = need_axis(in.data, name);
  const std::string end = io.setting("end").given() ? std::to_string(std::int64_t(io.setting("end"))) : "";
  const AxisText item{
      axis, name, fmt::format("{}:{}:{}", std::int64_t(io.setting("begin")), end, std::int64_t(io.setting("step")))};
  io.out("out") = cut(in, item, range_of(item, in.data.extent(axis)), io.cancel());
}

void adapt_range(flow::Form& form) {
  offer_axes(form, "in", "axis");
  const Array* in = array_of(form.in("in"));
  if (!in) return;
  for (int i = 0; i < in->rank(); ++i)
    if (in->axes()[static_cast<std::size_t>(i)] == form.setting("axis").str()) {
      form.change("begin").upper = static_cast<double>(in->extent(i) - 1);
      form.change("end").upper = static_cast<double>(in->extent(i));
    }
}

}  // namespace

/// array.crop (several axes, as text) and array.range (one axis, as numbers).
void register_array_crop(flow::NodeTypes& nodes) {
  const std::string help =
      "Negative numbers count from the end. The affine and the times of an image follow: every voxel stays where it "
      "is.";
  nodes.add("array.crop", flow::NodeType{.title = "Crop",
                                         .does = "Keeps ranges of axes",
                                         .help = help + " A single index keeps one element.",
                                         .tags = {"cut", "subset", "region", "every second"}}
                              .in<Gridded>("in", "array")
                              .out<Gridded>("out", "the ranges")
                              .set({"ranges", "begin:end or begin:end:step by axis, like: x=10:90, t=::2", ""})
                              .run(crop));
  auto end = flow::Setting{"end", "first element that is left out; to the end when not set", 0};
  end.value = {};
  nodes.add("array.range", flow::NodeType{.title = "Range of an axis",
                                          .does = "Keeps elements begin to end of one axis",
                                          .help = help,
                                          .tags = {"cut", "subset", "crop"}}
                               .in<Gridded>("in", "array")
                               .out<Gridded>("out", "the range")
                               .set({"axis", "axis to cut", "z"})
                               .set({"begin", "first element", 0})
                               .set(std::move(end).or_none())
                               .set({"step", "every n-th element", 1, 1})
                               .validate(adapt_range)
                               .run(range));
}

}  // namespace larmor::nodes
