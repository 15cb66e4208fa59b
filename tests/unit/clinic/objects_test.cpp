// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <larmor/clinic/page.hpp>
#include <larmor/clinic/seg.hpp>
#include <larmor/clinic/sr.hpp>
#include <larmor/clinic/write.hpp>
#include <set>
#include <sstream>

#include "support.hpp"

namespace larmor::test {
namespace {

using testing::HasSubstr;

/// Bit of a frame of a binary segmentation, unpacked by PS3.5 8.1.1: bits run on through all frames, the lowest first.
int bit(const std::vector<std::byte>& bytes, std::size_t at) { return static_cast<int>(bytes[at / 8] >> (at % 8)) & 1; }

/// The segmentation object as labels on the grid of the source: by position of the frames, not by their order.
std::vector<int> labels_of(const dicom::Dataset& seg, const clinic::Side& side) {
  const auto n = side.labels.grid();
  const auto area = static_cast<std::size_t>(n[0] * n[1]);
  std::vector<int> out(area * static_cast<std::size_t>(n[2]));
  const bool binary = seg.text("SegmentationType") == "BINARY";
  const auto frames = seg.items("PerFrameFunctionalGroupsSequence");
  EXPECT_EQ(static_cast<double>(frames.size()), seg.number("NumberOfFrames"));
  // The bytes as they stand in the file.
  Folder f;
  seg.write(f.path / "seg.dcm");
  std::vector<std::byte> bytes = seg.bytes();
  const auto pixels = (area * frames.size() + (binary ? 7 : 0)) / (binary ? 8 : 1);
  bytes.erase(bytes.begin(), bytes.end() - static_cast<std::ptrdiff_t>(pixels + pixels % 2));
  for (std::size_t k = 0; k < frames.size(); ++k) {
    const auto place = frames[k].item("PlanePositionSequence")->numbers("ImagePositionPatient");
    const int label =
        static_cast<int>(*frames[k].item("SegmentIdentificationSequence")->number("ReferencedSegmentNumber"));
    const auto voxel = side.image.affine.inverse().apply(-place[0], -place[1], place[2]);
    EXPECT_NEAR(voxel[0], 0, 1e-6);
    const auto z = static_cast<std::size_t>(std::llround(voxel[2]));
    for (std::size_t i = 0; i < area; ++i) {
      const bool on = binary ? bit(bytes, k * area + i) != 0 : bytes[k * area + i] == std::byte{255};
      if (on) out[z * area + i] = label;
    }
  }
  return out;
}

std::vector<int> labels_of(const clinic::Side& side) {
  std::vector<int> out;
  for (const auto v : side.labels.data.span<std::uint8_t>()) out.push_back(v);
  return out;
}

TEST(Seg, BitsAreTheLabels) {
  Folder f;
  SeriesSpec s = crop_spec();
  make_oblique(s);
  write_series(f.path, s);
  const auto r = measured(f.path);
  for (const bool fractional : {false, true}) {
    const auto seg = clinic::make_seg(r, r.sides[0], 9901, fractional);
    EXPECT_EQ(labels_of(seg, r.sides[0]), labels_of(r.sides[0])) << (fractional ? "fractional" : "binary");
    EXPECT_EQ(seg.items("SegmentSequence").size(), 2U);
    EXPECT_EQ(seg.number("BitsAllocated"), fractional ? 8 : 1);
  }
}

TEST(Seg, ProbabilitiesGoIntoFractionalFrames) {
  Folder f;
  write_series(f.path, crop_spec());
  auto r = measured(f.path);
  auto& side = r.sides[0];
  const auto n = side.labels.grid();
  Array p = Array::of<float>({n[0], n[1], n[2], 3}, {"x", "y", "z", "class"});
  const auto voxels = static_cast<std::size_t>(side.labels.voxels());
  p.data<float>()[voxels + 5] = 0.5F;  // class 1, in the first slice, where no label is
  side.probabilities = side.image.like(p);
  side.labels.data = Array::of<std::uint8_t>(side.labels.data.shape());
  const auto seg = clinic::make_seg(r, side, 9901, true);
  EXPECT_EQ(seg.text("SegmentationFractionalType"), "PROBABILITY");
  EXPECT_EQ(seg.number("NumberOfFrames"), 1);
  EXPECT_EQ(seg.pixels().at(5), std::byte{128});
}

TEST(Seg, NothingFoundIsOneEmptyFrame) {
  Folder f;
  write_series(f.path, crop_spec());
  auto r = measured(f.path);
  r.sides[0].labels.data = Array::of<std::uint8_t>(r.sides[0].labels.data.shape());
  EXPECT_EQ(clinic::make_seg(r, r.sides[0], 1).number("NumberOfFrames"), 1);
}

TEST(Objects, StudyAttributesAreCopiedByteForByte) {
  Folder f;
  SeriesSpec s = crop_spec();
  s.slices = 12;
  s.change = [](dicom::Dataset& d, int) {
    d.set("SpecificCharacterSet", "ISO_IR 100")
        .set("PatientName", "M\xfcller^J\xf6rg")
        .set("StudyTime", "030405.1200")
        .set("PatientSex", "F")
        .set("PatientAge", "072Y");
    d.set("ReferringPhysicianName", "Dr^Who").set("PatientBirthDate", "19480101");
  };
  write_series(f.path, s);
  const auto r = measured(f.path);
  const auto seg = clinic::make_seg(r, r.sides[0], 1);
  for (const auto& object :
       {seg, clinic::make_sr(r, {seg}, 2), clinic::make_pdf(r, 3), clinic::make_secondary_capture(r, 4)}) {
    for (const char* name : {"PatientName", "PatientID", "PatientSex", "PatientAge", "PatientBirthDate",
                             "StudyInstanceUID", "StudyDate", "StudyTime", "AccessionNumber", "StudyID",
                             "StudyDescription", "ReferringPhysicianName", "SpecificCharacterSet"})
      EXPECT_EQ(object.text(name), r.head().text(name)) << name << " of " << object.text("Modality");
    EXPECT_EQ(object.text("PatientName"), "Müller^Jörg");
    EXPECT_NE(object.text("SeriesInstanceUID"), r.sides[0].series.uid);
  }
}

TEST(Objects, SexAndAgeComeFromOtherSeriesOfTheStudy) {
  Folder f;
  SeriesSpec s = crop_spec();
  s.slices = 12;
  s.change = [](dicom::Dataset& d, int) { d.erase("PatientSex"), d.erase("PatientBirthDate"); };
  write_series(f.path, s);
  fs::create_directories(f.path / "t1");
  SeriesSpec t = s;
  t.series = "2.25.777", t.description = "T1", t.slices = 1;
  t.change = [](dicom::Dataset& d, int) { d.set("PatientSex", "M").set("PatientAge", "072Y").set("SeriesNumber", 9); };
  write_series(f.path / "t1", t);
  const auto r = measured(f.path);
  EXPECT_EQ(r.subject.sex, "M");
  EXPECT_EQ(r.subject.years, 72);
  EXPECT_EQ(r.subject.added_from, "T1");
  const auto seg = clinic::make_seg(r, r.sides[0], 1);
  EXPECT_EQ(seg.text("PatientSex"), "M");
  EXPECT_EQ(seg.text("PatientAge"), "072Y");

  t.change = [](dicom::Dataset& d, int) { d.set("PatientSex", "F").set("SeriesNumber", 10); };
  fs::create_directories(f.path / "t2");
  t.series = "2.25.778";
  write_series(f.path / "t2", t);
  EXPECT_THAT(error_of([&] { measured(f.path); }), HasSubstr("PatientSex is 'M' in one series of the study and 'F'"));
}

/// All NUM content items below an item: concept code and value.
void numbers_below(const dicom::Item& item, std::vector<std::pair<std::string, double>>& out) {
  for (const auto& c : item.items("ContentSequence")) {
    if (c.text("ValueType") == "NUM")
      out.emplace_back(c.item("ConceptNameCodeSequence")->text("CodeValue"),
                       *c.item("MeasuredValueSequence")->number("NumericValue"));
    numbers_below(c, out);
  }
}

TEST(Sr, VolumesAreThere) {
  Folder f;
  SeriesSpec s = crop_spec();
  s.dx = 0.9;
  write_series(f.path, s);
  auto r = measured(f.path);
  r.sides[0].volumes[2].percentile = 42.5;
  r.sides[0].notes.push_back({"border", "3 voxels touch the edge", false});
  const auto sr = clinic::make_sr(r, {clinic::make_seg(r, r.sides[0], 1)}, 2);
  std::vector<std::pair<std::string, double>> numbers;
  numbers_below(sr, numbers);
  ASSERT_EQ(numbers.size(), 4U);
  for (std::size_t k = 0; k < 3; ++k) {
    EXPECT_EQ(numbers[k].first, "118565006");
    EXPECT_NEAR(numbers[k].second, r.sides[0].volumes[k].mm3, 1e-6);  // written with 6 decimals
  }
  EXPECT_EQ(numbers[3], (std::pair<std::string, double>("NORMPERC", 42.5)));
}

/// Content items below `item` whose concept is `code`.
std::vector<dicom::Item> called(const dicom::Item& item, const std::string& code) {
  std::vector<dicom::Item> out;
  for (const auto& c : item.items("ContentSequence"))
    if (const auto name = c.item("ConceptNameCodeSequence"); name && name->text("CodeValue") == code) out.push_back(c);
  return out;
}
dicom::Item one(const dicom::Item& item, const std::string& code) {
  auto all = called(item, code);
  EXPECT_EQ(all.size(), 1U) << code;
  return all.at(0);
}
std::string value_of(const dicom::Item& item) { return item.item("ConceptCodeSequence")->text("CodeValue"); }

/// Left and right with everything a report may say.
clinic::Results both_sides(const fs::path& folder) {
  SeriesSpec s = crop_spec(), right = crop_spec();
  right.series = "2.25.2002";
  write_series(folder, s);
  fs::create_directories(folder / "right");
  write_series(folder / "right", right);
  const auto found = dicom::scan(folder);
  clinic::Results r;
  r.subject = clinic::subject_of(found.studies[0].series[0], found.studies[0]);
  r.sides = {measured_side(found.studies[0].series[0], "left"), measured_side(found.studies[0].series[1], "right")};
  r.asymmetry = {{"total", 3.5}, {"anterior", -1.25}};
  r.changes = {{.structure = "total",
                .side = "left",
                .earlier_date = "20190101",
                .earlier_mm3 = 3000,
                .mm3 = 2900,
                .percent = -3.3}};
  r.norms = "a table";
  for (auto& side : r.sides)
    for (auto& v : side.volumes) v.percentile = 12.5;
  r.sides[1].volumes[2].percentile.reset();
  r.sides[1].volumes[2].no_percentile = "the age is not known";
  r.sides[0].notes = {{"size", "a total of 100 mm3 is outside", true}};
  clinic::stamp(r);
  return r;
}

// Rows of TID 1500 (PS3.16) with those of 1411 and 1420 below it.
TEST(Sr, RowsOfTheTemplate) {
  Folder f;
  const auto r = both_sides(f.path);
  std::vector<dicom::Dataset> segs;
  for (const auto& side : r.sides) segs.push_back(clinic::make_seg(r, side, 1));
  const auto sr = clinic::make_sr(r, segs, 2);
  EXPECT_EQ(sr.item("ConceptNameCodeSequence")->text("CodeValue"), "126000");
  EXPECT_EQ(sr.item("ContentTemplateSequence")->text("TemplateIdentifier"), "1500");
  EXPECT_EQ(value_of(one(sr, "121049")), "en");
  EXPECT_EQ(value_of(one(sr, "121005")), "121007");  // the observer is a device
  EXPECT_NE(one(sr, "121012").text("UID"), "");
  EXPECT_EQ(value_of(one(sr, "121058")), "25056-3");  // of CID 100

  // Every object that the content refers to is in the evidence.
  std::set<std::string> evidence, images;
  for (const auto& series : sr.item("CurrentRequestedProcedureEvidenceSequence")->items("ReferencedSeriesSequence"))
    for (const auto& o : series.items("ReferencedSOPSequence")) evidence.insert(o.text("ReferencedSOPInstanceUID"));
  const auto library = one(sr, "111028");
  EXPECT_EQ(library.item("ContentTemplateSequence")->text("TemplateIdentifier"), "1600");
  for (const auto& group : called(library, "126200")) {
    EXPECT_EQ(value_of(one(group, "121139")), "MR");
    for (const auto& c : group.items("ContentSequence"))
      if (c.text("ValueType") == "IMAGE")
        images.insert(c.item("ReferencedSOPSequence")->text("ReferencedSOPInstanceUID"));
  }
  EXPECT_EQ(images.size(), 2 * r.sides[0].series.instances.size());
  for (const auto& uid : images) EXPECT_EQ(evidence.count(uid), 1U) << uid;

  const auto groups = called(one(sr, "126010"), "125007");
  ASSERT_EQ(groups.size(), 4U);
  std::set<std::string> tracked;
  for (std::size_t k = 0; k < 4; ++k) {
    const auto& g = groups[k];
    const auto& seg = segs[k / 2];
    const auto& side = r.sides[k / 2];
    EXPECT_EQ(g.item("ContentTemplateSequence")->text("TemplateIdentifier"), "1411");
    const auto ref = *one(g, "121191").item("ReferencedSOPSequence");
    EXPECT_EQ(ref.text("ReferencedSOPInstanceUID"), seg.text("SOPInstanceUID"));
    EXPECT_EQ(ref.text("ReferencedSOPClassUID"), "1.2.840.10008.5.1.4.1.1.66.4");
    EXPECT_EQ(ref.number("ReferencedSegmentNumber"), static_cast<double>(k % 2 + 1));
    EXPECT_EQ(evidence.count(ref.text("ReferencedSOPInstanceUID")), 1U);
    const auto segment = seg.items("SegmentSequence").at(k % 2);
    EXPECT_EQ(segment.number("SegmentNumber"), static_cast<double>(k % 2 + 1));
    EXPECT_EQ(one(g, "112039").text("TextValue"), segment.text("TrackingID"));
    EXPECT_EQ(one(g, "112040").text("UID"), segment.text("TrackingUID"));
    tracked.insert(one(g, "112040").text("UID"));
    EXPECT_EQ(one(g, "121232").text("UID"), side.series.uid);
    EXPECT_EQ(value_of(one(g, "121071")), "5366008");
    const auto site = one(g, "363698007");
    EXPECT_EQ(value_of(site), "5366008");
    EXPECT_EQ(value_of(one(site, "272741003")), k < 2 ? "7771000" : "24028007");
    EXPECT_EQ(value_of(one(site, "106233006")), k % 2 == 0 ? "255549009" : "255551008");
    const auto measured = *one(g, "118565006").item("MeasuredValueSequence");
    EXPECT_EQ(measured.item("MeasurementUnitsCodeSequence")->text("CodeValue"), "mm3");
    EXPECT_NEAR(*measured.number("NumericValue"), side.volumes[k % 2].mm3, 1e-6);
    EXPECT_EQ(one(g, "NORMPERC").item("MeasuredValueSequence")->number("NumericValue"), 12.5);
  }
  EXPECT_EQ(tracked.size(), 4U);

  const auto derived = one(sr, "126011");
  const auto totals = called(derived, "118565006");
  ASSERT_EQ(totals.size(), 2U);
  for (std::size_t k = 0; k < 2; ++k) {
    EXPECT_NEAR(*totals[k].item("MeasuredValueSequence")->number("NumericValue"), r.sides[k].volume("total").mm3, 1e-6);
    EXPECT_EQ(value_of(one(totals[k], "121401")), "255619001");
    EXPECT_EQ(value_of(one(one(totals[k], "363698007"), "272741003")), k == 0 ? "7771000" : "24028007");
  }
  EXPECT_EQ(called(derived, "NORMPERC").size(), 1U);
  EXPECT_EQ(called(derived, "VOLCHANGE").size(), 1U);
  EXPECT_EQ(called(derived, "ASYMINDEX").size(), 2U);
  std::string notes;
  for (const auto& n : called(one(sr, "C0034375"), "121106")) notes += n.text("TextValue") + "\n";
  EXPECT_THAT(notes, HasSubstr("Research use only"));
  EXPECT_THAT(notes, HasSubstr("Percentiles by: a table"));
  EXPECT_THAT(notes, HasSubstr("left hippocampus: review (size): a total of 100 mm3 is outside"));
  EXPECT_THAT(notes, HasSubstr("right hippocampus: no percentile, the age is not known"));
}

// PixelMed's validator, made from the tables of PS3.16, knows TID 1500. A dozen seconds of Java.
TEST(Judges, StructuredReportFollowsItsTemplate) {
  if (!installed("DicomSRValidator")) GTEST_SKIP() << "pixelmed-apps is not installed";
  Folder f;
  const auto r = both_sides(f.path);
  std::vector<dicom::Dataset> segs;
  for (const auto& side : r.sides) segs.push_back(clinic::make_seg(r, side, 1));
  clinic::make_sr(r, segs, 2).write(f.path / "sr.dcm");
  // Its style sheet is beyond the limits that Java sets for such since version 17.
  const auto text = output_of(
      "JAVA_TOOL_OPTIONS='-Djdk.xml.xpathExprOpLimit=0 -Djdk.xml.xpathTotalOpLimit=0 -Djdk.xml.xpathExprGrpLimit=0' "
      "DicomSRValidator '" +
      (f.path / "sr.dcm").string() + "' 2>&1");
  EXPECT_THAT(text, HasSubstr("Found Root Template TID_1500"));
  EXPECT_THAT(text, HasSubstr("Root Template Validation Complete"));
  // "Internal Error" is about its own table, which lacks the context group of TID 1420; so it takes what stands there
  // for additions, which the template allows.
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_FALSE(line.starts_with("Error")) << line;
    if (line.starts_with("Warning")) {
      EXPECT_THAT(line, HasSubstr("/CONTAINER (126011,DCM,\"Derived"));
    }
  }
}

// dicom3tools judge every kind of object: no line that begins with "Error".
TEST(Judges, EveryObjectIsValid) {
  if (!installed("dciodvfy") || !installed("dcentvfy")) GTEST_SKIP() << "dicom3tools is not installed";
  Folder f, out;
  const auto r = both_sides(f.path);
  for (const bool fractional : {false, true}) {
    const auto objects = clinic::write_results(out.path, r, {.fractional = fractional});
    ASSERT_EQ(objects.size(), 5U);
    std::string all;
    for (const auto& o : objects) {
      EXPECT_EQ(errors_of("dciodvfy '" + o.string() + "'"), "") << o;
      all += " '" + o.string() + "'";
    }
    for (int k = 0; k < crop_spec().slices; ++k) all += " '" + (f.path / (std::to_string(k) + ".dcm")).string() + "'";
    EXPECT_EQ(errors_of("dcentvfy" + all), "");
  }
  if (installed("dsrdump")) {
    const auto text = output_of("dsrdump '" + (out.path / "sr.dcm").string() + "' 2>&1");
    EXPECT_THAT(text, HasSubstr("Volume"));
    for (const char* trouble : {"W: ", "E: ", "F: "}) EXPECT_THAT(text, testing::Not(HasSubstr(trouble)));
  }
}

TEST(Seg, FramesOfAnEnhancedSourceAreNamed) {
  Folder f, out;
  SeriesSpec s = crop_spec();
  s.change = [](dicom::Dataset& d, int) {
    d.set("LossyImageCompression", "01")
        .set("LossyImageCompressionRatio", 5)
        .set("LossyImageCompressionMethod", "ISO_10918_1");
  };
  enhanced(s, false).write(f.path / "enhanced.dcm");  // its frames are not in the order of places
  const auto r = measured(f.path);
  ASSERT_EQ(r.sides[0].series.instances.size(), 1U);
  const auto seg = clinic::make_seg(r, r.sides[0], 1);
  const auto& source = r.sides[0].series.head();
  for (const auto& frame : seg.items("PerFrameFunctionalGroupsSequence")) {
    const auto image = *frame.item("DerivationImageSequence")->item("SourceImageSequence");
    EXPECT_EQ(image.text("ReferencedSOPInstanceUID"), source.text("SOPInstanceUID"));
    const auto number = static_cast<std::size_t>(*image.number("ReferencedFrameNumber"));
    const auto original = source.items("PerFrameFunctionalGroupsSequence").at(number - 1);
    EXPECT_EQ(original.item("PlanePositionSequence")->numbers("ImagePositionPatient"),
              frame.item("PlanePositionSequence")->numbers("ImagePositionPatient"));
  }
  EXPECT_EQ(seg.text("LossyImageCompression"), "01");  // the past of its source
  EXPECT_EQ(seg.text("LossyImageCompressionMethod"), "ISO_10918_1");
  if (!installed("dciodvfy")) GTEST_SKIP() << "dicom3tools is not installed";
  for (const auto& object : clinic::write_results(out.path, r, {}))
    EXPECT_EQ(errors_of("dciodvfy '" + object.string() + "'"), "") << object;
}

TEST(Page, PdfIsOnePageOfText) {
  Folder f;
  write_series(f.path, crop_spec());
  const auto r = measured(f.path);
  const auto pdf = clinic::report_pdf(r);
  ASSERT_GT(pdf.size(), 1000U);
  EXPECT_EQ(std::memcmp(pdf.data(), "%PDF-", 5), 0);
  const auto object = clinic::make_pdf(r, 1);
  EXPECT_EQ(object.text("MIMETypeOfEncapsulatedDocument"), "application/pdf");
  if (!installed("pdftotext")) GTEST_SKIP() << "poppler-utils is not installed";
  std::FILE* file = std::fopen((f.path / "a.pdf").c_str(), "wb");
  std::fwrite(pdf.data(), 1, pdf.size(), file);
  std::fclose(file);
  const auto text = output_of("pdftotext -layout '" + (f.path / "a.pdf").string() + "' -");
  for (const char* part : {"Hippocampal volumetry", "Doe, Jane", "P1", "Left hippocampus", "RESEARCH USE ONLY",
                           "not for diagnosis", "mL", "model test 12345678"})
    EXPECT_THAT(text, HasSubstr(part));
  EXPECT_THAT(text, HasSubstr(std::to_string(r.sides[0].volume("total").voxels)));
  EXPECT_THAT(output_of("pdfinfo '" + (f.path / "a.pdf").string() + "'"), HasSubstr("Pages:           1"));
}

// Who it is of must be readable: the longest identifier and name that DICOM allows, and a name in another script only.
TEST(Page, NamesAndIdentifiersAreNotCut) {
  if (!installed("pdftotext")) GTEST_SKIP() << "poppler-utils is not installed";
  Folder f;
  write_series(f.path, crop_spec());
  auto r = measured(f.path);
  const auto text_of = [&] {
    const auto pdf = clinic::report_pdf(r);
    std::FILE* file = std::fopen((f.path / "a.pdf").c_str(), "wb");
    std::fwrite(pdf.data(), 1, pdf.size(), file);
    std::fclose(file);
    auto text = output_of("pdftotext -raw '" + (f.path / "a.pdf").string() + "' -");
    std::erase_if(text, [](char c) { return c == ' ' || c == '\n'; });
    return text;
  };
  r.subject.id = "ABCDEFGHIJ-0123456789-ABCDEFGHIJ-0123456789-ABCDEFGHIJ-987654321";
  r.subject.name = "Wolkenstein-Rodenegg und Villanders^Maximiliane Friederike Alexa";
  ASSERT_EQ(r.subject.id.size(), 64U);
  ASSERT_EQ(r.subject.name.size(), 64U);
  const auto text = text_of();
  EXPECT_THAT(text, HasSubstr(r.subject.id));
  EXPECT_THAT(text, HasSubstr("Wolkenstein-RodeneggundVillanders,MaximilianeFriederikeAlexa"));
  r.subject.name = "Wölkenstein-Österreicher-Überlingen^Äöü Ñandú Çelik Şahin Žižek";
  EXPECT_THAT(text_of(), HasSubstr("Wölkenstein-Österreicher-Überlingen,ÄöüÑandúÇelikŞahinŽižek"));
  r.norms = "Table of M\xfcller";  // Latin-1
  EXPECT_THAT(text_of(), HasSubstr("TableofM?ller"));
  r.subject.name = "=Иванов^Иван=";
  EXPECT_THAT(text_of(), HasSubstr("Иванов,Иван"));
}

}  // namespace
}  // namespace larmor::test
