// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <png.h>

#include <algorithm>
#include <cstring>
#include <larmor/core/error.hpp>
#include <larmor/io/file.hpp>
#include <larmor/io/png.hpp>

namespace larmor::io {
namespace {

// More than any figure or scanned page; a header that claims more is damage.
constexpr std::size_t most_bytes = std::size_t{1} << 29;
constexpr std::size_t deflate_ratio = 1032;  // no compressed data grow more, RFC 1951

// libpng reports errors by a jump, which must not pass over C++ objects being destroyed: everything that owns memory is
// made before setjmp, and the message is kept here.
struct State {
  std::string message;
  std::span<const std::byte> input;
  std::size_t at = 0;
  std::vector<std::byte>* output = nullptr;
};

[[noreturn]] void on_error(png_structp png, png_const_charp text) {
  static_cast<State*>(png_get_error_ptr(png))->message = text;
  png_longjmp(png, 1);
}
void on_warning(png_structp, png_const_charp) {}

void on_read(png_structp png, png_bytep to, std::size_t n) {
  auto& state = *static_cast<State*>(png_get_io_ptr(png));
  if (n > state.input.size() - state.at) {
    png_error(png, "the data end too early");
  }
  std::memcpy(to, state.input.data() + state.at, n);
  state.at += n;
}

void on_write(png_structp png, png_bytep from, std::size_t n) {
  auto& out = *static_cast<State*>(png_get_io_ptr(png))->output;
  const auto* bytes = reinterpret_cast<const std::byte*>(from);
  out.insert(out.end(), bytes, bytes + n);
}
void on_flush(png_structp) {}

int colour_type(int channels) {
  return channels == 1 ? PNG_COLOR_TYPE_GRAY : channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_RGBA;
}

// libpng asks for the memory that a chunk claims before it looks whether the file has it.
void check_chunks(std::span<const std::byte> bytes) {
  for (std::size_t at = 8; at + 8 <= bytes.size();) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length = length << 8 | std::to_integer<std::size_t>(bytes[at + i]);
    const std::size_t left = bytes.size() - at - 8;
    if (length + 4 > left)
      throw Error(
          Errc::format,
          fmt::format("truncated or corrupt PNG: a chunk at byte {} needs {} bytes, {} are left", at, length + 4, left),
          "copy or make the file again");
    at += 12 + length;
  }
}

}  // namespace

std::vector<std::byte> encode_png(const Picture& picture, std::span<const std::pair<std::string, std::string>> text) {
  const bool known = picture.channels == 1 || picture.channels == 3 || picture.channels == 4;
  const auto row = static_cast<std::size_t>(picture.width) * static_cast<std::size_t>(picture.channels);
  if (!known || picture.width < 1 || picture.height < 1 ||
      picture.pixels.size() != row * static_cast<std::size_t>(picture.height))
    throw Error(Errc::format,
                fmt::format("a picture of {} x {} pixels and {} channels with {} bytes", picture.width, picture.height,
                            picture.channels, picture.pixels.size()),
                "give width * height * channels bytes, 1, 3 or 4 channels");
  std::vector<png_text> chunks;
  for (const auto& [key, value] : text) {
    if (key.empty() || key.size() > 79)
      throw Error(Errc::format, fmt::format("a PNG keyword of {} characters", key.size()), "give 1 to 79 characters");
    png_text chunk{};
    // Long texts (graphs, settings) are packed.
    chunk.compression = value.size() > 1000 ? PNG_ITXT_COMPRESSION_zTXt : PNG_ITXT_COMPRESSION_NONE;
    chunk.key = const_cast<char*>(key.c_str());
    chunk.text = const_cast<char*>(value.c_str());
    chunk.itxt_length = value.size();
    chunks.push_back(chunk);
  }
  std::vector<std::byte> out;
  State state;
  state.output = &out;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &state, on_error, on_warning);
  png_infop info = png_create_info_struct(png);
  if (setjmp(png_jmpbuf(png)) == 0) {
    png_set_write_fn(png, &state, on_write, on_flush);
    png_set_IHDR(png, info, static_cast<png_uint_32>(picture.width), static_cast<png_uint_32>(picture.height), 8,
                 colour_type(picture.channels), PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    if (!chunks.empty()) png_set_text(png, info, chunks.data(), static_cast<int>(chunks.size()));
    png_write_info(png, info);
    for (int y = 0; y < picture.height; ++y)
      png_write_row(png, picture.pixels.data() + row * static_cast<std::size_t>(y));
    png_write_end(png, info);
  }
  png_destroy_write_struct(&png, &info);
  if (!state.message.empty()) throw Error(Errc::format, "PNG: " + state.message);
  return out;
}

