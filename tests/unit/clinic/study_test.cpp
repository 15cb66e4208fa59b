// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <fstream>
#include <larmor/clinic/checks.hpp>
#include <larmor/clinic/labels.hpp>
#include <larmor/clinic/norms.hpp>
#include <larmor/clinic/rules.hpp>
#include <larmor/clinic/send.hpp>
#include <larmor/clinic/write.hpp>
#include <larmor/data/grid.hpp>
#include <numbers>

#include "support.hpp"

namespace larmor::test {
namespace {

using testing::HasSubstr;

dicom::Study study_in(const fs::path& folder) {
  auto found = dicom::scan(folder);
  EXPECT_EQ(found.studies.size(), 1U);
  return found.studies.at(0);
}

void add(const fs::path& root, const char* folder, SeriesSpec s) {
  fs::create_directories(root / folder);
  s.series = dicom::uid_from(folder);
  write_series(root / folder, s);
}

TEST(Rules, TheDefaultTakesTheCropAndSaysWhy) {
  Folder f;
  add(f.path, "crop", crop_spec());
  SeriesSpec other = crop_spec();
  other.description = "T1post";
  add(f.path, "t1", other);
  const auto study = study_in(f.path);
  const auto choice = clinic::choose_series(study, clinic::default_rules());
  ASSERT_EQ(choice.chosen.size(), 1U);
  EXPECT_EQ(choice.chosen[0].series->description, "HippoCrop");
  EXPECT_EQ(choice.chosen[0].side, "");
  std::string all;
  for (const auto& line : choice.explanation) all += line + "\n";
  EXPECT_THAT(all, HasSubstr("taken by rule 'hippocampus crop'"));
  EXPECT_THAT(all, HasSubstr("SeriesDescription is 'T1post', not ^HippoCrop$"));
  EXPECT_EQ(clinic::choose_series(study, clinic::default_rules(), "left").chosen[0].side_from, "operator");
}

TEST(Rules, RefusalsGiveTheReason) {
  const auto says = [](SeriesSpec s, const char* text, const char* side = "") {
    Folder f;
    add(f.path, "crop", s);
    const auto study = study_in(f.path);
    EXPECT_THAT(error_of([&] { clinic::choose_series(study, clinic::default_rules(), side); }), HasSubstr(text));
  };
  SeriesSpec s = crop_spec();
  s.modality = "CT";
  says(s, "Modality is 'CT', not ^MR$");
  s = crop_spec(), s.slices = 1;
  says(s, "it has 1 slice, and the rule allows 8 to 128");
  s = crop_spec(), s.dx = 3;
  says(s, "its voxels are 3 mm long, and the rule allows 0.4 to 2.5 mm");
  s = crop_spec(), s.change = [](dicom::Dataset& d, int) { d.set("ImagesInAcquisition", 31); };
  says(s, "ImagesInAcquisition says 31 pictures, and 30 are here: 1 missing");
  s = crop_spec(), s.change = [](dicom::Dataset& d, int) { d.set("Laterality", "R"); };
  says(s, "--side says left and Laterality of series", "left");
  s = crop_spec(), s.change = [](dicom::Dataset& d, int k) { d.set("ImageLaterality", k ? "R" : "L"); };
  says(s, "say left and right");
}

// 512^3: refused by what the headers say, before any pixel is read (there are none).
TEST(Rules, FunctionalGroupsOfEnhancedObjectsAreLookedInto) {
  Folder f;
  enhanced(crop_spec(), true).write(f.path / "all.dcm");
  const auto study = study_in(f.path);
  const auto choose = [&](const char* rule) {
    return clinic::choose_series(
        study, clinic::parse_rules(
                   std::string("series:\n  - match: {SeriesDescription: '^HippoCrop$'}\n    ") + rule + "\n", "test"));
  };
  EXPECT_EQ(choose("range: {PixelSpacing: [0.4, 2.5]}").chosen.size(), 1U);           // shared
  EXPECT_EQ(choose("range: {ImagePositionPatient: [-999, 999]}").chosen.size(), 1U);  // of every frame
  EXPECT_THAT(error_of([&] { choose("range: {PixelSpacing: [2, 3]}"); }),
              HasSubstr("PixelSpacing is 1, outside 2 to 3"));
  EXPECT_THAT(error_of([&] { choose("range: {ImagePositionPatient: [-999, 0]}"); }),
              HasSubstr("ImagePositionPatient is "));
  EXPECT_THAT(error_of([&] { choose("range: {InversionTime: [0, 1]}"); }), HasSubstr("InversionTime is not told"));
}

TEST(Rules, TheSideOfAnEnhancedObjectIsThatOfItsFrames) {
  for (const char* side : {"R", "L", "U"}) {
    Folder f;
    auto d = enhanced(crop_spec(), false);
    d.item("SharedFunctionalGroupsSequence")->add("FrameAnatomySequence").set("FrameLaterality", side);
    d.write(f.path / "all.dcm");
    EXPECT_EQ(clinic::choose_series(study_in(f.path), clinic::default_rules()).chosen[0].side, *side == 'R'   ? "right"
                                                                                               : *side == 'L' ? "left"
                                                                                                              : "");
  }
}

TEST(Rules, ResultsNeedSomethingToReferTo) {
  for (const char* name : {"StudyInstanceUID", "SeriesInstanceUID"}) {
    Folder f;
    SeriesSpec s = crop_spec();
    s.change = [name](dicom::Dataset& d, int) { d.erase(name); };
    write_series(f.path, s);
    EXPECT_THAT(error_of([&] { clinic::choose_series(study_in(f.path), clinic::default_rules()); }),
                HasSubstr(std::string(".dcm has no ") + name));
  }
}

TEST(Rules, AHugeVolumeIsRefusedAtOnce) {
  Folder f;
  SeriesSpec s = crop_spec();
  s.slices = 40, s.columns = s.rows = 2;  // the headers say 512
  s.change = [](dicom::Dataset& d, int) { d.set("Rows", 512).set("Columns", 512); };
  add(f.path, "crop", s);
  const auto study = study_in(f.path);
  EXPECT_THAT(error_of([&] { clinic::choose_series(study, clinic::default_rules()); }),
              HasSubstr("it has 512 columns, and the rule allows 16 to 128"));
}

TEST(Rules, TwoThatFitAreRefusedUnlessTheyAreLeftAndRight) {
  Folder f, g;
  add(f.path, "one", crop_spec());
  add(f.path, "two", crop_spec());
  const auto both = study_in(f.path);
  EXPECT_THAT(error_of([&] { clinic::choose_series(both, clinic::default_rules()); }),
              HasSubstr("2 series fit the default rules, and one (or a left and a right one) is needed"));
  SeriesSpec s = crop_spec();
  s.change = [](dicom::Dataset& d, int) { d.set("Laterality", "R"); };
  add(g.path, "a", s);
  s.change = [](dicom::Dataset& d, int) { d.set("Laterality", "L"); };
  add(g.path, "b", s);
  const auto pair = study_in(g.path);
  const auto choice = clinic::choose_series(pair, clinic::default_rules());
  ASSERT_EQ(choice.chosen.size(), 2U);
  EXPECT_EQ(choice.chosen[0].side, "left");
  EXPECT_EQ(choice.chosen[1].side, "right");
  EXPECT_EQ(choice.chosen[1].side_from, "DICOM Laterality");
}

TEST(Rules, FilesAreChecked) {
  const auto says = [](const char* yaml, const char* text) {
    EXPECT_THAT(error_of([&] { clinic::parse_rules(yaml, "rules.yaml"); }), HasSubstr(text)) << yaml;
  };
  says("series:\n  - match: {SeriesDescription: '('}\n", "is no regular expression");
  says("series:\n  - match: {SeriesDescriptio: 'a'}\n", "did you mean SeriesDescription?");
  says("series:\n  - match: {Modality: MR}\n    sizes: {rows: [1, 2]}\n", "did you mean size?");
  says("series:\n  - match: {Modality: MR}\n    range: {EchoTime: 3}\n", "'EchoTime' is no pair of numbers");
  says("series:\n  - match: {Modality: MR}\n    spacing: [2, 1]\n", "goes from 2 to 1");
  says("series:\n  - match: {Modality: MR}\n    side: up\n", "a side is 'up'");
  says("series:\n  - name: all\n", "matches nothing in particular");
  says("{", "cannot be read as rules");
  says("a: 1", "holds no list 'series'");
  const auto rules = clinic::parse_rules(
      "series:\n  - match: {'0008,103e': 'crop'}\n    range: {RepetitionTime: [2000, 2400]}\n    side: left\n", "r");
  EXPECT_EQ(rules.series.at(0).side, "left");
  Folder f;
  SeriesSpec s = crop_spec();
  s.description = "my crop";
  add(f.path, "a", s);
  const auto study = study_in(f.path);
  EXPECT_EQ(clinic::choose_series(study, rules).chosen.at(0).side_from, "series rules");
}

TEST(Subject, Ages) {
  EXPECT_EQ(clinic::age_in_years("072Y"), 72);
  EXPECT_EQ(clinic::age_in_years("72Y"), 72);  // not by the standard, and clear
  EXPECT_EQ(clinic::age_in_years("018M"), 1.5);
  for (const char* no : {"", "Y", "072", "7.2Y", "-72Y", "0072Y", "072X"}) EXPECT_FALSE(clinic::age_in_years(no)) << no;
}

TEST(Norms, PercentilesAndRefusals) {
  Folder f;
  write_series(f.path, crop_spec());
  auto r = measured(f.path);
  const auto table = f.path / "norms.csv";
  const double mm3 = r.sides[0].volume("total").mm3;
  std::ofstream(table)
      << "# title: A cohort\nstructure,side,sex,age_low,age_high,mean_mm3,sd_mm3\ntotal,left,any,60,80," << mm3 + 100
      << ",100\nanterior,left,F,60,80,1500,100\n";
  const auto norms = clinic::read_norms(table);
  EXPECT_EQ(norms.title, "A cohort");
  r.subject.years = 72;
  clinic::add_percentiles(r, norms);
  EXPECT_NEAR(*r.sides[0].volume("total").percentile, 15.8655, 1e-3);  // one standard deviation below the mean
  EXPECT_FALSE(r.sides[0].volume("anterior").percentile);
  EXPECT_THAT(r.sides[0].volume("anterior").no_percentile,
              HasSubstr("no anterior hippocampus of the left side and sex ''"));
  r.subject.years = 85;
  clinic::add_percentiles(r, norms);
  EXPECT_FALSE(r.sides[0].volume("total").percentile);
  EXPECT_THAT(r.sides[0].volume("total").no_percentile, HasSubstr("85 years is outside the table (60 to 80)"));
  auto gap = norms;  // between two rows is outside too
  gap.rows.push_back(gap.rows[0]);
  gap.rows[0].age_high = 65, gap.rows.back().age_low = 75;
  r.subject.years = 70;
  clinic::add_percentiles(r, gap);
  EXPECT_THAT(r.sides[0].volume("total").no_percentile,
              HasSubstr("70 years is outside the table (60 to 65, 75 to 80)"));
  r.subject.years.reset();
  clinic::add_percentiles(r, norms);
  EXPECT_THAT(r.sides[0].volume("total").no_percentile, HasSubstr("age is not known"));
  std::ofstream(table) << "structure,side,sex,age_low,age_high,mean_mm3,sd_mm3\ntotal,left,any,60,80,3000,100\ntotal,"
                          "any,F,70,90,3000,100\n";
  EXPECT_THAT(error_of([&] { clinic::read_norms(table); }),
              HasSubstr("row 2 of the norm table: it covers the same people as row 1"));
  std::ofstream(table) << "structure,side,sex,age_low,age_high,mean_mm3,sd_mm3\ntotal,left,any,60,80,3000,0\n";
  EXPECT_THAT(error_of([&] { clinic::read_norms(table); }), HasSubstr("mean is 3000 and sd 0"));
}

TEST(Earlier, ChangeOverTime) {
  Folder f, out;
  write_series(f.path, crop_spec());
  auto r = measured(f.path);
  auto before = r;
  clinic::write_results(out.path, before, {.pdf = false, .secondary_capture = false});
  auto e = clinic::read_earlier(out.path / "results.json");
  EXPECT_EQ(e.patient_id, "P1");
  e.study_uid = "2.25.9", e.date = "20190102";
  for (auto& v : e.volumes) v.mm3 *= 1.25;
  clinic::add_changes(r, {e});
  ASSERT_EQ(r.changes.size(), 3U);
  EXPECT_NEAR(r.changes[2].percent, -20, 1e-9);
  EXPECT_NEAR(*r.changes[2].percent_per_year, -20 * 365.25 / 365, 1e-6);
  EXPECT_TRUE(r.changes[2].same_model);
  e.patient_id = "P2";
  EXPECT_THAT(error_of([&] { clinic::add_changes(r, {e}); }), HasSubstr("is of patient 'P2', and the study of 'P1'"));
  // Without an identifier nobody is the same patient.
  auto nobody = measured(f.path);
  nobody.subject.id = e.patient_id = "";
  clinic::add_changes(nobody, {e});
  EXPECT_TRUE(nobody.changes.empty());
  EXPECT_THAT(nobody.notes.at(0).what, HasSubstr("has no PatientID"));
  std::ofstream(out.path / "x.json") << "{}";
  EXPECT_THAT(error_of([&] { clinic::read_earlier(out.path / "x.json"); }),
              HasSubstr("holds no results of larmor hippocampus"));
  std::ofstream(out.path / "x.json") << "{\"larmor_hippocampus\": 1}";
  EXPECT_THAT(error_of([&] { clinic::read_earlier(out.path / "x.json"); }), HasSubstr("is damaged"));
}

TEST(Labels, OfOtherGridsHaveTheSameVolume) {
  Folder f;
  write_series(f.path, crop_spec());
  const auto side = measured(f.path).sides[0];
  const auto volume = [&](const Image& labels) {
    double n = 0;
    for (const auto v : labels.data.span<std::uint8_t>()) n += v != 0;
    return n * std::abs(labels.affine.determinant());
  };
  // Mirrored along the first axis: the same voxels in another order.
  const auto n = side.labels.grid();
  Image mirrored = side.labels;
  mirrored.data = side.labels.data.clone();
  for (std::int64_t v = 0; v < mirrored.data.size(); ++v)
    mirrored.data.data<std::uint8_t>()[v] = side.labels.data.data<std::uint8_t>()[v - v % n[0] + n[0] - 1 - v % n[0]];
  mirrored.affine = regridded(side.labels.affine, {static_cast<double>(n[0] - 1), 0, 0}, {-1, 1, 1});
  const auto back = clinic::labels_on(side.image, mirrored);
  EXPECT_EQ(std::memcmp(back.data.raw(), side.labels.data.raw(), side.labels.data.bytes()), 0);
  // On a grid of half the spacing: the same labels at the same places.
  Image image = side.image;
  const auto fine = with_spacing({image.affine, image.grid()}, {0.5, 0.5, 0.5});
  image.affine = fine.affine;
  image.data = Array::of<std::int16_t>({fine.size[0], fine.size[1], fine.size[2]});
  EXPECT_NEAR(volume(clinic::labels_on(image, side.labels)) / volume(side.labels), 1, 1e-9);
  Image away = side.labels;
  away.affine.m[0][3] += 500;
  EXPECT_THAT(error_of([&] { clinic::labels_on(side.image, away); }), HasSubstr("do not overlap"));
  away.affine.m[0][3] = side.labels.affine.m[0][3] + 14;
  EXPECT_THAT(error_of([&] { clinic::labels_on(side.image, away); }), HasSubstr("of the labels lie in the series"));
  away = side.labels;
  away.data = side.labels.data.clone();
  away.data.data<std::uint8_t>()[0] = 7;
  EXPECT_THAT(error_of([&] { clinic::labels_on(side.image, away); }), HasSubstr("a label is 7"));
}

std::vector<std::string> ids(const clinic::Side& side) {
  std::vector<std::string> out;
  for (const auto& n : side.notes) out.push_back(n.id);
  return out;
}

TEST(Checks, SeeWhatIsWrong) {
  Folder f;
  write_series(f.path, crop_spec());
  const auto good = measured(f.path).sides[0];
  auto side = good;
  clinic::add_checks(side);
  EXPECT_THAT(ids(side), testing::Not(testing::Contains("components")));
  EXPECT_THAT(ids(side), testing::Not(testing::Contains("border")));
  EXPECT_THAT(ids(side), testing::Not(testing::Contains("size")));  // a ball of 9 mm: 3053 mm3
  side = good;
  side.labels.data = good.labels.data.clone();
  side.labels.data.data<std::uint8_t>()[0] = 1;
  clinic::add_checks(side);
  EXPECT_THAT(ids(side), testing::Contains("components"));
  EXPECT_THAT(ids(side), testing::Contains("border"));
  side = good;
  for (auto& v : side.volumes) v.mm3 *= 4;
  clinic::add_checks(side);
  EXPECT_THAT(ids(side), testing::Contains("size"));
  EXPECT_TRUE(side.notes.at(0).serious);
  side = good;
  side.image.data = side.image.data.clone();
  for (std::int64_t i = 0; i < 2000; ++i) side.image.data.data<std::int16_t>()[i] = 4000;
  clinic::add_checks(side);
  EXPECT_THAT(ids(side), testing::Contains("intensity"));
  side = good;
  for (auto& v : side.volumes) v.voxels = 0, v.mm3 = 0;
  clinic::add_checks(side);
  EXPECT_EQ(side.notes.at(0).what, "no hippocampus was found");
  Image zero = good.image;
  zero.data = Array::of<std::int16_t>(zero.data.shape());
  EXPECT_THAT(error_of([&] { clinic::check_picture(zero); }), HasSubstr("an empty image: all 40590 voxels are 0"));
}

TEST(Checks, QualityOfACube) {
  Folder f;
  write_series(f.path, crop_spec());
  auto side = measured(f.path).sides[0];
  const auto n = side.labels.grid();
  side.labels.data = Array::of<std::uint8_t>({n[0], n[1], n[2]});
  side.image.data = Array::of<float>({n[0], n[1], n[2]});
  side.probabilities = side.image;
  side.probabilities->data = Array::of<float>({n[0], n[1], n[2], 3});
  const auto voxels = static_cast<std::size_t>(n[0] * n[1] * n[2]);
  auto* p = side.probabilities->data.data<float>();
  std::fill_n(p, voxels, 1.0f);
  for (std::int64_t k = 5; k < 15; ++k)
    for (std::int64_t j = 5; j < 15; ++j)
      for (std::int64_t i = 5; i < 15; ++i) {
        const auto v = static_cast<std::size_t>((k * n[1] + j) * n[0] + i);
        side.labels.data.data<std::uint8_t>()[v] = j < 9 ? 1 : 2;
        side.image.data.data<float>()[v] = 1;
        p[v] = 0, p[voxels + v] = p[2 * voxels + v] = 0.5f;  // as sure as a coin
      }
  for (auto& v : side.volumes)
    v.voxels = v.structure == "anterior"    ? 400
               : v.structure == "posterior" ? 600
                                            : 1000,
    v.mm3 = static_cast<double>(v.voxels);
  const auto q = clinic::quality_of(side);
  EXPECT_EQ(q.pieces, 1);
  EXPECT_EQ(q.largest, 1);
  EXPECT_EQ(q.at_edge, 0);
  EXPECT_NEAR(q.surface, 6 / std::cbrt(36 * std::numbers::pi), 1e-12);  // of a cube over that of its ball
  EXPECT_EQ(q.anterior, 0.4);
  EXPECT_EQ(q.highest, 1);
  EXPECT_NEAR(q.clipped, 1000.0 / static_cast<double>(voxels), 1e-12);
  EXPECT_NEAR(q.uncertainty.value(), std::log(2) / std::log(3), 1e-6);
  // 1000 ones against a shell of 2 x 6 x 100 zeros: their means differ by 1, sd = sqrt(ab) / (a + b).
  EXPECT_NEAR(q.contrast.value(), 2200 / std::sqrt(1000.0 * 1200.0), 1e-9);
}

TEST(Send, AddressesAndNobodyThere) {
  EXPECT_EQ(clinic::parse_archive("pacs.org:104").port, 104);
  for (const char* bad : {"pacs", "pacs:", ":104", "pacs:0", "pacs:99999", "pacs:12x"})
    EXPECT_THAT(error_of([&] { clinic::parse_archive(bad); }), HasSubstr("is no address of an archive")) << bad;
  Folder f;
  SeriesSpec s;
  s.slices = 1;
  write_series(f.path, s);
  auto archive = clinic::parse_archive("127.0.0.1:1");  // nobody listens there
  archive.attempts = 2, archive.pause = 0.01;
  const auto sent = clinic::send({f.path / "0.dcm"}, archive);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_FALSE(sent[0].stored);
  EXPECT_THAT(sent[0].status, HasSubstr("no connection to 127.0.0.1:1"));
}

}  // namespace
}  // namespace larmor::test
