// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace larmor::io {

/// 8-bit RGBA or grey picture, rows from the top.
struct Picture {
  int width = 0, height = 0, channels = 4;  // 1 grey, 3 RGB, 4 RGBA
  std::vector<std::uint8_t> pixels;         // height * width * channels
};

/// PNG bytes; `text` goes in as iTXt chunks (provenance).
std::vector<std::byte> encode_png(const Picture& picture,
                                  std::span<const std::pair<std::string, std::string>> text = {});
/// Errors   Errc::format
Picture decode_png(std::span<const std::byte> bytes, std::vector<std::pair<std::string, std::string>>* text = nullptr);
void write_png(const std::filesystem::path& path, const Picture& picture,
               std::span<const std::pair<std::string, std::string>> text = {});
Picture read_png(const std::filesystem::path& path);

/// Colour of t in [0, 1] in one of "grey", "viridis", "inferno", "turbo", "coolwarm".
/// Errors   Errc::unknown_name
std::array<std::uint8_t, 3> colour(std::string_view map, double t);

}  // namespace larmor::io
