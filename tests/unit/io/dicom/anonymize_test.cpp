// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <larmor/io/dicom/anonymize.hpp>

#include "make_series.hpp"

namespace larmor::test {
namespace {

using testing::HasSubstr;

dicom::Dataset person() {
  auto d = make_slice({}, 0);
  d.set("PatientBirthDate", "19480101")
      .set("PatientSex", "F")
      .set("PatientAge", "072Y")
      .set("PatientWeight", 70)
      .set("OperatorsName", "Op^One");
  d.set("InstitutionName", "Mercy")
      .set("StationName", "ST7")
      .set("DeviceSerialNumber", "SN1")
      .set("PatientComments", "lives here");
  d.set("AcquisitionDate", "20200103").set("AcquisitionDateTime", "20200103040506.123").set("ImageComments", "Jane");
  d.add("RequestAttributesSequence").set("RequestedProcedureID", "R1");
  auto nested = d.add("ReferencedImageSequence");
  nested.set("ReferencedSOPClassUID", "1.2.840.10008.5.1.4.1.1.4")
      .set("ReferencedSOPInstanceUID", d.text("SOPInstanceUID"));
  nested.set("PatientName", "Doe^Jane");
  return d;
}

std::string hidden_in(const dicom::Dataset& d, std::initializer_list<const char*> secrets) {
  const auto bytes = d.bytes();
  const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::string found;
  for (const char* s : secrets)
    if (all.find(s) != std::string_view::npos) found += std::string(s) + " ";
  return found;
}

TEST(Anonymize, NothingOfThePersonIsLeft) {
  const auto d = person();
  const auto clean = dicom::anonymize(d, {.key = "k"}).data;
  EXPECT_EQ(hidden_in(clean, {"Doe", "Jane", "P1", "19480101", "072Y", "Op^One", "Mercy", "ST7", "SN1", "lives",
                              "20200103", "20200102", "ACC1", "2.25.1001", "2.25.2001", "R1"}),
            "");
  EXPECT_EQ(clean.text("PatientIdentityRemoved"), "YES");
  EXPECT_EQ(clean.items("DeidentificationMethodCodeSequence").at(0).text("CodeValue"), "113100");
  EXPECT_EQ(clean.text("LongitudinalTemporalInformationModified"), "REMOVED");
  EXPECT_TRUE(clean.is_there("StudyDate"));  // type 2: empty
  EXPECT_TRUE(clean.is_there("PatientSex"));
  // What makes the image an image is as it was.
  for (const char* kept : {"Modality", "SOPClassUID", "ImagePositionPatient", "PixelSpacing", "RepetitionTime",
                           "InstanceNumber", "ImageType"})
    EXPECT_EQ(clean.text(kept), d.text(kept)) << kept;
  EXPECT_EQ(clean.pixels(), d.pixels());
  EXPECT_EQ(d.text("PatientName"), "Doe^Jane");  // the original is not changed
}

TEST(Anonymize, IdentifiersAreReplacedConsistently) {
  const auto d = person();
  const auto a = dicom::anonymize(d, {.key = "k"}).data, b = dicom::anonymize(d, {.key = "k"}).data,
             c = dicom::anonymize(d, {.key = "l"}).data;
  EXPECT_EQ(a.text("StudyInstanceUID"), b.text("StudyInstanceUID"));
  EXPECT_EQ(a.text("PatientID"), b.text("PatientID"));
  EXPECT_NE(a.text("StudyInstanceUID"), c.text("StudyInstanceUID"));
  EXPECT_NE(a.text("PatientID"), c.text("PatientID"));
  EXPECT_EQ(a.text("PatientName"), a.text("PatientID"));
  // References follow, also those inside sequences; UIDs of the standard stay.
  EXPECT_EQ(a.items("ReferencedImageSequence").at(0).text("ReferencedSOPInstanceUID"), a.text("SOPInstanceUID"));
  EXPECT_EQ(a.items("ReferencedImageSequence").at(0).text("ReferencedSOPClassUID"), "1.2.840.10008.5.1.4.1.1.4");
  EXPECT_EQ(a.items("ReferencedImageSequence").at(0).text("PatientName"), a.text("PatientName"));
  EXPECT_EQ(dicom::anonymize(d, {.patient_id = "S01", .key = "k"}).data.text("PatientName"), "S01");
}

TEST(Anonymize, OptionsKeepWhatTheySay) {
  const auto d = person();
  const auto kept = dicom::anonymize(d, {.keep_uids = true,
                                         .keep_device = true,
                                         .keep_institution = true,
                                         .keep_characteristics = true,
                                         .keep_dates = true,
                                         .keep = {"SeriesDescription"},
                                         .key = "k"})
                        .data;
  for (const char* name : {"StudyInstanceUID", "StationName", "DeviceSerialNumber", "InstitutionName", "PatientSex",
                           "PatientAge", "StudyDate", "StudyTime", "AcquisitionDateTime", "SeriesDescription"})
    EXPECT_EQ(kept.text(name), d.text(name)) << name;
  EXPECT_EQ(kept.text("PatientBirthDate"), "");
  EXPECT_EQ(kept.text("StudyDescription"), "");
  std::string codes;
  for (const auto& c : kept.items("DeidentificationMethodCodeSequence")) codes += c.text("CodeValue") + " ";
  EXPECT_EQ(codes, "113100 113106 113108 113109 113110 113112 ");
  const auto moved = dicom::anonymize(d, {.shift_days = -2, .key = "k"}).data;
  EXPECT_EQ(moved.text("StudyDate"), "20191231");
  EXPECT_EQ(moved.text("AcquisitionDateTime"), "20200101040506.123");
  EXPECT_EQ(moved.text("StudyTime"), "030405");
  EXPECT_EQ(moved.text("PatientBirthDate"), "");
}

TEST(Anonymize, WhatCannotBeCleanedIsRefusedOrReported) {
  auto d = person();
  EXPECT_THAT(error_of([&] { dicom::anonymize(d, {}); }), HasSubstr("no key"));
  d.set("BurnedInAnnotation", "YES");
  EXPECT_THAT(dicom::anonymize(d, {.key = "k"}).warnings.at(0), HasSubstr("BurnedInAnnotation is YES"));
  d.set("BurnedInAnnotation", "NO").set("Modality", "SR");
  EXPECT_THAT(error_of([&] { dicom::anonymize(d, {.key = "k"}); }),
              HasSubstr("content of a SR object cannot be de-identified"));
  d.set("Modality", "OT").set("SOPClassUID", "1.2.840.10008.5.1.4.1.1.7").erase("BurnedInAnnotation");
  EXPECT_THAT(dicom::anonymize(d, {.key = "k"}).warnings.at(0), HasSubstr("Secondary Capture"));
  EXPECT_EQ(dicom::profile_action("PatientName"), "D");
  EXPECT_EQ(dicom::profile_action("InstitutionName"), "X");
  EXPECT_EQ(dicom::profile_action("Rows"), "K");
}

// A keyword that the dictionary does not know would never meet its attribute.
TEST(Anonymize, EveryKeywordOfTheProfileIsOne) {
  const auto all = dicom::profile_keywords();
  EXPECT_GT(all.size(), 350u);
  for (const auto& name : all) EXPECT_EQ(dicom::name_of(dicom::tag(name)), name);
}

TEST(Anonymize, RetiredAttributesAndThoseNobodyKnowsGoToo) {
  auto d = person();
  // OtherPatientIDs, InsurancePlanIdentification, MedicalRecordLocator: retired, of a type that is else kept.
  d.set("0010,1000", "HOSPITAL-77").set("0010,1050", "PLAN-88").set("OtherPatientIDs", "HOSPITAL-77");
  d.set("MedicalRecordLocator", "SHELF-99");
  const auto clean = dicom::anonymize(d, {.key = "k"}).data;
  EXPECT_EQ(hidden_in(clean, {"HOSPITAL-77", "PLAN-88", "SHELF-99"}), "");
  for (const char* name : {"0010,1000", "0010,1050", "0010,1090"}) EXPECT_FALSE(clean.is_there(name)) << name;
}

// By their type, whatever they are called.
TEST(Anonymize, NamesOfPeopleOutsideTheTableGoToo) {
  auto d = person();
  d.set("0040,a075", "Ver^Ifier")
      .set("0008,1060", "Read^Er")
      .set("0032,1032", "Re^Quester")
      .set("0040,0006", "Per^Former");
  EXPECT_EQ(hidden_in(dicom::anonymize(d, {.key = "k"}).data, {"Ver^Ifier", "Read^Er", "Re^Quester", "Per^Former"}),
            "");
}

}  // namespace
}  // namespace larmor::test
