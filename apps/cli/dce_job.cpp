// SPDX-License-Identifier: Apache-2.0
#include "dce_job.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/units.hpp>
#include <larmor/io/bids.hpp>
#include <larmor/io/file.hpp>

#include "series_files.hpp"
#include "series_reader.hpp"
#include "text_table.hpp"

namespace larmor::cli {
namespace fs = std::filesystem;
namespace {

class Preparation : SeriesReader {
 public:
  Preparation(const Config& config, const fs::path& data, Device device) : SeriesReader(config, data) {
    auto& o = job_.options;
    o.fit.device = o.t1_protocol.device = o.conversion.device = device;
  }

  DceJob all() {
    found_ = find_files(folder_);
    if (!is_folder_) found_.dynamic = {data_};
    dynamic();
    mask();
    if (!job_.options.concentration) {
      t1();
      b1();
      signal();
    }
    aif();
    fit();
    static_cast<JobFacts&>(job_) = std::move(facts_);
    return std::move(job_);
  }

 private:
  void dynamic() {
    Series4 s = series_4d("input.dynamic", found_.dynamic, "dynamic series", "*dce*.nii, *dce*.nii.gz, dynamic.nii.gz",
                          "x, y, z, t");
    auto& d = job_.data.dynamic;
    d = std::move(s.image);
    job_.options.concentration = config_.text("input.kind") == "concentration";
    job_.times_from = frame_times(d, s.path);
  }

  void mask() { job_.data.mask = input_mask(found_.mask, job_.data.dynamic, "dynamic series", "fitted"); }

  void t1() {
    std::string source = config_.text("t1.source");
    const fs::path map =
        source == "series" || source == "fixed" ? fs::path() : one_file("t1.map", found_.t1_map, "T1 map");
    const bool has_series = config_.has("t1.files") || !found_.series.empty();
    if (source == "auto") source = !map.empty() ? "map" : has_series ? "series" : "fixed";
    if (source == "map") {
      if (map.empty())
        throw Error(Errc::file, "no T1 map found (*T1map*.nii*, T10.nii*)", "name it with t1.map").at(folder_.string());
      job_.data.T10 = reading("t1.map", [&] {
        const std::string unit = config_.text("t1.map_unit");
        auto T1 = read_map(map, job_.data.dynamic, "T1 map", unit == "ms" ? 1e-3 : 1.0);
        require_middle(T1, T1_middle.first, T1_middle.second, "T1 map in s",
                       fmt::format("its unit is not {}: set t1.map_unit: {}", unit, unit == "ms" ? "s" : "ms"));
        return T1;
      });
      job_.t1_from = "map " + map.filename().string();
    } else if (source == "series") {
      t1_series();
    } else {
      if (!config_.has("t1.fixed"))
        throw Error(Errc::usage, "T10 is not known: no series (*vfa*.nii*), no map (*T1map*.nii*) and no value",
                    "name files with t1.files or t1.map, or set t1.fixed [s]")
            .at(config_.source());
      job_.data.T10 = {static_cast<float>(config_.number("t1.fixed"))};
      job_.t1_from = fmt::format("{} s everywhere", short_number(config_.number("t1.fixed")));
    }
  }

  void t1_series() {
    Paths paths = found_.series;
    const bool named = config_.has("t1.files");
    if (named) {
      paths.clear();
      for (const auto& f : config_.texts("t1.files")) paths.push_back(relative(f));
    }
    if (paths.empty())
      throw Error(Errc::file, "no series for T1 found (*vfa*.nii*)", "name the files with t1.files")
          .at(folder_.string());
    for (const auto& p : paths) facts_.sources.push_back({"T1 series", p.string(), named ? "t1.files" : "by name"});
    const Series series = reading("t1.files", [&] { return read_series(paths); });
    require_same_space(job_.data.dynamic, series.image, "dynamic series", "T1 series " + paths[0].filename().string());
    job_.data.t1_series = series.image;
    auto& o = job_.options;
    o.t1_method = config_.text("t1.method");
    auto& p = o.t1_protocol;
    const std::string file = paths[0].string();
    p.FA = protocol("t1.FA", series.FA, file);
    p.TR = protocol("t1.TR", series.TR, file);
    p.TI = protocol("t1.TI", series.TI, file);
    if (!p.FA.empty()) p.readout_FA = p.FA[0];
    job_.t1_from = fmt::format("{} volumes, {}", series.image.volumes(), o.t1_method);
  }

