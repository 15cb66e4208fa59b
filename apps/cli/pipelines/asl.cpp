// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/units.hpp>
#include <larmor/io/bids.hpp>
#include <larmor/io/file.hpp>
#include <larmor/io/table.hpp>
#include <larmor/nodes/asl_ports.hpp>
#include <larmor/nodes/asl_report.hpp>
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/protocol.hpp>
#include <larmor/nodes/shipped_graphs.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/table.hpp>
#include <nlohmann/json.hpp>

#include "asl_job.hpp"
#include "asl_reader.hpp"
#include "catalogue.hpp"
#include "pipeline.hpp"
#include "series_files.hpp"
#include "series_reader.hpp"
#include "text_table.hpp"
#include "wizard.hpp"

namespace larmor::cli {
namespace {

namespace fs = std::filesystem;
using flow::Value;
using flow::ValueTraits;
using json = nlohmann::ordered_json;

class AslJob : public PipelineJob, AslReader {
 public:
  AslJob(const Config& config, const fs::path& data, Device device) : AslReader(config, data), device_(device) {
    quantification();
    set();
  }

  const JobFacts& facts() const override { return facts_; }
  Device device() const override { return device_; }
  flow::Graph graph() const override { return graph_; }
  std::map<std::string, Value> inputs() const override {
    std::map<std::string, Value> in{{"series", ValueTraits<Image>::to(series_)}};
    if (!mask_.empty()) in["mask"] = region_value(series_, mask_);
    if (!m0_.data.empty()) in["m0"] = ValueTraits<Image>::to(m0_);
    if (!m0_region_.empty()) in["m0_region"] = region_value(series_, m0_region_);
    if (!T1_.empty()) in["t1_map"] = volume_value(series_, T1_);
    for (const auto& [name, values] : fractions_) in[name] = volume_value(series_, values);
    return in;
  }
  std::vector<std::string> targets() const override { return {"maps", "quality", "report"}; }
  Pairs stages() const override {
    return {{"differences", "differences"},
            {"m0", "M0"},
            {"fit", "fit"},
            {"partial_volume", "partial volumes"},
            {"quality", "quality"}};
  }

  Rows plan() const override {
    const auto g = series_.grid();
    std::map<std::string, int> counts;
    for (const auto r : roles_) ++counts[asl::name_of(r)];
    std::vector<std::string> kinds;
    for (const auto& [name, n] : counts) kinds.push_back(fmt::format("{} {}", n, name));
    std::vector<std::string> times, durations;
    const auto timings = asl::timings_of(protocol_, roles_.size());
    for (std::size_t i = 0, last = 0; i < timings.samples.size(); ++i)
      if ((i == 0 || timings.group[i] != timings.group[last]) &&
          (protocol_.encoding.size() || roles_[i] != asl::Role::m0))
        times.push_back(short_number(timings.samples[i].time)),
            durations.push_back(short_number(timings.samples[i].LD)), last = i;
    return {{"series", fmt::format("{} x {} x {} voxels, {} volumes: {}", g[0], g[1], g[2], series_.volumes(),
                                   fmt::join(kinds, ", "))},
            {"labelling", fmt::format("{}, LD {} s, signal at {} s, efficiency {:.3g}, T1 of blood {:g} s",
                                      protocol_.labelling, fmt::join(durations, ", "), fmt::join(times, ", "),
                                      asl::efficiency_of(protocol_), protocol_.T1_blood)},
            {"slices", protocol_.slice_times.empty()
                           ? "all at once"
                           : fmt::format("over {:g} s", *std::max_element(protocol_.slice_times.begin(),
                                                                          protocol_.slice_times.end()))},
            {"mask", facts_.mask_from},
            {"M0", m0_from_},
            {"model", method()}};
  }

  void take(const Values& value, PipelineRun&) override {
    signal_ = ValueTraits<Image>::from(value("fit.signal"));
    with_types_ = ValueTraits<Image>::from(value("differences.series"));
    differences_ = ValueTraits<io::Table>::from(value("differences.table"));
    quality_ = ValueTraits<io::Table>::from(value("quality.table"));
    m0_from_ = asl::fact_text(ValueTraits<Image>::from(value("m0.M0")).meta, "From");
  }

