// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/io/file.hpp>
#include <larmor/io/nifti.hpp>
#include <larmor/nodes/dce_report.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/perfusion/dce/aif_models.hpp>
#include <nlohmann/json.hpp>

#include "dce_graph.hpp"
#include "pipeline.hpp"
#include "series_files.hpp"
#include "text_table.hpp"

namespace larmor::cli {
namespace {

using flow::Value;
using flow::ValueTraits;
using json = nlohmann::ordered_json;

json number(double x) { return std::isfinite(x) ? json(x) : json(nullptr); }

std::string subtitle(const DceJob& job, const std::vector<std::string>& models) {
  const auto* dynamic = job.source("dynamic series");
  std::vector<std::string> titles;
  for (const auto& m : models) titles.push_back(dce::models().get(m).title);
  return fmt::format("{}: {}", dynamic ? std::filesystem::path(dynamic->path).filename().string() : "",
                     fmt::join(titles, ", "));
}

io::KeyValues references(const DceJob& job, const std::vector<std::string>& models) {
  io::KeyValues list;
  const auto& o = job.options;
  if (o.input.source == dce::AifSource::model) {
    const auto& aif = dce::aif_models().get(o.input.model);
    list.emplace_back(aif.title, aif.source);
  }
  if (!o.concentration) {
    if (!job.data.t1_series.data.empty()) {
      const auto& t1 = dce::t1_methods().get(o.t1_method);
      list.emplace_back(t1.title, t1.source);
    }
    list.emplace_back("Spoiled gradient echo", "Haase et al., JMR 67:258 (1986)");
  }
  if (models.size() > 1) list.emplace_back("Model selection", "Hurvich and Tsai, Biometrika 76:297 (1989)");
  return list;
}

class DcePipeline : public PipelineJob {
 public:
  DcePipeline(const Config& config, const std::filesystem::path& data, Device device)
      : job_(prepare_dce(config, data, device)) {}

  const JobFacts& facts() const override { return job_; }
  Device device() const override { return job_.options.fit.device; }
  flow::Graph graph() const override { return dce_graph(job_); }
  std::map<std::string, Value> inputs() const override { return dce_inputs(job_); }

  Rows plan() const override {
    const auto& d = job_.data.dynamic;
    const auto g = d.grid();
    return {{"series", fmt::format("{} x {} x {} voxels, {} frames, {} to {} s from {}", g[0], g[1], g[2], d.volumes(),
                                   short_number(d.times.front()), short_number(d.times.back()), job_.times_from)},
            {"mask", job_.mask_from},
            {"T10", job_.options.concentration ? "not needed" : job_.t1_from},
            {"AIF", job_.aif_from},
            {"model", method()}};
  }

  Pairs stages() const override {
    return {{"t1", "T1"},   {"signal", "concentration"}, {"arrival", "arrival"}, {"aif", "input function"},
            {"fit", "fit"}, {"uptake", "uptake"},        {"maps", "maps"}};
  }

  void take(const Values& value, PipelineRun& run) override {
    concentration_ = ValueTraits<Image>::from(value("signal.concentration"));
    inputs_ = {ValueTraits<Aif>::from(value("aif.aif"))};
    if (const Value venous = value("aif.venous"); !venous.none()) inputs_.push_back(ValueTraits<Aif>::from(venous));
    if (const Value voxels = value("aif.voxels"); !voxels.none()) detected_ = ValueTraits<Image>::from(voxels);
    arrival_ = value("arrival.arrival").number();
    mean_tissue_ = ValueTraits<nodes::Curve>::from(value("arrival.mean")).y.at(0);
    if (const auto b = ValueTraits<std::vector<double>>::from(value("signal.baseline")); b.size() == 2)
      baseline_first_ = static_cast<int>(b[0]), baseline_last_ = static_cast<int>(b[1]);
    run.fitted = static_cast<std::int64_t>(value("fit.fitted").number());
  }

  // The models asked for; those of the maps are the same.
  std::string method() const override { return fmt::format("{}", fmt::join(job_.options.models, ", ")); }

  Pairs used() const override {
    Pairs out;
    const auto& o = job_.options;
    if (!o.concentration) {
      out.emplace_back("FA_rad", json(o.spgr.FA).dump());
      out.emplace_back("TR_s", json(o.spgr.TR).dump());
      out.emplace_back("baseline_frames", json::array({baseline_first_, baseline_last_}).dump());
    }
    out.emplace_back("arrival_s", number(arrival()).dump());
    return out;
  }

