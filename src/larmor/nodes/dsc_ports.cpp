// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/nodes/dsc_ports.hpp>
#include <larmor/nodes/values/curve.hpp>

namespace larmor::nodes {

using flow::Setting;

Setting optional_number(const char* name, const char* what, double lower, double upper, const char* unit) {
  Setting s{name, what, lower, lower, upper};
  s.value = {};
  return std::move(s).in(unit).or_none();
}

std::vector<Setting> relation_settings(const char* start, const char* of_what) {
  return {Setting::choice("relation", std::string("dR2 of ") + of_what + ": linear, a published one of blood, or own",
                          start, {"linear", "blood_1.5T", "blood_3T", "own"}),
          Setting{"linear", "of the relation: dR2 = linear C + quadratic C^2", 44.0, 0, 1e4}.in("1/(s mM)"),
          Setting{"quadratic", "of relation own", 0.0, 0, 1e4}};
}
dsc::Relation relation_of(const flow::Ports& io) {
  const std::string name = io.setting("relation");
  if (name == "blood_1.5T") return dsc::blood_1_5T;
  if (name == "blood_3T") return dsc::blood_3T;
  dsc::Relation r{io.setting("linear"), name == "own" ? static_cast<double>(io.setting("quadratic")) : 0.0};
  r.check();
  return r;
}
void adapt_relation(flow::Form& form) {
  const std::string name = form.setting("relation");
  if (name != "own") form.hide("quadratic");
  if (name.starts_with("blood")) form.hide("linear");
}

bool baseline_in(const flow::Ports& io, int& first, int& last) {
  if (!io.has("baseline")) return false;
  const auto b = io.in<std::vector<double>>("baseline");
  if (b.size() != 2 || !(b[0] >= 0 && b[0] < b[1]))
    throw Error(Errc::usage, fmt::format("'baseline' holds {} numbers, or not first < last", b.size()),
                "wire that of dsc.relaxation");
  first = static_cast<int>(b[0]), last = static_cast<int>(b[1]);
  return true;
}

Aif input_in(const flow::Ports& io, const Image& series) {
  const Aif aif = io.in<Aif>("aif");
  bool same = aif.times.size() == series.times.size();
  for (std::size_t i = 0; same && i < aif.times.size(); ++i) same = std::abs(aif.times[i] - series.times[i]) < 1e-3;
  if (!same)
    throw Error(Errc::shape,
                fmt::format("an arterial input of {} samples from {:g} s on; the series has {} frames from {:g} s on",
                            aif.times.size(), aif.times.front(), series.times.size(), series.times.front()),
                "wire that of dsc.input_function, which is at the frames");
  return aif;
}

}  // namespace larmor::nodes
