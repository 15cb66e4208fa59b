// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/values/report.hpp>

namespace larmor::flow {

Value ValueTraits<nodes::Page>::to(const nodes::Page& page) {
  return Value::record("report", {{"title", page.title}, {"html", page.html}});
}

nodes::Page ValueTraits<nodes::Page>::from(const Value& value) {
  if (value.type() != "report")
    throw Error(Errc::type, "a report is needed and this is " + value.describe(), "make one with dce.report");
  return {.title = value.field("title").text(), .html = value.field("html").text()};
}

}  // namespace larmor::flow
