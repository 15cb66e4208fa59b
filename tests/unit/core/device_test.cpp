// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <larmor/core/array.hpp>
#include <larmor/core/device.hpp>
#include <larmor/core/error.hpp>
#include <larmor/core/pages.hpp>
#include <numeric>

using namespace larmor;

namespace {
Errc parse_fails(const std::string& text, const std::string& words) {
  try {
    Device::parse(text);
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find(words), std::string::npos) << e.what();
    return e.code();
  }
  ADD_FAILURE() << "'" << text << "' was taken";
  return Errc::internal;
}
}  // namespace

TEST(Device, ParsesItsOwnNames) {
  EXPECT_EQ(Device::parse("cpu"), Device::cpu());
  EXPECT_EQ(Device::cpu().str(), "cpu");
  EXPECT_EQ(Device::cuda(0).str(), "cuda");
  EXPECT_EQ(Device::cuda(3).str(), "cuda:3");
  for (int i = 0; i < cuda_device_count(); ++i) EXPECT_EQ(Device::parse(Device::cuda(i).str()), Device::cuda(i));
}

TEST(Device, RefusesWhatIsNoDevice) {
  EXPECT_EQ(parse_fails("gpu", "cuda"), Errc::unknown_name);
  EXPECT_EQ(parse_fails("", "no device called ''"), Errc::unknown_name);
  EXPECT_EQ(parse_fails("cuad", "did you mean cuda?"), Errc::unknown_name);
  EXPECT_EQ(parse_fails("cuda0", "did you mean cuda?"), Errc::unknown_name);
  for (const char* text : {"cuda:", "cuda:x", "cuda:1x", "cuda:-1", "cuda: 1", "cuda:99999999999999999999"})
    EXPECT_EQ(parse_fails(text, "cuda:N"), Errc::usage) << text;
}

TEST(Device, MissingDeviceSaysWhy) {
  const int n = cuda_device_count();
  const std::string text = "cuda:" + std::to_string(n);
  EXPECT_EQ(parse_fails(text, n == 0 ? cuda_why_not() : std::to_string(n) + " CUDA devices"), Errc::device);
  EXPECT_EQ(cuda_why_not().empty(), n > 0);
  EXPECT_THROW(allocate(16, Device::cuda(n)), Error);
  EXPECT_THROW(Array(DType::f32, {4}, {}, Device::cuda(n)), Error);
}

TEST(Device, DescribesEveryOne) {
  const auto lines = device_descriptions();
  ASSERT_EQ(lines.size(), 1U + static_cast<std::size_t>(cuda_device_count()));
  EXPECT_EQ(lines[0].substr(0, 4), "cpu:");
}

TEST(Device, CpuMemoryIsAlignedAndHugeRequestsAreRefused) {
  for (const std::size_t bytes : {std::size_t(0), std::size_t(1), std::size_t(63), std::size_t(1000)}) {
    const auto memory = allocate(bytes, Device::cpu());
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory.get()) % 64, 0U);
    const auto pages = allocate_pages(bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(pages.get()) % 64, 0U);
    if (bytes > 0) std::memset(pages.get(), 1, bytes);
  }
  for (const std::size_t bytes : {~std::size_t(0), ~std::size_t(0) - 63, std::size_t(1) << 60}) {
    try {
      bytes % 64 == 0 ? allocate(bytes, Device::cpu()) : allocate_pages(bytes);
      FAIL() << bytes;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Errc::numeric);
      EXPECT_NE(e.message().find("out of memory"), std::string::npos);
    }
  }
}

TEST(Device, LargeBlocksAreGivenBack) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizer keeps what is freed";
#endif
  const auto resident = [] {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
      if (line.starts_with("VmRSS:")) return std::stol(line.substr(6));
    return 0L;
  };
  constexpr std::size_t bytes = 12'166'272;  // no multiple of a page
  const auto one = [&](int i) {
    const auto memory = i % 2 ? allocate_pages(bytes) : allocate(bytes, Device::cpu());
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory.get()) % 4096, 0u);
    std::memset(memory.get(), 1, bytes);
    EXPECT_EQ(memory.get()[bytes - 1], std::byte{1});
  };
  one(0);
  const long before = resident();
  for (int i = 0; i < 20; ++i) one(i);
  EXPECT_LT(resident() - before, 12'000);  // kB; less than one of the twenty
}

TEST(Device, ArraysTravelToTheGpuAndBack) {
  if (cuda_device_count() == 0) GTEST_SKIP() << "no CUDA device: " << cuda_why_not();
  Array a = Array::of<float>({5, 7, 3});
  std::iota(a.span<float>().begin(), a.span<float>().end(), 1.0F);
  const Array there = a.to(Device::cuda());
  EXPECT_EQ(there.device(), Device::cuda());
  EXPECT_THROW((void)there.data<float>(), Error);
  const Array back = there.to(Device::cpu());
  EXPECT_TRUE(std::equal(a.span<float>().begin(), a.span<float>().end(), back.span<float>().begin()));
  // A strided view: packed on the way.
  const int order[] = {2, 0, 1};
  const Array view = there.permuted(order).range(1, 1, 4).to(Device::cpu());
  const Array expected = a.permuted(order).range(1, 1, 4).contiguous_copy();
  EXPECT_TRUE(std::equal(expected.span<float>().begin(), expected.span<float>().end(), view.span<float>().begin()));
  const Array zeros = Array(DType::f64, {100}, {}, Device::cuda()).to(Device::cpu());
  for (const double x : zeros.span<double>()) EXPECT_EQ(x, 0);
  EXPECT_THROW(allocate(std::size_t(1) << 50, Device::cuda()), Error);
}
