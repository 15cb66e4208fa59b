// SPDX-License-Identifier: Apache-2.0
#include <larmor/io/bids.hpp>
#include <larmor/io/file.hpp>
#include <larmor/io/nifti.hpp>

#include "support.hpp"

using namespace larmor;
using namespace larmor::io;
using namespace larmor::test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

namespace {

double number(const Metadata& meta, const std::string& key) { return std::get<double>(meta.at(key)); }

}  // namespace

TEST(Bids, NamesComeApart) {
  const auto name = parse_bids_name("x/sub-01_ses-2_acq-a_bold.nii.gz");
  EXPECT_THAT(name.entities, UnorderedElementsAre(Pair("sub", "01"), Pair("ses", "2"), Pair("acq", "a")));
  EXPECT_EQ(name.suffix, "bold");
  EXPECT_EQ(name.extension, ".nii.gz");
  EXPECT_EQ(parse_bids_name("T1w.json").suffix, "T1w");
  EXPECT_EQ(parse_bids_name("T1w.json").extension, ".json");
  EXPECT_EQ(parse_bids_name("sub-01").suffix, "");
  EXPECT_THAT(parse_bids_name("").entities, IsEmpty());
  EXPECT_EQ(parse_bids_name("_.nii").suffix, "");
  EXPECT_EQ(parse_bids_name("scan.v2.nii.gz").suffix, "scan.v2");
  EXPECT_EQ(parse_bids_name("scan.v2.nii.gz").extension, ".nii.gz");
}

TEST(Bids, NearerSidecarsWin) {
  TempFolder dir;
  const fs::path run = dir.path / "sub-01" / "perf" / "sub-01_flip-1_VFA.nii.gz";
  fs::create_directories(run.parent_path());
  spill(dir / "dataset_description.json", R"({"Name": "x", "BIDSVersion": "1.8.0"})");
  spill(dir / "VFA.json", R"({"RepetitionTime": 0.005, "FlipAngle": 99, "Manufacturer": "A"})");
  spill(dir.path / "sub-01" / "sub-01_VFA.json", R"({"FlipAngle": 5, "Lists": [1, 2.5], "Names": ["a", "b"]})");
  spill(dir.path / "sub-01" / "sub-02_VFA.json", R"({"FlipAngle": 77})");           // another subject
  spill(dir.path / "sub-01" / "perf" / "sub-01_dce.json", R"({"FlipAngle": 78})");  // another suffix
  spill(dir.path / "sub-01" / "perf" / "sub-01_flip-2_VFA.json", R"({"FlipAngle": 79})");
  spill(dir.path / "sub-01" / "perf" / "sub-01_flip-1_VFA.json", R"({"FlipAngle": 15, "Contrast": null, "On": true})");
  const auto meta = read_sidecar(run);
  EXPECT_EQ(number(meta, "RepetitionTime"), 0.005);
  EXPECT_EQ(number(meta, "FlipAngle"), 15);
  EXPECT_EQ(std::get<std::string>(meta.at("Manufacturer")), "A");
  EXPECT_THAT(std::get<std::vector<double>>(meta.at("Lists")), ElementsAre(1, 2.5));
  EXPECT_THAT(std::get<std::vector<std::string>>(meta.at("Names")), ElementsAre("a", "b"));
  EXPECT_TRUE(std::get<bool>(meta.at("On")));
  EXPECT_EQ(meta.count("Contrast"), 0u);
  EXPECT_EQ(meta.count("Name"), 0u);
}

TEST(Bids, OutsideADatasetOnlyTheOwnFolderCounts) {
  TempFolder dir;
  fs::create_directories(dir.path / "a");
  spill(dir / "dyn.json", R"({"FlipAngle": 1})");
  EXPECT_THAT(read_sidecar(dir.path / "a" / "dyn.nii"), IsEmpty());
  spill(dir.path / "a" / "dyn.json", R"({"FlipAngle": 2})");
  EXPECT_EQ(number(read_sidecar(dir.path / "a" / "dyn.nii"), "FlipAngle"), 2);
}

TEST(Bids, TwoSidecarsOfOneLevelAreAnError) {
  TempFolder dir;
  spill(dir / "sub-1_dce.json", "{}");
  spill(dir / "acq-a_dce.json", "{}");
  const auto e = caught([&] { read_sidecar(dir / "sub-1_acq-a_dce.nii"); });
  EXPECT_EQ(e.code(), Errc::format);
  EXPECT_THAT(e.what(), HasSubstr("acq-a_dce.json and sub-1_dce.json"));
}

