// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/clinic/results.hpp>

namespace larmor::clinic {

/// What a series must look like to be taken, from YAML:
///
///   series:
///     - name: hippocampus crop
///       match: {SeriesDescription: '^HippoCrop$', Modality: MR}    regular expressions (ECMAScript) on any attribute
///       range: {PixelSpacing: [0.4, 2.5]}                          every value of it, both ends included; of enhanced
///                                                                  objects in the functional groups too
///       size: {columns: [16, 128], rows: [16, 128], slices: [8, 128]}
///       spacing: [0.4, 2.5]                                        of voxels along every axis [mm]
///       side: from DICOM                                           or left, right
///       incomplete: refuse                                         or allow: fewer pictures than the headers promise
struct SeriesRule {
  struct Match {
    std::string attribute, pattern;
  };
  struct Limits {
    std::string attribute;
    double lower = 0, upper = 0;
  };
  std::string name = "hippocampus crop";
  std::vector<Match> match;
  std::vector<Limits> range;
  Limits columns{"columns", 16, 128}, rows{"rows", 16, 128}, slices{"slices", 8, 128}, spacing{"spacing", 0.4, 2.5};
  std::string side;  // "left", "right"; empty: from DICOM
  bool allow_incomplete = false;
};
struct Rules {
  std::vector<SeriesRule> series;
  std::string source;  // "default rules", or the file
};
/// Modality MR, SeriesDescription HippoCrop.
Rules default_rules();
/// The default as YAML, with comments.
std::string default_rules_yaml();
/// Errors   Errc::file, Errc::format with line: no YAML, an unknown key (with the nearest), a bad pattern or attribute
Rules read_rules(const std::filesystem::path& path);
Rules parse_rules(const std::string& text, const std::string& source);

struct Chosen {
  const dicom::Series* series = nullptr;
  const SeriesRule* rule = nullptr;
  std::string side, side_from;
};
struct Choice {
  std::vector<Chosen> chosen;            // one, or a left and a right one
  std::vector<std::string> explanation;  // a line a series of the study: taken, or why not
};
/// Chooses by the rules; sides come from Laterality (of the series, an image or a frame), the rule, or `side` of the
/// operator
/// ("left", "right", or empty), never from the picture.
///
/// Errors   Errc::format: nothing matches (with the reason for each series), several match (naming them), images of
/// both sides, an object without the identifiers that results refer to; Errc::usage: the operator or the rule
/// contradicts DICOM; Errc::range: size or spacing outside the rule, incomplete; Errc::shape and Errc::format of
/// lay_out
Choice choose_series(const dicom::Study& study, const Rules& rules, const std::string& side = {});

}  // namespace larmor::clinic
