// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/core/units.hpp>
#include <larmor/nodes/asl_ports.hpp>
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/values/image.hpp>
#include <sstream>

namespace larmor::nodes {

using flow::Setting;

namespace {

Setting empty(Setting s) {
  s.value = {};
  return std::move(s).or_none();
}

std::optional<double> optional(const flow::Ports& io, const char* name, double unit = 1) {
  const auto s = io.setting(name);
  return s.given() ? std::optional<double>(static_cast<double>(s) * unit) : std::nullopt;
}

}  // namespace

std::vector<Setting> asl_protocol_settings() {
  std::vector<std::string> kinds{"auto"};
  for (const auto& id : asl::labellings().ids()) kinds.push_back(id);
  return {
      Setting::choice("labelling", "how blood is labelled; auto: the sidecar says", "auto", kinds),
      Setting::numbers("LD", "length of the bolus, one or one a volume (PASL: its cut-off TI1); empty: the sidecar's",
                       {})
          .in("s"),
      Setting::numbers("PLD", "post-labelling delay, one or one a volume (PASL: TI); empty: the sidecar's", {}).in("s"),
      empty(Setting{"label_eff", "labelling efficiency; empty: the sidecar's, else usual", 0.85, 0.01, 1}),
      empty(Setting{"suppression_pulses", "background-suppression pulses after labelling; empty: the sidecar's", 2, 0,
                    20}),
      Setting{"suppression_eff", "what each of them leaves of the label", 0.95, 0.01, 1},
      empty(Setting{"T1_blood", "T1 of arterial blood; empty: by the field strength", 1.65, 0.1, 10}.in("s")),
      Setting::numbers("slice_times", "readout of each slice after the first; empty: the sidecar's", {}).in("s"),
      empty(
          Setting{"readout_FA", "flip angle of a Look-Locker readout; empty: the sidecar's", 30.0, 0.1, 89}.in("deg")),
      empty(Setting{"readout_interval", "between its pulses; empty: that of the delays", 0.3, 0.001, 10}.in("s")),
      empty(Setting{"M0_FA", "flip angle of the M0 scan of such a readout; empty: the same", 90.0, 0.1, 90}.in("deg")),
      {"encoding", "steps of a time-encoded (Hadamard) series; 0: none", 0, 0, 192},
      {"context", "type of each volume ('label control', repeated); empty: the series says, else label and control",
       ""}};
}

asl::Given asl_given(const flow::Ports& io) {
  asl::Given g;
  g.labelling = io.setting("labelling").str();
  g.LD = io.setting("LD").numbers(), g.PLD = io.setting("PLD").numbers();
  g.slice_times = io.setting("slice_times").numbers();
  g.label_eff = optional(io, "label_eff"), g.T1_blood = optional(io, "T1_blood");
  g.suppression_eff = static_cast<double>(io.setting("suppression_eff"));
  if (io.setting("suppression_pulses").given())
    g.suppression_pulses = static_cast<int>(io.setting("suppression_pulses"));
  g.readout_FA = optional(io, "readout_FA", units::degree), g.M0_FA = optional(io, "M0_FA", units::degree);
  g.readout_interval = optional(io, "readout_interval");
  g.encoding = static_cast<int>(io.setting("encoding"));
  return g;
}

void note_context(Image& series, const std::string& context, const std::string& place) {
  if (context.empty()) return;
  std::string spaced = context;
  std::replace(spaced.begin(), spaced.end(), ',', ' ');
  std::istringstream words(spaced);
  std::vector<std::string> pattern, all;
  for (std::string word; words >> word;) {
    try {
      asl::role_of(word);
    } catch (Error& e) {
      throw e.at(place);
    }
    pattern.push_back(word);
  }
  const auto n = static_cast<std::size_t>(series.volumes());
  if (pattern.empty() || n % pattern.size() != 0)
    throw Error(Errc::shape, fmt::format("{} volume types do not fill {} volumes", pattern.size(), n),
                "name all of them, or a pattern that fits")
        .at(place);
  for (std::size_t i = 0; i < n; ++i) all.push_back(pattern[i % pattern.size()]);
  series.meta["VolumeType"] = all;
}

Image asl_series_in(const flow::Ports& io, const char* port) {
  Image series = io.in<Gridded>(port).image();
  if (series.data.rank() != 4)
    throw Error(Errc::shape, "the series is " + series.data.describe(), "give (x, y, z, t)")
        .at(fmt::format("port '{}'", port));
  if (io.type().setting("context")) note_context(series, io.setting("context").str(), "setting 'context'");
  return series;
}

std::map<std::string, std::string> asl_param_units() {
  std::map<std::string, std::string> units;
  for (const auto& [id, m] : asl::models())
    for (const auto& p : m.params) units.emplace(p.name, p.unit);
  return units;
}

std::vector<Setting> asl_quantify_settings() {
  std::vector<std::string> kinds{"auto"};
  for (const auto& id : asl::models().ids()) kinds.push_back(id);
  return {
      Setting::choice("method", "the kinetic model, or the formula of one delay (2015 consensus)", "kinetic",
                      {"kinetic", "formula"}),
      Setting::choice("model", "kinetic model; auto: that of the labelling", "auto", kinds),
      Setting::choice("fitter",
                      "least squares, or with priors; auto: with priors when more than two parameters are free", "auto",
                      {"auto", "lm", "map"}),
      Setting{"params",
              "single parameters: 'ATT: fixed=1.1; CBF: upper=150 mL/min/100g'; settings fixed, lower, upper, start, "
              "prior_mean, prior_sd, prior_log",
              ""}
          .lines()};
}

asl::QuantifyOptions asl_quantify_options(const flow::Ports& io) {
  asl::QuantifyOptions o;
  o.consensus = io.setting("method").str() == "formula";
  if (const auto model = io.setting("model").str(); model != "auto") o.model = model;
  if (const auto fitter = io.setting("fitter").str(); fitter != "auto") o.map = fitter == "map";
  o.params = parse_param_settings(io.setting("params"), asl_param_units());
  o.device = io.device();
  return o;
}

void adapt_asl_quantify(flow::Form& form) {
  if (form.setting("method").str() == "formula")
    for (const char* name : {"model", "fitter", "params"}) form.hide(name);
}

Array fraction_in(const flow::Ports& io, const char* port, const Image& like) {
  if (!io.has(port)) return {};
  const auto values = map_in(io, port, like);
  const auto g = like.grid();
  if (values.size() == 1)
    throw Error(Errc::shape, fmt::format("'{}' is one number", port), "give a map on the grid of the series");
  return Array::from<float>(values, {g[0], g[1], g[2]});
}

}  // namespace larmor::nodes
