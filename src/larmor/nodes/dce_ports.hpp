// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/data/image.hpp>
#include <larmor/flow/node_type.hpp>
#include <larmor/perfusion/dce/fit_maps.hpp>
#include <map>
#include <string>
#include <vector>

/// What the operations of DCE read from their ports and settings in the same way.
namespace larmor::nodes {

/// Series (x, y, z, t) with the times of its frames. Errors   those of dce::check_series
Image series_in(const flow::Ports& io, const char* port);
/// Voxels that are not 0, on the grid of `like`; empty when nothing is wired.
/// Errors   Errc::shape (another grid or place), Errc::range (no voxel)
std::vector<std::uint8_t> mask_in(const flow::Ports& io, const char* port, const Image& like);
/// One number a voxel of `like`, or one for all; empty when nothing is wired. Errors   Errc::shape
std::vector<float> map_in(const flow::Ports& io, const char* port, const Image& like);
/// Statuses of the steps before; empty when nothing is wired.
dce::Statuses statuses_in(const flow::Ports& io, const char* port, const Image& like);
/// As an image of FitStatus codes.
Image statuses_image(const dce::Statuses& statuses, const Image& like);
/// Place and facts of `like` without its data and times, around other data of (x, y, z).
Image place_of(const Image& like, Array data);
/// The same around the first volume, for maps to refer to.
Image reference_of(const Image& series);

/// Plasma curves: "aif", then "venous" when it is wired. A whole-blood curve is an error that names dce.to_plasma.
std::vector<Aif> plasma_in(const flow::Ports& io);

/// Settings of single parameters as texts:
///
///   Ktrans: upper=2 1/min, start=0.1; vp: fixed=0.02; ve: prior_mean=0.3, prior_sd=0.1
///
/// A number without a unit is in the unit of `larmor list models`. `units` of the parameters that may be named; empty:
/// those of the DCE models. Errors   Errc::usage, Errc::unknown_name
std::map<std::string, dce::ParamSetting> parse_param_settings(const std::string& text,
                                                              const std::map<std::string, std::string>& units = {});
/// The same text of engine units; reading it gives the same numbers.
std::string param_settings_text(const std::map<std::string, dce::ParamSetting>& settings,
                                const std::map<std::string, std::string>& units = {});
/// "Ktrans=0.25, ve=0.3 1": values of the model's parameters, its starts for the others.
std::vector<double> parse_param_values(const std::string& text, const dce::Model& model);
/// "Ktrans=0.05 0.25 1/min, ve=0.2 0.4": levels of the parameters that are named, within their bounds.
std::map<std::string, std::vector<double>> parse_param_levels(const std::string& text, const dce::Model& model);

/// Settings of a fit, described and read: fitter, delay, iterations, single parameters, ...
std::vector<flow::Setting> fit_settings();
dce::FitOptions fit_options(const flow::Ports& io, std::int64_t frames);
/// Hides what the fitter and the choice of delay do not use.
void adapt_fit(flow::Form& form);

/// Settings and protocol of T1 mapping: what is not set comes from the metadata of the series.
dce::T1Protocol t1_protocol(const flow::Ports& io, const Metadata& meta);
/// T1 mapping by `method` as an operation does it: ports series, B1, mask -> maps, T1.
void run_t1(flow::Ports& io, const std::string& method);

}  // namespace larmor::nodes