  void b1() {
    const fs::path path = one_file("t1.B1", found_.b1, "B1 map");
    if (path.empty()) return;
    job_.data.B1 = reading("t1.B1", [&] {
      const std::string unit = config_.text("t1.B1_unit");
      auto B1 = read_map(path, job_.data.dynamic, "B1 map", unit == "%" ? 0.01 : 1.0);
      require_middle(B1, B1_middle.first, B1_middle.second, "B1 map, actual / nominal,",
                     fmt::format("its unit is not {}: set t1.B1_unit: '{}'", unit, unit == "%" ? "1" : "%"));
      return B1;
    });
  }

  void signal() {
    auto& o = job_.options;
    const auto& d = job_.data.dynamic;
    const auto one = [&](const char* key, const std::vector<double>& sidecar) {
      const auto v = protocol(key, sidecar, d.source.empty() ? "the dynamic series" : d.source);
      if (v.empty())
        throw Error(Errc::usage, fmt::format("{} is not known: neither the configuration nor the sidecar has it", key),
                    fmt::format("set {} [{}]", key, config_.table().key(key).unit))
            .at(config_.source());
      return v[0];
    };
    o.conversion.method = config_.text("signal.method");
    o.spgr.FA = one("signal.FA", in_rad(meta_numbers(d.meta, "FlipAngle")));
    o.spgr.TR = one("signal.TR", meta_TR(d.meta));
    o.spgr.r1 = config_.number("signal.r1");
    try {
      o.spgr.check();
    } catch (Error& e) {
      throw e.at(config_.has("signal.TR") || config_.has("signal.FA") ? config_.source()
                                                                      : "sidecar of " + facts_.sources[0].path);
    }
    if (!config_.has("signal.TR") && o.spgr.TR > 0.5)
      note(
          fmt::format("signal.TR: {} s is long for a spoiled gradient echo; RepetitionTime may be the frame time. Set "
                      "signal.TR [ms] if so",
                      o.spgr.TR));
    if (!config_.is_word("signal.baseline", "auto")) {
      const auto b = config_.numbers("signal.baseline");
      if (b.size() > 2)
        throw Error(Errc::usage, fmt::format("signal.baseline holds {} numbers, not 1 or 2", b.size()),
                    "give a count, or [first, last)")
            .at(config_.where("signal.baseline"));
      const double first = b.size() == 2 ? b[0] : 0, last = b.back();
      if (!(first < last) || last > static_cast<double>(d.volumes()))
        throw Error(Errc::usage, fmt::format("signal.baseline takes frames {} to {} of {}", first, last, d.volumes()),
                    "give 0 <= first < last <= the number of frames")
            .at(config_.where("signal.baseline"));
      o.conversion.baseline_first = static_cast<int>(first), o.conversion.baseline_last = static_cast<int>(last);
    }
  }

  Aif curve(const char* key, const fs::path& path) {
    return reading(key, [&] {
      return read_curve(path, config_.text("aif.time_unit") == "min" ? 60.0 : 1.0, config_.boolean("aif.plasma"));
    });
  }

  void aif() {
    auto& o = job_.options;
    const std::string source = config_.text("aif.source");
    o.input.Hct = config_.number("aif.Hct");
    o.input.delay = config_.number("aif.delay");
    o.input.step = config_.number("aif.step");
    o.input.model = config_.text("aif.model");
    if (!config_.is_word("aif.arrival", "auto")) o.input.arrival = config_.number("aif.arrival");
    // Two places that say different things: the reader of the file must know which one counts.
    for (const auto& [key, wanted] : {std::pair{"aif.file", "file"}, {"aif.mask", "mask"}, {"aif.arrival", "model"}})
      if (config_.has(key) && !config_.is_word(key, "auto") && source != wanted)
        throw Error(Errc::usage, fmt::format("{} is set, but aif.source is '{}'", key, source),
                    fmt::format("set aif.source: {}, or leave out {}", wanted, key))
            .at(config_.where(key));
    if (source == "model") {
      o.input.source = dce::AifSource::model;
      job_.aif_from = o.input.model;
    } else if (source == "file") {
      const fs::path path = one_file("aif.file", found_.aif_table, "AIF table");
      if (path.empty())
        throw Error(Errc::usage, "aif.source is 'file', but there is none", "name it with aif.file")
            .at(config_.where("aif.source"));
      o.input.source = dce::AifSource::curve;
      job_.data.curves.push_back(curve("aif.file", path));
      job_.aif_from = path.filename().string();
    } else if (source == "mask") {
      const fs::path path = one_file("aif.mask", found_.aif_mask, "AIF mask");
      if (path.empty())
        throw Error(Errc::usage, "aif.source is 'mask', but there is none", "name it with aif.mask")
            .at(config_.where("aif.source"));
      o.input.source = dce::AifSource::region;
      job_.data.aif_region = region("aif.mask", path, "AIF mask", job_.data.dynamic, "dynamic series");
      job_.aif_from = path.filename().string();
    } else {
      o.input.source = dce::AifSource::automatic;
      job_.aif_from = "found automatically";
    }
    if (config_.has("aif.venous_file")) {
      if (job_.data.curves.empty())
        throw Error(Errc::usage, "aif.venous_file needs a measured arterial curve", "set aif.source: file and aif.file")
            .at(config_.where("aif.venous_file"));
      const fs::path path = relative(config_.text("aif.venous_file"));
      facts_.sources.push_back({"venous input", path.string(), "aif.venous_file"});
      job_.data.curves.push_back(curve("aif.venous_file", path));
    }
  }

