// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/perfusion/ivim/estimate.hpp>

#include "command.hpp"
#include "series_files.hpp"

namespace larmor::cli {

/// A diffusion series from the command line: b from --b, else the .bval file beside it, else its sidecar.
struct IvimSeries {
  Image image;
  std::vector<double> b;
  std::vector<std::uint8_t> mask;  // of --mask; empty: all
  ivim::Signals signals() const { return {.data = image.data, .b = b, .mask = mask}; }
};
/// Errors   Errc::file, Errc::usage (b unknown), Errc::shape
IvimSeries read_ivim_series(const Call& call, const std::string& path);

/// Ranges of f, D and D* as options --f, --D, --D-star and --log-D-star, and as a prior.
std::vector<Option> ivim_prior_options();
ivim::Prior ivim_prior(const Call& call);

}  // namespace larmor::cli
