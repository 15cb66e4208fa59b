// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/registry.hpp>
#include <larmor/fit/curve_fit.hpp>
#include <vector>

namespace larmor::asl {

/// A kinetic model of the difference signal, (control - label) / M0 of arterial blood. Samples are described by
/// Sample::design, voxels by T1 of tissue [s], T1 of blood [s], the delay of their slice [s] and the partition
/// coefficient [mL/g]. Parameters: CBF [mm3/(g s)], ATT [s] and, by model, sigma, aBV and ATT_a.
using Model = fit::CurveModel;
using Models = Registry<Model>;
/// asl.pcasl asl.pasl asl.pcasl_dispersed asl.pasl_dispersed asl.pcasl_macrovascular asl.pasl_macrovascular
const Models& models();

/// When and how a difference image was made.
struct Sample {
  double time = 0;           // [s] from the start of labelling to the readout of the first slice
  double LD = 0;             // [s] length of the labelled bolus
  double efficiency = 1;     // of the label, with what background suppression takes of it
  double readout_start = 0;  // [s] Look-Locker: time of the first pulse
  double readout_rate = 0;   // [1/s] Look-Locker: -ln(cos FA) / interval; 0: none
};
/// The samples as the models take them.
std::vector<double> design_of(std::span<const Sample> samples);

/// One voxel's signal at the samples by a model, params in its order. Errors   those of fit::curve_signal
struct VoxelFacts {
  double T1_tissue = 1.33, T1_blood = 1.65;  // [s]
  double slice_delay = 0;                    // [s]
  double partition = 0.9;                    // [mL/g]
};
std::vector<double> signal(const Model& model, std::span<const Sample> samples, std::span<const double> params,
                           const VoxelFacts& voxel);

}  // namespace larmor::asl
