// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <fstream>
#include <larmor/io/dicom/damage.hpp>
#include <larmor/io/file.hpp>

#include "make_series.hpp"

namespace larmor::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Dataset, AttributesComeBackFromAFile) {
  Folder f;
  dicom::Dataset d = make_slice({}, 0);
  d.set("Rows", 10).set("RescaleSlope", 1.0 / 3).set("0019,0010", "").erase("0019,0010");
  auto item = d.add("ReferencedImageSequence");
  item.set("ReferencedSOPInstanceUID", "1.2.3");
  d.add("ReferencedImageSequence").set("ReferencedSOPInstanceUID", "1.2.4");
  d.write(f.path / "a.dcm");
  const auto back = dicom::Dataset::read(f.path / "a.dcm");
  EXPECT_EQ(back.text("PatientName"), "Doe^Jane");
  EXPECT_EQ(back.text("0010,0010"), "Doe^Jane");
  EXPECT_THAT(back.texts("ImageType"), ElementsAre("ORIGINAL", "PRIMARY", "M"));
  EXPECT_THAT(back.numbers("ImagePositionPatient"), ElementsAre(-5, -4, -3));
  EXPECT_EQ(back.number("Rows"), 10);
  EXPECT_NEAR(*back.number("RescaleSlope"), 1.0 / 3, 1e-14);  // 16 characters of a decimal text
  ASSERT_EQ(back.items("ReferencedImageSequence").size(), 2U);
  EXPECT_EQ(back.items("ReferencedImageSequence")[1].text("ReferencedSOPInstanceUID"), "1.2.4");
  EXPECT_EQ(back.text("PatientComments"), "");
  EXPECT_FALSE(back.has("PatientSex"));
  EXPECT_TRUE(back.is_there("PatientSex"));
  EXPECT_EQ(back.transfer_syntax(), "1.2.840.10008.1.2.1");
}

TEST(Dataset, DecimalTextsHaveAtMost16Characters) {
  dicom::Dataset d;
  for (const double v : {-1.0 / 3, 1e-17 / 3, 123456789.123456789, -1.23456789012345e-5, 0.0, 1e300}) {
    d.set("RescaleSlope", v);
    EXPECT_LE(d.text("RescaleSlope").size(), 16U) << v;
    EXPECT_NEAR(*d.number("RescaleSlope"), v, std::abs(v) * 1e-8) << d.text("RescaleSlope");
  }
  d.set("RescaleSlope", 0.5);
  EXPECT_EQ(d.text("RescaleSlope"), "0.5");
}

TEST(Dataset, NamesOfPeopleAreReadInTheirCharacterSet) {
  Folder f;
  const auto name_in = [&](const char* set, const std::string& bytes) {
    SeriesSpec s;
    s.change = [&](dicom::Dataset& d, int) { d.set("SpecificCharacterSet", set).set("PatientName", bytes); };
    make_slice(s, 0).write(f.path / "a.dcm");
    return dicom::Dataset::read(f.path / "a.dcm").text("PatientName");
  };
  EXPECT_EQ(name_in("ISO_IR 100", "M\xfcller^J\xf6rg"), "Müller^Jörg");
  EXPECT_EQ(name_in("ISO_IR 192", "Müller^Jörg"), "Müller^Jörg");
  EXPECT_EQ(name_in("ISO_IR 144", "\xbb\xee\xda^\xb8"), "Люк^И");
  EXPECT_EQ(name_in("\\ISO 2022 IR 87", "Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B"), "Yamada^Tarou=山田^太郎");
  EXPECT_EQ(name_in("", "M\xfcller"), "Müller");  // says ASCII, is not: no byte is lost
}

