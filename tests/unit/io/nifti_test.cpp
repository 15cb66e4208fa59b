// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstring>
#include <larmor/core/log.hpp>
#include <larmor/io/file.hpp>
#include <larmor/io/nifti.hpp>
#include <limits>
#include <numeric>

#include "support.hpp"

using namespace larmor;
using namespace larmor::io;
using namespace larmor::test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

/// A NIfTI file put together byte by byte from the offsets of nifti1.h and nifti2.h, in either order: the tests' own
/// idea of the format, apart from the writer under test.
struct RawNifti {
  int version;
  bool big;
  std::string bytes;
  RawNifti(int version, bool big, std::vector<std::int64_t> extents, int datatype)
      : version(version), big(big), bytes(version == 1 ? 352 : 544, '\0') {
    put<std::int32_t>(0, version == 1 ? 348 : 540);
    std::memcpy(&bytes[version == 1 ? 344 : 4], version == 1 ? "n+1\0" : "n+2\0", 4);
    if (version == 2) std::memcpy(&bytes[8], "\r\n\x1a\n", 4);
    extents.insert(extents.begin(), static_cast<std::int64_t>(extents.size()));
    for (std::size_t i = 0; i < extents.size(); ++i) dim(i, extents[i]);
    put<std::int16_t>(version == 1 ? 70 : 12, static_cast<std::int16_t>(datatype));
    for (std::size_t i = 0; i < 8; ++i) pixdim(i, 1);
    offset(static_cast<std::int64_t>(bytes.size()));
  }
  template <class T>
  void put(std::size_t at, T value) {
    if (bytes.size() < at + sizeof value) bytes.resize(at + sizeof value);
    std::memcpy(&bytes[at], &value, sizeof value);
    if (big) std::reverse(&bytes[at], &bytes[at] + sizeof value);
  }
  void real(std::size_t at1, std::size_t at2, double v) {
    version == 1 ? put<float>(at1, static_cast<float>(v)) : put<double>(at2, v);
  }
  void whole(std::size_t at1, std::size_t at2, int v) {
    version == 1 ? put<std::int16_t>(at1, static_cast<std::int16_t>(v)) : put<std::int32_t>(at2, v);
  }
  void dim(std::size_t i, std::int64_t n) {
    version == 1 ? put<std::int16_t>(40 + 2 * i, static_cast<std::int16_t>(n)) : put<std::int64_t>(16 + 8 * i, n);
  }
  void pixdim(std::size_t i, double v) { real(76 + 4 * i, 104 + 8 * i, v); }
  void offset(std::int64_t v) { version == 1 ? put<float>(108, static_cast<float>(v)) : put<std::int64_t>(168, v); }
  void scale(double slope, double inter) { real(112, 176, slope), real(116, 184, inter); }
  void units(int code) {
    version == 1 ? put<std::uint8_t>(123, static_cast<std::uint8_t>(code)) : put<std::int32_t>(500, code);
  }
  void qform(int code, std::array<double, 3> q, std::array<double, 3> offset, double qfac) {
    whole(252, 344, code);
    for (std::size_t i = 0; i < 3; ++i) real(256 + 4 * i, 352 + 8 * i, q[i]), real(268 + 4 * i, 376 + 8 * i, offset[i]);
    pixdim(0, qfac);
  }
  void sform(int code, const Affine& a) {
    whole(254, 348, code);
    for (std::size_t r = 0; r < 3; ++r)
      for (std::size_t c = 0; c < 4; ++c) real(280 + 16 * r + 4 * c, 400 + 32 * r + 8 * c, a.m[r][c]);
  }
  template <class T>
  void voxels(const std::vector<T>& values) {
    for (const T v : values) put<T>(bytes.size(), v);
  }
  Image read(NiftiInfo* info = nullptr, const std::string& name = "raw.nii") const {
    TempFolder dir;
    spill(dir / name, bytes);
    return read_nifti(dir / name, info);
  }
};

