// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <larmor/core/cancel.hpp>
#include <larmor/nn/unet.hpp>
#include <map>
#include <string>
#include <vector>

namespace larmor::nn {

/// One image with its labels, x fastest, ready for the network (normalised).
struct TrainSample {
  std::string name;
  std::array<int, 3> size{};  // x, y, z
  std::vector<float> image;
  std::vector<std::uint8_t> labels;
  std::vector<float> teacher = {};  // probabilities (class from 1, voxel) by other networks; empty: none
};

/// Random changes of every training image; each happens with its own probability.
struct Augment {
  double rotate = 15;                // largest angle about each axis [deg]
  double scale = 0.15;               // log-uniform between 1 / (1 + s) and 1 + s, each axis a third of it alone
  double shift = 3;                  // largest, each axis [voxels]
  double elastic = 2;                // standard deviation of the displacement of a control point [voxels]
  int elastic_points = 5;            // control points along each axis
  double spatial_probability = 0.7;  // of rotation, scale and elastic together
  std::array<bool, 3> mirror{true, false, false};
  double brightness = 0.15, contrast = 0.2;  // x (1 + c) + b, uniform to both sides
  double gamma = 0.3;                        // exponent between 1 / (1 + g) and 1 + g of the values over their range
  double noise = 0.1;                        // largest standard deviation
  double blur = 1;                           // largest standard deviation [voxels]
  double intensity_probability = 0.3;        // of each of brightness with contrast, gamma, noise, blur
};

struct TrainSpec {
  UNetSpec net;
  std::array<int, 3> patch{40, 56, 40};  // [voxels]; multiples of net.multiple()
  int batch = 2;
  int epochs = 100;
  int steps = 0;                   // of an epoch; 0: every image once
  std::string optimizer = "adam";  // or "sgd" (Nesterov)
  double rate = 2e-3, weight_decay = 1e-4, momentum = 0.95;
  std::string schedule = "cosine";  // or "poly" (exponent 0.9), "constant"
  double warm_up = 1;               // epochs
  double clip = 12;                 // largest norm of the gradient; 0: none
  double ema = 0.999;               // decay of the mean of the weights that is kept; 0: the weights themselves
  bool half = true;                 // bfloat16 convolutions on CUDA, and on CPUs with matrix tiles (AMX)
  bool channels_last = false;       // CUDA: memory order of convolutions; changes nothing but the time
  bool layers = false;              // the CPU too runs libtorch's layers, as CUDA does, instead of lanes: for tests
  double dice_weight = 1, cross_entropy_weight = 1, label_smoothing = 0;
  /// Exponent q of the generalised cross-entropy (1 - p^q) / q: 0 is the cross-entropy, 1 the mean absolute error. A
  /// label that the network takes for wrong pulls with p^q of its weight. Source   Zhang and Sabuncu, NeurIPS (2018)
  double robust = 0;
  double label_sd = 0;       // of the Gaussian that smooths the borders of labels [voxels]; 0: none
  double teacher_share = 0;  // of TrainSample::teacher in what is learned; the rest are the labels
  Augment augment;
  std::uint64_t seed = 1;
  int validate_every = 1;     // epochs
  std::string keep = "best";  // of validation; or "last", which the held-out images had no say in
  int patience = 0;           // validations without a better one after which training stops; 0: never
  double budget = 0;  // [s] of training over all starts; the schedule follows whichever of it and epochs runs out first
  std::string device = "auto";
  std::map<std::string, std::string> meta;  // goes into the weights

  /// Errors   Errc::range, Errc::unknown_name with the setting's name
  void check() const;
};

/// What an epoch gave. Also what is kept of it in a checkpoint.
struct Epoch {
  int number = 0;  // from 1
  double loss = 0, rate = 0, seconds = 0, samples_per_second = 0;
  std::vector<double> dice;  // of validation, one a class from 1, pooled over images; empty: not validated
  double merged = -1;        // of all classes together, mean over images
  bool best = false;
};

struct TrainResult {
  std::vector<Epoch> history;
  double best = -1;
  int best_epoch = 0;
  bool stopped_early = false;
};

struct TrainCallbacks {
  std::function<void(const Epoch&)> epoch = {};
  std::function<void(std::size_t done, std::size_t total, double loss)> step = {};
  /// After a validation: labels of the first validation image.
  std::function<void(const Epoch&, const std::vector<std::uint8_t>& labels)> picture = {};
};

/// The library that trains, loaded when it is first asked for; nothing else in the program needs it.
class Trainer {
 public:
  virtual ~Trainer() = default;
  virtual std::string version() const = 0;               // "libtorch 1.13.0, CPU"
  virtual std::vector<std::string> devices() const = 0;  // "cpu", "cuda:0"
  /// Trains in `folder`: checkpoint.safetensors after every epoch, best.safetensors (when there is validation and it is
  /// kept) and last.safetensors. Goes on from a checkpoint that is there. The weights depend on the spec and the
  /// samples only, so that a run that was cut off ends as one that was not (a budget in seconds excepted). Errors
  /// Errc::range (spec), Errc::shape, Errc::format (a checkpoint that is damaged or of another spec), Errc::numeric
  /// (the loss is no longer finite), Errc::device, Errc::cancelled (the last epoch is in the checkpoint)
  virtual TrainResult train(const TrainSpec& spec, const std::vector<TrainSample>& training,
                            const std::vector<TrainSample>& validation, const std::filesystem::path& folder,
                            const TrainCallbacks& callbacks = {}, const Cancel* cancel = nullptr) = 0;
  /// Logits of one image by the library's own layers, (class, z, y, x): to compare with UNet.
  virtual std::vector<float> forward(const Weights& weights, std::span<const float> image, std::array<int, 3> size,
                                     const std::string& device, bool channels_last = false) = 0;
};

/// Errors   Errc::device when the program was built without libtorch or the library cannot be loaded, with the reason
Trainer& trainer();

/// Weights before training: Kaiming-normal convolutions, norms 1 and 0, from the seed alone.
/// Source   He et al., ICCV 1026 (2015)
Weights initial_weights(const UNetSpec& spec, std::uint64_t seed);

}  // namespace larmor::nn