// What is written into an object whose names are not in UTF-8 must not lie about its characters.
TEST(Dataset, TextIsStoredInTheCharacterSet) {
  const auto bytes_in = [&](const char* set, const char* text) {
    Folder f;
    SeriesSpec s;
    s.change = [&](dicom::Dataset& d, int) {
      d.set("SpecificCharacterSet", set).add("ContentSequence").set("TextValue", text);
    };
    make_slice(s, 0).write(f.path / "a.dcm");
    const auto item = *dicom::Dataset::read(f.path / "a.dcm").item("ContentSequence");
    dicom::Dataset plain;  // without a character set the bytes come back
    plain.copy(item, "TextValue");
    return plain.text("TextValue");
  };
  EXPECT_EQ(bytes_in("ISO_IR 192", "fran\u00e7aise"), "fran\u00c3\u00a7aise");  // UTF-8 read as Latin-1
  EXPECT_EQ(bytes_in("ISO_IR 100", "fran\u00e7aise"), "fran\u00e7aise");
  EXPECT_EQ(bytes_in("", "fran\u00e7aise \u2013"), "fran?aise ?");
  EXPECT_EQ(bytes_in("\\ISO 2022 IR 87", "fran\u00e7aise"), "fran?aise");
}

TEST(Dataset, CopiesAreByteForByte) {
  dicom::Dataset a, b;
  a.set("SpecificCharacterSet", "ISO_IR 100").set("PatientName", "M\xfcller").set("StudyTime", "010313.1200");
  EXPECT_TRUE(b.copy(a, "PatientName"));
  EXPECT_TRUE(b.copy(a, "SpecificCharacterSet"));
  EXPECT_TRUE(b.copy(a, "StudyTime"));
  EXPECT_FALSE(b.copy(a, "StudyDate"));
  EXPECT_EQ(b.text("PatientName"), "Müller");
  EXPECT_EQ(b.text("StudyTime"), "010313.1200");
}

TEST(Dataset, WrongNamesAreAnsweredWithTheNearest) {
  EXPECT_THAT(error_of([] { dicom::tag("PatientNam"); }), HasSubstr("did you mean PatientName?"));
  EXPECT_THAT(error_of([] { dicom::Dataset().text("12345"); }), HasSubstr("no DICOM attribute called '12345'"));
  EXPECT_EQ(dicom::name_of(dicom::tag("(0020,000d)")), "StudyInstanceUID");
}

TEST(Dataset, WhatIsNoDicomIsSaid) {
  Folder f;
  std::ofstream(f.path / "a.txt") << "a letter that is longer than sixteen bytes, and no DICOM";
  EXPECT_THAT(error_of([&] { dicom::Dataset::read(f.path / "a.txt"); }), HasSubstr("is not a DICOM file"));
  std::string junk(128, '\0');
  std::ofstream(f.path / "b.dcm") << junk << "DICM" << std::string(200, '\xfe');
  EXPECT_THAT(error_of([&] { dicom::Dataset::read(f.path / "b.dcm"); }), HasSubstr("b.dcm"));
  std::ofstream(f.path / "c.dcm") << junk << "DICM";
  EXPECT_THAT(error_of([&] { dicom::Dataset::read(f.path / "c.dcm"); }), HasSubstr("c.dcm"));
  EXPECT_THAT(error_of([&] { dicom::Dataset::read(f.path / "missing.dcm"); }), HasSubstr("no file called"));
}

// Cut anywhere, a file gives an error or, past its header, an error when the pixels are read; it never crashes.
TEST(Dataset, TruncatedFilesAreErrors) {
  Folder f;
  make_slice({}, 0).write(f.path / "a.dcm");
  const auto size = fs::file_size(f.path / "a.dcm");
  for (auto keep = size - 1; keep > 0; keep -= std::min<std::uintmax_t>(keep, 37)) {
    fs::copy_file(f.path / "a.dcm", f.path / "b.dcm", fs::copy_options::overwrite_existing);
    fs::resize_file(f.path / "b.dcm", keep);
    EXPECT_THROW(dicom::Dataset::read(f.path / "b.dcm").pixels(), Error) << keep << " of " << size;
  }
}

