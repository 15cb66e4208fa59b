// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <larmor/core/cancel.hpp>
#include <larmor/data/image.hpp>
#include <larmor/nn/weights.hpp>
#include <memory>
#include <string>
#include <vector>

namespace larmor::seg {

/// Something a person should look at before the result is used.
struct Flag {
  std::string id;    // "missing", "field", "components", "border", "uncertain", "size", "intensity", "contrast"
  std::string what;  // one sentence with both numbers
  bool serious = false;
};

struct Segmentation {
  Image labels;                 // u8 (x, y, z): 0 background, 1 anterior, 2 posterior
  Image probabilities;          // f32 (x, y, z, class), sums to 1
  Image uncertainty;            // f32 (x, y, z): entropy of the probabilities over its largest value, 0..1
  double mean_uncertainty = 0;  // inside the labels; 0 when there are none
  std::vector<Flag> flags;
  std::vector<std::string> classes;  // "background", "anterior", "posterior"
  std::string model;                 // name and the first digits of the SHA-256 of its weights
};

struct PredictOptions {
  /// Mean over mirror images along the axes that training mirrored; up to 8 times the work of one network. The networks
  /// of an ensemble take them in turn.
  bool mirror = true;
  bool largest = true;  // keep the largest connected piece of all labels together
  /// Two labels that the raters of the training data parted by one plane are parted so (`Parting`), as suits a
  /// comparison with raters. Their volumes then move by whole slices, so that measuring goes without.
  bool plane = false;
};

/// A trained network ready for use: the file is read and checked when the first image comes. Copies share it; calls
/// from several threads are sound.
class Segmenter {
 public:
  /// The shipped model. Looked for in $LARMOR_MODELS, beside the program (../share/larmor/models) and, in a checkout,
  /// in models/.
  Segmenter();
  explicit Segmenter(std::filesystem::path weights);

  /// A crop of about the size the network was trained on; any spacing and any orientation of the axes: the image is
  /// turned and resampled to the grid of training and the result brought back to the image's own grid. Padding, outer
  /// faces of one value each, is background.
  /// Errors   Errc::file (no model, with the places looked in), Errc::format (damaged weights: both checksums),
  /// Errc::shape (not 3-D, too small or too large), Errc::range (constant image), Errc::numeric (NaN or infinite)
  Segmentation predict(const Image& image, const PredictOptions& options = {}, const Cancel* cancel = nullptr) const;

  /// Reads the model now. Errors   as above
  void load() const;
  const std::filesystem::path& path() const;

 private:
  struct Model;
  std::shared_ptr<Model> model_;
};

/// Networks of one configuration as one model, which gives the mean of their probabilities. An ensemble among them
/// stands for its networks. Errors   Errc::format when they differ in more than their weights
nn::Weights ensemble(const std::vector<nn::Weights>& files);

/// File of the shipped model, empty when there is none in any of the places.
std::filesystem::path shipped_model();

}  // namespace larmor::seg