  void fit() {
    auto& o = job_.options;
    auto& f = o.fit;
    o.models = config_.texts("fit.model");
    for (auto& m : o.models) m = dce::models().resolve(m);
    for (std::size_t i = 0; i < o.models.size(); ++i)
      for (std::size_t k = 0; k < i; ++k)
        if (o.models[i] == o.models[k])
          throw Error(Errc::usage, fmt::format("fit.model names {} twice", o.models[i]), "name each model once")
              .at(config_.where("fit.model"));
    for (const auto& m : o.models)
      if (dce::models().get(m).n_inputs > 1 && job_.data.curves.size() < 2)
        throw Error(Errc::usage, fmt::format("{} takes two inputs, one is given", m),
                    "set aif.source: file, aif.file and aif.venous_file")
            .at(config_.where("fit.model"));
    f.fitter = config_.text("fit.fitter");
    f.fit_delay = config_.boolean("fit.fit_delay");
    const auto bounds = config_.numbers("fit.delay_bounds");
    if (bounds.size() != 2 || !(bounds[0] < bounds[1]))
      throw Error(Errc::usage, "fit.delay_bounds is not [lower, upper]", "give two numbers [s], the lower one first")
          .at(config_.where("fit.delay_bounds"));
    f.delay_lower = bounds[0], f.delay_upper = bounds[1];
    f.delay = config_.number("fit.delay");
    if (f.fit_delay && config_.has("fit.delay") && f.delay != 0)
      throw Error(Errc::usage, "fit.delay is set, but fit.fit_delay is true",
                  "choose one; a start for the fit is fit.params: {delay: {start: 2}}")
          .at(config_.where("fit.delay"));
    f.max_iterations = config_.integer("fit.max_iterations");
    f.tolerance = config_.number("fit.tolerance");
    if (config_.has("fit.noise_sd")) f.noise_sd = config_.number("fit.noise_sd");
    const auto frames = static_cast<std::size_t>(job_.data.dynamic.volumes());
    if (config_.has("fit.skip_frames")) {
      f.use_frame.assign(frames, 1);
      for (const double i : config_.numbers("fit.skip_frames")) {
        if (i >= static_cast<double>(frames))
          throw Error(Errc::usage, fmt::format("fit.skip_frames names frame {} of {} (counted from 0)", i, frames),
                      fmt::format("give 0 to {}", frames - 1))
              .at(config_.where("fit.skip_frames"));
        f.use_frame[static_cast<std::size_t>(i)] = 0;
      }
    }
    for (const auto& [name, p] : config_.params()) {
      bool known = name == "delay" && f.fit_delay;
      std::string has;
      for (const auto& m : o.models)
        for (const auto& q : dce::models().get(m).params) {
          known = known || q.name == name;
          has += (has.empty() ? "" : ", ") + q.name;
        }
      if (!known)
        throw Error(
            Errc::usage,
            fmt::format("fit.params.{}: {} has no such parameter", name, fmt::format("{}", fmt::join(o.models, ", "))),
            name == "delay" ? "set fit.fit_delay: true" : "its parameters: " + has)
            .at(config_.source());
      f.params[name] = {.fixed = p.fixed,
                        .lower = p.lower,
                        .upper = p.upper,
                        .start = p.start,
                        .prior_mean = p.prior_mean,
                        .prior_sd = p.prior_sd,
                        .prior_log = p.prior_log};
    }
    o.descriptors = config_.boolean("output.descriptors");
  }

  FoundFiles found_;
  DceJob job_;
};

}  // namespace

DceJob prepare_dce(const Config& config, const fs::path& data, Device device) {
  return Preparation(config, data, device).all();
}

}  // namespace larmor::cli
