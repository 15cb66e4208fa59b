// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <random>

#include "make_series.hpp"

namespace larmor::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<double> voxels(const Image& image) {
  const Array a = image.data.cast(DType::f64).contiguous_copy();
  return {a.data<double>(), a.data<double>() + a.size()};
}

void expect_values(const Image& image, const SeriesSpec& s) {
  ASSERT_EQ(image.grid(), (std::array<std::int64_t, 3>{s.columns, s.rows, s.slices}));
  const auto v = voxels(image);
  std::size_t at = 0;
  for (int k = 0; k < s.slices; ++k)
    for (int j = 0; j < s.rows; ++j)
      for (int i = 0; i < s.columns; ++i) ASSERT_EQ(v[at++], s.value(i, j, k)) << i << " " << j << " " << k;
}

TEST(DicomVolume, VoxelsAndPlaces) {
  Folder f;
  SeriesSpec s;
  s.dx = 0.5, s.dy = 0.75, s.dz = 2;
  write_series(f.path, s);
  const auto volume = dicom::read_volume(only_series(f.path));
  expect_values(volume.image, s);
  EXPECT_EQ(volume.image.data.dtype(), DType::i16);
  EXPECT_TRUE(volume.warnings.empty());
  // LPS (-5, -4, -3) is RAS (5, 4, -3); rows run to the left, columns to the back.
  EXPECT_THAT(volume.image.affine.apply(0, 0, 0), ElementsAre(5, 4, -3));
  EXPECT_THAT(volume.image.affine.apply(2, 4, 1), ElementsAre(5 - 1, 4 - 3, -3 + 2));
  EXPECT_EQ(volume.image.affine.orientation(), "LPS");
  EXPECT_EQ(std::get<double>(volume.image.meta.at("RepetitionTime")), 2.3);
}

// The place of every voxel is ImagePositionPatient + column step + row step (PS3.3 C.7.6.2.1.1), x and y turned.
TEST(DicomVolume, ObliquePlanesFollowTheStandard) {
  Folder f;
  SeriesSpec s;
  make_oblique(s);
  write_series(f.path, s);
  const auto volume = dicom::read_volume(only_series(f.path));
  expect_values(volume.image, s);
  for (const auto& [i, j, k] : {std::array{0, 0, 0}, {11, 0, 0}, {0, 9, 3}, {5, 6, 7}}) {
    const Vec3 p = place_of(s, k);
    const auto at = volume.image.affine.apply(i, j, k);
    for (std::size_t c = 0; c < 3; ++c) {
      const double lps = p[c] + s.row[c] * s.dx * i + s.column[c] * s.dy * j;
      EXPECT_NEAR(at[c], c < 2 ? -lps : lps, 1e-9);  // decimal texts of 15 digits
    }
  }
}

TEST(DicomVolume, OrderOfFilesDoesNotMatter) {
  Folder a, b;
  SeriesSpec s;
  write_series(a.path, s);
  std::vector<int> order(8);
  for (int i = 0; i < 8; ++i) order[static_cast<std::size_t>(i)] = i;
  std::shuffle(order.begin(), order.end(), std::mt19937(3));
  s.change = [&](dicom::Dataset& d, int k) { d.set("InstanceNumber", order[static_cast<std::size_t>(k)] + 1); };
  for (int k = 0; k < s.slices; ++k)
    make_slice(s, k).write(b.path / (std::to_string(order[static_cast<std::size_t>(k)]) + ".dcm"));
  const auto x = dicom::read_volume(only_series(a.path)).image, y = dicom::read_volume(only_series(b.path)).image;
  EXPECT_EQ(voxels(x), voxels(y));
  EXPECT_EQ(x.affine.distance(y.affine), 0);
}

// Slices along the normal of row and column: a stack that was numbered downwards is turned, its places stay.
TEST(DicomVolume, StacksNumberedDownwards) {
  Folder f;
  SeriesSpec s;
  s.dz = -1;
  s.change = [](dicom::Dataset& d, int) { d.set("SliceThickness", 1); };
  write_series(f.path, s);
  const auto image = dicom::read_volume(only_series(f.path)).image;
  EXPECT_GT(image.affine.m[2][2], 0);
  EXPECT_EQ(image.affine.apply(0, 0, 7)[2], -3);
  EXPECT_EQ(voxels(image).back(), s.value(11, 9, 0));
}