Affine oblique(double a, double b, double c, std::array<double, 3> size, bool left_handed = false) {
  // Turns about x, y and z [rad].
  Affine x, y, z;
  x.m = {{{1, 0, 0, 0}, {0, std::cos(a), -std::sin(a), 0}, {0, std::sin(a), std::cos(a), 0}, {0, 0, 0, 1}}};
  y.m = {{{std::cos(b), 0, std::sin(b), 0}, {0, 1, 0, 0}, {-std::sin(b), 0, std::cos(b), 0}, {0, 0, 0, 1}}};
  z.m = {{{std::cos(c), -std::sin(c), 0, 0}, {std::sin(c), std::cos(c), 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}}};
  Affine out = z * y * x * Affine::scaling(size[0], size[1], left_handed ? -size[2] : size[2]);
  out.m[0][3] = -91.5, out.m[1][3] = 126.25, out.m[2][3] = -72.125;
  return out;
}

template <class T>
Image ramp(Shape shape) {
  Image image;
  image.data = Array::of<T>(std::move(shape));
  T* v = image.data.template data<T>();
  for (std::int64_t i = 0; i < image.data.size(); ++i) v[i] = static_cast<T>(i % 200);
  image.affine = oblique(0.3, -0.2, 0.5, {1.5, 2, 3.25});
  return image;
}

std::vector<double> values(const Array& array) {
  const Array d = array.cast(DType::f64);
  return {d.span<double>().begin(), d.span<double>().end()};
}

}  // namespace

// --- round trips ---

template <class T>
class NiftiTypes : public testing::Test {};
using AllTypes =
    testing::Types<std::uint8_t, std::int16_t, std::int32_t, float, double, std::complex<float>, std::complex<double>>;
TYPED_TEST_SUITE(NiftiTypes, AllTypes);

TYPED_TEST(NiftiTypes, DataAndGeometryComeBackExactly) {
  TempFolder dir;
  const Image image = ramp<TypeParam>({5, 4, 3, 2});
  for (const char* name : {"a.nii", "a.nii.gz"})
    for (const bool version2 : {false, true}) {
      write_nifti(dir / name, image, {.description = "", .provenance = "", .version2 = version2});
      NiftiInfo info;
      const Image back = read_nifti(dir / name, &info);
      EXPECT_EQ(info.version, version2 ? 2 : 1);
      ASSERT_EQ(back.data.dtype(), image.data.dtype());
      ASSERT_EQ(back.data.shape(), image.data.shape());
      const auto a = image.data.template span<TypeParam>(), b = back.data.template span<TypeParam>();
      EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin()));
      // float32 keeps entries up to 130 mm to 130 * 2^-24 = 8e-6 mm; float64 keeps them all.
      EXPECT_LE(back.affine.distance(image.affine), version2 ? 0 : 8e-6);
      // What was read once does not change any more, to the byte.
      write_nifti(dir / "b.nii", back, {.description = "", .provenance = "", .version2 = version2});
      write_nifti(dir / "c.nii", read_nifti(dir / "b.nii"),
                  {.description = "", .provenance = "", .version2 = version2});
      EXPECT_EQ(slurp(dir / "b.nii"), slurp(dir / "c.nii"));
    }
}

TEST(Nifti, BoolBecomesBytesAndViewsAreWrittenAsSeen) {
  TempFolder dir;
  Image image = ramp<std::int16_t>({3, 2, 2});
  image.data = image.data.permuted(std::vector<int>{1, 0, 2});
  write_nifti(dir / "a.nii", image);
  EXPECT_EQ(values(read_nifti(dir / "a.nii").data), values(image.data));
  image.data = image.data.cast(DType::boolean);
  write_nifti(dir / "a.nii", image);
  EXPECT_EQ(read_nifti(dir / "a.nii").data.dtype(), DType::u8);
  EXPECT_EQ(values(read_nifti(dir / "a.nii").data)[1], 1);
}

TEST(Nifti, TimesComeBackUniformOrNot) {
  TempFolder dir;
  Image image = ramp<float>({2, 2, 2, 4});
  for (const std::vector<double>& times :
       {std::vector<double>{0, 2.5, 5, 7.5}, {10, 12.5, 15, 17.5}, {0, 1, 4, 9}, {-3, 0.125, 0.25, 60}}) {
    image.times = times;
    write_nifti(dir / "a.nii", image);
    EXPECT_THAT(read_nifti(dir / "a.nii").times, testing::Pointwise(testing::DoubleEq(), times));
  }
  image.times.clear();
  write_nifti(dir / "a.nii", image);
  EXPECT_THAT(read_nifti(dir / "a.nii").times, IsEmpty());
}