Picture decode_png(std::span<const std::byte> bytes, std::vector<std::pair<std::string, std::string>>* text) {
  if (bytes.size() < 8 || png_sig_cmp(reinterpret_cast<png_const_bytep>(bytes.data()), 0, 8) != 0)
    throw Error(Errc::format, "this is not a PNG file", "give a .png file");
  check_chunks(bytes);
  Picture picture;
  std::vector<png_bytep> rows;
  State state;
  state.input = bytes;
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &state, on_error, on_warning);
  png_infop info = png_create_info_struct(png);
  // Volatile: read after a jump.
  volatile std::size_t claimed = 0;
  if (setjmp(png_jmpbuf(png)) == 0) {
    png_set_read_fn(png, &state, on_read);
    png_set_user_limits(png, 1 << 20, 1 << 20);
    png_set_chunk_malloc_max(png, 64 << 20);  // texts that unpack to more
    png_read_info(png, info);
    const auto height = static_cast<std::size_t>(png_get_image_height(png, info));
    if (png_get_rowbytes(png, info) * height > deflate_ratio * bytes.size())
      png_error(png, "the size claimed is not there");
    png_set_expand(png);  // palettes, fewer than 8 bits, transparent colours
    png_set_scale_16(png);
    if (png_get_color_type(png, info) == PNG_COLOR_TYPE_GRAY_ALPHA ||
        (png_get_color_type(png, info) == PNG_COLOR_TYPE_GRAY && png_get_valid(png, info, PNG_INFO_tRNS)))
      png_set_gray_to_rgb(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
    const std::size_t row = png_get_rowbytes(png, info);
    claimed = row * height;
    if (claimed > most_bytes) png_error(png, "the picture is too large");
    picture.width = static_cast<int>(png_get_image_width(png, info));
    picture.height = static_cast<int>(height);
    picture.channels = png_get_channels(png, info);
    picture.pixels.resize(claimed);
    rows.resize(height);
    for (std::size_t y = 0; y < height; ++y) rows[y] = picture.pixels.data() + y * row;
    png_read_image(png, rows.data());
    png_read_end(png, info);
    png_textp found = nullptr;
    const int count = png_get_text(png, info, &found, nullptr);
    if (text) {
      text->clear();
      for (int i = 0; i < count; ++i) text->emplace_back(found[i].key, found[i].text);
    }
  }
  png_destroy_read_struct(&png, &info, nullptr);
  if (!state.message.empty())
    throw Error(Errc::format, fmt::format("corrupt PNG of {} bytes: {}", bytes.size(), state.message),
                "copy or make the file again");
  return picture;
}

void write_png(const std::filesystem::path& path, const Picture& picture,
               std::span<const std::pair<std::string, std::string>> text) {
  const auto bytes = encode_png(picture, text);
  write_bytes(path, bytes.data(), bytes.size());
}

Picture read_png(const std::filesystem::path& path) {
  try {
    return decode_png(read_bytes(path));
  } catch (Error& e) {
    if (e.code() == Errc::format) e.at(path.string());
    throw;
  }
}

}  // namespace larmor::io
