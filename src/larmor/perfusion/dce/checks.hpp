// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/data/aif.hpp>
#include <larmor/perfusion/dce/model.hpp>
#include <span>
#include <string_view>

namespace larmor::dce {

/// Errors   Errc::range unless finite and strictly increasing; `what` names them in the message
void check_times(std::span<const double> times, std::string_view what);
/// Errors   Errc::shape (their number), Errc::type (whole blood), and what Aif::check finds
void check_inputs(const Model& model, std::span<const Aif> inputs);

}  // namespace larmor::dce
