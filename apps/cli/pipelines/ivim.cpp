// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/io/bids.hpp>
#include <larmor/io/bvals.hpp>
#include <larmor/nodes/ivim_report.hpp>
#include <larmor/nodes/protocol.hpp>
#include <larmor/nodes/shipped_graphs.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/perfusion/ivim/estimate.hpp>
#include <larmor/perfusion/ivim/voxel_network.hpp>
#include <nlohmann/json.hpp>

#include "catalogue.hpp"
#include "pipeline.hpp"
#include "series_reader.hpp"
#include "text_table.hpp"
#include "wizard.hpp"

namespace larmor::cli {
namespace {

namespace fs = std::filesystem;
using flow::Value;
using flow::ValueTraits;
using json = nlohmann::ordered_json;

std::string resolve_method(const std::string& name) { return ivim::methods().resolve(name); }
std::string resolve_model(const std::string& name) { return ivim::models().resolve(name); }
std::vector<std::string> model_names() { return ivim::models().ids(); }
std::vector<std::string> method_names() { return ivim::methods().ids(); }

// path, kind, unit, default, lower, upper, meaning, choices, words instead of a value
const ConfigTable& config_table() {
  using enum KeyKind;
  static const ConfigTable table = [] {
    ConfigTable t{
        .command = "larmor ivim",
        .sections = {{"input",
                      "The diffusion series. File names are relative to DATA; what is not named is looked for there."},
                     {"fit", "How parameters are estimated."},
                     {"output", "What is written."}},
        .keys = {
            {"input.series", file, "", "", 0, 0, "4-D NIfTI (x, y, z, b); found as *dwi*.nii* or *ivim*.nii*"},
            {"input.mask",
             file,
             "",
             "",
             0,
             0,
             "voxels to look at, those not 0; found as *mask*.nii*; none: every voxel",
             {},
             {"none"}},
            {"input.b", numbers, "s/mm2", "", 0, 1e5, "b-value of each volume; wins over .bval files and the sidecar"},
            {"input.bvals", file, "", "", 0, 0, "file of the b-values; found as the series' name with .bval"},
            {"input.average", text, "", "none", 0, 0,
             "volumes of one b-value: none keeps them all (fits weight them rightly); mean: repeats, and the powder "
             "average of directions; geometric: directions, with the decay of the mean diffusivity (trace)",
             words({"none", "mean", "geometric"})},
            {"input.tolerance", number, "s/mm2", "1", 0, 1000, "b-values this close are one, for input.average"},
            {"fit.method",
             text,
             "",
             "ivim.posterior",
             0,
             0,
             "how (larmor list ivim-methods)",
             method_names,
             {},
             false,
             resolve_method},
            {"fit.model",
             text,
             "",
             "ivim.biexponential",
             0,
             0,
             "signal model (larmor list ivim-models); others than the bi-exponential need ivim.lm or ivim.map",
             model_names,
             {},
             false,
             resolve_model},
            {"fit.S0", text, "", "free", 0, 0, "free, or held at the mean of the lowest b (b0; ivim.lm and ivim.map)",
             words({"free", "b0"})},
            {"fit.weights", file, "", "", 0, 0, "weights of larmor ivim train (ivim.network)"},
            {"fit.noise_sd", number, "", "", 1e-12, 1e12,
             "sd of the noise of one volume, in units of the data; default: estimated from the residuals of a fit"},
            {"fit.magnitude", boolean, "", "true", 0, 0, "signals are magnitudes with Rician noise (ivim.posterior)"},
            {"fit.threshold", number, "s/mm2", "200", 1, 5000,
             "b-value from which perfusion is taken as gone (ivim.segmented)"},
            {"fit.f", numbers, "1", "", 0, 1,
             "[lower, upper] of f: bounds of a fit, prior of a posterior; default: the method's"},
            {"fit.D", numbers, "mm2/s", "", 0, 1, "[lower, upper] of D"},
            {"fit.D_star", numbers, "mm2/s", "", 0, 10, "[lower, upper] of D*"},
            {"fit.log_D_star", boolean, "", "true", 0, 0, "prior of a posterior: D* equally likely in its logarithm"},
            {"fit.c", numbers, "s/mm", "", 0, 1e4, "flow weighting of each volume (ivim.ballistic)"},
            {"fit.D_blood", number, "mm2/s", "0.00175", 1.5e-3, 2e-3,
             "diffusion coefficient of blood (ivim.ballistic)"},
        }};
    for (auto& k : output_keys()) t.keys.push_back(k);
    return t;
  }();
  return table;
}

struct Found {
  std::vector<fs::path> series, mask;
};
Found find(const fs::path& folder) {
  Found found;
  for (const auto& f : data_files(folder)) {
    if (!f.image) continue;
    if (name_holds(f.name, {"mask"}))
      found.mask.push_back(f.path);
    else if (name_holds(f.name, {"dwi", "ivim"}))
      found.series.push_back(f.path);
  }
  return found;
}

class IvimJob : public PipelineJob, SeriesReader {
 public:
  IvimJob(const Config& config, const fs::path& data, Device device) : SeriesReader(config, data), device_(device) {
    Found found = find(folder_);
    if (!is_folder_) found.series = {data_};
    Series4 s = series_4d("input.series", found.series, "diffusion series", "*dwi*.nii, *ivim*.nii.gz", "x, y, z, b");
    series_ = std::move(s.image);
    b_values(s.path);
    mask_ = input_mask(found.mask, series_, "diffusion series", "looked at");
    for (const char* key : {"fit.f", "fit.D", "fit.D_star"})
      if (const auto r = config.numbers(key); config.has(key) && (r.size() != 2 || !(r[0] < r[1])))
        throw Error(Errc::usage, fmt::format("{} is not [lower, upper]", key), "give two numbers, the lower one first")
            .at(config.where(key));
    method_ = resolve_method(config.text("fit.method")), model_ = resolve_model(config.text("fit.model"));
    if (!ivim::methods().get(method_).any_model && model_ != "ivim.biexponential")
      throw Error(Errc::usage, fmt::format("{} estimates ivim.biexponential, not {}", method_, model_),
                  "set fit.method: lm, or leave out fit.model")
          .at(config.where("fit.model"));
    if (config.has("fit.weights") != (method_ == "ivim.network"))
      throw Error(Errc::usage,
                  config.has("fit.weights") ? fmt::format("fit.weights is set, but fit.method is {}", method_)
                                            : "fit.method is ivim.network, but fit.weights is not set",
                  "set both, or neither; larmor ivim train makes weights")
          .at(config.where(config.has("fit.weights") ? "fit.weights" : "fit.method"));
    if (config.has("fit.weights")) {
      weights_ = relative(config.text("fit.weights")).string();
      reading("fit.weights", [&] { return ivim::VoxelNetwork(nn::read_weights(weights_)); });
      facts_.sources.push_back({"weights", weights_, "fit.weights"});
    }
    const bool two = ivim::models().get(model_).design.size() > 1;
    if (two && config.numbers("fit.c").size() != b_.size())
      throw Error(Errc::usage,
                  fmt::format("{} flow weightings for {} volumes", config.numbers("fit.c").size(), b_.size()),
                  "set fit.c, one a volume [s/mm]")
          .at(config.where("fit.c"));
    if (two && config.text("input.average") != "none")
      throw Error(Errc::usage, "input.average puts volumes of one b together, but ivim.ballistic tells them apart by c",
                  "leave out input.average")
          .at(config.where("input.average"));
    set();
  }

