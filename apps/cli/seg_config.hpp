// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <larmor/nn/trainer.hpp>
#include <string>
#include <vector>

/// The configuration of `larmor seg train`.
namespace larmor::cli {

struct SegConfig {
  std::filesystem::path list;  // clean.csv of larmor seg curate
  std::filesystem::path out = "training";
  std::string name = "segmenter";
  std::string fold = "0";  // held out, "0+1": both; "all": one training for each fold; "none": train on everybody
  std::vector<std::string> classes{"background", "anterior", "posterior"};
  nn::TrainSpec train;
  std::vector<std::filesystem::path> teacher;  // weights of networks whose probabilities are learned beside the labels
  std::string text;                            // as it was read
};

/// `changes`, each "train.rate=0.001", take the place of what the file says.
/// Errors   Errc::file; Errc::usage, Errc::unknown_name with the file, the line and the nearest key
SegConfig read_seg_config(const std::filesystem::path& path, const std::vector<std::string>& changes = {});
/// Commented YAML with every key at its default.
std::string default_seg_config();

/// A line of clean.csv.
struct SegCase {
  std::string name, person;
  std::filesystem::path image, label;
  int fold = 0;
};
/// Errors   Errc::file, Errc::format, Errc::unknown_name (a column that is missing)
std::vector<SegCase> read_seg_list(const std::filesystem::path& path);

/// Images and labels as the network sees them. Errors   those of reading and seg::prepare, with the file
std::vector<nn::TrainSample> prepared_samples(const std::vector<SegCase>& cases, int classes);

}  // namespace larmor::cli
