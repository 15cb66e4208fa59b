// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/data/trajectory.hpp>
#include <larmor/flow/value.hpp>
#include <string>

namespace larmor::cli {

/// A trajectory as larmor traj writes it to .json: positions one after the other, samples first and coordinates last.
/// `path` stands in errors.
/// Errors   Errc::format when it is something else, those of Trajectory::check
Trajectory trajectory_of_json(const flow::Value& file, const std::string& path);

}  // namespace larmor::cli
