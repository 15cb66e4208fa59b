// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/units.hpp>
#include <larmor/io/bids.hpp>
#include <larmor/io/file.hpp>
#include <larmor/io/nifti.hpp>
#include <larmor/nodes/dsc_report.hpp>
#include <larmor/nodes/protocol.hpp>
#include <larmor/nodes/shipped_graphs.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/image.hpp>
#include <nlohmann/json.hpp>

#include "dsc_job.hpp"
#include "pipeline.hpp"
#include "series_files.hpp"
#include "series_reader.hpp"
#include "text_table.hpp"

namespace larmor::cli {
namespace {

namespace fs = std::filesystem;
using flow::Value;
using flow::ValueTraits;
using json = nlohmann::ordered_json;

class DscJob : public PipelineJob, SeriesReader {
 public:
  DscJob(const Config& config, const fs::path& data, Device device) : SeriesReader(config, data), device_(device) {
    DscFiles found = find_dsc(folder_);
    if (!is_folder_) found.dynamic = {data_};
    dynamic(found);
    mask_ = input_mask(found.mask, dynamic_, "dynamic series", "looked at");
    check_frames();
    aif(found);
    const fs::path reference = one_file("normalise.region", found.reference, "reference region");
    if (!reference.empty())
      reference_ = region("normalise.region", reference, "reference region", dynamic_, "dynamic series");
    else if (config.has("normalise.CBF"))
      throw Error(Errc::usage, "normalise.CBF is set, but there is no reference region",
                  "name it with normalise.region")
          .at(config.where("normalise.CBF"));
    set();
  }

  const JobFacts& facts() const override { return facts_; }
  Device device() const override { return device_; }
  flow::Graph graph() const override { return graph_; }
  std::map<std::string, Value> inputs() const override {
    std::map<std::string, Value> in{{"dynamic", ValueTraits<Image>::to(dynamic_)}};
    if (!mask_.empty()) in["mask"] = region_value(dynamic_, mask_);
    if (!region_.empty()) in["aif_region"] = region_value(dynamic_, region_);
    if (!reference_.empty()) in["reference"] = region_value(dynamic_, reference_);
    if (curve_) in["aif_curve"] = ValueTraits<Aif>::to(*curve_);
    return in;
  }

  Rows plan() const override {
    const auto g = dynamic_.grid();
    return {{"series",
             fmt::format("{} x {} x {} voxels, {} frames, {} to {} s from {}", g[0], g[1], g[2], dynamic_.volumes(),
                         short_number(dynamic_.times.front()), short_number(dynamic_.times.back()), times_from_)},
            {"echo time", fmt::format("{} ms", short_number(1e3 * TE_))},
            {"mask", facts_.mask_from},
            {"AIF", aif_from_},
            {"leakage", config_.text("leakage.method")},
            {"method", method()}};
  }

  Pairs stages() const override {
    return {{"signal", "dR2*"},         {"leakage", "leakage"},
            {"aif", "input function"},  {"concentration", "concentration"},
            {"first_pass", "passes"},   {"fit", "fit"},
            {"normalise", "reference"}, {"maps", "maps"}};
  }

  void take(const Values& value, PipelineRun&) override {
    concentration_ = ValueTraits<Image>::from(value("first_pass.concentration"));
    input_ = ValueTraits<Aif>::from(value("aif.aif"));
    if (const Value voxels = value("aif.voxels"); !voxels.none()) detected_ = ValueTraits<Image>::from(voxels);
    arrival_ = value("aif.arrival").number(), deepest_ = value("aif.deepest").number();
    if (const auto b = ValueTraits<std::vector<double>>::from(value("signal.baseline")); b.size() == 2)
      baseline_first_ = static_cast<int>(b[0]), baseline_last_ = static_cast<int>(b[1]);
  }

