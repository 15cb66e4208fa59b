// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <larmor/core/registry.hpp>
#include <larmor/data/aif.hpp>
#include <span>
#include <string>
#include <vector>

namespace larmor::dce {

/// A published arterial input function: whole-blood (or plasma) concentration [mM] at t [s] after the bolus arrives.
struct AifModel {
  std::string title, source;
  bool plasma = false;                    // what the paper's equation gives
  double Hct = 0.42;                      // the paper's haematocrit, used when the caller gives none
  std::function<double(double t)> value;  // 0 for t < 0
  bool preclinical = false;
};
using AifModels = Registry<AifModel>;
/// aif.parker aif.georgiou aif.fritz_hansen aif.weinmann aif.mcgrath_b
const AifModels& aif_models();

/// The model's curve arriving at `arrival` [s], sampled at `times`, as plasma concentration for haematocrit `Hct`.
/// Errors   Errc::range
Aif sample_aif(const AifModel& model, std::span<const double> times, double arrival, double Hct);

/// The curve `delay` [s] later (earlier when negative) at the same times: cubic interpolation between samples, the
/// first value before the first sample.
Aif shifted(const Aif& aif, double delay);
/// Cubic (monotone, so no overshoot between samples) interpolation to other times; 0 before the first sample, the last
/// value held after.
Aif resampled(const Aif& aif, std::span<const double> times);
/// Time [s] at which the curve begins to rise, by piecewise-linear (baseline, then rise) least squares refined below
/// the sampling interval. Errors   Errc::numeric when nothing rises
double bolus_arrival(std::span<const double> times, std::span<const double> values);

}  // namespace larmor::dce