TEST(Nifti, DescriptionAndProvenanceTravel) {
  TempFolder dir;
  const std::string json = "{\"graph\": \"dce\", \"n\": [1, 2, 3]}";
  for (const bool version2 : {false, true}) {
    write_nifti(dir / "a.nii.gz", ramp<float>({2, 3, 4}),
                {.description = std::string(100, 'd'), .provenance = json, .version2 = version2});
    NiftiInfo info;
    read_nifti(dir / "a.nii.gz", &info);
    EXPECT_EQ(info.description, std::string(79, 'd'));
    ASSERT_EQ(info.extensions.size(), 1u);
    EXPECT_EQ(info.extensions[0].code, 6);
    EXPECT_EQ(info.extensions[0].data, json);
    EXPECT_EQ(info.sform_code, 1);
    EXPECT_EQ(info.qform_code, 1);
    EXPECT_EQ(info.xyzt_units, 10);
  }
}

TEST(Nifti, LongAxesChooseVersion2) {
  TempFolder dir;
  for (const std::int64_t n : {32767, 32768}) {
    write_nifti(dir / "a.nii", ramp<std::uint8_t>({n, 1, 1}));
    NiftiInfo info;
    EXPECT_EQ(read_nifti(dir / "a.nii", &info).data.extent(0), n);
    EXPECT_EQ(info.version, n > 32767 ? 2 : 1);
  }
}

// --- geometry ---

TEST(Nifti, ObliqueAffinesSurviveTheQuaternionAlone) {
  TempFolder dir;
  std::mt19937 rng(4);
  std::uniform_real_distribution<double> angle(-M_PI, M_PI), size(0.5, 5);
  for (int repeat = 0; repeat < 300; ++repeat) {
    Image image = ramp<std::uint8_t>({2, 2, 2});
    // Half turns and quarter turns, where the scalar part vanishes, in the first repeats.
    const double quarter = M_PI / 2;
    image.affine =
        repeat < 64 ? oblique(repeat % 4 * quarter, repeat / 4 % 4 * quarter, repeat / 16 * quarter, {1, 2, 3})
                    : oblique(angle(rng), angle(rng), angle(rng), {size(rng), size(rng), size(rng)}, repeat % 2 == 1);
    write_nifti(dir / "a.nii", image);
    EXPECT_LT(read_nifti(dir / "a.nii").affine.distance(image.affine), 1e-5);
    std::string bytes = slurp(dir / "a.nii");
    bytes[254] = 0;  // sform_code
    spill(dir / "a.nii", bytes);
    // The header keeps the vector part (b, c, d) in float32 and a^2 = 1 - b^2 - c^2 - d^2 is what is left: rounding
    // (1e-7) costs an angle of 1e-7 / a, at most sqrt(1e-7) where a vanishes at half a turn. Times 5 mm voxels; plus
    // 8e-6 mm of the float32 offsets. The sform above has no such weakness, and readers prefer it.
    const auto size = image.affine.spacing();
    double trace = 0;
    const double hand = image.affine.determinant() < 0 ? -1 : 1;
    for (std::size_t k = 0; k < 3; ++k) trace += image.affine.m[k][k] / size[k] * (k == 2 ? hand : 1);
    const double scalar = 0.5 * std::sqrt(std::max(0.0, trace + 1));
    const double tolerance = 1e-5 + 2 * 5 * std::min(std::sqrt(1e-7), 1e-7 / std::max(scalar, 1e-12));
    EXPECT_LT(read_nifti(dir / "a.nii").affine.distance(image.affine), tolerance) << repeat;
  }
}

