// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "job_files.hpp"

namespace larmor::cli {

/// Reads the files of a pipeline about one 4-D series.
class SeriesReader : protected JobReader {
 protected:
  using JobReader::JobReader;

  /// The 4-D series that a pipeline is about: the file of the key, or the one found by name. `names` and `axes` are for
  /// what is said when there is none, or none of four axes; `one_volume`: three axes are a series of one.
  /// Errors   Errc::file, Errc::shape
  struct Series4 {
    Image image;
    std::filesystem::path path;
  };
  Series4 series_4d(const char* key, const Paths& found, const char* role, const char* names, const char* axes,
                    bool one_volume = false);
  /// Voxels of input.mask on the grid of the series, or empty for all of them, with a note of what `becomes` of those
  /// ("fitted").
  std::vector<std::uint8_t> input_mask(const Paths& found, const Image& series, const char* role, const char* becomes);
};

}  // namespace larmor::cli
