// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>
#include <larmor/io/cfl.hpp>
#include <larmor/io/file.hpp>

#include "support.hpp"

namespace larmor::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class CflTest : public testing::Test {
 protected:
  fs::path dir = fs::temp_directory_path() / ("larmor_cfl_" + std::to_string(::getpid()));
  void SetUp() override { fs::create_directories(dir); }
  void TearDown() override { fs::remove_all(dir); }
  std::string error(Errc code) {
    try {
      read_cfl(dir / "a");
    } catch (const Error& e) {
      EXPECT_EQ(to_string(e.code()), to_string(code)) << e.what();
      return e.what();
    }
    return {};
  }
};

TEST_F(CflTest, RoundTrip) {
  Array a(DType::c64, {3, 4, 2, 5}, {"coil", "y", "x", "t"});
  for (std::int64_t i = 0; i < a.size(); ++i)
    a.data<std::complex<float>>()[i] = {static_cast<float>(i), static_cast<float>(-2 * i)};
  write_cfl(dir / "a.cfl", a);
  const Array b = read_cfl(dir / "a.hdr");
  EXPECT_THAT(b.axes(), ElementsAre("x", "y", "coil", "t"));
  const std::vector<int> order{2, 1, 0, 3};
  const Array sorted = a.permuted(order).contiguous_copy();
  EXPECT_EQ(b.shape(), sorted.shape());
  for (std::int64_t i = 0; i < b.size(); ++i)
    ASSERT_EQ(b.data<std::complex<float>>()[i], sorted.data<std::complex<float>>()[i]);
  write_cfl(dir / "real", Array::of<float>({2, 2}));
  EXPECT_EQ(read_cfl(dir / "real").dtype(), DType::c64);
}

TEST_F(CflTest, ReadsWhatBartWrites) {
  write_text(dir / "a.hdr", "# Dimensions\n1 2 3 1 1 2 1 1 1 1 1 1 1 1 1 1 \n# Command\nphantom\n");
  const std::vector<float> data(2 * 12, 1.5F);
  write_bytes(dir / "a.cfl", data.data(), data.size() * sizeof(float));
  const Array a = read_cfl(dir / "a");
  EXPECT_EQ(a.shape(), (Shape{1, 2, 3, 2}));
  EXPECT_THAT(a.axes(), ElementsAre("x", "y", "z", "te"));
}

TEST_F(CflTest, Malformed) {
  EXPECT_THAT(error(Errc::file), HasSubstr("a.hdr"));
  write_text(dir / "a.hdr", "Dimensions 1 2");
  EXPECT_THAT(error(Errc::format), HasSubstr("# Dimensions"));
  for (const char* bad :
       {"2 0", "2 -1", "2 x", "2 3.5", "", "99999999999999999999", "1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1"}) {
    write_text(dir / "a.hdr", std::string("# Dimensions\n") + bad + "\n");
    EXPECT_THAT(error(Errc::format), HasSubstr("dimension")) << bad;
  }
  write_text(dir / "a.hdr", "# Dimensions\n4 4\n");
  EXPECT_THAT(error(Errc::file), HasSubstr("a.cfl"));
  write_bytes(dir / "a.cfl", "1234567", 7);
  EXPECT_THAT(error(Errc::format), testing::AllOf(HasSubstr("7 bytes"), HasSubstr("128")));
  write_text(dir / "a.hdr", "# Dimensions\n4000000000 4000000000\n");
  EXPECT_NE(error(Errc::format), "");
  EXPECT_THROW(write_cfl(dir / "b", Array::of<float>({2}, {"echo"})), Error);
}

TEST_F(CflTest, RealBrain) {
  const char* folder = std::getenv("LARMOR_TEST_DATA");
  const fs::path path = fs::path(folder ? folder : LARMOR_SOURCE_DIR "/../shared/data") / "kspace/brain.cfl";
  if (!fs::exists(path)) GTEST_SKIP() << "no " << path;
  const Array a = read_cfl(path);
  EXPECT_THAT(a.axes(), ElementsAre("x", "y", "z", "coil"));
  EXPECT_EQ(a.shape(), (Shape{1, 180, 230, 8}));
}

}  // namespace
}  // namespace larmor::io
