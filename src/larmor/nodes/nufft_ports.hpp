// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/values/trajectory.hpp>
#include <larmor/recon/nufft/nufft.hpp>
#include <optional>
#include <string_view>

/// What the operations on samples along a trajectory have in common.
namespace larmor::nodes {

/// Settings size, tolerance, width and oversampling of operations with a NUFFT.
void add_nufft_settings(flow::NodeType& type);
/// The size that was set, or the trajectory's matrix. Errors   Errc::usage when it names not every axis
Shape image_size(const flow::Ports& io, const Trajectory& traj);
/// Sizes of an image that come as numbers. Errors   Errc::range when one is not whole
std::vector<std::int64_t> voxels_of(const std::vector<double>& numbers, std::string_view what);
/// The plan for those settings and this trajectory. The last few are kept, so that the slices of a map share theirs.
recon::Nufft nufft_plan(const flow::Ports& io, const Trajectory& traj, const Shape& image, std::int64_t batch);
/// recon::shift_phase, of which the last few are kept too.
Array shifted_weights(const Trajectory& traj, const Shape& image, const Array& dcf, const std::vector<double>& shift);
/// Voxels by which an image of so many axes is moved: those given, else those of the protocol; empty for neither.
std::vector<double> image_shift(std::vector<double> given, const flow::Value& protocol, std::size_t axes);

/// A number that a protocol gives for its reconstruction (in a record that is named reconstruction_settings...), or
/// none. Errors   Errc::type for a protocol or a field of another kind
std::optional<double> reconstruction_setting(const flow::Value& protocol, std::string_view name);
/// The in-port that takes one.
inline constexpr const char* protocol_what =
    "protocol of the scan (JSON) whose reconstruction settings take the place of those here";

}  // namespace larmor::nodes