  std::string method() const override { return formula_ ? "formula of one delay (2015 consensus)" : model_; }
  Pairs used() const override {
    return {{"labelling", json(protocol_.labelling).dump()}, {"LD_s", json(protocol_.LD).dump()},
            {"PLD_s", json(protocol_.PLD).dump()},           {"efficiency", json(asl::efficiency_of(protocol_)).dump()},
            {"T1_blood_s", json(protocol_.T1_blood).dump()}, {"M0", json(m0_from_).dump()}};
  }
  Pairs summary(const PipelineRun&) const override {
    json quality = json::object();
    for (const auto& row : quality_.rows)
      quality[row.at(0)] = row.at(1) == "not known" ? json(nullptr) : json(std::stod(row.at(1)));
    std::int64_t lost = 0;
    for (const auto& row : differences_.rows) lost += row.back() == "no";
    return {{"method", json(method()).dump()},
            {"labelling", json(protocol_.labelling).dump()},
            {"efficiency", json(asl::efficiency_of(protocol_)).dump()},
            {"M0", json(m0_from_).dump()},
            {"mask", json(facts_.mask_from).dump()},
            {"differences", json(differences_.rows.size()).dump()},
            {"outliers", json(lost).dump()},
            {"quality", quality.dump()}};
  }

  void write_more(const fs::path& folder, const PipelineRun&, const Config&, const RunSummary&) const override {
    io::write_table(folder / "quality.tsv", quality_);
    io::write_table(folder / "differences.tsv", differences_);
  }

  io::HtmlReport report(const PipelineRun& run, const Config& config, const RunSummary& summary) const override {
    nodes::AslReport r;
    fill_report(r, *this, run, config, summary);
    const auto* source = facts_.source("ASL series");
    r.subtitle = fmt::format("{}: {}", source ? fs::path(source->path).filename().string() : "", method());
    r.signal = signal_, r.series = with_types_;
    r.quality = quality_, r.differences = differences_;
    r.mask_from = facts_.mask_from, r.M0_from = m0_from_;
    return nodes::asl_report(r);
  }

 private:
  void quantification() {
    formula_ = config_.text("fit.method") == "formula";
    const auto& labelling = asl::labellings().get(protocol_.labelling);
    model_ = config_.text("fit.model") == "auto" ? labelling.model : asl::models().resolve(config_.text("fit.model"));
    const auto timings = asl::timings_of(protocol_, roles_.size());
    std::vector<int> kinds;
    for (std::size_t i = 0; i < timings.group.size(); ++i)
      if (!protocol_.encoding.empty() || roles_[i] == asl::Role::control || roles_[i] == asl::Role::label ||
          roles_[i] == asl::Role::difference)
        if (std::find(kinds.begin(), kinds.end(), timings.group[i]) == kinds.end()) kinds.push_back(timings.group[i]);
    if (formula_) {
      if (kinds.size() > 1)
        throw Error(Errc::usage,
                    fmt::format("fit.method is the formula of one delay, and the series has {} timings", kinds.size()),
                    "set fit.method: kinetic")
            .at(config_.where("fit.method"));
      return;
    }
    std::vector<std::string> names;
    for (const auto& p : asl::models().get(model_).params) names.push_back(p.name);
    for (const auto& [name, p] : config_.params()) {
      if (std::find(names.begin(), names.end(), name) == names.end())
        throw Error(Errc::usage, fmt::format("fit.params.{}: {} has no such parameter", name, model_),
                    fmt::format("its parameters: {}", fmt::join(names, ", ")))
            .at(config_.source());
      params_[name] = {.fixed = p.fixed,
                       .lower = p.lower,
                       .upper = p.upper,
                       .start = p.start,
                       .prior_mean = p.prior_mean,
                       .prior_sd = p.prior_sd,
                       .prior_log = p.prior_log};
    }
    std::size_t n_free = 0;
    for (const auto& name : names)
      n_free += !(params_.contains(name) && params_.at(name).fixed) && !(name == "ATT" && labelling.arrives_at_once);
    const auto fitter = config_.text("fit.fitter");
    if (kinds.size() < n_free && (fitter == "lm" || (fitter == "auto" && n_free <= 2)))
      throw Error(Errc::usage,
                  fmt::format("{} timing{} for {} free parameters of {}", kinds.size(), kinds.size() == 1 ? "" : "s",
                              n_free, model_),
                  "set fit.method: formula, or fix ATT (fit.params: {ATT: {fixed: 1.1}})")
          .at(config_.source());
    if (config_.boolean("partial_volume.on") && (!fractions_.contains("GM") || !fractions_.contains("WM")))
      throw Error(Errc::usage, "partial_volume.on needs fractions of grey and white matter",
                  "name them with tissue.GM and tissue.WM")
          .at(config_.where("partial_volume.on"));
  }