TEST(DicomVolume, RescaleAndTypes) {
  Folder f;
  SeriesSpec s;
  s.slices = 2;
  s.value = [](int i, int, int k) { return k == 0 && i == 0 ? -32768 : 100 * i; };
  s.change = [](dicom::Dataset& d, int k) { d.set("RescaleSlope", 0.5 + k).set("RescaleIntercept", -10); };
  write_series(f.path, s);
  const auto image = dicom::read_volume(only_series(f.path)).image;
  EXPECT_EQ(image.data.dtype(), DType::f32);
  EXPECT_EQ(voxels(image)[0], -32768 * 0.5 - 10);
  EXPECT_EQ(voxels(image)[1], 40);
  EXPECT_EQ(voxels(image)[static_cast<std::size_t>(s.columns * s.rows) + 1], 140);

  Folder g;
  s.change = [](dicom::Dataset& d, int) { d.set("PixelRepresentation", 0); };
  write_series(g.path, s);
  const auto unsigned_image = dicom::read_volume(only_series(g.path)).image;
  EXPECT_EQ(unsigned_image.data.dtype(), DType::i32);
  EXPECT_EQ(voxels(unsigned_image)[0], 32768);
}

// 12 bits of 16: what stands above them (overlays of old scanners) is no part of the value.
TEST(DicomVolume, BitsOutsideTheStoredOnesAreIgnored) {
  Folder f;
  SeriesSpec s;
  s.slices = 1;
  s.value = [](int i, int, int) { return 0x7000 | (i == 1 ? 0x0fff : i); };
  s.change = [](dicom::Dataset& d, int) { d.set("BitsStored", 12).set("HighBit", 11); };
  write_series(f.path, s);
  const auto v = voxels(dicom::read_volume(only_series(f.path)).image);
  EXPECT_EQ(v[0], 0);
  EXPECT_EQ(v[1], -1);  // signed: all 12 bits set
  EXPECT_EQ(v[2], 2);
}

TEST(DicomVolume, EightBitsStay) {
  Folder f;
  SeriesSpec s;
  s.slices = 1;
  s.change = [&](dicom::Dataset& d, int) {
    std::vector<std::byte> v(static_cast<std::size_t>(s.rows * s.columns), std::byte{200});
    d.set("BitsAllocated", 8).set("BitsStored", 8).set("HighBit", 7).set("PixelRepresentation", 0).erase("PixelData");
    d.set_bytes("PixelData", v);
  };
  write_series(f.path, s);
  const auto image = dicom::read_volume(only_series(f.path)).image;
  EXPECT_EQ(image.data.dtype(), DType::u8);
  EXPECT_EQ(voxels(image)[3], 200);
  EXPECT_EQ(image.affine.spacing()[2], 1);  // SliceThickness
}

TEST(DicomVolume, EnhancedIsTheSameVolume) {
  Folder a, b, c;
  SeriesSpec s;
  make_oblique(s);
  write_series(a.path, s);
  enhanced(s, false).write(b.path / "enhanced.dcm");
  const auto x = dicom::read_volume(only_series(a.path)).image, y = dicom::read_volume(only_series(b.path)).image;
  EXPECT_EQ(voxels(x), voxels(y));
  EXPECT_LT(x.affine.distance(y.affine), 1e-12);
  enhanced(s, true).write(c.path / "enhanced.dcm");
  const auto z = dicom::read_volume(only_series(c.path)).image;
  const auto n = static_cast<std::size_t>(s.rows * s.columns);
  EXPECT_EQ(voxels(z)[3 * n + 5], 4 * voxels(x)[3 * n + 5]);
}

TEST(DicomVolume, FunctionalGroupsMustBeComplete) {
  Folder f;
  SeriesSpec s;
  auto d = enhanced(s, false);
  d.set("NumberOfFrames", 9);
  d.write(f.path / "a.dcm");
  EXPECT_THAT(error_of([&] { dicom::read_volume(only_series(f.path)); }), HasSubstr("says 9 frames and describes 8"));
  d = enhanced(s, true);
  d.items("PerFrameFunctionalGroupsSequence")[3].item("PixelValueTransformationSequence")->set("RescaleSlope", "1,5");
  d.write(f.path / "a.dcm");
  EXPECT_THAT(error_of([&] { dicom::read_volume(only_series(f.path)); }), HasSubstr("frame 4 cannot be rescaled"));
  // Billions of frames of which none is described: refused at once.
  for (const char* frames : {"2147483647", "99999999999"}) {
    d = enhanced(s, false);
    d.erase("PerFrameFunctionalGroupsSequence");
    d.set("NumberOfFrames", frames);
    d.write(f.path / "a.dcm");
    EXPECT_THAT(error_of([&] { dicom::read_volume(only_series(f.path)); }), HasSubstr("does not say where it lies"));
  }
}