  std::string method() const override { return config_.text("deconvolution.method"); }
  Pairs used() const override {
    return {{"TE_s", json(TE_).dump()},
            {"baseline_frames", json::array({baseline_first_, baseline_last_}).dump()},
            {"arrival_s", json(arrival_).dump()}};
  }
  Pairs summary(const PipelineRun& run) const override {
    std::vector<float> CNR;
    if (run.maps.has("CNR")) {
      const auto values = run.maps.get("CNR").values.span<const float>();
      CNR.assign(values.begin(), values.end());
    }
    const auto q = dsc::quality(input_, deepest_, TE_, arrival_, CNR, run.maps.status.span<const std::uint8_t>());
    return {{"method", json(method()).dump()},
            {"correction", json(config_.text("deconvolution.correction")).dump()},
            {"leakage", json(config_.text("leakage.method")).dump()},
            {"AIF", json(aif_from_).dump()},
            {"mask", json(facts_.mask_from).dump()},
            {"arrival_s", json(arrival_).dump()},
            {"baseline_frames", json::array({baseline_first_, baseline_last_}).dump()},
            {"quality", json{{"CNR", std::isfinite(q.CNR) ? json(q.CNR) : json(nullptr)},
                             {"input_width_s", q.input_width},
                             {"input_frames_on_rise", q.frames_on_rise},
                             {"input_signal_lost", q.input_drop},
                             {"usable", q.usable},
                             {"warnings", q.warnings}}
                            .dump()}};
  }

  void write_more(const fs::path& folder, const PipelineRun&, const Config& config,
                  const RunSummary& summary) const override {
    if (config.boolean("output.concentration")) {
      io::write_nifti(folder / "concentration.nii.gz", concentration_,
                      {.description = "concentration [mM]", .provenance = summary.provenance});
      io::write_text(folder / "concentration.json", json{{"Description", "Contrast agent concentration of tissue"},
                                                         {"Units", "mM"},
                                                         {"VolumeTiming", concentration_.times}}
                                                            .dump(2) +
                                                        "\n");
    }
    write_curve(folder / "aif.csv", input_, "blood_mM");
  }

  io::HtmlReport report(const PipelineRun& run, const Config& config, const RunSummary& summary) const override {
    nodes::DscReport r;
    fill_report(r, *this, run, config, summary);
    const auto* series = facts_.source("dynamic series");
    r.subtitle = fmt::format("{}: {}", series ? fs::path(series->path).filename().string() : "",
                             dsc::deconvolutions().get(method()).title);
    r.dynamic = dynamic_, r.concentration = concentration_, r.input = input_, r.detected = detected_;
    r.arrival = arrival_, r.deepest = deepest_, r.TE = TE_;
    r.baseline_first = baseline_first_, r.baseline_last = baseline_last_;
    r.mask_from = facts_.mask_from, r.aif_from = aif_from_;
    return nodes::dsc_report(r);
  }

 private:
  void dynamic(const DscFiles& found) {
    auto read = series_4d("input.dynamic", found.dynamic, "dynamic series", "*dsc*.nii, *perf*.nii.gz", "x, y, z, t");
    dynamic_ = std::move(read.image);
    const fs::path& path = read.path;
    times_from_ = frame_times(dynamic_, path);
    const auto TE = protocol("signal.TE", nodes::meta_numbers(dynamic_.meta, "EchoTime"), path.string());
    if (TE.empty())
      throw Error(Errc::usage, "signal.TE is not known: neither the configuration nor the sidecar has it",
                  "set signal.TE [ms]")
          .at(config_.source());
    TE_ = TE[0];
    if (!(TE_ > 0 && TE_ < 1))
      throw Error(Errc::range, fmt::format("an echo time of {:g} ms", 1e3 * TE_),
                  "give one above 0; a sidecar has EchoTime in seconds")
          .at(config_.has("signal.TE") ? config_.where("signal.TE") : "sidecar of " + path.string());
    if (!config_.is_word("signal.baseline", "auto")) {
      const auto b = config_.numbers("signal.baseline");
      const double first = b.size() == 2 ? b[0] : 0, last = b.empty() ? 0 : b.back();
      if (b.size() > 2 || !(first < last) || last > static_cast<double>(dynamic_.volumes()))
        throw Error(Errc::usage,
                    fmt::format("signal.baseline takes frames {} to {} of {}", first, last, dynamic_.volumes()),
                    "give a count, or [first, last) with 0 <= first < last <= the number of frames")
            .at(config_.where("signal.baseline"));
    }
  }

