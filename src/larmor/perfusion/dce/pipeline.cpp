// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <larmor/perfusion/dce/pipeline.hpp>

namespace larmor::dce {
namespace {

void check(const PipelineData& data) {
  check_series(data.dynamic);
  const auto voxels = data.dynamic.voxels();
  check_voxels(data.mask.size(), voxels, "mask");
  check_voxels(data.B1.size(), voxels, "B1 map");
  check_voxels(data.aif_region.size(), voxels, "AIF region");
  if (data.T10.size() != 1) check_voxels(data.T10.size(), voxels, "T1 map");
  if (!data.mask.empty() && std::none_of(data.mask.begin(), data.mask.end(), [](auto m) { return m != 0; }))
    throw Error(Errc::range, "the mask is empty", "give a mask with voxels that are not 0");
}

}  // namespace

PipelineResult run_pipeline(const PipelineData& data, const PipelineOptions& options, const Progress& progress,
                            const Cancel* cancel) {
  check(data);
  const auto& dynamic = data.dynamic;
  const auto grid = dynamic.grid();
  const auto wanted = wanted_voxels(data.mask, data.aif_region);
  PipelineResult result;
  const auto stage = [&](const char* name, auto&& step) {
    if (cancel) cancel->check();
    const auto start = std::chrono::steady_clock::now();
    try {
      step();
    } catch (Error& e) {
      throw e.at(fmt::format("stage '{}'", name));
    }
    result.seconds.emplace_back(name, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  };

  BaselineT1 t1;
  if (!options.concentration)
    stage("T1", [&] {
      if (!data.t1_series.data.empty())
        t1 = baseline_T1(data.t1_series.data, options.t1_method, options.t1_protocol, data.B1, data.mask, wanted,
                         progress, cancel);
      else if (data.T10.empty())
        throw Error(Errc::range, "no T1: neither a series, nor a map, nor a value", "give one of them");
      else
        t1 = baseline_T1(data.T10, data.mask, {grid[0], grid[1], grid[2]});
    });
  Statuses status = t1.status;
  stage("concentration", [&] {
    if (options.concentration) {
      result.concentration = dynamic.data.cast(DType::f32).contiguous_copy();
    } else {
      auto c = signal_to_concentration(dynamic.data, dynamic.times, options.spgr, t1.T1, data.B1, wanted,
                                       options.conversion, cancel);
      result.concentration = std::move(c.concentration);
      result.baseline_first = c.baseline_first, result.baseline_last = c.baseline_last;
      status = after(status, std::move(c.status));
    }
    result.mean_tissue = mean_curve(result.concentration, data.mask);
    std::optional<double> otherwise = options.input.arrival;
    if (options.input.source != AifSource::model && !otherwise) otherwise = dynamic.times.front();
    result.arrival = tissue_arrival(dynamic.times, result.mean_tissue, otherwise);
  });
  stage("input function", [&] {
    auto found = find_inputs(options.input, result.concentration, dynamic.times, data.curves, data.mask,
                             data.aif_region, result.arrival);
    result.inputs = std::move(found.curves);
    result.detection = std::move(found.detection);
  });
  stage("fit", [&] {
    result.fit = fit_voxels(options.models, result.concentration, dynamic.times, result.inputs, data.mask, status,
                            options.fit, progress, cancel);
  });
  stage("maps", [&] {
    Image reference = dynamic;
    reference.data = dynamic.data.slice(3, 0);  // a view: geometry without a copy
    result.maps = maps_of(result.fit, reference, options.fit);
    const auto add = [&](std::vector<ParameterMap> more) {
      for (auto& m : more) result.maps.maps.push_back(std::move(m));
    };
    add(std::move(t1.maps));
    if (options.descriptors) add(uptake_maps(result.concentration, dynamic.times, result.arrival, data.mask, cancel));
  });
  return result;
}

}  // namespace larmor::dce
