// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>

namespace larmor::nn {

/// CRC-32C (Castagnoli), as iSCSI and TFRecord use it. Source   RFC 3720, appendix B.4
std::uint32_t crc32c(std::span<const std::byte> bytes);

/// Curves for TensorBoard: a file of records (length, masked CRC-32C of the length, an Event as protocol buffer, masked
/// CRC-32C of it). Every record is flushed, so a page that is open follows the training.
class EventFile {
 public:
  /// events.out.tfevents.<seconds>.larmor in `folder`, which is made. Errors   Errc::file
  explicit EventFile(const std::filesystem::path& folder);
  void scalar(std::string_view tag, std::int64_t step, float value);
  /// PNG bytes.
  void image(std::string_view tag, std::int64_t step, int width, int height, std::span<const std::byte> png);
  const std::filesystem::path& path() const { return path_; }

 private:
  void record(const std::string& event);
  std::filesystem::path path_;
  std::ofstream out_;
};

}  // namespace larmor::nn
