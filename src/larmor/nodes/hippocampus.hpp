// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/cancel.hpp>
#include <larmor/nodes/values/hippocampus.hpp>

/// Steps of hippocampal volumetry where segmentation and clinic meet.
namespace larmor::nodes {

/// By the network; models are read once a process. Errors   those of seg::Segmenter
Segmented segment_image(const Image& image, const std::string& model, bool mirror, const Cancel* cancel);

/// Volumes and checks of a segmented series. Errors   those of seg::label_volumes
Measured measure(const ChosenSeries& chosen, const Image& image, const Segmented& segmented);

struct ReportSettings {
  std::string norms = {};                 // table of normal volumes
  std::vector<std::string> earlier = {};  // results.json of earlier studies, or folders with some
};
/// One or two sides together: asymmetry, percentiles, changes. Errors   Errc::usage for two of one side or of two
/// studies; those of the readers
clinic::Results assemble(const std::vector<Measured>& sides, const ReportSettings& settings = {});

/// results.json files in and below folders, and files as they are.
std::vector<std::filesystem::path> results_files(const std::vector<std::string>& places);

}  // namespace larmor::nodes