TEST(Bids, SidecarsOfOtherMapsDoNotApply) {
  TempFolder dir;
  spill(dir / "CBF_GM.json", R"({"Units": "mL/min/100g"})");
  spill(dir / "ATT_GM.json", R"({"Units": "s"})");
  spill(dir / "GM.json", "{}");  // of all of them, one level up it would do
  fs::create_directories(dir.path / "b");
  spill(dir.path / "b" / "CBF_GM.json", R"({"Units": "mL/min/100g"})");
  spill(dir.path / "b" / "ATT_GM.json", R"({"Units": "s"})");
  EXPECT_EQ(std::get<std::string>(read_sidecar(dir.path / "b" / "ATT_GM.nii.gz").at("Units")), "s");
  EXPECT_THAT(read_sidecar(dir.path / "b" / "M0_GM.nii.gz"), IsEmpty());
  EXPECT_EQ(caught([&] { read_sidecar(dir / "ATT_GM.nii.gz"); }).code(), Errc::format);  // two apply
}

TEST(Bids, JsonErrorsNameLineAndColumn) {
  TempFolder dir;
  spill(dir / "a.json", "{\n  \"a\": 1,\n  \"b\" 2\n}");
  const auto e = caught([&] { read_json_metadata(dir / "a.json"); });
  EXPECT_EQ(e.code(), Errc::format);
  EXPECT_THAT(e.what(), HasSubstr("a.json: line 3, column 7"));
  EXPECT_THAT(caught([] { parse_json_metadata("[1]", "x.json"); }).what(), HasSubstr("not an object"));
  EXPECT_THAT(caught([] { parse_json_metadata("", "x.json"); }).what(), HasSubstr("line 1, column 1"));
  EXPECT_THAT(caught([] { parse_json_metadata("{\"a\":" + std::string(100000, '['), "x.json"); }).what(),
              HasSubstr("nested"));
  EXPECT_EQ(caught([] { parse_json_metadata("{\"a\": 1e999}", "x.json"); }).code(), Errc::format);
}

TEST(Bids, FindsImagesBySuffix) {
  TempFolder dir;
  for (const char* name : {"sub-2/perf/sub-2_dce.nii", "sub-1/perf/sub-1_dce.nii.gz", "sub-1/perf/sub-1_dce.json",
                           "sub-1/anat/sub-1_T1w.nii", ".hidden/sub-3_dce.nii"})
    write_text(dir.path / name, "");
  EXPECT_THAT(find_bids(dir.path, "dce"),
              ElementsAre(dir.path / "sub-1/perf/sub-1_dce.nii.gz", dir.path / "sub-2/perf/sub-2_dce.nii"));
  EXPECT_THAT(find_bids(dir.path, "bold"), IsEmpty());
  EXPECT_EQ(caught([&] { find_bids(dir / "sub-11", "dce"); }).code(), Errc::file);
  EXPECT_EQ(caught([&] { find_bids(dir / "sub-2/perf/sub-2_dce.nii", "dce"); }).code(), Errc::file);
}

TEST(Bids, SidecarTimesWinOverTheHeader) {
  TempFolder dir;
  Image image;
  image.data = Array::of<float>({2, 2, 1, 3});
  image.times = {0, 1, 2};
  write_nifti(dir / "sub-1_dce.nii", image);
  EXPECT_THAT(read_image(dir / "sub-1_dce.nii").times, ElementsAre(0, 1, 2));
  spill(dir / "sub-1_dce.json", R"({"VolumeTiming": [0, 5, 20], "FlipAngle": 12, "AcquisitionTime": "10:31:07"})");
  const Image back = read_image(dir / "sub-1_dce.nii");
  EXPECT_THAT(back.times, ElementsAre(0, 5, 20));
  EXPECT_EQ(number(back.meta, "FlipAngle"), 12);
  spill(dir / "sub-1_dce.json", R"({"FrameTimesStart": [0, 5], "VolumeTiming": [0, 5, 20]})");
  const auto e = caught([&] { read_image(dir / "sub-1_dce.nii"); });
  EXPECT_EQ(e.code(), Errc::shape);
  EXPECT_THAT(e.what(), HasSubstr("lists 2 times, the image has 3 volumes"));
}

TEST(Bids, SidecarsSurviveDamage) {
  TempFolder dir;
  torture(
      dir / "a.json",
      "{\"RepetitionTime\": 0.005, \"Times\": [0, 1.5, -2e3],\n \"Name\": \"\\u00e4x\", \"o\": {\"a\": [null, true]}}",
      3000, 2, [](const fs::path& file) { read_json_metadata(file); });
}