TEST(Nifti, ShearGoesInTheSformAndTheNearestRotationInTheQform) {
  TempFolder dir;
  Image image = ramp<std::uint8_t>({2, 2, 2});
  image.affine.m = {{{2, 0.4, 0, 1}, {0, 2, 0, 2}, {0, 0, 2, 3}, {0, 0, 0, 1}}};
  write_nifti(dir / "a.nii", image);
  EXPECT_LT(read_nifti(dir / "a.nii").affine.distance(image.affine), 1e-6);
  std::string bytes = slurp(dir / "a.nii");
  bytes[254] = 0;
  spill(dir / "a.nii", bytes);
  const Affine q = read_nifti(dir / "a.nii").affine;
  for (std::size_t a = 0; a < 3; ++a)
    for (std::size_t b = 0; b < a; ++b) {
      double dot = 0;
      for (std::size_t r = 0; r < 3; ++r) dot += q.m[r][a] * q.m[r][b];
      EXPECT_NEAR(dot, 0, 1e-6);
    }
  EXPECT_LT(q.distance(image.affine), 0.4);
}

TEST(Nifti, HeaderOrderSformThenQformThenSpacing) {
  for (const int version : {1, 2})
    for (const bool big : {false, true}) {
      RawNifti raw(version, big, {2, 2, 2}, 2);
      raw.voxels<std::uint8_t>({0, 1, 2, 3, 4, 5, 6, 7});
      raw.pixdim(1, 2), raw.pixdim(2, 3), raw.pixdim(3, 4);
      EXPECT_EQ(raw.read().affine.distance(Affine::scaling(2, 3, 4)), 0);
      // A quarter turn about z: i points to +y, j to -x; qfac -1 turns k round.
      raw.qform(1, {0, 0, std::sqrt(0.5)}, {10, 20, 30}, -1);
      Affine expected;
      expected.m = {{{0, -3, 0, 10}, {2, 0, 0, 20}, {0, 0, -4, 30}, {0, 0, 0, 1}}};
      EXPECT_LT(raw.read().affine.distance(expected), 1e-6);
      const Affine sform = oblique(0.1, 0.2, 0.3, {2, 3, 4});
      raw.sform(2, sform);
      EXPECT_LT(raw.read().affine.distance(sform), 1e-5);
      // Turned against each other they may be; voxels of 60 and 24 mm3 are said.
      testing::internal::CaptureStderr();
      raw.read();
      EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
      raw.sform(2, oblique(0.1, 0.2, 0.3, {3, 4, 5}));
      testing::internal::CaptureStderr();
      raw.read();
      EXPECT_THAT(testing::internal::GetCapturedStderr(),
                  HasSubstr("its sform says voxels of 60 mm3 and its qform 24 mm3; the sform is taken"));
      // An sform of zeros says nothing, whatever its code.
      raw.sform(1, Affine::scaling(0, 0, 0));
      EXPECT_LT(raw.read().affine.distance(expected), 1e-6);
    }
}

TEST(Nifti, UnitsBecomeMillimetresAndSeconds) {
  RawNifti raw(1, false, {1, 1, 1, 3}, 2);
  raw.voxels<std::uint8_t>({1, 2, 3});
  raw.sform(1, Affine::scaling(2, 2, 2));
  raw.pixdim(4, 1500);
  struct Case {
    int code;
    double mm;
    std::vector<double> times;
  };
  for (const auto& c : {Case{2 | 16, 2, {0, 1.5, 3}}, Case{1 | 24, 2000, {0, 0.0015, 0.003}},
                        Case{3 | 8, 0.002, {0, 1500, 3000}}, Case{0, 2, {0, 1500, 3000}}, Case{2 | 32, 2, {}}}) {
    raw.units(c.code);
    const Image image = raw.read();
    EXPECT_NEAR(image.affine.m[0][0], c.mm, 1e-6 * c.mm);
    EXPECT_THAT(image.times, testing::Pointwise(testing::DoubleNear(1e-9), c.times)) << c.code;
  }
  raw.pixdim(4, 0);
  EXPECT_THAT(raw.read().times, IsEmpty());
  raw.pixdim(4, NAN);
  EXPECT_THAT(raw.read().times, IsEmpty());
}

TEST(Nifti, TrailingAxesOfOneAreDroppedAndShortOnesFilled) {
  RawNifti raw(1, false, {2, 2, 2, 1, 1}, 2);
  raw.voxels<std::uint8_t>({0, 1, 2, 3, 4, 5, 6, 7});
  EXPECT_EQ(raw.read().data.shape(), (Shape{2, 2, 2}));
  RawNifti vectors(1, false, {2, 2, 1, 1, 2}, 2);
  vectors.voxels<std::uint8_t>({0, 1, 2, 3, 4, 5, 6, 7});
  EXPECT_EQ(vectors.read().data.shape(), (Shape{2, 2, 1, 1, 2}));
  RawNifti flat(1, false, {4, 2}, 2);
  flat.voxels<std::uint8_t>({0, 1, 2, 3, 4, 5, 6, 7});
  EXPECT_EQ(flat.read().data.shape(), (Shape{4, 2, 1}));
}

