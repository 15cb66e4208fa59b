// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/core/nd/elementwise.hpp>
#include <larmor/core/nd/mask.hpp>
#include <larmor/core/nd/reduce.hpp>
#include <larmor/nodes/axes.hpp>

namespace larmor::nodes {
namespace {

double number_of(const Array& a) { return *a.cast(DType::f64).data<double>(); }

void compute(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  const std::string method = io.setting("method");
  const double value = io.setting("value");
  double at = value;
  if (method == "otsu") {
    at = nd::otsu(in.data);
  } else if (method == "percentile") {
    if (value < 0 || value > 100)
      throw Error(Errc::range, fmt::format("percentile {:g}", value), "give 0 to 100 as the value");
    at = number_of(nd::reduce(nd::Reduction::percentile, in.data, {},
                              {.nan = nd::NaN::omit, .percent = value, .cancel = &io.cancel()}));
  } else if (method == "of maximum") {
    at = value *
         number_of(nd::reduce(nd::Reduction::maximum, in.data, {}, {.nan = nd::NaN::omit, .cancel = &io.cancel()}));
  }
  const auto compare = [&](nd::Binary op, double v) {
    return nd::apply(op, in.data, flow::ValueTraits<Array>::from(v), &io.cancel());
  };
  Array mask = compare(nd::Binary::greater_equal, at);
  if (method == "between")
    mask = nd::apply(nd::Binary::logical_and, mask, compare(nd::Binary::less_equal, io.setting("upper")));
  if (io.setting("below")) mask = nd::apply(nd::Unary::logical_not, mask, &io.cancel());
  io.out("mask") = in.with(std::move(mask));
  io.out("threshold") = at;
}

}  // namespace

void register_mask_threshold(flow::NodeTypes& nodes) {
  nodes.add("mask.threshold",
            flow::NodeType{.title = "Threshold",
                           .does = "Makes a mask of what lies at or above a threshold",
                           .from = "Otsu, IEEE Trans. SMC 9:62 (1979), for method otsu",
                           .tags = {"segment", "binarise", "otsu"}}
                .in<Gridded>("in", "real array")
                .out<Gridded>("mask", "boolean, the same shape")
                .out<double>("threshold", "the threshold used")
                .set(flow::Setting::choice(
                    "method", "a value; a range; Otsu's automatic one; a percentile; a part of the maximum", "otsu",
                    {"value", "between", "otsu", "percentile", "of maximum"}))
                .set({"value", "threshold, lower end, percentile (0..100) or part of the maximum (0..1)", 0.5})
                .set({"upper", "upper end of method between", 1.0})
                .set({"below", "the mask is what lies below instead", false})
                .validate([](flow::Form& form) {
                  const auto method = form.setting("method").str();
                  if (method == "otsu") form.hide("value");
                  if (method != "between") form.hide("upper");
                })
                .run(compute));
}

}  // namespace larmor::nodes
