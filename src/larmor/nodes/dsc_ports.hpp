// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/node_type.hpp>
#include <larmor/perfusion/dsc/maps.hpp>

/// What the operations of DSC read from their settings in the same way.
namespace larmor::nodes {

/// A number that may be left out, with its unit.
flow::Setting optional_number(const char* name, const char* what, double lower, double upper, const char* unit = "");
/// Relation of dR2 and concentration: "relation" (linear, blood_1.5T, blood_3T, own), "linear", "quadratic".
std::vector<flow::Setting> relation_settings(const char* start, const char* of_what);
dsc::Relation relation_of(const flow::Ports& io);
void adapt_relation(flow::Form& form);
/// Baseline frames of the port "baseline" (dsc.relaxation); false when nothing is wired.
bool baseline_in(const flow::Ports& io, int& first, int& last);
/// Input of the port "aif" at the times of the series. Errors   Errc::shape when they are not the same
Aif input_in(const flow::Ports& io, const Image& series);

}  // namespace larmor::nodes