  Pairs summary(const PipelineRun& run) const override {
    const auto& o = job_.options;
    return {{"models", json(dce::models_of(run.maps)).dump()},
            {"fitter", json(o.fit.fitter).dump()},
            {"T1", json(o.concentration ? "not needed" : job_.t1_from).dump()},
            {"AIF", json(job_.aif_from).dump()},
            {"mask", json(job_.mask_from).dump()},
            {"arrival_s", number(arrival()).dump()},
            {"baseline_frames", json::array({baseline_first_, baseline_last_}).dump()}};
  }

  void write_more(const std::filesystem::path& folder, const PipelineRun&, const Config& config,
                  const RunSummary& summary) const override {
    if (config.boolean("output.concentration")) {
      const Image& c = concentration_;
      io::write_nifti(folder / "concentration.nii.gz", c,
                      {.description = "concentration [mM]", .provenance = summary.provenance});
      io::write_text(
          folder / "concentration.json",
          json{{"Description", "Contrast agent concentration"}, {"Units", "mM"}, {"VolumeTiming", c.times}}.dump(2) +
              "\n");
    }
    for (std::size_t i = 0; i < inputs_.size(); ++i)
      write_curve(folder / (i == 0 ? "aif.csv" : "venous.csv"), inputs_[i], "plasma_mM");
  }

  io::HtmlReport report(const PipelineRun& run, const Config& config, const RunSummary& summary) const override {
    const auto& o = job_.options;
    nodes::DceReport r;
    fill_report(r, *this, run, config, summary);
    const auto models = dce::models_of(run.maps);
    r.subtitle = subtitle(job_, models);
    if (!o.concentration) r.dynamic = job_.data.dynamic;
    r.concentration = concentration_;
    r.inputs = inputs_;
    r.detected = detected_;
    r.mean_tissue = mean_tissue_;
    r.arrival = arrival_;
    r.baseline_first = baseline_first_, r.baseline_last = baseline_last_;
    r.mask_from = job_.mask_from, r.aif_from = job_.aif_from;
    r.t1_from = o.concentration ? "not needed: the series is concentration" : job_.t1_from;
    r.Hct = o.input.Hct;
    r.references = references(job_, models);
    return nodes::dce_report(r);
  }

 private:
  double arrival() const { return job_.options.input.arrival.value_or(arrival_); }

  DceJob job_;
  Image concentration_;
  std::vector<Aif> inputs_;        // plasma: arterial, then venous
  std::optional<Image> detected_;  // score of the voxels taken as artery
  std::vector<double> mean_tissue_;
  double arrival_ = 0;  // [s] in the mean tissue curve
  int baseline_first_ = 0, baseline_last_ = 0;
};

std::unique_ptr<PipelineJob> prepare(const Config& config, const std::filesystem::path& data, Device device) {
  return std::make_unique<DcePipeline>(config, data, device);
}

}  // namespace

void register_dce(Pipelines& pipelines) {
  pipelines.add(
      {.name = "dce",
       .dataset = "DCE perfusion",
       .does = "Dynamic contrast-enhanced MRI from image files to quantitative maps with uncertainties and a report",
       .data = "folder with the images (flat, or one subject in BIDS layout), or the dynamic series itself",
       .more =
           "Names in the configuration are relative to DATA. What it does not name is found there: the dynamic series "
           "(*dce*.nii*, dynamic.nii*), a flip-angle series (*vfa*.nii*), mask, T1 map, B1 map, AIF mask. Sidecars "
           "give "
           "FlipAngle, RepetitionTime and frame times; the configuration wins over them, and the run says so.\n"
           "The output folder appears whole or not at all.\n"
           "The work is the shipped graph \"dce\": larmor graph show dce, larmor run dce, or open it in Studio.",
       .refs = {"Tofts et al., JMRI 10:223 (1999)", "Sourbron and Buckley, PMB 57:R1 (2012)",
                "OSIPI CAPLEX: Dickie et al., MRM 91:1761 (2024)"},
       .config = dce_config,
       .prepare = prepare,
       .ask = ask_dce,
       .suits = [](const std::filesystem::path& folder) { return !find_files(folder).dynamic.empty(); }});
}

}  // namespace larmor::cli