TEST(DicomVolume, SeveralPicturesOfOnePlaceAreAFourthAxis) {
  Folder f;
  SeriesSpec s;
  s.slices = 3;
  for (int t = 0; t < 4; ++t) {
    fs::create_directories(f.path / std::to_string(t));
    s.value = [t](int i, int, int k) { return 1000 * t + 10 * k + i; };
    s.change = [t](dicom::Dataset& d, int k) {
      d.set("SOPInstanceUID", dicom::uid_from("t" + std::to_string(t) + "." + std::to_string(k)));
      d.set("EchoTime", 40.0 - 10 * t).set("AcquisitionNumber", 1);
    };
    write_series(f.path / std::to_string(t), s);
  }
  const auto image = dicom::read_volume(only_series(f.path)).image;
  EXPECT_THAT(image.data.axes(), ElementsAre("x", "y", "z", "echo"));
  EXPECT_EQ(image.data.shape(), (Shape{12, 10, 3, 4}));
  EXPECT_EQ(voxels(image)[1], 3001);  // the shortest echo first
}

struct Bad {
  const char* what;
  std::function<void(SeriesSpec&)> make;
  std::vector<std::string> says;
};
void PrintTo(const Bad& b, std::ostream* out) { *out << b.what; }
class BadSeries : public testing::TestWithParam<Bad> {};

TEST_P(BadSeries, IsRefusedWithTheReason) {
  Folder f;
  SeriesSpec s;
  GetParam().make(s);
  write_series(f.path, s);
  const auto text = error_of([&] { dicom::read_volume(only_series(f.path)); });
  for (const auto& part : GetParam().says) EXPECT_THAT(text, HasSubstr(part));
  EXPECT_THAT(text, HasSubstr("  at: series 'HippoCrop'"));
}

void move_slice(dicom::Dataset& d, double dx, double dy, double dz) {
  const auto p = d.numbers("ImagePositionPatient");
  d.set("ImagePositionPatient", {p[0] + dx, p[1] + dy, p[2] + dz});
}

INSTANTIATE_TEST_SUITE_P(
    DicomVolume, BadSeries,
    testing::Values(
        Bad{"a missing slice",
            [](SeriesSpec& s) { s.change = [](dicom::Dataset& d, int k) { move_slice(d, 0, 0, k > 3); }; },
            {"1 slice is missing between 3.dcm and 4.dcm", "2 mm apart, the others 1 mm"}},
        Bad{"an uneven gap",
            [](SeriesSpec& s) { s.change = [](dicom::Dataset& d, int k) { move_slice(d, 0, 0, k > 3 ? 0.3 : 0); }; },
            {"not evenly spaced: 1.3 mm between 3.dcm and 4.dcm, 1 mm elsewhere"}},
        Bad{"a slice twice",
            [](SeriesSpec& s) {
              s.change = [](dicom::Dataset& d, int k) {
                if (k == 7) move_slice(d, 0, 0, -1);
              };
            },
            {"2 pictures lie at the place of 6.dcm", "6.dcm and 7.dcm lie at the same place"}},
        Bad{"mixed orientations",
            [](SeriesSpec& s) {
              s.change = [](dicom::Dataset& d, int k) {
                if (k > 4) d.set("ImageOrientationPatient", {0, 1, 0, 0, 0, -1});
              };
            },
            {"3 of 8 pictures are turned", "localiser"}},
        Bad{"gantry tilt",
            [](SeriesSpec& s) { s.change = [](dicom::Dataset& d, int k) { move_slice(d, 0, 0.2 * k, 0); }; },
            {"shifted along each other by 11.3 degrees", "--tilt"}},
        Bad{"a slice aside",
            [](SeriesSpec& s) { s.change = [](dicom::Dataset& d, int k) { move_slice(d, k == 4 ? 3 : 0, 0, 0); }; },
            {"do not lie on a line: 4.dcm is 3 mm off"}},
        Bad{"another size",
            [](SeriesSpec& s) {
              s.change = [](dicom::Dataset& d, int k) {
                if (k == 5) d.set("Rows", 8);
              };
            },
            {"different size", "12 x 10", "12 x 8"}},
        Bad{"another pixel size",
            [](SeriesSpec& s) {
              s.change = [](dicom::Dataset& d, int k) {
                if (k == 5) d.set("PixelSpacing", {1, 2});
              };
            },
            {"different pixel size"}},
        Bad{"a rescale slope of 0",
            [](SeriesSpec& s) { s.change = [](dicom::Dataset& d, int) { d.set("RescaleSlope", 0); }; },
            {"pixels of 0.dcm cannot be rescaled (RescaleSlope is '0')", "RescaleSlope is 1 where nothing is"}},
        Bad{"a rescale slope with a comma",
            [](SeriesSpec& s) { s.change = [](dicom::Dataset& d, int) { d.set("RescaleSlope", "2,5"); }; },
            {"pixels of 0.dcm cannot be rescaled (RescaleSlope is '2,5')"}},
        Bad{"a decimal comma",
            [](SeriesSpec& s) { s.change = [](dicom::Dataset& d, int) { d.set("PixelSpacing", "1,2\\1,2"); }; },
            {"0.dcm has no PixelSpacing (PixelSpacing is '1,2\\1,2')"}},
        Bad{"a position that is no place",
            [](SeriesSpec& s) {
              s.change = [](dicom::Dataset& d, int) { d.set("ImagePositionPatient", "nan\\0\\0"); };
            },
            {"0.dcm does not say where it lies (ImagePositionPatient is 'nan\\0\\0')"}},
        Bad{"no position",
            [](SeriesSpec& s) { s.change = [](dicom::Dataset& d, int) { d.erase("ImagePositionPatient"); }; },
            {"does not say where it lies"}},
        Bad{"no orientation at right angles",
            [](SeriesSpec& s) {
              s.change = [](dicom::Dataset& d, int) { d.set("ImageOrientationPatient", {1, 0, 0, 1, 0, 0}); };
            },
            {"no pair of right-angled unit vectors"}}));

