// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <larmor/core/nd/noise.hpp>
#include <larmor/io/file.hpp>
#include <larmor/io/ismrmrd.hpp>

#include "support.hpp"

namespace larmor::io {
namespace {

using F = std::complex<float>;
using testing::ElementsAre;
using testing::HasSubstr;

Array random(Shape shape, Axes axes, std::uint64_t seed = 1) {
  return nd::normal(DType::c64, std::move(shape), std::move(axes), seed);
}
double gap(const Array& a, const Array& b) {
  EXPECT_EQ(a.shape(), b.shape());
  EXPECT_EQ(a.axes(), b.axes());
  if (a.shape() != b.shape()) return INFINITY;
  double most = 0;
  for (std::int64_t i = 0; i < a.size(); ++i) most = std::max<double>(most, std::abs(a.data<F>()[i] - b.data<F>()[i]));
  return most;
}
std::string error_of(Errc code, const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    EXPECT_EQ(to_string(e.code()), to_string(code)) << e.what();
    return e.what();
  }
  ADD_FAILURE() << "no error was thrown";
  return {};
}

class Ismrmrd : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_ismrmrd()) GTEST_SKIP() << "built without ISMRMRD";
    folder_ = std::filesystem::temp_directory_path() / ("larmor_mrd_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override {
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  }
  std::filesystem::path file(const std::string& name) const { return folder_ / name; }
  std::filesystem::path folder_;
};

Mrd cartesian() {
  Mrd data;
  data.kspace = random({16, 12, 3, 2}, {"x", "y", "coil", "t"});
  data.noise = random({5000, 3}, {"sample", "coil"}, 2);
  data.protocol = {{"RepetitionTime", 0.5},
                   {"EchoTime", std::vector<double>{0.004, 0.008}},
                   {"FlipAngle", 15.0},
                   {"MagneticFieldStrength", 3.0},
                   {"ImagingFrequency", 123.2},
                   {"ProtocolName", std::string("gre")},
                   {"FieldOfView", std::vector<double>{240, 180, 5}},
                   {"DwellTime", 1e-5}};
  return data;
}

TEST_F(Ismrmrd, CartesianThereAndBack) {
  Mrd data = cartesian();
  // Undersampled: every third line was measured.
  for (std::int64_t i = 0; i < data.kspace.size(); ++i)
    if (i / 16 % 12 % 3) data.kspace.data<F>()[i] = 0;
  write_ismrmrd(file("a.h5"), data);
  const Mrd back = read_ismrmrd(file("a.h5"));
  EXPECT_EQ(gap(back.kspace, data.kspace), 0);
  EXPECT_EQ(gap(back.noise, data.noise), 0);
  EXPECT_FALSE(back.traj);
  EXPECT_THAT(back.notes, testing::IsEmpty());
  EXPECT_NEAR(std::get<double>(back.protocol.at("RepetitionTime")), 0.5, 1e-7);
  EXPECT_NEAR(std::get<std::vector<double>>(back.protocol.at("EchoTime"))[1], 0.008, 1e-8);
  EXPECT_EQ(std::get<double>(back.protocol.at("FlipAngle")), 15);
  EXPECT_EQ(std::get<double>(back.protocol.at("MagneticFieldStrength")), 3);
  EXPECT_NEAR(std::get<double>(back.protocol.at("ImagingFrequency")), 123.2, 1e-9);
  EXPECT_NEAR(std::get<double>(back.protocol.at("DwellTime")), 1e-5, 1e-11);
  EXPECT_EQ(std::get<std::string>(back.protocol.at("ProtocolName")), "gre");
  EXPECT_THAT(std::get<std::vector<double>>(back.protocol.at("FieldOfView")), ElementsAre(240, 180, 5));
  EXPECT_THAT(std::get<std::vector<double>>(back.protocol.at("EncodedMatrixSize")), ElementsAre(16, 12, 1));
  EXPECT_THAT(back.header, HasSubstr("<ismrmrdHeader"));
  // What was read can be written again, with its header.
  write_ismrmrd(file("b.h5"), back);
  EXPECT_EQ(read_ismrmrd(file("b.h5")).header, back.header);
}

TEST_F(Ismrmrd, VolumesSlicesAndCalibration) {
  Mrd data;
  data.kspace = random({8, 6, 5, 2, 3}, {"x", "y", "z", "coil", "slice"});
  data.calibration = random({8, 6, 5, 2}, {"x", "y", "z", "coil"}, 3);
  write_ismrmrd(file("a.h5"), data);
  const Mrd back = read_ismrmrd(file("a.h5"));
  EXPECT_EQ(gap(back.kspace, data.kspace), 0);
  EXPECT_EQ(gap(back.calibration, data.calibration), 0);
  EXPECT_TRUE(back.noise.empty());
}

