// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cmath>
#include <filesystem>
#include <larmor/seg/metrics.hpp>
#include <string>
#include <vector>

#include "seg_config.hpp"

namespace larmor::cli {

/// One case, measured: labels 1 .. n, then all of them merged.
struct Measured {
  SegCase files;
  std::vector<seg::Overlap> labels;
  std::vector<double> found_mm3, true_mm3;
  std::vector<std::string> flags;
  std::string failure;       // not empty: nothing else is filled
  double uncertainty = NAN;  // mean inside the labels; NaN for given predictions
  double seconds = 0;
  nn::TrainSample sample;             // for pictures
  std::vector<std::uint8_t> picture;  // what was found, on the grid of the sample
};

struct Evaluation {
  std::vector<Measured> cases;
  std::vector<std::string> names;  // of labels, "merged" last
  double tolerance = 1;
  std::string model;
  std::uint64_t seed = 1;
  int draws = 2000;
};

/// metrics.json, cases.csv and evaluation.html in `folder`. Returns the lines for a terminal.
std::vector<std::string> write_evaluation(const Evaluation& evaluation, const std::filesystem::path& folder);

}  // namespace larmor::cli
