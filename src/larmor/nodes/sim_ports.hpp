// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/node_type.hpp>
#include <larmor/sim/blocks.hpp>
#include <larmor/sim/spins.hpp>
#include <numbers>
#include <string>
#include <vector>

/// Settings that operations of simulation have in common.
namespace larmor::nodes {

inline constexpr double degree = std::numbers::pi / 180;

/// x, y, z as 0, 1, 2.
flow::Setting axis_setting(std::string name, std::string what, const char* value);
int axis_of(flow::Ports& io, const char* setting);

/// Limits of the scanner: settings max_gradient [mT/m] and max_slew [T/m/s].
flow::NodeType&& with_limits(flow::NodeType&& type);
sim::GradientLimits limits_of(flow::Ports& io);

/// Shape, flip angle, phase, duration, ... of a pulse.
flow::NodeType&& with_pulse(flow::NodeType&& type);
sim::PulseSpec pulse_of(flow::Ports& io);

/// In-port "before", out-port "sequence": a block is appended to what comes before it.
flow::NodeType&& as_block(flow::NodeType&& type);
Sequence before_of(flow::Ports& io);

/// A setting of numbers: as they are, or first, last, count when `spaced` says so.
std::vector<double> spaced_setting(flow::Ports& io, const char* name);

/// Per-spin results (component or none, spin) on the axes that the spins lie along.
Array on_grid(const Array& per_spin, const sim::Spins& spins);

}  // namespace larmor::nodes
