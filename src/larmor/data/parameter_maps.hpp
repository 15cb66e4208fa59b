// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <larmor/data/image.hpp>
#include <string>
#include <vector>

namespace larmor {

/// One fitted quantity over the grid of its source, in the engine's units (s, 1/s, mM, fractions).
struct ParameterMap {
  std::string name;      // "Ktrans"; the file is <name>.nii.gz
  std::string symbol;    // as printed: "Ktrans", "v_e"
  std::string unit;      // the unit of `values` ("1/s", "1", "s", "mM", "mM s")
  std::string title;     // "Volume transfer constant"
  Array values;          // (x, y, z) f32, NaN where there is none
  Array standard_error;  // same shape, empty when the quantity has none
};

/// Maps that share a grid, with the status of the fit in every voxel.
struct ParameterMaps {
  Image reference;  // geometry; its data may be empty
  std::vector<ParameterMap> maps;
  Array status;                                          // (x, y, z) u8, FitStatus values
  Metadata meta = {};                                    // how they came about: "Models", "Fitter", "Delay", ...
  const ParameterMap& get(std::string_view name) const;  // Errors   Errc::unknown_name
  bool has(std::string_view name) const;
};

}  // namespace larmor