TEST(Dataset, IdentifiersAreValidAndStable) {
  EXPECT_EQ(dicom::uid_from("a"), dicom::uid_from("a"));
  EXPECT_NE(dicom::uid_from("a"), dicom::uid_from("b"));
  for (const auto& uid : {dicom::new_uid(), dicom::uid_from("x")}) {
    EXPECT_LE(uid.size(), 64U);
    EXPECT_TRUE(uid.starts_with("2.25.")) << uid;
    EXPECT_NE(uid[5], '0');
    EXPECT_EQ(uid.find_first_not_of("0123456789", 5), std::string::npos);
  }
  EXPECT_NE(dicom::new_uid(), dicom::new_uid());
}

TEST(Scan, StudiesAreToldApartByContent) {
  Folder f;
  fs::create_directories(f.path / "b");
  SeriesSpec a, b;
  a.slices = b.slices = 2;
  b.patient = "P2", b.series = "2.25.2002";  // the same study UID: two patients all the same
  write_series(f.path, a);
  write_series(f.path / "b", b);
  fs::copy_file(f.path / "0.dcm", f.path / "copy_of_0.dcm");
  std::ofstream(f.path / "notes.txt") << "not an image";
  fs::copy_file(f.path / "0.dcm", f.path / "cut.dcm");
  fs::resize_file(f.path / "cut.dcm", 300);
  const auto found = dicom::scan(f.path);
  ASSERT_EQ(found.studies.size(), 2U);
  EXPECT_EQ(found.studies[0].patient_id, "P1");
  EXPECT_EQ(found.studies[1].patient_id, "P2");
  EXPECT_EQ(found.studies[0].series[0].instances.size(), 2U);
  EXPECT_EQ(found.files, 7U);
  ASSERT_EQ(found.rejected.size(), 3U);
  EXPECT_THAT(dicom::rejected_text(found.rejected), HasSubstr("1 file is no DICOM"));
}

TEST(Scan, TheIndexOfADiskIsNoDamagedObject) {
  Folder f;
  SeriesSpec a;
  a.slices = 2;
  fs::create_directories(f.path / "IMAGES");
  write_series(f.path / "IMAGES", a);
  // Of real ones the class stands in the meta header only.
  dicom::Dataset index;
  index.set("SOPClassUID", "1.2.840.10008.1.3.10").set("SOPInstanceUID", "2.25.7").set("FileSetID", "DISK");
  index.add("DirectoryRecordSequence").set("DirectoryRecordType", "PATIENT").set("PatientID", "P1");
  index.write(f.path / "DICOMDIR");
  for (const bool bare : {false, true}) {
    if (bare) {
      auto bytes = io::read_text(f.path / "DICOMDIR");
      const auto at = bytes.find(std::string("\x08\0\x16\0UI", 6)), next = bytes.find(std::string("\x08\0\x18\0UI", 6));
      ASSERT_LT(at, next);
      ASSERT_LT(next, bytes.size());
      bytes.erase(at, next - at);
      io::write_text(f.path / "DICOMDIR", bytes);
    }
    const auto found = dicom::scan(f.path);
    ASSERT_EQ(found.studies.size(), 1U);
    EXPECT_EQ(found.studies[0].series[0].instances.size(), 2U);
    ASSERT_EQ(found.rejected.size(), 1U);
    EXPECT_EQ(found.rejected[0].kind, dicom::Rejected::Kind::index);
    const auto alone = dicom::scan(f.path / "DICOMDIR");
    EXPECT_TRUE(alone.studies.empty());
    EXPECT_EQ(dicom::rejected_text(alone.rejected),
              "DICOMDIR is the index of a disk; its objects are the files beside it");
  }
}

TEST(Scan, LinksAreFollowedAndNoFolderIsReadTwice) {
  Folder f, elsewhere;
  SeriesSpec a;
  a.slices = 2;
  fs::create_directories(elsewhere.path / "deep" / "er");
  write_series(elsewhere.path / "deep" / "er", a);
  fs::create_directory_symlink(elsewhere.path, f.path / "link");
  fs::create_directory_symlink(f.path, f.path / "up");                  // would never end
  fs::create_directory_symlink(elsewhere.path / "deep", f.path / "z");  // once more the same
  fs::create_symlink(f.path / "gone", f.path / "broken");
  const auto found = dicom::scan(f.path);
  EXPECT_EQ(found.files, 2U);
  ASSERT_EQ(found.studies.size(), 1U);
  EXPECT_EQ(found.studies[0].series[0].instances.size(), 2U);
}

