// SPDX-License-Identifier: Apache-2.0
#include <larmor/clinic/derive.hpp>

namespace larmor::clinic {

dicom::Item add_code(dicom::Item& to, std::string_view sequence, const Code& code) {
  auto item = to.add(sequence);
  item.set("CodeValue", code.value).set("CodingSchemeDesignator", code.scheme).set("CodeMeaning", code.meaning);
  return item;
}

dicom::Dataset begin_object(const Results& results, const NewObject& object) {
  const auto& head = results.head();
  dicom::Dataset d;
  // Patient and study, as they are; attributes of type 2 are there even when empty.
  for (const char* name : {"SpecificCharacterSet",
                           "TimezoneOffsetFromUTC",
                           "StudyDate",
                           "StudyTime",
                           "AccessionNumber",
                           "IssuerOfAccessionNumberSequence",
                           "ReferringPhysicianName",
                           "StudyDescription",
                           "ProcedureCodeSequence",
                           "PhysiciansOfRecord",
                           "PatientName",
                           "PatientID",
                           "IssuerOfPatientID",
                           "PatientBirthDate",
                           "PatientSex",
                           "OtherPatientIDsSequence",
                           "PatientAge",
                           "PatientSize",
                           "PatientWeight",
                           "EthnicGroup",
                           "PatientIdentityRemoved",
                           "DeidentificationMethod",
                           "DeidentificationMethodCodeSequence",
                           "ClinicalTrialSponsorName",
                           "ClinicalTrialProtocolID",
                           "ClinicalTrialSubjectID",
                           "StudyInstanceUID",
                           "StudyID",
                           "LongitudinalTemporalInformationModified"})
    d.copy(head, name);
  for (const char* name : {"StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "PatientName",
                           "PatientID", "PatientBirthDate", "PatientSex", "StudyID"})
    if (!d.is_there(name)) d.set(name, "");
  const auto& s = results.subject;
  for (const auto& name : s.added)
    d.set(name, name == "PatientSex" ? s.sex : name == "PatientAge" ? s.age : s.birth_date);

  d.set("SOPClassUID", object.class_uid).set("SOPInstanceUID", dicom::new_uid());
  d.set("InstanceCreationDate", results.made_date).set("InstanceCreationTime", results.made_time);
  d.set("SeriesDate", results.made_date).set("SeriesTime", results.made_time);
  d.set("ContentDate", results.made_date).set("ContentTime", results.made_time);
  d.set("Modality", object.modality).set("SeriesDescription", object.series_description);
  d.set("SeriesInstanceUID", dicom::new_uid()).set("SeriesNumber", object.series_number).set("InstanceNumber", 1);
  d.set("Manufacturer", "Larmor")
      .set("ManufacturerModelName", "larmor hippocampus")
      .set("DeviceSerialNumber", "none")
      .set("SoftwareVersions", LARMOR_VERSION);
  return d;
}

void refer_to_slices(dicom::Item& to, const Side& side) {
  auto series = to.add("ReferencedSeriesSequence");
  series.set("SeriesInstanceUID", side.series.uid);
  std::size_t last = side.series.instances.size();
  for (const auto& f : side.frames) {
    if (f.instance == last) continue;  // frames of one object
    last = f.instance;
    const auto& d = side.series.instances[f.instance].data;
    series.add("ReferencedInstanceSequence")
        .set("ReferencedSOPClassUID", d.text("SOPClassUID"))
        .set("ReferencedSOPInstanceUID", d.text("SOPInstanceUID"));
  }
}

std::string side_letter(const Side& side) { return side.side == "left" ? "L" : side.side == "right" ? "R" : ""; }

std::span<const Structure> structures() {
  // Orange and blue of Okabe and Ito: told apart by everybody.
  static constexpr Structure all[] = {{1, "anterior", "Anterior hippocampus", codes::anterior, {230, 159, 0}},
                                      {2, "posterior", "Posterior hippocampus", codes::posterior, {86, 180, 233}}};
  return all;
}

}  // namespace larmor::clinic