TEST_F(Ismrmrd, TrajectoriesThereAndBack) {
  Mrd data;
  Trajectory traj;
  traj.k = Array(DType::f32, {20, 7, 2}, {"sample", "arm", "d"});
  for (int arm = 0; arm < 7; ++arm)
    for (int s = 0; s < 20; ++s) {
      traj.k.data<float>()[s + 20 * arm] = static_cast<float>((s - 10) * 1.6 * std::cos(0.4 * arm));
      traj.k.data<float>()[s + 20 * (arm + 7)] = static_cast<float>((s - 10) * 1.6 * std::sin(0.4 * arm));
    }
  traj.matrix = {32, 32}, traj.fov = {240, 240};
  data.traj = traj;
  data.kspace = random({20, 7, 4, 3}, {"sample", "arm", "coil", "z"});
  data.protocol["Trajectory"] = std::string("radial");
  write_ismrmrd(file("a.h5"), data);
  const Mrd back = read_ismrmrd(file("a.h5"));
  ASSERT_TRUE(back.traj);
  EXPECT_EQ(gap(back.kspace, data.kspace), 0);
  EXPECT_EQ(back.traj->matrix, traj.matrix);
  EXPECT_THAT(back.traj->fov, ElementsAre(240, 240));
  EXPECT_EQ(back.traj->k.shape(), traj.k.shape());
  for (std::int64_t i = 0; i < traj.k.size(); ++i)
    ASSERT_NEAR(back.traj->k.data<float>()[i], traj.k.data<float>()[i], 2e-6);  // by way of cycles/pixel in f32
  EXPECT_EQ(std::get<std::string>(back.protocol.at("Trajectory")), "radial");
  // A trajectory of its own for each repetition.
  Trajectory moving;
  moving.matrix = {32, 32};
  moving.k = Array(DType::f32, {20, 7, 2, 2}, {"sample", "arm", "t", "d"});
  for (std::int64_t i = 0; i < moving.k.size(); ++i) moving.k.data<float>()[i] = static_cast<float>(i % 31) * 0.5f - 7;
  data.traj = moving;
  data.kspace = random({20, 7, 2, 4}, {"sample", "arm", "t", "coil"});
  write_ismrmrd(file("b.h5"), data);
  const Mrd again = read_ismrmrd(file("b.h5"));
  EXPECT_EQ(gap(again.kspace, data.kspace), 0);
  ASSERT_EQ(again.traj->k.shape(), moving.k.shape());
  for (std::int64_t i = 0; i < moving.k.size(); ++i)
    ASSERT_NEAR(again.traj->k.data<float>()[i], moving.k.data<float>()[i], 2e-6);
}

TEST_F(Ismrmrd, DamagedFilesAreErrors) {
  write_ismrmrd(file("a.h5"), cartesian());
  const auto whole = read_bytes(file("a.h5"));
  const auto damaged = [&](std::vector<std::byte> bytes) {
    write_bytes(file("d.h5"), bytes.data(), bytes.size());
    try {
      read_ismrmrd(file("d.h5"));
      return false;
    } catch (const Error& e) {
      EXPECT_THAT(e.what(), HasSubstr("d.h5"));
      return true;
    }
  };
  EXPECT_THAT(error_of(Errc::file, [&] { read_ismrmrd(file("none.h5")); }), HasSubstr("none.h5"));
  write_text(file("text.h5"), "this is no HDF5");
  EXPECT_THAT(error_of(Errc::format, [&] { read_ismrmrd(file("text.h5")); }), HasSubstr("not an HDF5 file"));
  // Cut off anywhere: HDF5 knows its own length.
  for (std::size_t n = 0; n < whole.size(); n += whole.size() / 40 + 1)
    EXPECT_TRUE(damaged({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n)})) << n;
  // Bytes changed anywhere: an error, or other numbers, and no crash.
  std::uint64_t state = 5;
  int errors = 0;
  for (int i = 0; i < 120; ++i) {
    auto bytes = whole;
    for (int k = 0; k < 8; ++k) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      // Structure lies mostly at the start and in between the readouts.
      const std::size_t at = (state >> 33) % (k % 2 ? bytes.size() : std::min<std::size_t>(bytes.size(), 4096));
      bytes[at] = static_cast<std::byte>(state >> 20);
    }
    errors += damaged(bytes);
  }
  EXPECT_GT(errors, 20);
}

TEST_F(Ismrmrd, SaysWhatCannotBeWritten) {
  Mrd data = cartesian();
  data.kspace = data.kspace.with_axes({"x", "y", "coil", "bed"});
  EXPECT_THAT(error_of(Errc::shape, [&] { write_ismrmrd(file("a.h5"), data); }),
              HasSubstr("no counter for axis 'bed'"));
  data.kspace = Array(DType::f32, {4, 4}, {"x", "y"});
  EXPECT_NE(error_of(Errc::type, [&] { write_ismrmrd(file("a.h5"), data); }), "");
  Trajectory traj;
  traj.k = Array(DType::f32, {20, 7, 2}, {"sample", "arm", "d"});
  traj.matrix = {32, 32};
  data.traj = traj;
  data.kspace = random({20, 6, 2}, {"sample", "arm", "coil"});
  EXPECT_THAT(error_of(Errc::shape, [&] { write_ismrmrd(file("a.h5"), data); }), HasSubstr("20"));
  EXPECT_NE(error_of(Errc::file, [&] { write_ismrmrd(folder_, cartesian()); }), "");
  // Nothing half-written lies about.
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

}  // namespace
}  // namespace larmor::io
