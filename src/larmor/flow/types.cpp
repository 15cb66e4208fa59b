// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/types.hpp>

namespace larmor::flow {

// Colours of Okabe and Ito, Color Universal Design (2008), lightened or darkened where the eight do not go round.
Types::Types() : Registry<Type>("type", "larmor list types") {
  add("any", {.title = "Anything", .what = "every value", .colour = "#8a8f98"});
  add("none", {.title = "Nothing", .what = "no value", .colour = "#8a8f98"});
  add("boolean", {.title = "Yes or no", .what = "true or false", .colour = "#CC79A7", .viewers = {"text"}});
  add("number", {.title = "Number", .what = "one real number", .colour = "#E69F00", .viewers = {"number"}});
  add("numbers",
      {.title = "Numbers", .what = "a list of real numbers", .colour = "#c98a00", .viewers = {"curves", "table"}});
  add("text", {.title = "Text", .what = "letters", .colour = "#D55E00", .viewers = {"text"}});
  add("array", {.title = "Array",
                .what = "n-dimensional array with named axes",
                .colour = "#0072B2",
                .viewers = {"image", "curves", "table"}});
  add("list", {.title = "List", .what = "several values", .colour = "#7a6fbe", .viewers = {"table", "text"}});
  add("record", {.title = "Record", .what = "named fields", .colour = "#6b7280", .viewers = {"text"}});
}

bool Types::accepts(std::string_view to, std::string_view from) const {
  if (to == "any" || from == "any" || to == from) return true;
  if (to == "list") return true;
  for (std::string type(from); has(type);) {
    type = get(type).parent;
    if (type == to) return true;
    if (type.empty()) break;
  }
  struct Reading {
    std::string_view to, from;
  };
  static constexpr Reading readings[] = {{"array", "number"},   {"numbers", "number"}, {"array", "numbers"},
                                         {"numbers", "array"},  {"numbers", "list"},   {"boolean", "number"},
                                         {"number", "boolean"}, {"number", "array"}};
  for (const auto& r : readings)
    if (r.to == to && r.from == from) return true;
  return false;
}

std::string Types::refusal(std::string_view to, std::string_view from) const {
  if (accepts(to, from)) return {};
  const auto title = [&](std::string_view id) { return has(id) ? get(id).title : std::string(id); };
  return title(to) + " is needed and this is " + title(from);
}

}  // namespace larmor::flow