  const JobFacts& facts() const override { return facts_; }
  Device device() const override { return device_; }
  flow::Graph graph() const override { return graph_; }
  std::map<std::string, Value> inputs() const override {
    std::map<std::string, Value> in{{"signal", ValueTraits<Image>::to(series_)}};
    if (!mask_.empty()) in["mask"] = region_value(series_, mask_);
    return in;
  }
  std::string maps_port() const override { return "fit.maps"; }
  std::vector<std::string> targets() const override { return {"fit"}; }
  Pairs stages() const override { return {{"series", "b-values"}, {"fit", "fit"}}; }

  Rows plan() const override {
    const auto g = series_.grid();
    std::vector<std::string> b;
    for (const double x : b_) b.push_back(short_number(x));
    return {{"series", fmt::format("{} x {} x {} voxels, {} volumes", g[0], g[1], g[2], series_.volumes())},
            {"b-values", fmt::format("{} s/mm2 from {}", fmt::join(b, " "), b_from_)},
            {"mask", facts_.mask_from},
            {"method", method()}};
  }

  void take(const Values& value, PipelineRun&) override {
    fitted_ = ValueTraits<Image>::from(value("series.signal"));
    noise_sd_ = value("fit.noise_sd").number();
  }

  std::string method() const override { return fmt::format("{}, {}", method_, model_); }
  Pairs used() const override {
    Pairs out{{"b", json(b_).dump()}};
    if (noise_sd_ > 0) out.emplace_back("noise_sd", json(noise_sd_).dump());
    return out;
  }
  Pairs summary(const PipelineRun&) const override {
    return {{"method", json(method_).dump()},
            {"model", json(model_).dump()},
            {"b", json(b_).dump()},
            {"b_from", json(b_from_).dump()},
            {"noise_sd", noise_sd_ > 0 ? json(noise_sd_).dump() : "null"},
            {"mask", json(facts_.mask_from).dump()}};
  }

