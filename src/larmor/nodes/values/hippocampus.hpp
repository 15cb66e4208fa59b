// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/clinic/results.hpp>
#include <larmor/flow/value_traits.hpp>

namespace larmor::nodes {

/// A DICOM series that was chosen to be measured: its files, side and what is known of the person.
struct ChosenSeries {
  dicom::Series series;
  clinic::Subject subject;
  std::string side, side_from;
  std::vector<std::string> explanation = {};  // why this one: a line a series of the study
};

/// A segmentation on the grid of its image, and what made it.
struct Segmented {
  Image labels;                             // u8: 0, 1 anterior, 2 posterior
  std::optional<Image> probabilities = {};  // (x, y, z, class)
  std::vector<clinic::Note> notes = {};
  std::string segmenter;
  bool automatic = true;
};

/// One hippocampus with its volumes.
struct Measured {
  clinic::Subject subject;
  clinic::Side side;
  std::vector<std::string> explanation = {};
};

}  // namespace larmor::nodes

namespace larmor::flow {

/// {files, subject, side, side_from, explanation}. The files are read again by whoever takes the value.
template <>
struct ValueTraits<nodes::ChosenSeries> {
  static constexpr const char* type = "dicom_series";
  static Value to(const nodes::ChosenSeries& chosen);
  static nodes::ChosenSeries from(const Value& value);
};
template <>
struct ValueTraits<nodes::Segmented> {
  static constexpr const char* type = "segmentation";
  static Value to(const nodes::Segmented& segmented);
  static nodes::Segmented from(const Value& value);
};
template <>
struct ValueTraits<nodes::Measured> {
  static constexpr const char* type = "hippocampus";
  static Value to(const nodes::Measured& measured);
  static nodes::Measured from(const Value& value);
};

}  // namespace larmor::flow
