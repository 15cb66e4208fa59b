// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/hash.hpp>
#include <larmor/io/dicom/dataset.hpp>
#include <random>

namespace larmor::dicom {
namespace {

std::string decimal_128(std::uint64_t high, std::uint64_t low) {
  auto v = (static_cast<unsigned __int128>(high) << 64) | low;
  std::string digits;
  do digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(v % 10)));
  while ((v /= 10) != 0);
  return digits;
}
// Version and variant bits of a UUID (RFC 4122).
std::string uuid_uid(std::uint64_t high, std::uint64_t low, std::uint64_t version) {
  high = (high & ~std::uint64_t{0xf000}) | (version << 12);
  low = (low & ~(std::uint64_t{3} << 62)) | (std::uint64_t{2} << 62);
  return "2.25." + decimal_128(high, low);
}

}  // namespace

std::string new_uid() {
  thread_local std::random_device random;
  const auto word = [] { return (static_cast<std::uint64_t>(random()) << 32) | random(); };
  const auto high = word();
  return uuid_uid(high, word(), 4);
}

std::string uid_from(std::string_view text) {
  const std::string hex = Sha256().add(text.data(), text.size()).hex();
  return uuid_uid(std::stoull(hex.substr(0, 16), nullptr, 16), std::stoull(hex.substr(16, 16), nullptr, 16), 5);
}

}  // namespace larmor::dicom
