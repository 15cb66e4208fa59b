// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/parallel.hpp>
#include <larmor/perfusion/dce/fit_maps.hpp>
#include <limits>

namespace larmor::dce {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
using fit::FitStatus;

std::span<const Aif> inputs_of(const Model& model, std::span<const Aif> inputs) {
  const auto n = static_cast<std::size_t>(model.n_inputs);
  if (n > inputs.size())
    throw Error(Errc::range, fmt::format("{} takes {} input curves, {} given", model.title, n, inputs.size()),
                "give the venous curve too, or choose a model with one input");
  return inputs.first(n);
}

class Maps {
 public:
  Maps(const Fits& fits, const Image& reference) : fits_(fits), voxels_(fits.status.size()) {
    const auto g = reference.grid();
    grid_ = {g[0], g[1], g[2]};
    out_.reference = reference;
  }

  ParameterMaps all() {
    parameters();
    derived();
    quality();
    std::vector<std::uint8_t> codes(voxels_);
    for (std::size_t v = 0; v < voxels_; ++v) codes[v] = static_cast<std::uint8_t>(fits_.status[v]);
    out_.status = Array::from<std::uint8_t>(codes, grid_);
    return std::move(out_);
  }

 private:
  std::size_t best_index(std::size_t v) const { return fits_.best.empty() || fits_.best[v] == 255 ? 0 : fits_.best[v]; }
  bool usable(std::size_t v) const { return fit::usable(fits_.status[v]); }

  void add(const std::string& name, const std::string& unit, const std::string& title, const std::vector<float>& values,
           const std::vector<float>& se = {}) {
    out_.maps.push_back(make_map(name, unit, title, values, se, grid_));
  }

  void parameters() {
    std::vector<std::pair<std::string, Param>> names;  // every parameter of every model, once
    for (const auto& f : fits_.fits)
      for (const auto& p : f.params)
        if (std::none_of(names.begin(), names.end(), [&](const auto& n) { return n.first == p.name; }))
          names.emplace_back(p.name, p);
    for (const auto& [name, param] : names) {
      std::vector<float> values(voxels_, nan), se(voxels_, nan);
      for (std::size_t m = 0; m < fits_.fits.size(); ++m) {
        const auto& f = fits_.fits[m];
        for (std::size_t i = 0; i < f.params.size(); ++i)
          if (f.params[i].name == name)
            for (std::size_t v = 0; v < voxels_; ++v)
              if (usable(v) && best_index(v) == m) values[v] = f.values[i][v], se[v] = f.standard_error[i][v];
      }
      add(name, param.unit, param.title, values, se);
    }
  }

  void derived() {
    std::vector<std::string> done;
    for (std::size_t m = 0; m < fits_.fits.size(); ++m)
      for (const auto& d : models().get(fits_.models[m]).derived) {
        if (std::find(done.begin(), done.end(), d.name) != done.end() || out_.has(d.name)) continue;
        done.push_back(d.name);
        std::vector<float> values(voxels_, nan), se(voxels_, nan);
        for (std::size_t k = m; k < fits_.fits.size(); ++k) {
          const auto& all = models().get(fits_.models[k]).derived;
          for (std::size_t i = 0; i < all.size(); ++i)
            if (all[i].name == d.name) evaluate(k, i, values, se);
        }
        add(d.name, d.unit, d.title, values, se);
      }
  }

  void evaluate(std::size_t m, std::size_t which, std::vector<float>& out, std::vector<float>& se) const {
    const auto& f = fits_.fits[m];
    const auto& model = models().get(fits_.models[m]);
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
        if (usable(v)) values[v] = (fits_.fits[best_index(v)].*member)[v];
      add(name, unit, title, values);
    };
    collect("R2", "1", "Coefficient of determination", &FitResult::R2);
    collect("AICc", "1", "Corrected Akaike information criterion", &FitResult::AICc);
    collect("residual_sd", "mM", "Standard deviation of the residual", &FitResult::residual_sd);
    if (fits_.fits.size() < 2) return;
    std::vector<float> index(voxels_, nan);
    for (std::size_t v = 0; v < voxels_; ++v)
      if (usable(v) && fits_.best[v] != 255) index[v] = static_cast<float>(fits_.best[v]);
    add("model_index", "1", "Index of the model of least AICc", index);
  }

