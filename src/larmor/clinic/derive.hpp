// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/clinic/results.hpp>

/// What every object that is derived from a study has in common.
namespace larmor::clinic {

struct Code {
  const char *value, *scheme, *meaning;
};
/// An item of a code sequence (PS3.3 8.8).
dicom::Item add_code(dicom::Item& to, std::string_view sequence, const Code& code);

struct NewObject {
  const char *class_uid, *modality, *series_description;
  int series_number;
};
/// A new object of the study of `results`: patient and study attributes are copied byte for byte (character set, dates
/// and times too), sex, birth date and age completed from other series; series, equipment and SOP common are new.
dicom::Dataset begin_object(const Results& results, const NewObject& object);

/// ReferencedSeriesSequence with all slices of a side.
void refer_to_slices(dicom::Item& to, const Side& side);

namespace codes {
inline constexpr Code hippocampus{"5366008", "SCT", "Hippocampus"};
inline constexpr Code anterior{"255549009", "SCT", "Anterior"};
inline constexpr Code posterior{"255551008", "SCT", "Posterior"};
inline constexpr Code left{"7771000", "SCT", "Left"};
inline constexpr Code right{"24028007", "SCT", "Right"};
inline constexpr Code anatomy{"123037004", "SCT", "Anatomical Structure"};
}  // namespace codes

/// "R", "L" or empty.
std::string side_letter(const Side& side);
/// Structures that are segments, in the order of their labels 1, 2, ...
struct Structure {
  int label;
  const char *name, *title;  // "anterior", "Anterior hippocampus"
  Code modifier;
  std::array<unsigned char, 3> rgb;
};
std::span<const Structure> structures();

}  // namespace larmor::clinic