// --- types and scaling ---

template <class T>
void expect_read(int code, const std::vector<T>& stored, DType plain, DType scaled) {
  for (const int version : {1, 2})
    for (const bool big : {false, true}) {
      RawNifti raw(version, big, {static_cast<std::int64_t>(stored.size()), 1, 1}, code);
      raw.voxels(stored);
      NiftiInfo info;
      const Image image = raw.read(&info);
      EXPECT_EQ(image.data.dtype(), plain) << code;
      EXPECT_EQ(info.big_endian, big);
      EXPECT_EQ(info.datatype, code);
      const auto got = values(image.data);
      for (std::size_t i = 0; i < stored.size(); ++i) EXPECT_EQ(got[i], static_cast<double>(stored[i])) << code;
      for (const double none : {0.0, std::nan("")}) {  // "no scaling" by the standard, and by custom
        raw.scale(none, 100);
        EXPECT_EQ(raw.read().data.dtype(), plain) << code;
      }
      raw.scale(0.5, -1);
      const Image half = raw.read(&info);
      EXPECT_EQ(half.data.dtype(), scaled) << code;
      EXPECT_EQ(info.scl_slope, 0.5);
      EXPECT_EQ(info.scl_inter, -1);
      const auto scaled_values = values(half.data);
      for (std::size_t i = 0; i < stored.size(); ++i) {
        const double exact = 0.5 * static_cast<double>(stored[i]) - 1;
        // float32 where that is the contract: half a unit in the last place, 2^-24.
        EXPECT_NEAR(scaled_values[i], exact, scaled == DType::f32 ? std::abs(exact) * 6e-8 : 0) << code;
      }
    }
}

TEST(Nifti, EveryTypeInBothOrdersAndVersions) {
  expect_read<std::uint8_t>(2, {0, 255, 7}, DType::u8, DType::f32);
  expect_read<std::int8_t>(256, {-128, 127, 7}, DType::i16, DType::f32);
  expect_read<std::int16_t>(4, {-32768, 32767, 258}, DType::i16, DType::f32);
  expect_read<std::uint16_t>(512, {0, 65535, 258}, DType::i32, DType::f32);
  expect_read<std::int32_t>(8, {INT32_MIN, INT32_MAX, 16909060}, DType::i32, DType::f64);
  expect_read<std::uint32_t>(768, {0, UINT32_MAX, 16909060}, DType::f64, DType::f64);
  expect_read<std::int64_t>(1024, {-(1ll << 52), 1ll << 52, 258}, DType::f64, DType::f64);
  expect_read<std::uint64_t>(1280, {0, 1ull << 53, 258}, DType::f64, DType::f64);
  expect_read<float>(16, {-1.5f, 3e38f, 1e-30f}, DType::f32, DType::f32);
  expect_read<double>(64, {-1.5, 1e300, 1e-300}, DType::f64, DType::f64);
}

TEST(Nifti, ComplexTypes) {
  RawNifti raw(1, true, {2, 1, 1}, 32);
  raw.voxels<float>({1, 2, -3, 4});
  EXPECT_EQ(raw.read().data.span<std::complex<float>>()[1], std::complex<float>(-3, 4));
  raw.scale(2, 1);  // both parts, by the standard
  EXPECT_EQ(raw.read().data.span<std::complex<float>>()[1], std::complex<float>(-5, 9));
  RawNifti wide(2, false, {1, 1, 1}, 1792);
  wide.voxels<double>({0.1, -0.2});
  EXPECT_EQ(wide.read().data.span<std::complex<double>>()[0], std::complex<double>(0.1, -0.2));
}

