// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <larmor/data/grid.hpp>
#include <larmor/io/nifti.hpp>

#include "make_series.hpp"

namespace larmor::test {
namespace {

bool installed(const char* program) {
  return std::system((std::string("command -v ") + program + " > /dev/null").c_str()) == 0;
}

fs::path shared(const char* name) {
  const char* folder = std::getenv("LARMOR_TEST_DATA");
  return fs::path(folder ? folder : LARMOR_SOURCE_DIR "/../shared/data") / name;
}

/// Every voxel of dcm2niix's image is found in ours (flipped along an axis there, as it may be) with the same value.
/// The largest difference of an entry of the affines, theirs without the flip [mm].
double compare(const fs::path& series) {
  Folder out;
  const auto command =
      "dcm2niix -z n -b n -f other -o '" + out.path.string() + "' '" + series.string() + "' > /dev/null";
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
  const Image theirs = io::read_nifti(out.path / "other.nii");
  const Image ours = dicom::read_volume(only_series(series)).image;
  EXPECT_EQ(ours.grid(), theirs.grid());
  const auto n = theirs.grid();
  const Affine to_ours = ours.affine.inverse() * theirs.affine;
  std::array<bool, 3> flipped{};
  std::array<double, 3> first{0, 0, 0}, step{1, 1, 1};
  for (std::size_t c = 0; c < 3; ++c)
    if ((flipped[c] = to_ours.m[c][c] < 0)) first[c] = static_cast<double>(n[c] - 1), step[c] = -1;
  const Affine same = regridded(theirs.affine, first, step);
  const Array a = ours.data.cast(DType::f64).contiguous_copy(), b = theirs.data.cast(DType::f64).contiguous_copy();
  double off = 0;
  for (std::int64_t k = 0; k < n[2]; ++k)
    for (std::int64_t j = 0; j < n[1]; ++j)
      for (std::int64_t i = 0; i < n[0]; ++i) {
        const auto u = flipped[0] ? n[0] - 1 - i : i, v = flipped[1] ? n[1] - 1 - j : j,
                   w = flipped[2] ? n[2] - 1 - k : k;
        const double x = a.data<double>()[(k * n[1] + j) * n[0] + i], y = b.data<double>()[(w * n[1] + v) * n[0] + u];
        // dcm2niix keeps integers and puts the slope into the header; ours are float32.
        off = std::max(off, std::abs(x - y) / std::max(1.0, std::abs(y)));
      }
  EXPECT_LT(off, 1e-6);
  return ours.affine.distance(same);
}

// dcm2niix computes in single precision: 1e-5 is its rounding at 100 mm.
TEST(Dcm2niix, ObliqueAffinesAgree) {
  if (!installed("dcm2niix")) GTEST_SKIP() << "dcm2niix is not installed";
  Folder f;
  SeriesSpec s;
  make_oblique(s);
  write_series(f.path, s);
  EXPECT_LT(compare(f.path), 1e-5);
}

TEST(Dcm2niix, ScansAgree) {
  if (!installed("dcm2niix")) GTEST_SKIP() << "dcm2niix is not installed";
  if (!fs::exists(shared("dicom/study1"))) GTEST_SKIP() << shared("dicom/study1") << " is not there";
  // Origins of 100 mm and flips over 512 rows add roundings of single precision.
  EXPECT_LT(compare(shared("dicom/study1/12-T1post-05670")), 2e-5);
  EXPECT_LT(compare(shared("dicom/study2/32500-dT1-49467")), 2e-5);
  EXPECT_LT(compare(shared("dicom/study1/13_HCropVolume")), 1e-6);
  EXPECT_LT(compare(shared("dicom/study2/14_HCropVolume")), 1e-6);
}

}  // namespace
}  // namespace larmor::test
