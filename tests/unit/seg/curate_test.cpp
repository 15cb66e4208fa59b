// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <larmor/core/error.hpp>
#include <larmor/seg/curate.hpp>
#include <larmor/seg/folds.hpp>
#include <map>
#include <random>
#include <set>

namespace larmor::seg {
namespace {
namespace fs = std::filesystem;

/// A collection in memory: what the reader gives for each path.
struct Collection {
  std::map<std::string, Image> files;
  std::vector<CaseFiles> cases;

  void add(const std::string& name, Image image, Image label) {
    files["i/" + name + ".nii.gz"] = std::move(image);
    files["l/" + name + ".nii.gz"] = std::move(label);
    cases.push_back({name, "i/" + name + ".nii.gz", "l/" + name + ".nii.gz"});
  }
  std::map<std::string, CaseFacts> run(const CurateOptions& options = {}) const {
    const auto read = [&](const fs::path& p) {
      const auto it = files.find(p.string());
      if (it == files.end()) throw Error(Errc::format, "not a NIfTI file");
      return it->second;
    };
    std::map<std::string, CaseFacts> out;
    for (auto& f : curate(cases, read, options)) out[f.files.name] = f;
    return out;
  }
};

Image image_of(int seed, Shape shape = {16, 20, 16}) {
  Image i;
  i.data = Array::of<float>(shape);
  std::mt19937 random(static_cast<unsigned>(seed));
  for (float& v : i.data.span<float>()) v = std::normal_distribution<float>(100, 10)(random);
  return i;
}
/// Two boxes side by side along y, (4 x `length` x 5) each.
Image label_of(int length = 5, Shape shape = {16, 20, 16}) {
  Image i;
  i.data = Array::of<std::uint8_t>(shape);
  for (int z = 4; z < 9; ++z)
    for (int y = 0; y < 2 * length; ++y)
      for (int x = 5; x < 9; ++x) i.data.data<std::uint8_t>()[(z * shape[1] + y) * shape[0] + x] = y < length ? 1 : 2;
  return i;
}
Collection clean(int n = 8) {
  Collection c;
  for (int i = 1; i <= n; ++i) c.add("case_" + std::to_string(i), image_of(i), label_of(5 + i % 2));
  return c;
}
std::vector<std::string> ids(const CaseFacts& f) {
  std::vector<std::string> out;
  for (const auto& c : f.complaints) out.push_back(c.id);
  return out;
}
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(Curate, LeavesCleanCasesAlone) {
  for (const auto& [name, f] : clean().run())
    EXPECT_THAT(ids(f), IsEmpty()) << name << ": " << (f.complaints.empty() ? "" : f.complaints[0].what);
}

TEST(Curate, FindsEveryKindOfDirt) {
  auto c = clean();
  c.cases.push_back({"case_20", "i/case_20.nii.gz", {}});
  c.files["i/case_20.nii.gz"] = image_of(20);
  c.cases.push_back({"case_21", {}, "l/case_1.nii.gz"});
  c.add("case_22", image_of(22), label_of(5, {16, 21, 16}));
  c.add("case_23", image_of(23), label_of());
  c.files["l/case_23.nii.gz"].affine.m[0][3] = 5;
  c.add("case_24", image_of(24), label_of());
  c.files["l/case_24.nii.gz"].affine = Affine::scaling(2, 1, 1);
  c.add("case_25", image_of(25), label_of());
  c.files["l/case_25.nii.gz"].data.data<std::uint8_t>()[0] = 7;
  c.add("case_26", image_of(26), label_of());
  for (auto& v : c.files["l/case_26.nii.gz"].data.span<std::uint8_t>()) v = v == 2 ? 1 : v;
  c.add("case_27", image_of(27), label_of(0));
  c.add("case_28", image_of(1), label_of());
  c.add("case_29", image_of(29), label_of());
  for (int z = 1; z < 15; ++z)  // another organ: 14 x 18 x 14
    for (int y = 1; y < 19; ++y)
      for (int x = 1; x < 15; ++x)
        c.files["l/case_29.nii.gz"].data.data<std::uint8_t>()[(z * 20 + y) * 16 + x] = y < 10 ? 1 : 2;
  c.add("case_30", image_of(30), label_of());
  c.files["i/case_30.nii.gz"].data.data<float>()[3] = std::nanf("");
  c.add("case_31", image_of(31), label_of());
  c.files["i/case_31.nii.gz"].data = Array::of<float>({16, 20, 16});
  c.cases.push_back({"case_32", "i/notes.txt", "l/case_1.nii.gz"});
  c.cases.push_back({"._case_33", "i/._case_33.nii.gz", "l/case_1.nii.gz"});
  c.cases.push_back({"case_34", "i/broken.nii.gz", "l/case_1.nii.gz"});
  c.add("case_35", image_of(35, {16, 20, 16, 2}), label_of());
  c.add("case_36", image_of(36, {4, 20, 16}), label_of(5));
  c.files["l/case_36.nii.gz"].data = Array::of<std::uint8_t>({4, 20, 16});
  c.add("case_37", image_of(37), label_of(8));
  for (auto& v : c.files["l/case_37.nii.gz"].data.span<std::uint8_t>()) v = 0;
  for (int z = 4; z < 9; ++z)  // the usual volume, but nearly all of it label 2
    for (int y = 0; y < 11; ++y)
      for (int x = 5; x < 9; ++x)
        c.files["l/case_37.nii.gz"].data.data<std::uint8_t>()[(z * 20 + y) * 16 + x] = y < 1 ? 1 : 2;
  const auto f = c.run();
  const std::map<std::string, std::string> want{
      {"case_20", "no_label"},   {"case_21", "no_image"},     {"case_22", "shape"},      {"case_23", "affine"},
      {"case_24", "affine"},     {"case_25", "labels"},       {"case_26", "one_class"},  {"case_27", "empty"},
      {"case_28", "duplicate"},  {"case_29", "size"},         {"case_30", "nan"},        {"case_31", "constant"},
      {"case_32", "unreadable"}, {"._case_33", "unreadable"}, {"case_34", "unreadable"}, {"case_35", "dimensions"},
      {"case_36", "dimensions"}, {"case_37", "size"}};
  for (const auto& [name, id] : want) {
    EXPECT_THAT(ids(f.at(name)), Contains(id)) << name;
    for (const auto& complaint : f.at(name).complaints) EXPECT_FALSE(complaint.what.empty());
  }
  for (int i = 1; i <= 8; ++i) EXPECT_THAT(ids(f.at("case_" + std::to_string(i))), IsEmpty()) << i;
  EXPECT_THAT(f.at("case_23").complaints[0].what, testing::HasSubstr("5 mm apart"));
  EXPECT_THAT(f.at("case_28").complaints[0].what, testing::HasSubstr("case_1"));
}

TEST(Curate, FindsFilesThatBelongTogether) {
  const auto folder = fs::temp_directory_path() / ("larmor_curate_test_" + std::to_string(::getpid()));
  fs::remove_all(folder);
  fs::create_directories(folder / "images");
  fs::create_directories(folder / "labels");
  for (const char* f : {"images/a.nii.gz", "images/b.nii", "images/b.nii.gz", "images/c.txt", "labels/a_seg.nii.gz",
                        "labels/b.nii.gz", "labels/d.nii"})
    std::ofstream(folder / f) << "x";
  std::map<std::string, CaseFiles> all;
  for (const auto& c : find_cases(folder / "images", folder / "labels")) all[c.name] = c;
  EXPECT_EQ(all.at("a").label.filename(), "a_seg.nii.gz");
  EXPECT_EQ(all.at("b").image.filename(), "b.nii");
  EXPECT_EQ(all.at("b").label.filename(), "b.nii.gz");
  EXPECT_TRUE(all.at("b.nii.gz").label.empty());
  EXPECT_TRUE(all.at("c.txt").label.empty());
  EXPECT_TRUE(all.at("d").image.empty());
  EXPECT_THROW(find_cases(folder / "none", folder / "labels"), Error);
  fs::remove_all(folder / "images");
  fs::create_directories(folder / "images");
  fs::remove_all(folder / "labels");
  fs::create_directories(folder / "labels");
  EXPECT_THROW(find_cases(folder / "images", folder / "labels"), Error);  // an empty folder
  fs::remove_all(folder);
}

TEST(Folds, PersonsStayTogether) {
  EXPECT_EQ(person_of("hippocampus_007", "pairs"), person_of("hippocampus_008", "pairs"));
  EXPECT_NE(person_of("hippocampus_008", "pairs"), person_of("hippocampus_009", "pairs"));
  EXPECT_EQ(person_of("x", "file"), "x");
  EXPECT_THROW(person_of("x", "pairs"), Error);
  EXPECT_THROW(person_of("x1", "triples"), Error);
  std::vector<std::string> persons;
  for (int i = 1; i <= 100; ++i) persons.push_back(person_of("h_" + std::to_string(i), "pairs"));
  const auto folds = person_folds(persons, 5, 1);
  std::map<std::string, int> of;
  std::map<int, int> count;
  for (std::size_t i = 0; i < persons.size(); ++i) {
    const auto [it, fresh] = of.emplace(persons[i], folds[i]);
    EXPECT_EQ(it->second, folds[i]);
    count[folds[i]] += fresh;
  }
  for (const auto& [fold, n] : count) EXPECT_EQ(n, 10);
  auto turned = persons;
  std::reverse(turned.begin(), turned.end());
  auto again = person_folds(turned, 5, 1);
  std::reverse(again.begin(), again.end());
  EXPECT_EQ(again, folds);  // the order of the entries does not matter
  EXPECT_NE(person_folds(persons, 5, 2), folds);
  EXPECT_THROW(person_folds({"a", "b"}, 3, 1), Error);
  EXPECT_THROW(person_folds(persons, 1, 1), Error);
}

}  // namespace
}  // namespace larmor::seg