TEST(Nifti, Quadruple) {
  // binary128 by hand: 1.5 * 2^1 = 3, -1, and 2^-16445 which no double holds.
  for (const bool big : {false, true}) {
    RawNifti raw(1, big, {4, 1, 1}, 1536);
    const auto quad = [&](std::uint64_t high, std::uint64_t low) {
      raw.voxels<std::uint64_t>(big ? std::vector<std::uint64_t>{high, low} : std::vector<std::uint64_t>{low, high});
    };
    quad(0x4000800000000000, 0);
    quad(0xBFFF000000000000, 0);
    quad(0x0001000000000000, 1);
    quad(0x7FFF000000000000, 0);
    EXPECT_THAT(values(raw.read().data), ElementsAre(3, -1, 0, std::numeric_limits<double>::infinity()));
  }
}

TEST(Nifti, HeaderAndImagePairs) {
  TempFolder dir;
  RawNifti raw(1, false, {2, 1, 1}, 4);
  std::memcpy(&raw.bytes[344], "ni1", 4);
  raw.offset(0);
  spill(dir / "a.hdr", raw.bytes.substr(0, 348));
  EXPECT_THAT(caught([&] { read_nifti(dir / "a.hdr"); }).what(), HasSubstr("a.img"));
  spill(dir / "a.img", std::string("\x01\0\x02\0", 4));
  EXPECT_THAT(values(read_nifti(dir / "a.hdr").data), ElementsAre(1, 2));
  spill(dir / "a.nii", raw.bytes);
  EXPECT_EQ(caught([&] { read_nifti(dir / "a.nii"); }).code(), Errc::format);
}

TEST(Nifti, ForeignExtensionsAreKeptAndBrokenOnesPassedOver) {
  for (const bool big : {false, true}) {
    RawNifti raw(1, big, {1, 1, 1}, 2);
    raw.bytes[348] = 1;
    raw.put<std::int32_t>(352, 32);
    raw.put<std::int32_t>(356, 4);  // AFNI
    raw.bytes += "<x/>";
    raw.bytes.resize(384);
    raw.put<std::int32_t>(384, 4000);  // past the data
    raw.put<std::int32_t>(388, 6);
    raw.bytes.resize(400);
    raw.offset(400);
    raw.voxels<std::uint8_t>({9});
    NiftiInfo info;
    EXPECT_THAT(values(raw.read(&info).data), ElementsAre(9));
    ASSERT_EQ(info.extensions.size(), 1u);
    EXPECT_EQ(info.extensions[0].code, 4);
    EXPECT_EQ(info.extensions[0].data, "<x/>");
  }
}

// --- bad input ---

TEST(Nifti, TruncatedNamesBothByteCounts) {
  TempFolder dir;
  write_nifti(dir / "a.nii", ramp<float>({10, 10, 10}));
  spill(dir / "a.nii", slurp(dir / "a.nii").substr(0, 352 + 3999));
  const auto e = caught([&] { read_nifti(dir / "a.nii"); });
  EXPECT_EQ(e.code(), Errc::format);
  EXPECT_THAT(e.what(),
              HasSubstr("10 x 10 x 10 voxels of float32 need 4000 bytes from byte 352 on, the file has 3999"));
  EXPECT_THAT(e.what(), HasSubstr("a.nii"));
}

TEST(Nifti, AbsurdSizesAreRefusedBeforeMemoryIsAsked) {
  TempFolder dir;
  RawNifti raw(2, false, {1, 1, 1}, 64);
  raw.voxels<double>({1});
  for (const std::int64_t n : {std::int64_t{1} << 40, std::int64_t{1} << 62, std::int64_t{INT64_MAX}}) {
    raw.dim(1, n);
    EXPECT_EQ(caught([&] { raw.read(); }).code(), Errc::format) << n;
    raw.dim(2, n);
    EXPECT_EQ(caught([&] { raw.read(); }).code(), Errc::format) << n;
    raw.dim(2, 1);
  }
  // Inside gzip the size is not known beforehand; deflate cannot grow 1032-fold.
  raw.dim(1, std::int64_t{1} << 40);
  write_gzip(dir / "a.nii.gz", raw.bytes.data(), raw.bytes.size());
  EXPECT_EQ(caught([&] { read_nifti(dir / "a.nii.gz"); }).code(), Errc::format);
}