  io::HtmlReport report(const PipelineRun& run, const Config& config, const RunSummary& summary) const override {
    nodes::IvimReport r;
    fill_report(r, *this, run, config, summary);
    const auto* series = facts_.source("diffusion series");
    r.subtitle = fmt::format("{}: {}, {}", series ? fs::path(series->path).filename().string() : "",
                             ivim::models().get(model_).title, ivim::methods().get(method_).title);
    r.series = fitted_, r.b = nodes::meta_numbers(fitted_.meta, "bValues");
    r.mask_from = facts_.mask_from, r.b_from = b_from_;
    return nodes::ivim_report(r);
  }

 private:
  void b_values(const fs::path& path) {
    const fs::path beside = io::bval_beside(path);
    std::vector<double> other;
    std::string other_from;
    if (!beside.empty() && !config_.has("input.bvals"))
      other = io::read_bvals(beside), other_from = beside.filename().string();
    for (const char* key : {"bValues", "DiffusionBValue"}) {
      const auto told = nodes::meta_numbers(series_.meta, key);
      if (other.empty()) other = told, other_from = fmt::format("the sidecar ({})", key);
      if (!told.empty() && told != other)
        note(fmt::format("{} b-values from {}; '{}' of the sidecar says others ({}), which are overruled", other.size(),
                         other_from, key, told.size()));
    }
    const char* key = config_.has("input.b") ? "input.b" : config_.has("input.bvals") ? "input.bvals" : nullptr;
    if (config_.has("input.b")) {
      b_ = config_.numbers("input.b"), b_from_ = "the configuration";
    } else if (config_.has("input.bvals")) {
      const fs::path named = relative(config_.text("input.bvals"));
      b_ = reading("input.bvals", [&] { return io::read_bvals(named); }), b_from_ = named.filename().string();
      facts_.sources.push_back({"b-values", named.string(), "input.bvals"});
    } else {
      b_ = other, b_from_ = other_from;
      if (!beside.empty()) facts_.sources.push_back({"b-values", beside.string(), "by name"});
    }
    if (key && !other.empty() && other != b_)
      note(fmt::format("{}: {} b-values from {}; {} says others, which are overruled", key, b_.size(), b_from_,
                       other_from));
    const std::string place = key ? config_.where(key) : path.string();
    if (b_.empty())
      throw Error(Errc::usage, "the b-values are not known: no .bval file beside the series, and its sidecar has none",
                  "set input.b [s/mm2] or input.bvals")
          .at(place);
    if (static_cast<std::int64_t>(b_.size()) != series_.volumes())
      throw Error(Errc::shape, fmt::format("{} b-values from {} for {} volumes", b_.size(), b_from_, series_.volumes()),
                  "give one b-value [s/mm2] for each volume")
          .at(place);
    series_.meta["bValues"] = b_;
  }

