// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <larmor/clinic/rules.hpp>
#include <larmor/io/file.hpp>
#include <regex>

namespace larmor::clinic {
namespace {

Error at_line(const YAML::Node& node, const std::string& source, Errc code, const std::string& what,
              const std::string& advice) {
  Error e(code, what, advice);
  e.at(fmt::format("{} line {}", source, node.Mark().line + 1));
  return e;
}

SeriesRule::Limits limits_of(const YAML::Node& node, const std::string& name, const std::string& source) {
  if (!node.IsSequence() || node.size() != 2)
    throw at_line(node, source, Errc::format, fmt::format("'{}' is no pair of numbers", name),
                  "write [lowest, highest]");
  try {
    SeriesRule::Limits l{name, node[0].as<double>(), node[1].as<double>()};
    if (!(l.lower <= l.upper))
      throw at_line(node, source, Errc::format, fmt::format("'{}' goes from {} to {}", name, l.lower, l.upper),
                    "write [lowest, highest]");
    return l;
  } catch (const YAML::Exception&) {
    throw at_line(node, source, Errc::format, fmt::format("'{}' is no pair of numbers", name),
                  "write [lowest, highest]");
  }
}

void need_attribute(const YAML::Node& node, const std::string& name, const std::string& source) {
  try {
    dicom::tag(name);
  } catch (Error& e) {
    throw e.at(fmt::format("{} line {}", source, node.Mark().line + 1));
  }
}

SeriesRule rule_of(const YAML::Node& node, const std::string& source) {
  static const std::vector<std::string> keys{"name", "match", "range", "size", "spacing", "side", "incomplete"};
  if (!node.IsMap())
    throw at_line(node, source, Errc::format, "a series rule is no map", "see larmor hippocampus --rules-default");
  SeriesRule rule;
  for (const auto& entry : node) {
    const auto key = entry.first.as<std::string>();
    const YAML::Node& value = entry.second;
    if (std::find(keys.begin(), keys.end(), key) == keys.end())
      throw unknown_name("key of a series rule", key, keys)
          .at(fmt::format("{} line {}", source, entry.first.Mark().line + 1));
    if (key == "name") {
      rule.name = value.as<std::string>();
    } else if (key == "match") {
      for (const auto& m : value) {
        const auto attribute = m.first.as<std::string>(), pattern = m.second.as<std::string>();
        need_attribute(m.first, attribute, source);
        try {
          std::regex{pattern};
        } catch (const std::regex_error& e) {
          throw at_line(m.second, source, Errc::format,
                        fmt::format("'{}' is no regular expression: {}", pattern, e.what()),
                        "write one in ECMAScript, such as ^Hippo.*$");
        }
        rule.match.push_back({attribute, pattern});
      }
    } else if (key == "range") {
      for (const auto& m : value) {
        need_attribute(m.first, m.first.as<std::string>(), source);
        rule.range.push_back(limits_of(m.second, m.first.as<std::string>(), source));
      }
    } else if (key == "size") {
      for (const auto& m : value) {
        const auto axis = m.first.as<std::string>();
        if (axis == "columns")
          rule.columns = limits_of(m.second, axis, source);
        else if (axis == "rows")
          rule.rows = limits_of(m.second, axis, source);
        else if (axis == "slices")
          rule.slices = limits_of(m.second, axis, source);
        else
          throw unknown_name("size", axis, std::vector<std::string>{"columns", "rows", "slices"})
              .at(fmt::format("{} line {}", source, m.first.Mark().line + 1));
      }
    } else if (key == "spacing") {
      rule.spacing = limits_of(value, "spacing", source);
    } else if (key == "side") {
      const auto word = value.as<std::string>();
      if (word != "left" && word != "right" && word != "from DICOM")
        throw at_line(value, source, Errc::format, fmt::format("a side is '{}'", word),
                      "write left, right or from DICOM");
      rule.side = word == "from DICOM" ? "" : word;
    } else {
      const auto word = value.as<std::string>();
      if (word != "refuse" && word != "allow")
        throw at_line(value, source, Errc::format, fmt::format("'incomplete' is '{}'", word), "write refuse or allow");
      rule.allow_incomplete = word == "allow";
    }
  }
  if (rule.match.empty())
    throw at_line(node, source, Errc::format, "a series rule matches nothing in particular",
                  "add match: {SeriesDescription: '^...$'}");
  return rule;
}

// Where an object says an attribute: itself, or the functional groups of an enhanced one, of all frames or of each.
std::vector<dicom::Item> holders(const dicom::Dataset& d, const std::string& name) {
  std::vector<dicom::Item> out;
  if (d.has(name)) return {d};
  for (const char* groups : {"SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"}) {
    for (const auto& group : d.items(groups))
      for (const auto& a : group.attributes())
        if (a.sequence)
          for (const auto& item : group.items(a.tag))
            if (item.has(name)) out.push_back(item);
    if (!out.empty()) break;
  }
  return out;
}

// Why a series is not what the rule asks for, by its attributes alone; empty when it is.
std::string mismatch(const dicom::Series& series, const SeriesRule& rule) {
  const auto& d = series.head();
  for (const auto& m : rule.match) {
    const std::regex pattern(m.pattern);
    auto told = holders(d, m.attribute);
    if (told.empty()) told.push_back(d);  // the empty text may be what is asked for
    for (const auto& item : told)
      if (const auto value = item.text(m.attribute); !std::regex_search(value, pattern))
        return fmt::format("{} is '{}', not {}", m.attribute, value, m.pattern);
  }
  for (const auto& l : rule.range) {
    std::vector<double> values;
    for (const auto& item : holders(d, l.attribute))
      for (const double v : item.numbers(l.attribute)) values.push_back(v);
    if (values.empty()) return l.attribute + " is not told";
    for (const double v : values)
      if (v < l.lower || v > l.upper)
        return fmt::format("{} is {}, outside {} to {}", l.attribute, v, l.lower, l.upper);
  }
  if (!d.has_pixels()) return "it holds no images";
  return {};
}

std::string told_side(const dicom::Series& series) {
  std::string found;
  for (const auto& i : series.instances)
    for (const char* name : {"ImageLaterality", "Laterality", "FrameLaterality"})  // the last of enhanced objects
      for (const auto& item : holders(i.data, name)) {
        const auto l = item.text(name);
        if (l != "L" && l != "R") continue;
        if (!found.empty() && found != l)
          throw Error(Errc::format, fmt::format("images of series {} say left and right", series.describe()),
                      "name the side yourself: --side left or right");
        found = l;
      }
  return found == "L" ? "left" : found == "R" ? "right" : "";
}

// Results refer to what they were made from, and belong to its study.
void check_identifiers(const dicom::Series& series) {
  for (const auto& i : series.instances)
    for (const char* name : {"StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"})
      if (!i.data.has(name))
        throw Error(Errc::format, fmt::format("{} has no {}", i.file.string(), name),
                    "results would refer to nothing; export the series again")
            .at("series " + series.describe());
}

void check_volume(const dicom::Series& series, const SeriesRule& rule) {
  const auto layout = dicom::lay_out(series);
  const auto refuse = [&](const std::string& what, const std::string& advice) {
    throw Error(Errc::range, what, advice).at("series " + series.describe()).at("rule '" + rule.name + "'");
  };
  if (layout.size[3] > 1)
    refuse(fmt::format("it holds {} volumes of the same place, and 1 is needed", layout.size[3]), "choose one of them");
  const std::pair<const SeriesRule::Limits*, std::size_t> sizes[] = {
      {&rule.columns, 0}, {&rule.rows, 1}, {&rule.slices, 2}};
  for (const auto& [l, k] : sizes) {
    const auto n = static_cast<double>(layout.size[k]);
    if (n < l->lower || n > l->upper)
      refuse(fmt::format("it has {} {}, and the rule allows {} to {}", n,
                         n == 1 ? l->attribute.substr(0, l->attribute.size() - 1) : l->attribute, l->lower, l->upper),
             "a crop around one hippocampus is needed; change 'size' of the rule if this is one");
  }
  for (const double mm : layout.affine.spacing())
    if (mm < rule.spacing.lower || mm > rule.spacing.upper)
      refuse(fmt::format("its voxels are {:.4g} mm long, and the rule allows {} to {} mm", mm, rule.spacing.lower,
                         rule.spacing.upper),
             "change 'spacing' of the rule if this is meant");
  if (layout.promised_more && !rule.allow_incomplete)
    refuse(layout.warnings.front() + fmt::format(": {} missing", layout.promised_more),
           "fetch the whole series again, or set 'incomplete: allow' in the rule");
}

}  // namespace

std::string default_rules_yaml() {
  return R"(# Which series larmor hippocampus measures. Attributes by keyword (PS3.6) or number ("0008,103e").
series:
  - name: hippocampus crop
    match:                        # regular expressions; all of them must fit
      SeriesDescription: '^HippoCrop$'
      Modality: '^MR$'
    size: {columns: [16, 128], rows: [16, 128], slices: [8, 128]}
    spacing: [0.4, 2.5]           # of voxels along every axis [mm]
    side: from DICOM              # or left, right: two rules give two sides
    incomplete: refuse            # or allow: fewer images than ImagesInAcquisition
)";
}

