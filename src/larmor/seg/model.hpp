// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/nn/unet.hpp>
#include <larmor/seg/parting.hpp>
#include <larmor/seg/predict.hpp>
#include <larmor/seg/quality.hpp>
#include <mutex>
#include <optional>

namespace larmor::seg {

/// What a file of weights holds, once it was read. Of this room only.
struct Segmenter::Model {
  std::filesystem::path path;
  std::mutex lock;
  bool ready = false;
  std::vector<nn::UNet> members;  // of an ensemble: the mean of their probabilities
  std::array<bool, 3> mirror{};
  std::vector<std::string> classes;
  std::string name;
  Usual usual;
  std::optional<Parting> parting;  // of two labels by one plane, when raters drew them so
};

}  // namespace larmor::seg