TEST(Nifti, HighlyCompressedFilesAreCountedBeforeMemoryIsAsked) {
  TempFolder dir;
  // 300 MB claimed, 4 MB there, in a file small enough that deflate could do it.
  RawNifti raw(1, false, {1000, 1000, 300}, 2);
  raw.bytes.resize(4 << 20);
  std::string data = raw.bytes;
  std::mt19937 rng(3);
  for (std::size_t i = 3 << 20; i < data.size(); ++i) data[i] = static_cast<char>(rng());
  write_gzip(dir / "a.nii.gz", data.data(), data.size());
  const auto e = caught([&] { read_nifti(dir / "a.nii.gz"); });
  EXPECT_THAT(e.what(), HasSubstr("need 300000000 bytes"));
  EXPECT_THAT(e.what(), HasSubstr(std::to_string(data.size() - 352)));
}

TEST(Nifti, HeadersThatCannotBe) {
  const auto broken = [](auto&& change) {
    RawNifti raw(1, false, {2, 2, 2}, 2);
    raw.bytes.resize(360);
    change(raw);
    return std::string(caught([&] { raw.read(); }).what());
  };
  EXPECT_THAT(broken([](auto& r) { r.bytes.clear(); }), HasSubstr("0 bytes"));
  EXPECT_THAT(broken([](auto& r) { r.bytes.resize(100); }), HasSubstr("needs 348 bytes, the file ends after 100"));
  EXPECT_THAT(broken([](auto& r) { r.bytes[0] = 7; }), HasSubstr("not a NIfTI file"));
  EXPECT_THAT(broken([](auto& r) { r.bytes[344] = 'x'; }), HasSubstr("mark"));
  EXPECT_THAT(broken([](auto& r) { r.dim(0, 8); }), HasSubstr("announces 8 dimensions"));
  EXPECT_THAT(broken([](auto& r) { r.dim(2, -3); }), HasSubstr("-3 voxels along axis 2"));
  EXPECT_THAT(broken([](auto& r) { r.offset(200); }), HasSubstr("byte 200"));
  EXPECT_THAT(broken([](auto& r) { r.template put<float>(108, NAN); }), HasSubstr("inside its own"));
  EXPECT_THAT(broken([](auto& r) { r.offset(100000); }), HasSubstr("begin at byte 100000, the file has 360"));
  EXPECT_THAT(broken([](auto& r) { r.template put<std::int16_t>(70, 128); }), HasSubstr("RGB"));
  EXPECT_THAT(broken([](auto& r) { r.template put<std::int16_t>(70, 3); }), HasSubstr("code 3"));
  EXPECT_THAT(broken([](auto& r) { r.scale(2, INFINITY); }), HasSubstr("scales by 2"));
  EXPECT_THAT(broken([](auto& r) {
                r.bytes.assign(200, '\0');
                r.bytes.replace(128, 4, "DICM");
              }),
              HasSubstr("DICOM"));
}

TEST(Nifti, WritingErrors) {
  TempFolder dir;
  Image image = ramp<float>({2, 2, 2});
  EXPECT_EQ(caught([&] { write_nifti(dir / "a.img", image); }).code(), Errc::file);
  EXPECT_EQ(caught([&] { write_nifti(dir / "a.nii", Image{}); }).code(), Errc::shape);
  image.times = {0, 1};
  EXPECT_THAT(caught([&] { write_nifti(dir / "a.nii", image); }).what(), HasSubstr("2 times for 1 volumes"));
  image.times.clear();
  image.affine.m[1][1] = NAN;
  EXPECT_EQ(caught([&] { write_nifti(dir / "a.nii", image); }).code(), Errc::range);
  EXPECT_THAT(dir.names(), IsEmpty());
  // A flat grid cannot be turned into a rotation, but can be written.
  image.affine = Affine::scaling(1, 1, 0);
  write_nifti(dir / "a.nii", image);
  NiftiInfo info;
  read_nifti(dir / "a.nii", &info);
  EXPECT_EQ(info.qform_code, 0);
}

TEST(Nifti, FullDiskLeavesNothing) {
  TempFolder dir;
  {
    FileLimit limit(4096);
    for (const char* name : {"a.nii", "a.nii.gz"}) {
      Image image = ramp<float>({32, 32, 32});
      std::mt19937 rng(1);
      for (float& v : image.data.span<float>()) v = static_cast<float>(rng());
      EXPECT_EQ(caught([&] { write_nifti(dir / name, image); }).code(), Errc::file);
    }
  }
  EXPECT_THAT(dir.names(), IsEmpty());
}

