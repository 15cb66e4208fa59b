// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <chrono>
#include <cstring>
#include <larmor/core/error.hpp>
#include <larmor/nn/event_file.hpp>

namespace larmor::nn {
namespace {

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

// Fields of protocol buffers: a varint key (number << 3 | wire type), then the value.
void varint(std::string& out, std::uint64_t v) {
  while (v >= 0x80) out += static_cast<char>(v | 0x80), v >>= 7;
  out += static_cast<char>(v);
}
template <class T>
void raw(std::string& out, T v) {
  char bytes[sizeof v];
  std::memcpy(bytes, &v, sizeof v);
  out.append(bytes, sizeof v);
}
void whole(std::string& out, int field, std::uint64_t v) {
  varint(out, static_cast<std::uint64_t>(field) << 3), varint(out, v);
}
void real64(std::string& out, int field, double v) {
  varint(out, static_cast<std::uint64_t>(field) << 3 | 1), raw(out, v);
}
void real32(std::string& out, int field, float v) {
  varint(out, static_cast<std::uint64_t>(field) << 3 | 5), raw(out, v);
}
void bytes(std::string& out, int field, std::string_view v) {
  varint(out, static_cast<std::uint64_t>(field) << 3 | 2), varint(out, v.size()), out.append(v);
}

std::uint32_t masked(std::string_view text) {
  const std::uint32_t crc = crc32c(std::as_bytes(std::span(text.data(), text.size())));
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;  // TFRecord: so that a CRC of data holding CRCs is sound
}

std::string event(std::int64_t step, std::string_view value) {
  std::string summary, out;
  bytes(summary, 1, value);
  real64(out, 1, now());
  whole(out, 2, static_cast<std::uint64_t>(step));
  bytes(out, 5, summary);
  return out;
}

}  // namespace

std::uint32_t crc32c(std::span<const std::byte> data) {
  static const auto table = [] {
    std::array<std::uint32_t, 256> t{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t c = i;
      for (int k = 0; k < 8; ++k) c = (c & 1) ? (c >> 1) ^ 0x82f63b78u : c >> 1;
      t[i] = c;
    }
    return t;
  }();
  std::uint32_t crc = 0xffffffffu;
  for (const auto b : data) crc = table[(crc ^ static_cast<std::uint8_t>(b)) & 255] ^ (crc >> 8);
  return crc ^ 0xffffffffu;
}

EventFile::EventFile(const std::filesystem::path& folder) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  path_ = folder / ("events.out.tfevents." + std::to_string(static_cast<std::int64_t>(now())) + ".larmor");
  out_.open(path_, std::ios::binary | std::ios::app);
  if (!out_) throw Error(Errc::file, "cannot write " + path_.string(), "may you write there?");
  std::string first;
  real64(first, 1, now());
  bytes(first, 3, "brain.Event:2");
  record(first);
}

void EventFile::record(const std::string& text) {
  std::string length, out;
  raw(length, static_cast<std::uint64_t>(text.size()));
  out = length;
  raw(out, masked(length));
  out += text;
  raw(out, masked(text));
  out_.write(out.data(), static_cast<std::streamsize>(out.size()));
  out_.flush();
  if (!out_) throw Error(Errc::file, "cannot write " + path_.string(), "is there space?");
}

void EventFile::scalar(std::string_view tag, std::int64_t step, float value) {
  std::string v;
  bytes(v, 1, tag);
  real32(v, 2, value);
  record(event(step, v));
}

void EventFile::image(std::string_view tag, std::int64_t step, int width, int height, std::span<const std::byte> png) {
  std::string picture, v;
  whole(picture, 1, static_cast<std::uint64_t>(height));
  whole(picture, 2, static_cast<std::uint64_t>(width));
  whole(picture, 3, 3);
  bytes(picture, 4, {reinterpret_cast<const char*>(png.data()), png.size()});
  bytes(v, 1, tag);
  bytes(v, 4, picture);
  record(event(step, v));
}

}  // namespace larmor::nn
