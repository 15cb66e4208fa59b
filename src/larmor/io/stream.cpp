// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <isa-l/igzip_lib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <larmor/core/error.hpp>
#include <larmor/io/file.hpp>
#include <larmor/io/stream.hpp>

namespace larmor::io {
namespace {

constexpr std::size_t chunk = 1 << 20;
// RFC 1951: a match of 258 bytes can cost 2 bits, so nothing grows more than 1032-fold.
constexpr std::uint64_t deflate_max_ratio = 1032;

}  // namespace

struct ByteStream::Gzip {
  inflate_state state;
  std::vector<std::uint8_t> input = std::vector<std::uint8_t>(chunk);
  bool in_member = false, ended = false;
};

ByteStream::ByteStream(const std::filesystem::path& path) : path_(path), size_(require_file(path)) {
  file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file_ < 0)
    throw Error(Errc::file, fmt::format("cannot open {}: {}", path.string(), std::strerror(errno)),
                "check the file's permissions");
  std::uint8_t magic[2] = {};
  if (::pread(file_, magic, 2, 0) == 2 && magic[0] == 0x1f && magic[1] == 0x8b) {
    gzip_ = std::make_unique<Gzip>();
    isal_inflate_init(&gzip_->state);
    gzip_->state.crc_flag = ISAL_GZIP;
    gzip_->state.avail_in = 0;
  }
}

ByteStream::~ByteStream() {
  if (file_ >= 0) ::close(file_);
}

std::uint64_t ByteStream::at_most() const { return gzip_ ? size_ * deflate_max_ratio : size_; }

std::uint64_t ByteStream::at_most(std::uint64_t claim) const {
  if (!gzip_ || claim > at_most() || claim <= 20 * size_ || claim <= 256u << 20) return at_most();
  ByteStream again(path_);
  std::vector<std::byte> scratch(chunk);
  while (again.position() < claim)
    if (again.read(scratch.data(), chunk) < chunk) break;
  return again.position();
}

std::size_t ByteStream::read_file(void* to, std::size_t n) {
  std::size_t done = 0;
  while (done < n) {
    const auto got = ::read(file_, static_cast<std::byte*>(to) + done, std::min<std::size_t>(n - done, 1 << 30));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error(Errc::file, fmt::format("cannot read {}: {}", path_.string(), std::strerror(errno)));
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

std::size_t ByteStream::read(void* to, std::size_t n) {
  if (!gzip_) {
    const auto got = read_file(to, n);
    position_ += got;
    return got;
  }
  auto& g = *gzip_;
  auto& s = g.state;
  std::size_t done = 0;
  const auto refill = [&] {
    if (s.avail_in > 0) return true;
    s.next_in = g.input.data();
    s.avail_in = static_cast<std::uint32_t>(read_file(g.input.data(), g.input.size()));
    return s.avail_in > 0;
  };
  while (done < n && !g.ended) {
    if (!g.in_member) {
      // Between members: another one, padding with zeros (tape blocks), or the end.
      while (refill() && position_ + done > 0 && *s.next_in == 0) ++s.next_in, --s.avail_in;
      if (!refill()) {
        g.ended = true;
        break;
      }
      std::uint8_t* const in = s.next_in;
      const auto left = s.avail_in;
      isal_inflate_reset(&s);
      s.crc_flag = ISAL_GZIP, s.next_in = in, s.avail_in = left;
      g.in_member = true;
    }
    const bool more = refill();
    const auto room = static_cast<std::uint32_t>(std::min<std::size_t>(n - done, 1 << 30));
    s.next_out = static_cast<std::uint8_t*>(to) + done;
    s.avail_out = room;
    const auto before = s.avail_in;
    const int code = isal_inflate(&s);
    const std::size_t made = room - s.avail_out;
    done += made;
    if (code != ISAL_DECOMP_OK && code != ISAL_END_INPUT)
      throw Error(Errc::format,
                  fmt::format("{} is corrupt gzip: {} after {} unpacked bytes", path_.string(),
                              code == ISAL_INCORRECT_CHECKSUM ? "the checksum does not match" : "invalid data",
                              position_ + done),
                  "copy or download the file again");
    if (s.block_state == ISAL_BLOCK_FINISH) {
      g.in_member = false;
    } else if (!more && made == 0 && s.avail_in == before) {
      throw Error(Errc::format,
                  fmt::format("{} is truncated: its gzip data stop at the file's {} bytes, {} bytes unpacked",
                              path_.string(), size_, position_ + done),
                  "copy or download the file again");
    }
  }
  position_ += done;
  return done;
}

}  // namespace larmor::io