Rules default_rules() {
  static const Rules rules = parse_rules(default_rules_yaml(), "default rules");
  return rules;
}

Rules parse_rules(const std::string& text, const std::string& source) {
  try {
    const YAML::Node root = YAML::Load(text);
    if (!root.IsMap() || !root["series"] || !root["series"].IsSequence() || root["series"].size() == 0)
      throw Error(Errc::format, fmt::format("{} holds no list 'series'", source),
                  "larmor hippocampus --rules-default prints one");
    Rules rules{.series = {}, .source = source};
    for (const auto& entry : root)
      if (entry.first.as<std::string>() != "series")
        throw unknown_name("key of the rules", entry.first.as<std::string>(), std::vector<std::string>{"series"})
            .at(source);
    for (const auto& node : root["series"]) rules.series.push_back(rule_of(node, source));
    return rules;
  } catch (const YAML::Exception& e) {
    throw Error(Errc::format, fmt::format("{} cannot be read as rules: {}", source, e.what()),
                "larmor hippocampus --rules-default prints correct ones");
  }
}

Rules read_rules(const std::filesystem::path& path) { return parse_rules(io::read_text(path), path.string()); }

Choice choose_series(const dicom::Study& study, const Rules& rules, const std::string& side) {
  Choice out;
  std::string list;
  for (const auto& series : study.series) {
    std::string why;
    for (const auto& rule : rules.series) {
      const auto reason = mismatch(series, rule);
      if (!reason.empty()) {
        why += (why.empty() ? "" : "; ") + (rules.series.size() > 1 ? "'" + rule.name + "': " : std::string()) + reason;
        continue;
      }
      out.chosen.push_back({&series, &rule, {}, {}});
      why = "taken by rule '" + rule.name + "'";
      break;
    }
    out.explanation.push_back(series.describe() + ": " + why);
    list += (list.empty() ? "" : "\n      ") + out.explanation.back();
  }
  if (out.chosen.empty())
    throw Error(Errc::format, fmt::format("none of {} series fits the {}", study.series.size(), rules.source),
                "give other rules (--rules); the series are:\n      " + list);
  for (auto& c : out.chosen) {
    const auto told = told_side(*c.series);
    if (!side.empty()) {
      if (!told.empty() && told != side)
        throw Error(Errc::usage,
                    fmt::format("--side says {} and Laterality of series {} says {}", side, c.series->describe(), told),
                    "check which it is; correct the study or the option");
      c.side = side, c.side_from = "operator";
    } else if (!told.empty()) {
      c.side = told, c.side_from = "DICOM Laterality";
    } else if (!c.rule->side.empty()) {
      c.side = c.rule->side, c.side_from = "series rules";
    }
    if (!told.empty() && !c.rule->side.empty() && told != c.rule->side)
      throw Error(Errc::usage,
                  fmt::format("rule '{}' says {} and Laterality of series {} says {}", c.rule->name, c.rule->side,
                              c.series->describe(), told),
                  "check which it is; correct the study or the rule");
  }
  const bool pair = out.chosen.size() == 2 && !out.chosen[0].side.empty() && !out.chosen[1].side.empty() &&
                    out.chosen[0].side != out.chosen[1].side;
  if (out.chosen.size() > 1 && !pair) {
    std::string both;
    for (const auto& c : out.chosen)
      both += (both.empty() ? "" : ", ") + c.series->describe() + (c.side.empty() ? "" : " " + c.side);
    throw Error(Errc::format,
                fmt::format("{} series fit the {}, and one (or a left and a right one) is needed: {}",
                            out.chosen.size(), rules.source, both),
                "make the rules narrower (--rules)");
  }
  if (pair && out.chosen[0].side == "right") std::swap(out.chosen[0], out.chosen[1]);
  for (const auto& c : out.chosen) check_identifiers(*c.series), check_volume(*c.series, *c.rule);
  return out;
}

}  // namespace larmor::clinic
