// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <complex>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <larmor/core/cancel.hpp>
#include <string>
#include <vector>

namespace larmor::io {

/// One record of an ISMRMRD file, as far as Larmor uses it.
struct MrdReadout {
  enum Counter { step_1, step_2, average, slice, contrast, phase, repetition, set, n_counters };
  std::uint64_t flags = 0;
  std::int64_t samples = 0, coils = 0, discard_pre = 0, discard_post = 0, centre = 0, space = 0, dimensions = 0;
  double dwell = 0;  // [s]
  std::array<std::int64_t, n_counters> counter{};
  std::vector<float> traj;                // (dimension, sample)
  std::vector<std::complex<float>> data;  // (sample, coil)
  bool has(int flag) const { return flags >> (flag - 1) & 1; }
};
namespace mrd_flag {
inline constexpr int noise = 19, calibration = 20, calibration_and_imaging = 21, reverse = 22, navigation = 23,
                     phase_correction = 24, feedback_hp = 26, dummy = 27, feedback_rt = 28, surface_coil = 29,
                     stabilisation_reference = 30, stabilisation = 31;
}

struct MrdFile {
  std::string header;
  std::vector<MrdReadout> readouts;
};
/// Reads in a process of its own, because the HDF5 library can crash on a damaged file: that is an error here, then.
/// Errors   as read_ismrmrd
MrdFile read_mrd_readouts(const std::filesystem::path& path, const Cancel* cancel);

/// The same in this process, one readout after the other; called by the above.
void scan_mrd_readouts(const std::filesystem::path& path, const std::function<void(const std::string&)>& header,
                       const std::function<void(const MrdReadout&)>& readout);

}  // namespace larmor::io
