// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <larmor/nodes/values/curve.hpp>

namespace larmor::nodes {

Curve curve_of(const Aif& aif) {
  return {.x = aif.times,
          .y = {aif.values},
          .label = "concentration",
          .unit = "mM",
          .series = {aif.plasma ? "plasma" : "whole blood"}};
}

}  // namespace larmor::nodes

namespace larmor::flow {
namespace {

using nodes::Curve;

Array numbers_of(const Value& field) { return ValueTraits<Array>::from(field).cast(DType::f64).contiguous_copy(); }

std::string text_of(const Value& record, const char* name, const std::string& otherwise) {
  const Value v = record.field(name);
  return v.kind() == Value::Kind::text ? v.text() : otherwise;
}

Value::Fields fields_of(const Curve& c) {
  const auto n = static_cast<std::int64_t>(c.x.size());
  const std::string axis = c.x_label == "time" ? "t" : c.x_label.empty() ? "x" : c.x_label;
  Array x = Array::from<double>(c.x, {n}, {axis});
  Array y;
  if (c.y.size() == 1) {
    y = Array::from<double>(c.y[0], {n}, {axis});
  } else {
    std::vector<double> all;
    for (const auto& s : c.y) all.insert(all.end(), s.begin(), s.end());
    y = Array::from<double>(all, {n, static_cast<std::int64_t>(c.y.size())}, {axis, "series"});
  }
  return {{"x", std::move(x)},
          {"data", std::move(y)},
          {"x_label", c.x_label},
          {"x_unit", c.x_unit},
          {"label", c.label},
          {"unit", c.unit},
          {"series", Value::List(c.series.begin(), c.series.end())}};
}

void require_curve(const Value& value) {
  if (value.type() != "curve")
    throw Error(Errc::type, "a curve is needed and this is " + value.describe(),
                "make one: dce.aif_model, dce.aif_from_mask, dce.aif_file");
}

}  // namespace

Value ValueTraits<Curve>::to(const Curve& curve) { return Value::record("curve", fields_of(curve)); }

Curve ValueTraits<Curve>::from(const Value& value) {
  require_curve(value);
  Curve c;
  const Array x = numbers_of(value.field("x")), y = numbers_of(value.field("data"));
  c.x.assign(x.span<const double>().begin(), x.span<const double>().end());
  const std::size_t n = c.x.size(), all = static_cast<std::size_t>(y.size());
  if (n == 0 || y.extent(0) != x.size() || all % n != 0)
    throw Error(Errc::shape, "a curve of " + std::to_string(n) + " places holds " + y.describe(),
                "give one value a place, or several series of them");
  for (std::size_t s = 0; s < all / n; ++s) {
    const auto from = y.span<const double>().subspan(s * n, n);
    c.y.emplace_back(from.begin(), from.end());
  }
  c.x_label = text_of(value, "x_label", c.x_label), c.x_unit = text_of(value, "x_unit", c.x_unit);
  c.label = text_of(value, "label", ""), c.unit = text_of(value, "unit", "");
  if (const Value names = value.field("series"); names.kind() == Value::Kind::list)
    for (const auto& name : names.list())
      if (name.kind() == Value::Kind::text) c.series.push_back(name.text());
  return c;
}

Value ValueTraits<Aif>::to(const Aif& aif) {
  auto fields = fields_of(nodes::curve_of(aif));
  fields.emplace_back("plasma", aif.plasma);
  fields.emplace_back("Hct", aif.Hct);
  fields.emplace_back("source", aif.source);
  return Value::record("curve", std::move(fields));
}

Aif ValueTraits<Aif>::from(const Value& value) {
  const Curve c = ValueTraits<Curve>::from(value);
  if (c.y.size() != 1)
    throw Error(Errc::shape, "an input function is one series and this curve holds " + std::to_string(c.y.size()),
                "give the curve of one artery or vein");
  Aif aif{.times = c.x, .values = c.y[0], .plasma = false};
  if (const Value v = value.field("plasma"); !v.none()) aif.plasma = ValueTraits<bool>::from(v);
  if (const Value v = value.field("Hct"); !v.none()) aif.Hct = ValueTraits<double>::from(v);
  aif.source = text_of(value, "source", "");
  aif.check();
  return aif;
}

}  // namespace larmor::flow
