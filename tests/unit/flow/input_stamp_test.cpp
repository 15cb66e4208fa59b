// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <larmor/flow/plan.hpp>
#include <string>

namespace larmor::flow {
namespace {

namespace fs = std::filesystem;

class InputStamp : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(root_);
    fs::create_directories(root_ / "sub-01" / "ses-1" / "func");
    put("sub-01/ses-1/func/sub-01_ses-1_task-rest_bold.nii.gz", "image");
    put("dataset_description.json", "{}");
  }
  void TearDown() override { fs::remove_all(root_); }
  void put(const std::string& name, const std::string& text) const { std::ofstream(root_ / name) << text; }
  Hash now() const { return input_stamp(root_ / "sub-01/ses-1/func/sub-01_ses-1_task-rest_bold.nii.gz"); }
  /// Whether writing this file changes the stamp.
  bool counts(const std::string& name) const {
    put(name, "1");
    const Hash before = now();
    put(name, "22");
    return now() != before;
  }
  const fs::path root_ = fs::temp_directory_path() / ("larmor_input_stamp_" + std::to_string(::getpid()));
};

TEST_F(InputStamp, FilesOfTheSameNameCount) {
  EXPECT_TRUE(counts("sub-01/ses-1/func/sub-01_ses-1_task-rest_bold.nii.gz"));
  EXPECT_TRUE(counts("sub-01/ses-1/func/sub-01_ses-1_task-rest_bold.json"));
  EXPECT_TRUE(counts("sub-01/ses-1/func/sub-01_ses-1_task-rest_bold.tsv"));
  EXPECT_FALSE(counts("sub-01/ses-1/func/sub-01_ses-1_task-walk_bold.nii.gz"));
}

// A sidecar is handed down to images below whose name has all its words; one of other words, or of another kind of
// file, is not theirs.
TEST_F(InputStamp, SidecarsOfFoldersAboveCount) {
  EXPECT_TRUE(counts("task-rest_bold.json"));
  EXPECT_TRUE(counts("bold.json"));
  EXPECT_TRUE(counts("sub-01/sub-01_bold.json"));
  EXPECT_TRUE(counts("sub-01/ses-1/sub-01_ses-1_task-rest_bold.json"));
  EXPECT_TRUE(counts("sub-01/ses-1/func/task-rest_bold.json"));
  EXPECT_FALSE(counts("task-walk_bold.json"));
  EXPECT_FALSE(counts("dataset_description.json"));
  EXPECT_FALSE(counts("participants.tsv"));
  EXPECT_FALSE(counts("sub-01/notes.txt"));
}

// Outside a data set nothing is handed down.
TEST_F(InputStamp, FoldersAboveADataSetDoNotCount) {
  fs::rename(root_ / "dataset_description.json", root_ / "sub-01" / "dataset_description.json");
  EXPECT_FALSE(counts("bold.json"));
  EXPECT_TRUE(counts("sub-01/bold.json"));
  fs::remove(root_ / "sub-01" / "dataset_description.json");
  EXPECT_FALSE(counts("sub-01/bold.json"));
  EXPECT_TRUE(counts("sub-01/ses-1/func/bold.json"));
}

TEST_F(InputStamp, ASidecarThatComesOrGoesCounts) {
  const Hash without = now();
  put("bold.json", "{}");
  const Hash with = now();
  EXPECT_NE(without, with);
  fs::remove(root_ / "bold.json");
  EXPECT_EQ(now(), without);
}

TEST_F(InputStamp, ARelativeNameIsTheSameFile) {
  const fs::path here = fs::current_path();
  fs::current_path(root_ / "sub-01");
  const Hash relative = input_stamp("ses-1/func/../func/sub-01_ses-1_task-rest_bold.nii.gz");
  fs::current_path(here);
  EXPECT_EQ(relative, now());
}

}  // namespace
}  // namespace larmor::flow
