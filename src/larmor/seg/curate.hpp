// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <functional>
#include <larmor/core/cancel.hpp>
#include <larmor/core/progress.hpp>
#include <larmor/data/image.hpp>
#include <string>
#include <vector>

namespace larmor::seg {

/// Why a case must not be trained on. One word each, for tables; what says it in a sentence with both numbers.
struct Complaint {
  std::string id;  // "unreadable", "no_label", "no_image", "shape", "affine", "nan", "constant", "labels", "one_class",
                   // "empty", "duplicate", "size", "dimensions"
  std::string what;
};

struct CaseFiles {
  std::string name;
  std::filesystem::path image, label;  // empty when missing
};

/// What was found out about one case.
struct CaseFacts {
  CaseFiles files;
  std::string person;
  std::array<std::int64_t, 3> size{};
  std::array<double, 3> spacing{};
  double lowest = 0, highest = 0, median = 0;  // of the image
  std::vector<double> mm3;                     // of every label from 1
  std::string digest;                          // of the image's values
  std::vector<Complaint> complaints;
  bool clean() const { return complaints.empty(); }
};

struct CurateOptions {
  int highest_label = 2;
  double outlier = 6;      // robust deviations of the logarithm of the volume beyond which it is foreign
  double ratio = 6;        // the same of the share of the first label in all labels
  double affine_mm = 0.1;  // largest distance of corners between image and label
  std::string persons = "pairs";
  std::array<std::int64_t, 3> smallest{8, 8, 8}, largest{256, 256, 256};
};

/// Reads a file as an image. Throws what the reader throws.
using ReadImage = std::function<Image(const std::filesystem::path&)>;

/// Pairs the files of two folders by their names without endings (.nii, .nii.gz); names of labels may carry "_seg",
/// "_label" or "_mask" at their end. Files of other kinds become cases that cannot be read; hidden ones (".*") too,
/// because "._x.nii.gz" of macOS looks like an image. Errors   Errc::file (no such folder, no file at all)
std::vector<CaseFiles> find_cases(const std::filesystem::path& images, const std::filesystem::path& labels);

/// Every rule on every case. Sizes are judged last, against the cases that are clean otherwise: the logarithm of the
/// total volume, and the share of label 1, by its distance from the median over 1.4826 times the median absolute
/// deviation (with a floor of 5 %, so that a set of equals does not throw out its neighbour).
/// Source   Iglewicz and Hoaglin, How to Detect and Handle Outliers, ASQC (1993)
std::vector<CaseFacts> curate(const std::vector<CaseFiles>& cases, const ReadImage& read, const CurateOptions& options,
                              const Progress& progress = {}, const Cancel* cancel = nullptr);

}  // namespace larmor::seg