TEST(DicomVolume, TiltIsKeptWhenAsked) {
  Folder f;
  SeriesSpec s;
  s.change = [](dicom::Dataset& d, int k) { move_slice(d, 0, 0.2 * k, 0); };
  write_series(f.path, s);
  const auto image = dicom::read_volume(only_series(f.path), {.allow_tilt = true}).image;
  EXPECT_NEAR(image.affine.m[1][2], -0.2, 1e-12);
  EXPECT_NEAR(image.affine.apply(0, 0, 7)[1], 4 - 1.4, 1e-12);
}

TEST(DicomVolume, PromisedPicturesThatAreNotThere) {
  Folder f;
  SeriesSpec s;
  s.change = [](dicom::Dataset& d, int) { d.set("ImagesInAcquisition", 9); };
  write_series(f.path, s);
  const auto volume = dicom::read_volume(only_series(f.path));
  EXPECT_EQ(volume.promised_more, 1);
  ASSERT_EQ(volume.warnings.size(), 1U);
  EXPECT_THAT(volume.warnings[0], HasSubstr("says 9 pictures, and 8 are here"));
}

TEST(DicomVolume, TooLargeIsRefusedBeforeItIsRead) {
  Folder f;
  write_series(f.path, {});
  EXPECT_THAT(error_of([&] { dicom::read_volume(only_series(f.path), {.at_most = 500}); }),
              HasSubstr("960 voxels, and 500 are allowed"));
}

TEST(DicomVolume, ColourAndEmptySeriesAreRefused) {
  Folder f, g;
  SeriesSpec s;
  s.slices = 1;
  s.change = [](dicom::Dataset& d, int) { d.set("SamplesPerPixel", 3).set("PhotometricInterpretation", "RGB"); };
  write_series(f.path, s);
  EXPECT_THAT(error_of([&] { dicom::read_volume(only_series(f.path)); }), HasSubstr("colour picture"));
  s.change = [](dicom::Dataset& d, int) { d.set("PhotometricInterpretation", "PALETTE COLOR"); };
  write_series(f.path, s);
  EXPECT_THAT(error_of([&] { dicom::read_volume(only_series(f.path)); }), HasSubstr("colour picture"));
  s.change = [](dicom::Dataset& d, int) { d.erase("PixelData"); };
  write_series(g.path, s);
  EXPECT_THAT(error_of([&] { dicom::read_volume(only_series(g.path)); }), HasSubstr("no pictures are in series"));
}

}  // namespace
}  // namespace larmor::test
