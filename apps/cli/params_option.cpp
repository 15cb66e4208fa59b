// SPDX-License-Identifier: Apache-2.0
#include "params_option.hpp"

#include <fmt/format.h>

#include <larmor/core/units.hpp>

#include "text_table.hpp"

namespace larmor::cli {

Option params_option(std::string what) {
  return Option{.name = "--param", .what = std::move(what), .kind = Kind::text}.many();
}

std::map<std::string, std::vector<double>> read_params(const Call& call, const char* option, const dce::Model& model) {
  std::map<std::string, std::vector<double>> out;
  for (const auto& text : call.texts(option)) {
    const auto equals = text.find('=');
    if (equals == std::string::npos)
      throw Error(Errc::usage, fmt::format("larmor {}: {} '{}' has no '='", call.command->name, option, text),
                  "write it like Ktrans=0.25");
    const std::string name = text.substr(0, equals);
    const dce::Param* param = nullptr;
    std::vector<std::string> names;
    for (const auto& p : model.params) {
      names.push_back(p.name);
      if (p.name == name) param = &p;
    }
    if (!param) throw unknown_name("parameter of " + model.title, name, names);
    if (out.count(name))
      throw Error(Errc::usage, fmt::format("larmor {}: {} is given twice", call.command->name, name),
                  "give all its values at once: " + name + "=0.1,0.2");
    std::string rest = text.substr(equals + 1);
    const std::string shown = units::display_unit(name, param->unit);
    std::string unit = shown;
    if (const auto space = rest.find(' '); space != std::string::npos)
      unit = rest.substr(space + 1), rest.resize(space);
    const double k = units::factor(unit, param->unit);
    while (true) {
      const auto comma = rest.find(',');
      const double x = k * parse_number(rest.substr(0, comma), fmt::format("larmor {}: {}", call.command->name, name));
      if (!(x >= param->lower && x <= param->upper))
        throw Error(Errc::usage,
                    fmt::format("larmor {}: {} is {} {}; allowed: {} to {} {}", call.command->name, name,
                                short_number(units::convert(x, param->unit, shown)), shown,
                                short_number(units::convert(param->lower, param->unit, shown)),
                                short_number(units::convert(param->upper, param->unit, shown)), shown),
                    "see larmor list models");
      out[name].push_back(x);
      if (comma == std::string::npos) break;
      rest.erase(0, comma + 1);
    }
  }
  return out;
}

}  // namespace larmor::cli
