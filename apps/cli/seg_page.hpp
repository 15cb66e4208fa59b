// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <larmor/io/png.hpp>
#include <larmor/nn/trainer.hpp>
#include <string>
#include <vector>

/// The page of a training: curves, sample slices, settings; written again after every epoch.
namespace larmor::cli {

/// Slices through the middle of the labels along each axis, the image in grey, outlines of the truth (thin, white) and
/// what the network found filled in colour.
io::Picture overlay_picture(const nn::TrainSample& sample, const std::vector<std::uint8_t>& found, int zoom = 4);

struct TrainingPage {
  std::filesystem::path path;
  std::string title, settings, device;
  std::vector<std::string> classes;
  bool done = false;
  /// `picture` may be empty.
  void write(const std::vector<nn::Epoch>& history, int epochs, const io::Picture& picture,
             const std::string& picture_title) const;
};

}  // namespace larmor::cli