  const Fits& fits_;
  std::size_t voxels_;
  Shape grid_;
  ParameterMaps out_;
};

}  // namespace

Fits fit_voxels(const std::vector<std::string>& ids, const Array& concentration, std::span<const double> times,
                std::span<const Aif> inputs, Mask mask, const Statuses& before, const FitOptions& options,
                const Progress& progress, const Cancel* cancel) {
  Fits out;
  out.models = ids;
  const auto voxels = static_cast<std::size_t>(concentration.size() / std::max<std::int64_t>(1, std::ssize(times)));
  out.status = before.empty() ? Statuses(voxels, FitStatus::converged) : before;
  std::vector<std::uint8_t> good =
      mask.empty() ? std::vector<std::uint8_t>(voxels, 1) : std::vector<std::uint8_t>(mask.begin(), mask.end());
  for (std::size_t v = 0; v < voxels; ++v) {
    if (good[v]) out.fitted += fit::usable(out.status[v]);
    good[v] = good[v] && fit::usable(out.status[v]);
  }
  if (out.fitted == 0)
    throw Error(Errc::numeric, "no voxel of the mask has a usable signal", "check the mask, the flip angle, TR and T1");
  for (const auto& id : ids) inputs_of(models().get(id), inputs);
  if (ids.size() == 1) {
    const auto& model = models().get(ids[0]);
    out.fits.push_back(
        fit_model(model, concentration, times, inputs_of(model, inputs), good, options, progress, cancel));
  } else {
    auto chosen = select_model(ids, concentration, times, inputs, good, options, progress, cancel);
    out.fits = std::move(chosen.fits);
    out.best = std::move(chosen.best);
  }
  for (std::size_t v = 0; v < voxels; ++v) {
    const std::size_t m = out.best.empty() || out.best[v] == 255 ? 0 : out.best[v];
    if (!mask.empty() && !mask[v])
      out.status[v] = FitStatus::outside;
    else if (good[v])
      out.status[v] = out.fits[m].status[v];
  }
  return out;
}

ParameterMaps maps_of(const Fits& fits, const Image& reference, const FitOptions& options) {
  ParameterMaps out = Maps(fits, reference).all();
  out.meta["Models"] = fits.models;
  out.meta["Fitter"] = options.fitter;
  if (!options.fit_delay) out.meta["FixedDelay"] = options.delay;
  return out;
}

std::vector<std::string> models_of(const ParameterMaps& maps) {
  const auto it = maps.meta.find("Models");
  const auto* ids = it == maps.meta.end() ? nullptr : std::get_if<std::vector<std::string>>(&it->second);
  if (!ids || ids->empty())
    throw Error(Errc::usage, "these maps do not say which model they are of", "give the maps of a fit (dce.fit)");
  return *ids;
}

std::vector<double> fitted_curve(const ParameterMaps& maps, std::span<const Aif> inputs, std::span<const double> times,
                                 std::int64_t voxel) {
  const auto v = static_cast<std::size_t>(voxel);
  const auto ids = models_of(maps);
  if (!fit::usable(static_cast<FitStatus>(maps.status.span<const std::uint8_t>()[v]))) return {};
  const auto value = [&](const std::string& name) {
    return static_cast<double>(maps.get(name).values.span<const float>()[v]);
  };
  std::size_t m = 0;
  if (ids.size() > 1) {
    const double index = value("model_index");
    if (!(index >= 0 && index < static_cast<double>(ids.size()))) return {};
    m = static_cast<std::size_t>(index);
  }
  const auto& model = models().get(ids[m]);
  std::vector<double> p, out(times.size());
  for (const auto& param : model.params) p.push_back(value(param.name));
  const auto from = inputs_of(model, inputs);
  if (const auto it = maps.meta.find("FixedDelay"); it != maps.meta.end())
    tissue_concentration(model, p, from, times, out, std::get<double>(it->second));
  else
    delayed_concentration(model, p, from, times, out, value("delay"));
  return out;
}

}  // namespace larmor::dce
