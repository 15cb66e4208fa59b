// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/trajectory.hpp>
#include <larmor/nodes/values/waveforms.hpp>
#include <larmor/recon/trajectory/line.hpp>

/// What the operations that make trajectories have in common.
namespace larmor::nodes {

/// Settings max_gradient [mT/m], max_slew [T/m/s], max_frequency [kHz], raster [us], gamma [MHz/T].
void add_limits(flow::NodeType& type);
recon::GradientLimits limits_of(const flow::Ports& io);
/// Settings delay_x, delay_y(, delay_z) [us] and echo_time [ms].
void add_timing(flow::NodeType& type, int axes);
recon::Vec3 delay_of(const flow::Ports& io);
double echo_time_of(const flow::Ports& io);
/// Settings fov, resolution [mm], oversampling, dwell [us], and the limits.
void add_line(flow::NodeType& type);
recon::LineProtocol line_of(const flow::Ports& io, bool from_centre = false);
/// Ports trajectory, waveforms, gradient, slew, kspace.
void add_outputs(flow::NodeType& type);

/// Samples the arms and fills those ports.
///
/// matrix   nominal, one an axis of fov
/// axes     names and extents that the arms are split into, the first fastest; empty: "arm"
void put_outputs(flow::Ports& io, const ArmWaveforms& waves, std::vector<std::int64_t> matrix, std::string source,
                 const std::vector<std::pair<std::string, std::int64_t>>& axes = {});

/// A waveform against time with its magnitude and the limit; the magnitude of k.
Curve gradient_curve(const recon::Waveform& w, const recon::GradientLimits& limits);  // [mT/m]
Curve slew_curve(const recon::Waveform& w, const recon::GradientLimits& limits);      // [T/m/s]
Curve radius_curve(const recon::Waveform& w);                                         // [cycles/m]

}  // namespace larmor::nodes
