// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/io/dicom/dataset.hpp>

namespace larmor::dicom {

/// What is kept beyond the Basic Profile; each is an option of PS3.15 E.3 and noted in the object by its code.
struct AnonymizeOptions {
  bool keep_uids = false;             // 113110
  bool keep_device = false;           // 113109: station, serial numbers
  bool keep_institution = false;      // 113112
  bool keep_characteristics = false;  // 113108: sex, age, size, weight, ...
  bool keep_dates = false;            // 113106
  int shift_days = 0;                 // 113107: dates move by so many days, times stay; 0: dates go
  /// Private attributes of these creators stay (113111, "safe private"): who gives them knows that they are safe.
  std::vector<std::string> keep_private = {};
  std::vector<std::string> keep = {};              // keywords that stay as they are: SeriesDescription, ...
  std::string patient_id = {}, patient_name = {};  // new ones; empty: made from the key
  /// The same key gives the same new UIDs and identifiers, in every run. Who knows it can test a guess: keep it secret.
  std::string key;
};

struct Anonymized {
  Dataset data;
  std::vector<std::string> warnings;  // burned-in annotation, ...
  int removed = 0, emptied = 0, replaced = 0;
};

/// De-identified copy by the Basic Application Level Confidentiality Profile (PS3.15 E.1). Listed attributes are
/// removed, emptied or replaced, in sequences too; so is what the list does not name and its type makes suspect: names
/// of people, free text, dates, private attributes, attributes newer than the dictionary, overlays, UIDs that are not
/// of the standard.
///
/// Errors   Errc::format for objects whose content cannot be cleaned so (encapsulated documents, structured reports);
/// Errc::unknown_name for a keyword of `keep`; Errc::usage without a key
Anonymized anonymize(const Dataset& data, const AnonymizeOptions& options);

/// Action of the Basic Profile for an attribute as PS3.15 writes it: "X" removed, "Z" emptied, "D" replaced, "U" new
/// UID, "K" kept.
std::string profile_action(std::string_view keyword);
/// Keywords of the attributes that the profile names, without those that only their type gives away.
std::vector<std::string> profile_keywords();

}  // namespace larmor::dicom
