// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

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
#include <larmor/perfusion/dsc/arrival.hpp>
#include <nlohmann/json.hpp>

#include "pipeline.hpp"
#include "series_files.hpp"
#include "text_table.hpp"
#include "wizard.hpp"

namespace larmor::cli {
namespace {

namespace fs = std::filesystem;
using flow::Value;
using flow::ValueTraits;
using json = nlohmann::ordered_json;

std::vector<std::string> with_none(std::vector<std::string> names) {
  names.emplace_back("none");
  return names;
}
std::vector<std::string> method_names() { return dsc::deconvolutions().ids(); }
std::vector<std::string> arrival_names() { return dsc::arrivals().ids(); }
std::vector<std::string> leakage_names() { return with_none(dsc::leakages().ids()); }
std::vector<std::string> correction_names() { return with_none(dsc::residues().ids()); }
std::string resolve_method(const std::string& n) { return dsc::deconvolutions().resolve(n); }
std::string resolve_arrival(const std::string& n) { return dsc::arrivals().resolve(n); }
std::string resolve_leakage(const std::string& n) { return n == "none" ? n : dsc::leakages().resolve(n); }
std::string resolve_correction(const std::string& n) { return n == "none" ? n : dsc::residues().resolve(n); }

// path, kind, unit, default, lower, upper, meaning, choices, words instead of a value
std::vector<Key> keys() {
  using enum KeyKind;
  const auto relations = words({"linear", "blood_1.5T", "blood_3T", "own"});
  return {
      {"input.dynamic", file, "", "", 0, 0, "4-D NIfTI (x, y, z, t); found as *dsc*.nii* or *perf*.nii*"},
      {"input.mask",
       file,
       "",
       "",
       0,
       0,
       "voxels to look at, those not 0; found as *mask*.nii*; none: every voxel",
       {},
       {"none"}},
      {"input.times", numbers, "s", "", -1e6, 1e6, "time of each frame; wins over the sidecar and the header"},
      {"input.times_file", file, "", "", 0, 0,
       "CSV or TSV whose column 'time' (else the first) holds the frame times in s"},
      {"input.frame_time", number, "s", "", 1e-3, 3600, "time between frames, the first at 0"},

      {"signal.TE", number, "ms", "", 0.1, 999, "echo time; default: the sidecar's EchoTime"},
      {"signal.skip", integer, "", "0", 0, 1000, "first frames, which are not in steady state"},
      {"signal.baseline",
       numbers,
       "",
       "auto",
       0,
       1e6,
       "frames before the bolus: a count, or [first, last) counted from 0; auto: up to its arrival",
       {},
       {"auto"},
       true},
      {"signal.arrival",
       text,
       "",
       "arrival.piecewise",
       0,
       0,
       "how the arrival is found (larmor list arrivals)",
       arrival_names,
       {},
       false,
       resolve_arrival},

      {"leakage.method",
       text,
       "",
       "none",
       0,
       0,
       "correction for contrast agent that leaks (larmor list leakages), or none",
       leakage_names,
       {},
       false,
       resolve_leakage},
      {"leakage.tail", integer, "", "10", 1, 1000,
       "last frames, where voxels that do not leak are back at the baseline"},
      {"leakage.shape_terms", integer, "", "4", 0, 4,
       "curves that allow for other delays and transit times than the reference's; 0: the equation of the papers"},
      {"leakage.significance", number, "", "2", 0, 100,
       "voxels whose K2 is within this many standard errors of 0 stay as they are"},

      {"tissue.relation", text, "", "linear", 0, 0, "dR2* of tissue and concentration", relations},
      {"tissue.linear", number, "1/(s mM)", "44", 0, 1e4, "dR2* = linear C + quadratic C^2"},
      {"tissue.quadratic", number, "", "0", 0, 1e4, "of relation own [1/(s mM2)]"},
      {"tissue.first_pass", text, "", "none", 0, 0,
       "tissue curves as they are (none), or gamma variates fitted to the first pass",
       words({"none", "gamma_variate"})},
      {"tissue.cut", number, "", "0.3", 0.01, 0.99, "they are fitted down to this share of the mean curve's peak"},

      {"aif.source", text, "", "auto", 0, 0,
       "arterial input: found in the data (auto), the voxels of a mask (mask), or a table (file)",
       words({"auto", "mask", "file"})},
      {"aif.mask", file, "", "", 0, 0, "voxels of an artery, those not 0; found as *aif*.nii* or *artery*.nii*"},
      {"aif.file", file, "", "", 0, 0, "CSV or TSV: times and concentrations [mM]; found as *aif*.csv"},
      {"aif.time_unit", text, "", "s", 0, 0, "unit of its times", words({"s", "min"})},
      {"aif.relation", text, "", "linear", 0, 0,
       "dR2* of the artery and concentration: linear, that of whole blood at 1.5 or 3 T, or own", relations},
      {"aif.linear", number, "1/(s mM)", "44", 0, 1e4, "dR2* = linear C + quadratic C^2"},
      {"aif.quadratic", number, "", "0", 0, 1e4, "of relation own [1/(s mM2)]"},
      {"aif.first_pass", boolean, "", "false", 0, 0, "a gamma variate fitted to the first pass instead of the curve"},
      {"aif.cut", number, "", "0.3", 0.01, 0.99, "it is fitted down to this share of the peak"},

      {"deconvolution.method",
       text,
       "",
       "dsc.osvd",
       0,
       0,
       "how (larmor list deconvolutions)",
       method_names,
       {},
       false,
       resolve_method},
      {"deconvolution.rule", text, "", "trapezoid", 0, 0,
       "how the convolution is summed: input and residue linear between frames, or steps",
       words({"trapezoid", "rectangle"})},
      {"deconvolution.structure", text, "", "auto", 0, 0,
       "block-circulant allows any delay, causal none; auto: the method's own", words({"auto", "circulant", "causal"})},
      {"deconvolution.threshold", number, "", "", 0, 0.999,
       "share of the largest singular value below which others are left out (dsc.ssvd, dsc.csvd); default: the "
       "method's"},
      {"deconvolution.oscillation", number, "", "", 1e-6, 10,
       "oscillation index that the residue may have (dsc.osvd); default: the method's"},
      {"deconvolution.correction",
       text,
       "",
       "residue.exponential",
       0,
       0,
       "residue whose peak is given back what regularisation takes (larmor list residues); none: as it comes",
       correction_names,
       {},
       false,
       resolve_correction},
      {"deconvolution.earliest", number, "s", "-5", -60, 0, "first delay that is looked for"},
      {"deconvolution.latest", number, "s", "30", 0.1, 300, "last delay that is looked for"},

      {"blood.Hct_large", number, "", "0.45", 0, 0.99, "haematocrit of large vessels"},
      {"blood.Hct_small", number, "", "0.25", 0, 0.99, "haematocrit of small vessels"},
      {"blood.density", number, "", "1.04", 0.1, 10, "of tissue [g/mL]"},

      {"normalise.region",
       file,
       "",
       "",
       0,
       0,
       "reference region (white matter) for rCBF and rCBV; found as *reference*.nii* or *white*.nii*",
       {},
       {"none"}},
      {"normalise.CBF", number, "mL/min/100g", "", 1, 200,
       "flow of that region; CBF and CBV are scaled to it. Default: no scaling"},
      {"output.concentration", boolean, "", "false", 0, 0, "write concentration.nii.gz"}};
}

const ConfigTable& config_table() {
  static const ConfigTable table = [] {
    ConfigTable t{
        .command = "larmor dsc",
        .sections = {{"input",
                      "The dynamic series. File names are relative to DATA; what is not named is looked for "
                      "there."},
                     {"signal", "From signal to dR2*."},
                     {"leakage", "Contrast agent that leaves the vessels."},
                     {"tissue", "From dR2* to concentration in tissue."},
                     {"aif", "The arterial input."},
                     {"deconvolution", "Flow, transit time and delay."},
                     {"blood",
                      "From ratios of areas to volumes per mass: (1 - Hct_large) / (1 - Hct_small) / density."},
                     {"normalise", "Relative to a reference."},
                     {"output", "What is written."}},
        .keys = keys()};
    for (auto& k : output_keys()) t.keys.push_back(k);
    return t;
  }();
  return table;
}

struct Found {
  std::vector<fs::path> dynamic, mask, artery, reference, table;
};
Found find(const fs::path& folder) {
  Found found;
  for (const auto& f : data_files(folder)) {
    if (!f.image) {
      if ((f.name.ends_with(".csv") || f.name.ends_with(".tsv")) && name_holds(f.name, {"aif"}))
        found.table.push_back(f.path);
    } else if (name_holds(f.name, {"aif", "artery"})) {
      found.artery.push_back(f.path);
    } else if (name_holds(f.name, {"reference", "white"})) {
      found.reference.push_back(f.path);
    } else if (name_holds(f.name, {"mask"})) {
      found.mask.push_back(f.path);
    } else if (name_holds(f.name, {"dsc", "perf"})) {
      found.dynamic.push_back(f.path);
    }
  }
  return found;
}

class DscJob : public PipelineJob, JobReader {
 public:
  DscJob(const Config& config, const fs::path& data, Device device) : JobReader(config, data), device_(device) {
    Found found = find(folder_);
    if (!is_folder_) found.dynamic = {data_};
    dynamic(found);
    const fs::path mask = one_file("input.mask", found.mask, "mask");
    if (mask.empty()) {
      facts_.mask_from = "every voxel";
      note("input.mask: none; every voxel is looked at");
    } else {
      mask_ = region("input.mask", mask, "mask", dynamic_, "dynamic series");
      facts_.mask_from = mask.filename().string();
    }
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
  void dynamic(const Found& found) {
    const fs::path path = one_file("input.dynamic", found.dynamic, "dynamic series");
    if (path.empty())
      throw Error(Errc::file, "no dynamic series found (*dsc*.nii, *perf*.nii.gz)",
                  "name it with 'input.dynamic:' in the configuration")
          .at(folder_.string());
    dynamic_ = image("input.dynamic", path);
    if (dynamic_.data.rank() != 4)
      throw Error(Errc::shape,
                  fmt::format("the dynamic series is {} ({} axes), not 4-D", to_string(dynamic_.data.shape()),
                              dynamic_.data.rank()),
                  "give a 4-D file (x, y, z, t)")
          .at(path.string());
    times_from_ = frame_times(dynamic_, path);
    const auto TE = protocol("signal.TE", nodes::meta_numbers(dynamic_.meta, "EchoTime"), path.string());
    if (TE.empty())
      throw Error(Errc::usage, "signal.TE is not known: neither the configuration nor the sidecar has it",
                  "set signal.TE [ms]")
          .at(config_.source());
    TE_ = TE[0];
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

  void aif(const Found& found) {
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

void ask(Wizard& w) {
  const Found found = find(w.data());
  Wizard::say(fmt::format("In {}:", w.data().string()));
  w.tell("dynamic series", found.dynamic), w.tell("mask", found.mask), w.tell("artery", found.artery);
  w.tell("reference region", found.reference);
  Wizard::say("");
  w.ask("input.dynamic", "Dynamic series", w.first(found.dynamic));
  const Image series = io::read_image(w.data() / w.value("input.dynamic"));
  if (series.data.rank() != 4)
    throw Error(Errc::shape, fmt::format("the dynamic series is {}, not 4-D", to_string(series.data.shape())),
                "give a 4-D file (x, y, z, t)")
        .at(w.value("input.dynamic"));
  const auto g = series.grid();
  Wizard::say(fmt::format("  {} x {} x {} voxels, {} frames", g[0], g[1], g[2], series.volumes()));
  if (static_cast<std::int64_t>(series.times.size()) == series.volumes())
    Wizard::say(fmt::format("  frames from {} to {} s, from its sidecar or header", short_number(series.times.front()),
                            short_number(series.times.back())));
  else
    w.ask("input.frame_time", "Time between frames", "");
  w.protocol("signal.TE", "Echo time", nodes::meta_numbers(series.meta, "EchoTime"));
  w.ask_file("input.mask", "Mask of the voxels to look at, or none", found.mask, true);
  w.ask("aif.source", "Arterial input: auto (found in the data), mask or file",
        !found.artery.empty() ? "mask" : "auto");
  if (w.value("aif.source") == "mask") w.ask_file("aif.mask", "Mask of the artery", found.artery, false);
  if (w.value("aif.source") == "file")
    w.ask("aif.file", "CSV or TSV with times and concentrations [mM]", w.first(found.table));
  w.ask("aif.relation", "Relation of dR2* and concentration in the artery: linear, blood_1.5T or blood_3T", "linear");
  w.ask("leakage.method", "Leakage correction: none, leakage.bsw or leakage.bidirectional", "none");
  std::vector<std::vector<std::string>> rows{{"method", ""}};
  for (const auto& [id, m] : dsc::deconvolutions()) rows.push_back({id, m.title});
  Wizard::say(text_table(rows, 2));
  w.ask("deconvolution.method", "Method", "dsc.osvd");
  if (!found.reference.empty())
    w.ask_file("normalise.region", "Reference region for rCBF and rCBV, or none", found.reference, true);
  w.ask("output.units", "Units of the maps: lexicon (mL/min/100g) or engine", "lexicon");
  if (found.dynamic.size() == 1 && w.value("input.dynamic") == w.first(found.dynamic)) w.forget("input.dynamic");
}

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
       .config = config_table,
       .prepare = [](const Config& config, const fs::path& data, Device device) -> std::unique_ptr<PipelineJob> {
         return std::make_unique<DscJob>(config, data, device);
       },
       .ask = ask,
       .suits = [](const fs::path& folder) { return !find(folder).dynamic.empty(); }});
}

}  // namespace larmor::cli