// A copy of a study for another patient may have kept every identifier below that of the patient.
TEST(Scan, ObjectsAreOnesOwnPatientByPatient) {
  Folder f;
  SeriesSpec a, b;
  a.slices = b.slices = 2;
  b.patient = "P2";
  for (const char* folder : {"a", "b"}) fs::create_directories(f.path / folder);
  write_series(f.path / "a", a);
  write_series(f.path / "b", b);
  const auto found = dicom::scan(f.path);
  EXPECT_TRUE(found.rejected.empty());
  ASSERT_EQ(found.studies.size(), 2U);
  for (const auto& study : found.studies) EXPECT_EQ(study.series[0].instances.size(), 2U);
}

TEST(Scan, TwoObjectsOfOneIdentifierAreNoCopies) {
  Folder f;
  SeriesSpec a;
  a.slices = 3;
  a.change = [](dicom::Dataset& d, int) { d.set("SOPInstanceUID", "2.25.9"); };
  write_series(f.path, a);
  const auto found = dicom::scan(f.path);
  ASSERT_EQ(found.rejected.size(), 2U);
  for (const auto& r : found.rejected) {
    EXPECT_EQ(r.kind, dicom::Rejected::Kind::damaged);
    EXPECT_THAT(r.reason, HasSubstr("0.dcm have one SOPInstanceUID and are two objects (InstanceNumber "));
  }
  EXPECT_THAT(error_of([&] { dicom::require_whole(found.studies[0].series[0], dicom::damaged_files(found)); }),
              HasSubstr("are two objects"));
}

// A file that is cut off belongs to the series that it names, and to none when it is cut before.
TEST(Scan, DamagedFilesAreOfTheirSeries) {
  Folder f;
  SeriesSpec a, b;
  a.slices = b.slices = 3;
  b.series = "2.25.500";
  for (const char* folder : {"a", "b"}) fs::create_directories(f.path / folder);
  write_series(f.path / "a", a);
  write_series(f.path / "b", b);
  const auto size = fs::file_size(f.path / "b" / "2.dcm");
  fs::resize_file(f.path / "b" / "2.dcm", size - 10);  // in the pixels
  auto found = dicom::scan(f.path);
  auto damaged = dicom::damaged_files(found);
  ASSERT_EQ(damaged.size(), 1U);
  EXPECT_TRUE(damaged[0].is_of(found.studies.at(0)));
  EXPECT_EQ(damaged[0].description, "HippoCrop");
  for (const auto& series : found.studies[0].series) {
    EXPECT_EQ(damaged[0].is_of(series), series.uid == b.series);
    if (series.uid == b.series)
      EXPECT_THAT(error_of([&] { dicom::require_whole(series, damaged); }), HasSubstr("2.dcm is a damaged DICOM file"));
    else
      dicom::require_whole(series, damaged);
  }
  const auto text = io::read_text(f.path / "b" / "1.dcm");
  fs::resize_file(f.path / "b" / "2.dcm", text.find("2.25.500") + 4);  // in the identifier
  found = dicom::scan(f.path);
  damaged = dicom::damaged_files(found);
  ASSERT_EQ(damaged.size(), 1U);
  EXPECT_FALSE(damaged[0].is_of(found.studies.at(0)));
  EXPECT_EQ(damaged[0].series, "");
}

TEST(Scan, EmptyAndMissingFolders) {
  Folder f;
  EXPECT_THAT(error_of([&] { dicom::scan(f.path); }), HasSubstr("no file is in folder"));
  EXPECT_THAT(error_of([&] { dicom::scan(f.path / "nothing"); }), HasSubstr("nothing"));
}

}  // namespace
}  // namespace larmor::test
