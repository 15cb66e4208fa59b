// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <larmor/data/image.hpp>
#include <larmor/data/trajectory.hpp>
#include <optional>
#include <string>
#include <vector>

/// Raw data in ISMRMRD (MRD) format: HDF5 with one record a readout. Source   Inati et al., MRM 77:411 (2017)
namespace larmor::io {

struct Mrd {
  /// Without a trajectory: Cartesian k-space, c64 (x, y[, z], coil, ...), full size, centred, 0 where nothing was
  /// measured. With one: samples (sample, arm, coil, ...), or (sample, arm, ..., coil) where the trajectory differs
  /// between slices, repetitions, ... Axes of one element are left out. Counters become axes: partition z; slice z, or
  /// slice beside partitions; repetition t; contrast echo; phase, set and average under their names.
  Array kspace;
  std::optional<Trajectory> traj = {};
  Array noise = {};        // c64 (sample, coil); empty without noise scans
  Array calibration = {};  // as Cartesian kspace: readouts that are only for calibration; empty without
  /// BIDS names and units where there is one: RepetitionTime [s], EchoTime [s], InversionTime [s], FlipAngle [deg],
  /// MagneticFieldStrength [T], ImagingFrequency [MHz], ProtocolName, ...; FieldOfView [mm], MatrixSize,
  /// EncodedMatrixSize, EncodedFieldOfView [mm], Trajectory, DwellTime [s].
  Metadata protocol = {};
  std::string header = {};              // the XML, as it is in the file
  std::vector<std::string> notes = {};  // readouts left out, and other things to know
};

/// True when the program was built with the ISMRMRD and HDF5 libraries.
bool has_ismrmrd();

/// Reads the group "dataset", or the only one that holds readouts. Readouts flagged as navigators, phase corrections,
/// dummies and feedback are left out and counted in the notes. Trajectories within +-0.5 are taken as cycles/pixel.
/// Errors   Errc::file; Errc::format for a file that is no HDF5, is truncated or corrupt, holds no readouts, or whose
/// readouts do not fit together (with the number of the readout); Errc::usage in a build without the libraries
Mrd read_ismrmrd(const std::filesystem::path& path, const Cancel* cancel = nullptr);

/// Writes readouts of k-space and noise as read_ismrmrd gives them; Cartesian lines that are 0 in every coil are not
/// written. The header is made of `protocol`, or is `header` when that is not empty. Atomic.
/// Errors   Errc::shape for axes that the format cannot hold or more than 65535 of one, Errc::type unless complex,
/// Errc::file, Errc::usage in a build without the libraries
void write_ismrmrd(const std::filesystem::path& path, const Mrd& data);

}  // namespace larmor::io
