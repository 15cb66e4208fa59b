// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <larmor/core/cancel.hpp>
#include <larmor/nn/trainer.hpp>
#include <set>
#include <string>
#include <vector>

/// Self-training: what networks say of the images that another network is trained on.
namespace larmor::cli {

/// First digits of the SHA-256 of what the network sees of each image. Weights carry those of all images that had a
/// say in them (metadata "seen"), so that nobody is tested on images that are known.
std::set<std::string> marks_of(const std::vector<nn::TrainSample>& samples);

/// Fills `teacher` of the images of training: the mean probabilities of the networks that did not see the image, or of
/// all when every one did; each network with its mirror images. Returns the marks of what the networks saw.
/// Errors   those of reading; Errc::usage with the file when it is an ensemble, does not say what it saw, has other
/// classes or saw a held-out image
std::set<std::string> teach(const std::vector<std::filesystem::path>& files, std::vector<nn::TrainSample>& training,
                            const std::vector<nn::TrainSample>& held_out, const Cancel* cancel);

}  // namespace larmor::cli