  void set() {
    graph_ = nodes::shipped_graph("ivim");
    SurfaceSettings s(graph_);
    s.set("series.average", config_.text("input.average"));
    s.set("series.tolerance", config_.number("input.tolerance"));
    s.set("series.b", list_value(b_));
    s.set("fit.method", method_), s.set("fit.model", model_), s.set("fit.S0", config_.text("fit.S0"));
    if (config_.has("fit.noise_sd")) s.set("fit.noise_sd", config_.number("fit.noise_sd"));
    s.set("fit.weights", weights_);
    s.set("fit.magnitude", config_.boolean("fit.magnitude"));
    s.set("fit.threshold", config_.number("fit.threshold"));
    for (const char* key : {"fit.f", "fit.D", "fit.D_star", "fit.c"}) s.set(key, list_value(config_.numbers(key)));
    s.set("fit.log_D_star", config_.boolean("fit.log_D_star"));
    s.set("fit.D_blood", config_.number("fit.D_blood"));
    if (config_.has("output.title")) s.set("output.title", config_.text("output.title"));
  }

  Device device_;
  Image series_, fitted_;
  std::vector<std::uint8_t> mask_;
  std::vector<double> b_;
  std::string b_from_, method_, model_, weights_;
  flow::Graph graph_;
  double noise_sd_ = 0;
};

void ask(Wizard& w) {
  const Found found = find(w.data());
  Wizard::say(fmt::format("In {}:", w.data().string()));
  w.tell("diffusion series", found.series), w.tell("mask", found.mask);
  Wizard::say("");
  w.ask("input.series", "Diffusion series", w.first(found.series));
  const Image series = io::read_image(w.data() / w.value("input.series"));
  const fs::path beside = io::bval_beside(w.data() / w.value("input.series"));
  if (found.series.size() == 1 && w.value("input.series") == w.first(found.series)) w.forget("input.series");
  bool known = !beside.empty();
  for (const char* key : {"bValues", "DiffusionBValue"})
    known = known || !nodes::meta_numbers(series.meta, key).empty();
  if (!beside.empty())
    Wizard::say(fmt::format("  b-values from {}", w.name_of(beside)));
  else if (known)
    Wizard::say("  b-values from the sidecar");
  else
    w.ask("input.b", fmt::format("b-values of the {} volumes, separated by commas", series.volumes()), "");
  w.ask_file("input.mask", "Mask of the voxels to look at, or none", found.mask, true);
  w.ask("input.average", "Volumes of one b-value: none, mean (repeats, powder average) or geometric (trace)", "none");
  std::vector<std::vector<std::string>> rows{{"method", ""}};
  for (const auto& [id, m] : ivim::methods()) rows.push_back({id, m.title});
  Wizard::say(text_table(rows, 2));
  w.ask("fit.method", "Method", "ivim.posterior");
  if (ivim::methods().get(w.value("fit.method")).any_model) w.ask("fit.model", "Model", "ivim.biexponential");
  if (w.value("fit.method") == "ivim.network") w.ask("fit.weights", "Weights of larmor ivim train", "");
  if (w.value("fit.method") == "ivim.segmented")
    w.ask("fit.threshold", "b-value from which perfusion is taken as gone", "200");
}

}  // namespace

void register_ivim(Pipelines& pipelines) {
  pipelines.add(
      {.name = "ivim",
       .dataset = "IVIM",
       .does = "Intravoxel incoherent motion from a diffusion series to maps with uncertainties and a report",
       .data = "folder with the images (flat, or one subject in BIDS layout), or the diffusion series itself",
       .more =
           "Names in the configuration are relative to DATA. What it does not name is found there: the series "
           "(*dwi*.nii*, *ivim*.nii*) and a mask. b-values come from input.b, else from the .bval file beside the "
           "series, else from its sidecar (bValues, DiffusionBValue). The noise is estimated when it is not given.\n"
           "The output folder appears whole or not at all.\n"
           "The work is the shipped graph \"ivim\": larmor graph show ivim, larmor run ivim, or open it in Studio. "
           "Networks of voxels: larmor ivim train, infer.",
       .refs = {"Le Bihan et al., Radiology 168:497 (1988)", "Neil and Bretthorst, MRM 29:642 (1993)"},
       .config = config_table,
       .prepare = [](const Config& config, const fs::path& data, Device device) -> std::unique_ptr<PipelineJob> {
         return std::make_unique<IvimJob>(config, data, device);
       },
       .ask = ask,
       .suits = [](const fs::path& folder) { return !find(folder).series.empty(); }});
}

}  // namespace larmor::cli