  /// What frames give wrong flow without any error: their times, and a series that ends too early.
  void check_frames() {
    const auto& t = dynamic_.times;
    const auto n = t.size();
    if (n < 4) return;  // said elsewhere
    const double step = (t.back() - t.front()) / static_cast<double>(n - 1);
    const std::string place = facts_.source("dynamic series")->path;
    if (step > 30)
      throw Error(Errc::range, fmt::format("frames are {:g} s apart: a bolus passes within seconds", step),
                  "if the times are milliseconds, set input.frame_time [s]")
          .at(config_.has("input.frame_time") ? config_.where("input.frame_time") : place);
    const bool own = config_.has("input.times") || config_.has("input.times_file") || config_.has("input.frame_time");
    if (const auto TR = nodes::meta_numbers(dynamic_.meta, "RepetitionTime");
        !own && TR.size() == 1 && std::abs(TR[0] - step) > 0.01 * step)
      note(
          fmt::format("frames are {:g} s apart by the header, RepetitionTime of the sidecar is {:g} s: the header is "
                      "taken; set input.frame_time if it is wrong",
                      step, TR[0]));
    // The mean signal: three frames at the beginning, its lowest, its last.
    const Array packed = dynamic_.data.cast(DType::f32).contiguous_copy();
    const auto values = packed.span<float>();
    const auto voxels = static_cast<std::size_t>(dynamic_.voxels());
    std::vector<double> mean(n, 0.0);
    for (std::size_t k = 0; k < n; ++k)
      for (std::size_t v = 0; v < voxels; ++v)
        if (const float y = values[k * voxels + v]; (mask_.empty() || mask_[v]) && std::isfinite(y))
          mean[k] += static_cast<double>(y);
    const auto skip = std::min(static_cast<std::size_t>(config_.integer("signal.skip")), n - 4);
    const double before = (mean[skip] + mean[skip + 1] + mean[skip + 2]) / 3,
                 lost = before - *std::min_element(mean.begin() + static_cast<std::ptrdiff_t>(skip), mean.end());
    if (lost > 0.05 * before && before - mean.back() > 0.4 * lost)
      note(
          fmt::format("the series ends while {:.0f} % of the signal that the bolus took is still away: areas are too "
                      "small, and flow and transit times are not to be trusted",
                      100 * (before - mean.back()) / lost));
  }

  void aif(const DscFiles& found) {
    source_ = config_.text("aif.source");
    for (const auto& [key, wanted] : {std::pair{"aif.file", "file"}, {"aif.mask", "mask"}})
      if (config_.has(key) && source_ != wanted)
        throw Error(Errc::usage, fmt::format("{} is set, but aif.source is '{}'", key, source_),
                    fmt::format("set aif.source: {}, or leave out {}", wanted, key))
            .at(config_.where(key));
    if (source_ == "mask") {
      const fs::path path = one_file("aif.mask", found.artery, "AIF mask");
      if (path.empty())
        throw Error(Errc::usage, "aif.source is 'mask', but there is none", "name it with aif.mask")
            .at(config_.where("aif.source"));
      region_ = region("aif.mask", path, "AIF mask", dynamic_, "dynamic series");
      aif_from_ = path.filename().string();
    } else if (source_ == "file") {
      const fs::path path = one_file("aif.file", found.table, "AIF table");
      if (path.empty())
        throw Error(Errc::usage, "aif.source is 'file', but there is none", "name it with aif.file")
            .at(config_.where("aif.source"));
      curve_ = reading("aif.file",
                       [&] { return read_curve(path, config_.text("aif.time_unit") == "min" ? 60.0 : 1.0, false); });
      aif_from_ = path.filename().string();
    } else {
      aif_from_ = "found automatically";
    }
  }