TEST(Nifti, SurvivesDamage) {
  log::set_level(log::Level::error);  // broken extensions are only worth a warning
  TempFolder dir;
  Image image = ramp<std::int16_t>({4, 3, 2, 2});
  image.times = {0, 7};
  const auto read = [](const fs::path& file) {
    NiftiInfo info;
    const Image back = read_nifti(file, &info);
    ASSERT_EQ(back.data.bytes(), static_cast<std::size_t>(back.data.size()) * size_of(back.data.dtype()));
    ASSERT_TRUE(back.times.empty() || static_cast<std::int64_t>(back.times.size()) == back.volumes());
  };
  for (const bool version2 : {false, true})
    for (const char* name : {"a.nii", "a.nii.gz"}) {
      write_nifti(dir / name, image, {.description = "x", .provenance = "{\"a\": 1}", .version2 = version2});
      torture(dir / name, slurp(dir / name), 2000, version2 ? 20 : 10, read);
    }
  log::set_level(log::Level::info);
}

// --- known files ---

TEST(Nifti, RealVolumes) {
  const char* root = std::getenv("LARMOR_TEST_DATA");
  const fs::path folder = fs::path(root ? root : LARMOR_SOURCE_DIR "/../shared/data") / "hippocampus" / "images";
  if (!fs::is_directory(folder)) GTEST_SKIP() << "missing " << folder;
  int files = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with('.') || ++files > 20) continue;
    const Image image = read_nifti(entry.path());
    EXPECT_EQ(image.data.rank(), 3) << entry.path();
    EXPECT_EQ(image.affine.orientation(), "RAS") << entry.path();  // 1 mm, as the data's description says
    for (const double size : image.affine.spacing()) EXPECT_NEAR(size, 1, 1e-3) << entry.path();
  }
  EXPECT_GT(files, 0);
}

// --- known bytes ---

TEST(Nifti, GoldenHeader) {
  TempFolder dir;
  Image image;
  image.data = Array::of<std::int16_t>({3, 2, 1, 2});
  image.affine.m = {{{-2, 0, 0, 10}, {0, 3, 0, -20}, {0, 0, 4, 30}, {0, 0, 0, 1}}};
  image.times = {0, 1.5};
  write_nifti(dir / "a.nii", image, {.description = "larmor", .provenance = "", .version2 = false});
  // Put together from nifti1.h by Python's struct, not by this program:
  // '<i35xc..' sizeof_hdr 348; dim 4 3 2 1 2 1 1 1; int16; pixdim -1 2 3 4 1.5; offset 352; slope 1; units 10.
  // diag(-2, 3, 4) is left-handed: qfac -1, and what is left, diag(-1, 1, -1), is half a turn about y: (b, c, d) =
  // (0, 1, 0).
  std::string expected(352, '\0');
  const auto put = [&](std::size_t at, auto... v) {
    ((std::memcpy(&expected[at], &v, sizeof v), at += sizeof v), ...);
  };
  const auto s = [](int v) { return static_cast<std::int16_t>(v); };
  put(0, std::int32_t{348});
  put(38, 'r');
  put(40, s(4), s(3), s(2), s(1), s(2), s(1), s(1), s(1));
  put(70, s(4), s(16));
  put(76, -1.f, 2.f, 3.f, 4.f, 1.5f);
  put(108, 352.f, 1.f);
  put(123, std::uint8_t{10});
  std::memcpy(&expected[148], "larmor", 6);
  put(252, s(1), s(1));
  put(256, 0.f, 1.f, 0.f, 10.f, -20.f, 30.f);
  put(280, -2.f, 0.f, 0.f, 10.f, 0.f, 3.f, 0.f, -20.f, 0.f, 0.f, 4.f, 30.f);
  std::memcpy(&expected[344], "n+1", 3);
  const std::string written = slurp(dir / "a.nii");
  ASSERT_EQ(written.size(), 352u + 24u);
  for (std::size_t i = 0; i < 352; ++i) EXPECT_EQ(int(written[i]), int(expected[i])) << "byte " << i;
}
