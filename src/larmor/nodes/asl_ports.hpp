// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/node_type.hpp>
#include <larmor/perfusion/asl/pipeline.hpp>
#include <map>
#include <string>
#include <vector>

/// What the operations of ASL share.
namespace larmor::nodes {

/// Settings that describe an acquisition; what is not set comes from the sidecar of the series.
std::vector<flow::Setting> asl_protocol_settings();
asl::Given asl_given(const flow::Ports& io);

/// The series with a "VolumeType" for every volume: the setting "context" (repeated as often as it fits), else what the
/// series says. Errors   Errc::shape, Errc::unknown_name
Image asl_series_in(const flow::Ports& io, const char* port);
void note_context(Image& series, const std::string& context, const std::string& place);

/// Units of the parameters of all kinetic models.
std::map<std::string, std::string> asl_param_units();
/// Settings of a quantification, described and read: method, model, fitter, single parameters.
std::vector<flow::Setting> asl_quantify_settings();
asl::QuantifyOptions asl_quantify_options(const flow::Ports& io);
void adapt_asl_quantify(flow::Form& form);

/// Fraction of a tissue on the grid of `like`; empty when nothing is wired.
Array fraction_in(const flow::Ports& io, const char* port, const Image& like);

}  // namespace larmor::nodes
