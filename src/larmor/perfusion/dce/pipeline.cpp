// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <larmor/core/parallel.hpp>
#include <larmor/core/units.hpp>
#include <larmor/perfusion/dce/aif_models.hpp>
#include <larmor/perfusion/dce/descriptors.hpp>
#include <larmor/perfusion/dce/pipeline.hpp>
#include <limits>

namespace larmor::dce {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
using fit::FitStatus;

class Run {
 public:
  Run(const PipelineData& data, const PipelineOptions& options, const Progress& progress, const Cancel* cancel)
      : data_(data), options_(options), progress_(progress), cancel_(cancel) {}

  PipelineResult all() {
    check();
    result_.maps.reference = data_.dynamic;
    result_.maps.reference.data = data_.dynamic.data.slice(3, 0);  // a view: geometry without a copy
    status_.assign(voxels_, FitStatus::converged);
    if (!options_.concentration) stage("T1", [&] { map_T1(); });
    stage("concentration", [&] { convert(); });
    stage("input function", [&] { find_inputs(); });
    stage("fit", [&] { fit_voxels(); });
    result_.fit_seconds = result_.seconds.back().second;
    stage("maps", [&] { make_maps(); });
    return std::move(result_);
  }

 private:
  template <class Step>
  void stage(const char* name, Step&& step) {
    if (cancel_) cancel_->check();
    const auto start = std::chrono::steady_clock::now();
    try {
      step();
    } catch (Error& e) {
      throw e.at(fmt::format("stage '{}'", name));
    }
    result_.seconds.emplace_back(name, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }

  void check() {
    const auto& d = data_.dynamic;
    if (d.data.rank() != 4)
      throw Error(Errc::shape,
                  fmt::format("the dynamic series has {} axes ({}), not 4", d.data.rank(), to_string(d.data.shape())),
                  "give a 4-D series (x, y, z, t)");
    const auto frames = d.volumes();
    if (frames < 3)
      throw Error(Errc::range,
                  fmt::format("the dynamic series holds {} time point{}; at least 3 are needed", frames,
                              frames == 1 ? "" : "s"),
                  "give the whole series");
    if (static_cast<std::int64_t>(d.times.size()) != frames)
      throw Error(Errc::shape, fmt::format("{} frame times for {} frames", d.times.size(), frames),
                  "give one time [s] for each frame");
    for (std::size_t i = 0; i < d.times.size(); ++i)
      if (!std::isfinite(d.times[i]) || (i && !(d.times[i] > d.times[i - 1])))
        throw Error(Errc::range,
                    fmt::format("frame time {} s at frame {} does not follow {} s", d.times[i], i,
                                i ? d.times[i - 1] : -INFINITY),
                    "give strictly increasing times [s]");
    voxels_ = static_cast<std::size_t>(d.voxels());
    const auto fits = [&](std::size_t n, const char* what) {
      if (n != 0 && n != voxels_)
        throw Error(Errc::shape, fmt::format("the {} holds {} voxels, the dynamic series {}", what, n, voxels_),
                    "give it on the same grid");
    };
    fits(data_.mask.size(), "mask");
    fits(data_.B1.size(), "B1 map");
    fits(data_.aif_region.size(), "AIF region");
    if (data_.T10.size() != 1) fits(data_.T10.size(), "T1 map");
    if (!data_.mask.empty() && std::none_of(data_.mask.begin(), data_.mask.end(), [](auto m) { return m != 0; }))
      throw Error(Errc::range, "the mask is empty", "give a mask with voxels that are not 0");
    result_.models = options_.models;
  }

  // Voxels that need T1 and concentration: those to fit and those of the artery.
  std::vector<std::uint8_t> wanted() const {
    if (data_.mask.empty() || data_.aif_region.empty()) return data_.mask;
    auto both = data_.mask;
    for (std::size_t v = 0; v < voxels_; ++v) both[v] = both[v] || data_.aif_region[v];
    return both;
  }

  void add_map(const std::string& name, const std::string& unit, const std::string& title, std::vector<float> values,
               std::vector<float> se = {}) {
    const auto& g = data_.dynamic.data.shape();
    const Shape shape(g.begin(), g.begin() + 3);
    const auto* q = units::find_quantity(name);
    ParameterMap m;
    m.name = name;
    m.unit = unit;
    m.symbol = q ? std::string(q->symbol) : name;
    m.title = q ? std::string(q->title) : title;
    m.values = Array::from<float>(values, shape);
    if (!se.empty()) m.standard_error = Array::from<float>(se, shape);
    result_.maps.maps.push_back(std::move(m));
  }

  void map_T1() {
    T10_ = data_.T10;
    if (data_.t1_series.data.empty()) {
      if (T10_.empty()) throw Error(Errc::range, "no T1: neither a series, nor a map, nor a value", "give one of them");
      if (T10_.size() > 1) add_T1_map(T10_, {});
      return;
    }
    const auto& method = t1_methods().get(options_.t1_method);
    const auto mask = wanted();
    auto t1 = method.map(data_.t1_series.data, options_.t1_protocol, data_.B1, mask, progress_, cancel_);
    for (std::size_t v = 0; v < voxels_; ++v)
      if (!fit::usable(t1.status[v])) status_[v] = t1.status[v], t1.T1[v] = nan;
    T10_ = t1.T1;
    add_T1_map(t1.T1, t1.T1_se);
    add_map("M0", "a.u.", "Equilibrium signal", std::move(t1.M0), std::move(t1.M0_se));
  }

  void add_T1_map(std::vector<float> T1, std::vector<float> se) {
    for (std::size_t v = 0; v < voxels_ && !data_.mask.empty(); ++v)
      if (!data_.mask[v]) {
        T1[v] = nan;
        if (!se.empty()) se[v] = nan;
      }
    add_map("T10", "s", "T1 before contrast", std::move(T1), std::move(se));
  }

  void convert() {
    if (options_.concentration) {
      result_.concentration = data_.dynamic.data.cast(DType::f32).contiguous_copy();
    } else {
      const auto mask = wanted();
      auto c = signal_to_concentration(data_.dynamic.data, data_.dynamic.times, options_.spgr, T10_, data_.B1, mask,
                                       options_.conversion, cancel_);
      result_.concentration = std::move(c.concentration);
      result_.baseline_first = c.baseline_first, result_.baseline_last = c.baseline_last;
      // A voxel with some frames out of range is refused by the fit as bad data; this reason is the better one.
      for (std::size_t v = 0; v < voxels_; ++v)
        if (fit::usable(status_[v])) status_[v] = c.status[v];
    }
    result_.mean_tissue = mean_curve(result_.concentration, data_.mask);
    try {
      result_.arrival = bolus_arrival(data_.dynamic.times, result_.mean_tissue);
    } catch (const Error& e) {
      if (options_.aif_source == AifSource::model && !options_.arrival)
        throw Error(e.code(), "the arrival of the bolus cannot be found: " + e.message(),
                    "set aif.arrival [s], check the mask, the flip angle and TR");
      result_.arrival = options_.arrival.value_or(data_.dynamic.times.front());
    }
  }

  void find_inputs() {
    const auto& times = data_.dynamic.times;
    switch (options_.aif_source) {
      case AifSource::model:
        result_.inputs = {sampled_for_fit(options_.aif_model, times,
                                          options_.arrival.value_or(result_.arrival) + options_.aif_delay, options_.Hct,
                                          options_.aif_step)};
        break;
      case AifSource::curve:
        if (data_.curves.empty())
          throw Error(Errc::range, "no measured input curve", "give one, or choose another AIF source");
        result_.inputs = {data_.curves[0].to_plasma(options_.Hct)};
        break;
      case AifSource::region:
        if (data_.aif_region.empty())
          throw Error(Errc::range, "no AIF region", "give a mask, or choose another AIF source");
        result_.inputs = {aif_from_mask(result_.concentration, times, data_.aif_region).to_plasma(options_.Hct)};
        break;
      case AifSource::automatic:
        result_.detection = detect_aif(result_.concentration, times, data_.mask);
        result_.inputs = {result_.detection->blood.to_plasma(options_.Hct)};
        break;
    }
    if (options_.aif_source != AifSource::model && options_.aif_delay != 0)
      result_.inputs[0] = shifted(result_.inputs[0], options_.aif_delay);
    for (std::size_t i = 1; i < data_.curves.size(); ++i)
      result_.inputs.push_back(data_.curves[i].to_plasma(options_.Hct));
  }

  std::span<const Aif> inputs_of(const Model& model) const {
    const auto n = static_cast<std::size_t>(model.n_inputs);
    if (n > result_.inputs.size())
      throw Error(Errc::range, fmt::format("{} takes {} input curves, {} given", model.title, n, result_.inputs.size()),
                  "give the venous curve too, or choose a model with one input");
    return {result_.inputs.data(), n};
  }

  void fit_voxels() {
    auto mask = data_.mask.empty() ? std::vector<std::uint8_t>(voxels_, 1) : data_.mask;
    for (std::size_t v = 0; v < voxels_; ++v) {
      if (mask[v]) result_.fitted += fit::usable(status_[v]);
      mask[v] = mask[v] && fit::usable(status_[v]);
    }
    if (result_.fitted == 0)
      throw Error(Errc::numeric, "no voxel of the mask has a usable signal",
                  "check the mask, the flip angle, TR and T1");
    if (result_.models.size() == 1) {
      const auto& model = models().get(result_.models[0]);
      result_.fits.push_back(fit_model(model, result_.concentration, data_.dynamic.times, inputs_of(model), mask,
                                       options_.fit, progress_, cancel_));
    } else {
      for (const auto& id : result_.models) inputs_of(models().get(id));
      auto chosen = select_model(result_.models, result_.concentration, data_.dynamic.times, result_.inputs, mask,
                                 options_.fit, progress_, cancel_);
      result_.fits = std::move(chosen.fits);
      result_.best = std::move(chosen.best);
    }
    for (std::size_t v = 0; v < voxels_; ++v) {
      if (!data_.mask.empty() && !data_.mask[v])
        status_[v] = FitStatus::outside;
      else if (mask[v])
        status_[v] = best_fit(v).status[v];
    }
  }

  std::size_t best_index(std::size_t v) const {
    return result_.best.empty() || result_.best[v] == 255 ? 0 : result_.best[v];
  }
  const FitResult& best_fit(std::size_t v) const { return result_.fits[best_index(v)]; }
  bool usable(std::size_t v) const { return fit::usable(status_[v]); }

  void make_maps() {
    std::vector<std::pair<std::string, Param>> names;  // every parameter of every model, once
    for (const auto& f : result_.fits)
      for (const auto& p : f.params)
        if (std::none_of(names.begin(), names.end(), [&](const auto& n) { return n.first == p.name; }))
          names.emplace_back(p.name, p);
    std::vector<ParameterMap> before = std::move(result_.maps.maps);
    result_.maps.maps.clear();
    for (const auto& [name, param] : names) {
      std::vector<float> values(voxels_, nan), se(voxels_, nan);
      for (std::size_t m = 0; m < result_.fits.size(); ++m) {
        const auto& f = result_.fits[m];
        for (std::size_t i = 0; i < f.params.size(); ++i)
          if (f.params[i].name == name)
            for (std::size_t v = 0; v < voxels_; ++v)
              if (usable(v) && best_index(v) == m) values[v] = f.values[i][v], se[v] = f.standard_error[i][v];
      }
      add_map(name, param.unit, param.title, std::move(values), std::move(se));
    }
    derived();
    quality();
    for (auto& m : before) result_.maps.maps.push_back(std::move(m));
    if (options_.descriptors) describe();
    std::vector<std::uint8_t> codes(voxels_);
    for (std::size_t v = 0; v < voxels_; ++v) codes[v] = static_cast<std::uint8_t>(status_[v]);
    const auto& g = data_.dynamic.data.shape();
    result_.maps.status = Array::from<std::uint8_t>(codes, Shape(g.begin(), g.begin() + 3));
  }

  void derived() {
    std::vector<std::string> done;
    for (std::size_t m = 0; m < result_.fits.size(); ++m)
      for (const auto& d : models().get(result_.models[m]).derived) {
        if (std::find(done.begin(), done.end(), d.name) != done.end() || result_.maps.has(d.name)) continue;
        done.push_back(d.name);
        std::vector<float> values(voxels_, nan), se(voxels_, nan);
        for (std::size_t k = m; k < result_.fits.size(); ++k) {
          const auto& all = models().get(result_.models[k]).derived;
          for (std::size_t i = 0; i < all.size(); ++i)
            if (all[i].name == d.name) evaluate(k, i, values, se);
        }
        add_map(d.name, d.unit, d.title, std::move(values), std::move(se));
      }
  }

  void evaluate(std::size_t m, std::size_t which, std::vector<float>& out, std::vector<float>& se) const {
    const auto& f = result_.fits[m];
    const auto& model = models().get(result_.models[m]);
    const auto& d = model.derived[which];
    const std::size_t n = model.params.size();
    parallel_for(voxels_, 4096, [&](std::size_t begin, std::size_t end) {
      std::vector<double> p(n);
      for (std::size_t v = begin; v < end; ++v) {
        if (!usable(v) || best_index(v) != m) continue;
        for (std::size_t i = 0; i < n; ++i) p[i] = static_cast<double>(f.values[i][v]);
        const auto value = static_cast<float>(d.value(p));
        if (std::isfinite(value)) out[v] = value, se[v] = f.derived_error[which][v];
      }
    });
  }

  void quality() {
    const auto collect = [&](const char* name, const char* unit, const char* title,
                             const std::vector<float> FitResult::*member) {
      std::vector<float> values(voxels_, nan);
      for (std::size_t v = 0; v < voxels_; ++v)
        if (usable(v)) values[v] = (best_fit(v).*member)[v];
      add_map(name, unit, title, std::move(values));
    };
    collect("R2", "1", "Coefficient of determination", &FitResult::R2);
    collect("AICc", "1", "Corrected Akaike information criterion", &FitResult::AICc);
    collect("residual_sd", "mM", "Standard deviation of the residual", &FitResult::residual_sd);
    if (result_.fits.size() > 1) {
      std::vector<float> index(voxels_, nan);
      for (std::size_t v = 0; v < voxels_; ++v)
        if (usable(v) && result_.best[v] != 255) index[v] = static_cast<float>(result_.best[v]);
      add_map("model_index", "1", "Index of the model of least AICc", std::move(index));
    }
  }

  void describe() {
    auto mask = data_.mask.empty() ? std::vector<std::uint8_t>(voxels_, 1) : data_.mask;
    auto d = describe_uptake(result_.concentration, data_.dynamic.times, result_.arrival, mask, cancel_);
    add_map("iAUC60", "mM s", "", std::move(d.iAUC60));
    add_map("iAUC90", "mM s", "", std::move(d.iAUC90));
    add_map("iAUC180", "mM s", "", std::move(d.iAUC180));
    add_map("TTP", "s", "", std::move(d.TTP));
    add_map("peak", "mM", "", std::move(d.peak));
    add_map("wash_in", "mM/s", "", std::move(d.wash_in));
    add_map("wash_out", "mM/s", "", std::move(d.wash_out));
  }

  const PipelineData& data_;
  const PipelineOptions& options_;
  const Progress& progress_;
  const Cancel* cancel_;
  PipelineResult result_;
  std::size_t voxels_ = 0;
  std::vector<float> T10_;
  std::vector<FitStatus> status_;
};

}  // namespace

std::vector<double> PipelineResult::fitted_curve(std::int64_t voxel, double fixed_delay) const {
  const auto v = static_cast<std::size_t>(voxel);
  const std::size_t m = best.empty() || best[v] == 255 ? 0 : best[v];
  const auto& f = fits.at(m);
  if (!fit::usable(f.status[v])) return {};
  const auto& model = dce::models().get(models[m]);
  std::vector<double> p;
  for (const auto& values : f.values) p.push_back(static_cast<double>(values[v]));
  const auto& times = maps.reference.times;
  const std::span<const Aif> from(inputs.data(), static_cast<std::size_t>(model.n_inputs));
  const auto own = std::span<const double>(p).first(model.params.size());
  std::vector<double> out(times.size());
  if (p.size() > own.size())
    delayed_concentration(model, own, from, times, out, p.back());
  else
    tissue_concentration(model, own, from, times, out, fixed_delay);
  return out;
}

PipelineResult run_pipeline(const PipelineData& data, const PipelineOptions& options, const Progress& progress,
                            const Cancel* cancel) {
  return Run(data, options, progress, cancel).all();
}

Aif sampled_for_fit(const std::string& model, std::span<const double> frames, double arrival, double Hct, double step) {
  constexpr double first_pass = 45;  // [s]: the second peak of Parker's curve has passed
  std::vector<double> times(frames.begin(), frames.end());
  // Some curves jump at their arrival (Parker's by 0.1 mM plasma): without a node before it, the last frame and the
  // arrival would be joined by a ramp that was never there. Nearer than 0.2 steps the jump makes the sum of squares of
  // models with a delay (AATH) so rough that fits of Fp get stuck: 13 % of the voxels at 0.02 steps, none at 0.2.
  // A population curve is no measurement: it may begin before the first frame.
  times.push_back(arrival - 0.2 * step);
  for (double t = arrival; t < arrival + first_pass && t < frames.back(); t += step) times.push_back(t);
  std::sort(times.begin(), times.end());
  const auto near = [&](double a, double b) { return b - a < 0.01 * step; };
  times.erase(std::unique(times.begin(), times.end(), near), times.end());
  return sample_aif(aif_models().get(model), times, arrival, Hct);
}

std::vector<double> mean_curve(const Array& series, std::span<const std::uint8_t> mask) {
  const auto frames = static_cast<std::size_t>(series.extent(series.rank() - 1));
  const std::size_t voxels = static_cast<std::size_t>(series.size()) / frames;
  const auto values = series.span<float>();
  std::vector<double> mean(frames);
  parallel_for(frames, 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t t = begin; t < end; ++t) {
      double sum = 0;
      std::size_t n = 0;
      for (std::size_t v = 0; v < voxels; ++v) {
        const float x = values[t * voxels + v];
        if ((mask.empty() || mask[v]) && std::isfinite(x)) sum += static_cast<double>(x), ++n;
      }
      mean[t] = n ? sum / static_cast<double>(n) : 0.0;
    }
  });
  return mean;
}

}  // namespace larmor::dce