  void set() {
    graph_ = nodes::shipped_graph("dsc");
    SurfaceSettings s(graph_);
    s.set_shown("signal.TE", TE_, units::millisecond);
    s.set("signal.skip", config_.integer("signal.skip"));
    if (!config_.is_word("signal.baseline", "auto")) {
      auto b = config_.numbers("signal.baseline");
      if (b.size() == 1) b.insert(b.begin(), 0);
      s.set("signal.baseline", list_value(b));
    }
    for (const char* key :
         {"signal.arrival", "leakage.method", "tissue.relation", "tissue.first_pass", "aif.relation",
          "deconvolution.method", "deconvolution.rule", "deconvolution.structure", "deconvolution.correction"})
      s.set(key, config_.text(key));
    for (const char* key : {"leakage.tail", "leakage.shape_terms"}) s.set(key, config_.integer(key));
    for (const char* key : {"leakage.significance", "tissue.linear", "tissue.quadratic", "tissue.cut", "aif.linear",
                            "aif.quadratic", "aif.cut", "deconvolution.earliest", "deconvolution.latest",
                            "blood.Hct_large", "blood.Hct_small", "blood.density"})
      s.set(key, config_.number(key));
    s.set("aif.first_pass", config_.boolean("aif.first_pass"));
    s.set("aif.source", source_ == "mask" ? "region" : source_ == "file" ? "curve" : "automatic");
    for (const char* key : {"deconvolution.threshold", "deconvolution.oscillation"})
      if (config_.has(key)) s.set(key, config_.number(key));
    if (config_.has("normalise.CBF"))
      s.set_shown("normalise.reference_CBF", config_.number("normalise.CBF"),
                  units::factor("mL/min/100g", "mm3/(g s)"));
    if (config_.has("output.title")) s.set("output.title", config_.text("output.title"));
  }

  Device device_;
  Image dynamic_, concentration_, detected_;
  std::vector<std::uint8_t> mask_, region_, reference_;
  std::optional<Aif> curve_;
  std::string times_from_, aif_from_, source_;
  flow::Graph graph_;
  Aif input_;
  double TE_ = 0, arrival_ = 0, deepest_ = 0;
  int baseline_first_ = 0, baseline_last_ = 0;
};

}  // namespace

void register_dsc(Pipelines& pipelines) {
  pipelines.add(
      {.name = "dsc",
       .dataset = "DSC perfusion",
       .does =
           "Dynamic susceptibility contrast from signal to CBF, CBV, MTT and delay, with uncertainties and a report",
       .data = "folder with the images (flat, or one subject in BIDS layout), or the dynamic series itself",
       .more =
           "Names in the configuration are relative to DATA. What it does not name is found there: the dynamic series "
           "(*dsc*.nii*, *perf*.nii*), a mask, voxels of an artery (*aif*.nii*, *artery*.nii*) and a reference region "
           "(*reference*.nii*, *white*.nii*). The echo time comes from signal.TE, else from the sidecar.\n"
           "The output folder appears whole or not at all.\n"
           "The work is the shipped graph \"dsc\": larmor graph show dsc, larmor run dsc, or open it in Studio.",
       .refs = {"Ostergaard et al., MRM 36:715 (1996)", "Wu et al., MRM 50:164 (2003)",
                "Boxerman et al., AJNR 27:859 (2006)"},
       .config = dsc_config,
       .prepare = [](const Config& config, const fs::path& data, Device device) -> std::unique_ptr<PipelineJob> {
         return std::make_unique<DscJob>(config, data, device);
       },
       .ask = ask_dsc,
       .suits = [](const fs::path& folder) { return !find_dsc(folder).dynamic.empty(); }});
}

}  // namespace larmor::cli
