// SPDX-License-Identifier: Apache-2.0
#include "catalogue_ops.hpp"

#include <fmt/format.h>

#include <cmath>
#include <larmor/flow/node_type_json.hpp>
#include <larmor/nodes/operations.hpp>
#include <nlohmann/json.hpp>

#include "text_table.hpp"

namespace larmor::cli {
namespace {

using flow::NodeType;
using flow::Port;
using flow::Setting;
using flow::SettingKind;
using json = nlohmann::ordered_json;

std::string category_of(const std::string& id) { return id.substr(0, id.find('.')); }

// A cell of a Markdown table: one line, bars escaped (also in formulas, where \vert means the same).
std::string cell(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::string out;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    out += "|";
    for (const auto& c : rows[r]) out += " " + cell(c) + " |";
    out += "\n";
    if (r > 0) continue;
    out += "|";
    for (std::size_t c = 0; c < rows[0].size(); ++c) out += "---|";
    out += "\n";
  }
  return out;
}

std::string limits_text(const Port& port) {
  const auto& l = port.limits;
  std::vector<std::string> parts;
  if (l.repeated) parts.emplace_back("any number of wires");
  if (!l.required) parts.emplace_back("optional");
  if (!l.dtypes.empty()) {
    std::vector<std::string> names;
    for (const auto t : l.dtypes) names.emplace_back(to_string(t));
    parts.push_back(fmt::format("{}", fmt::join(names, " or ")));
  }
  if (l.min_rank > 0 || l.max_rank < 99) {
    if (l.max_rank >= 99)
      parts.push_back(fmt::format("{} axes or more", l.min_rank));
    else if (l.min_rank == l.max_rank)
      parts.push_back(fmt::format("{} axes", l.min_rank));
    else
      parts.push_back(fmt::format("{} to {} axes", l.min_rank, l.max_rank));
  }
  if (!l.axes.empty()) parts.push_back(fmt::format("with {}", fmt::join(l.axes, ", ")));
  if (std::isfinite(l.lower) || std::isfinite(l.upper))
    parts.push_back(fmt::format("values {} to {}", short_number(l.lower), short_number(l.upper)));
  return fmt::format("{}", fmt::join(parts, "; "));
}

std::string range_text(const Setting& s) {
  if (s.kind == SettingKind::choice) return fmt::format("`{}`", fmt::join(s.choices, "`, `"));
  if (!s.choices.empty()) return fmt::format(".{}", fmt::join(s.choices, ", ."));
  const bool low = std::isfinite(s.lower), high = std::isfinite(s.upper);
  if (low && high) return fmt::format("{} to {}", short_number(s.lower), short_number(s.upper));
  if (low) return fmt::format("{} or more", short_number(s.lower));
  return high ? fmt::format("{} or less", short_number(s.upper)) : std::string();
}

std::string ports_section(const char* head, const std::vector<Port>& ports) {
  if (ports.empty()) return {};
  std::vector<std::vector<std::string>> rows{{head, "type", "meaning", "limits"}};
  for (const auto& p : ports) rows.push_back({"`" + p.name + "`", p.type, p.what, limits_text(p)});
  return table(rows) + "\n";
}

std::string settings_section(const std::vector<Setting>& settings) {
  if (settings.empty()) return {};
  std::vector<std::vector<std::string>> rows{{"Setting", "kind", "default", "range", "unit", "meaning"}};
  for (const auto& s : settings) {
    std::string kind(to_string(s.kind));
    if (s.optional) kind += ", optional";
    const std::string value = s.value.none() ? std::string("not set") : "`" + flow::to_json(s.value) + "`";
    rows.push_back({"`" + s.name + "`", kind, value, range_text(s), s.unit, s.what});
  }
  return table(rows) + "\n";
}

std::string section(const std::string& id, const NodeType& t) {
  std::string out = fmt::format("## {}\n\n`{}`", t.title, id);
  if (t.version != 1) out += fmt::format(", version {}", t.version);
  if (t.effect) out += ", writes";
  if (t.impure) out += ", never cached";
  out += "\n\n" + t.does + (t.does.ends_with('.') ? "" : ".") + "\n\n";
  out += ports_section("In", t.inputs) + ports_section("Out", t.outputs) + settings_section(t.settings);
  if (!t.help.empty()) out += t.help + "\n\n";
  if (!t.from.empty()) out += "Source: " + t.from + "\n\n";
  for (const auto& e : t.examples) out += fmt::format("Example, {}:\n\n```json\n{}\n```\n\n", e.title, e.graph);
  return out;
}

std::string index_page(const std::map<std::string, std::vector<std::string>>& categories) {
  std::string out =
      "# Operations\n\nWhat a node of a graph can be. `larmor list ops` prints the same, `larmor run-op` runs one "
      "without a graph.\n\n";
  for (const auto& [category, ids] : categories) {
    out += fmt::format("## [{}]({}.md)\n\n", category, category);
    std::vector<std::vector<std::string>> rows{{"Operation", "does"}};
    for (const auto& id : ids) rows.push_back({"`" + id + "`", nodes::operations().get(id).does});
    out += table(rows) + "\n";
  }
  return out + "## Types on wires\n\n" + table(wire_type_rows());
}

}  // namespace

std::string operations_json() {
  json out = json::array();
  for (const auto& [id, type] : nodes::operations()) out.push_back(json::parse(flow::to_json(id, type)));
  return out.dump();
}

std::vector<std::vector<std::string>> operation_rows() {
  std::vector<std::vector<std::string>> rows{{"id", "takes", "gives", "does"}};
  for (const auto& [id, type] : nodes::operations()) {
    const auto names = [](const std::vector<Port>& ports) {
      std::vector<std::string> out;
      for (const auto& p : ports) out.push_back(p.limits.required ? p.name : "[" + p.name + "]");
      return fmt::format("{}", fmt::join(out, ", "));
    };
    rows.push_back({id, names(type.inputs), names(type.outputs), type.does});
  }
  return rows;
}

std::string wire_types_json() {
  json out = json::array();
  for (const auto& [id, t] : nodes::operations().types)
    out.push_back({{"id", id},
                   {"title", t.title},
                   {"what", t.what},
                   {"parent", t.parent},
                   {"colour", t.colour},
                   {"viewers", t.viewers}});
  return out.dump();
}

std::vector<std::vector<std::string>> wire_type_rows() {
  std::vector<std::vector<std::string>> rows{{"type", "read as", "meaning"}};
  for (const auto& [id, t] : nodes::operations().types) rows.push_back({id, t.parent, t.what});
  return rows;
}

std::map<std::string, std::string> operation_pages() {
  std::map<std::string, std::string> pages;
  std::map<std::string, std::vector<std::string>> categories;
  for (const auto& [id, type] : nodes::operations()) {
    const std::string category = category_of(id);
    categories[category].push_back(id);
    std::string& page = pages[category + ".md"];
    if (page.empty()) page = fmt::format("# Operations: {}\n\n", category);
    page += section(id, type);
  }
  for (auto& [name, page] : pages) page.pop_back();  // one empty line at the end
  pages["README.md"] = index_page(categories);
  return pages;
}

std::vector<std::string> operation_ids() { return nodes::operations().ids(); }

}  // namespace larmor::cli
