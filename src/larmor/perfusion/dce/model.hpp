// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <larmor/core/registry.hpp>
#include <larmor/data/aif.hpp>
#include <larmor/fit/param.hpp>
#include <span>
#include <string>
#include <vector>

namespace larmor::dce {

using fit::Param;

/// Quantity computed from the fitted ones (kep = Ktrans / ve).
struct Derived {
  std::string name, unit, title;
  std::function<double(std::span<const double> params)> value = {};  // set by the registration from the model's kernels
};

struct FitKernels;  // the model compiled for each instruction set (model_kernel.hpp)

/// A tracer-kinetic model: tissue concentration from the arterial plasma (and for dual-input models the venous plasma)
/// input.
struct Model {
  std::string title;
  std::string source;
  std::vector<Param> params;
  int n_inputs = 1;
  std::vector<Derived> derived = {};
  const FitKernels* (*kernels)() = nullptr;
};
using Models = Registry<Model>;
/// dce.tofts dce.extended_tofts dce.patlak dce.2cxm dce.2cum dce.aath dce.one_compartment dce.dual_input
const Models& models();

/// Tissue concentration of `model` at `times`, scalar double precision.
///
/// params  one a parameter, in the order of model.params, engine units
/// inputs  model.n_inputs curves (arterial first), plasma concentration [mM]
/// delay   [s] every input is taken at t - delay (cubic interpolation between samples)
/// out     (times.size()) written [mM]
/// Errors  Errc::shape, Errc::range
void tissue_concentration(const Model& model, std::span<const double> params, std::span<const Aif> inputs,
                          std::span<const double> times, std::span<double> out, double delay = 0.0);
/// The same as the fit of a delay sees it: the input is the cubic through its samples, so that every step between
/// frames has the area and the ends of that curve; tissue_concentration joins its samples by lines.
void delayed_concentration(const Model& model, std::span<const double> params, std::span<const Aif> inputs,
                           std::span<const double> times, std::span<double> out, double delay);

}  // namespace larmor::dce