  void set() {
    graph_ = nodes::shipped_graph("asl");
    SurfaceSettings s(graph_);
    const auto& g = given_;
    s.set("acquisition.labelling", g.labelling == "auto" ? g.labelling : asl::labellings().resolve(g.labelling));
    s.set("acquisition.LD", list_value(g.LD)), s.set("acquisition.PLD", list_value(g.PLD));
    s.set("acquisition.slice_times", list_value(g.slice_times));
    const auto optional = [&](const char* key, const std::optional<double>& x, double unit = 1) {
      if (x) s.set_shown(key, *x, unit);
    };
    optional("acquisition.label_eff", g.label_eff), optional("acquisition.T1_blood", g.T1_blood);
    s.set("acquisition.suppression_eff", *g.suppression_eff);
    if (g.suppression_pulses) s.set("acquisition.suppression_pulses", *g.suppression_pulses);
    optional("acquisition.readout_FA", g.readout_FA, units::degree),
        optional("acquisition.M0_FA", g.M0_FA, units::degree);
    optional("acquisition.readout_interval", g.readout_interval);
    s.set("acquisition.encoding", g.encoding);
    s.set("differences.method", asl::difference_methods().resolve(config_.text("differences.method")));
    s.set("differences.outlier_sd", config_.number("differences.outlier_sd"));
    s.set("m0.source", config_.text("m0.source"));
    s.set("m0.method", asl::m0_methods().resolve(config_.text("m0.method")));
    for (const char* key : {"m0.estimate", "m0.TR", "m0.T1", "m0.partition"})
      if (config_.has(key)) s.set(key, config_.number(key));
    s.set("m0.echo", config_.boolean("m0.echo"));
    const auto params = nodes::param_settings_text(params_, nodes::asl_param_units());
    for (const std::string section : {"fit", "partial_volume"}) {
      s.set((section + ".method").c_str(), config_.text("fit.method"));
      s.set((section + ".model").c_str(), config_.text("fit.model") == "auto" ? std::string("auto") : model_);
      s.set((section + ".fitter").c_str(), config_.text("fit.fitter"));
      s.set((section + ".params").c_str(), params);
    }
    s.set("fit.T1", config_.number("fit.T1")), s.set("fit.partition", config_.number("fit.partition"));
    s.set("partial_volume.on", config_.boolean("partial_volume.on"));
    s.set("partial_volume.radius", list_value(config_.numbers("partial_volume.radius")));
    s.set("partial_volume.least", config_.number("partial_volume.least"));
    s.set("output.units", config_.text("output.units"));
    if (config_.has("output.title")) s.set("output.title", config_.text("output.title"));
  }

  Device device_;
  Image signal_, with_types_;
  fit::ParamSettings params_;
  bool formula_ = false;
  std::string model_;
  io::Table differences_, quality_;
  flow::Graph graph_;
};

}  // namespace

void register_asl(Pipelines& pipelines) {
  pipelines.add(
      {.name = "asl",
       .dataset = "ASL perfusion",
       .does = "Arterial spin labelling from control and label images to blood flow with uncertainties and a report",
       .data = "folder with the images (flat, or one subject in BIDS layout), or the ASL series itself",
       .more = "Names in the configuration are relative to DATA. What it does not name is found there: the series "
               "(*asl.nii*), its aslcontext.tsv and sidecar, an M0 scan (*m0scan.nii*), a mask, a T1 map, fractions of "
               "tissue "
               "(*probseg.nii* with label-GM, label-WM, label-CSF). The sidecar (BIDS 1.9, inherited too) says how "
               "blood was "
               "labelled; the configuration wins over it, and the run says so.\n"
               "Pulsed labelling: LD is the time of the bolus cut-off (TI1), PLD the inversion time (TI).\n"
               "The output folder appears whole or not at all.\n"
               "The work is the shipped graph \"asl\": larmor graph show asl, larmor run asl, or open it in Studio.",
       .refs = {"Alsop et al., MRM 73:102 (2015)", "Buxton et al., MRM 40:383 (1998)",
                "Woods et al., MRM 92:469 (2024), multi-timepoint ASL"},
       .config = asl_config,
       .prepare = [](const Config& config, const fs::path& data, Device device) -> std::unique_ptr<PipelineJob> {
         return std::make_unique<AslJob>(config, data, device);
       },
       .ask = ask_asl,
       .suits = [](const fs::path& folder) { return !find_asl(folder).series.empty(); }});
}

}  // namespace larmor::cli
