// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <larmor/core/error.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/io/atomic_file.hpp>
#include <vector>

namespace larmor::io {
namespace {

constexpr std::size_t piece = 1 << 20;

// Raw deflate of one piece, ended on a byte boundary without the last-block bit so that pieces can be joined.
void deflate(const std::byte* data, std::size_t size, std::vector<std::uint8_t>& out) {
  std::vector<std::uint8_t> work(ISAL_DEF_LVL1_DEFAULT);
  isal_zstream z;
  isal_deflate_init(&z);
  z.level = 1;
  z.level_buf = work.data();
  z.level_buf_size = static_cast<std::uint32_t>(work.size());
  z.flush = FULL_FLUSH;
  z.end_of_stream = 0;
  // igzip reads only; its interface lacks the const.
  z.next_in = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(data));
  z.avail_in = static_cast<std::uint32_t>(size);
  out.resize(size + size / 8 + 4096);
  z.next_out = out.data();
  z.avail_out = static_cast<std::uint32_t>(out.size());
  for (;;) {
    if (const int code = isal_deflate(&z); code != COMP_OK)
      throw Error(Errc::internal, fmt::format("gzip compression failed with code {}", code));
    if (z.avail_out > 0) break;
    const std::size_t used = out.size();
    out.resize(2 * used);
    z.next_out = out.data() + used;
    z.avail_out = static_cast<std::uint32_t>(out.size() - used);
  }
  out.resize(out.size() - z.avail_out);
}

}  // namespace

GzipWriter::GzipWriter(AtomicFile& file) : file_(file) {
  // No name and no time: the same data give the same file.
  const std::uint8_t header[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
  file_.write(header, sizeof header);
}

void GzipWriter::write(const void* data, std::size_t size) {
  const auto* from = static_cast<const std::byte*>(data);
  // Twice as many pieces as threads at a time, so that the file is fed in order and memory stays small.
  const std::size_t batch = 2 * static_cast<std::size_t>(std::max(1, thread_count()));
  std::vector<std::vector<std::uint8_t>> packed(batch);
  while (size > 0) {
    const std::size_t count = std::min(batch, (size + piece - 1) / piece);
    parallel_for(count, 1, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) deflate(from + i * piece, std::min(piece, size - i * piece), packed[i]);
    });
    for (std::size_t i = 0; i < count; ++i) file_.write(packed[i].data(), packed[i].size());
    const std::size_t done = std::min(size, count * piece);
    crc_ = crc32_gzip_refl(crc_, reinterpret_cast<const std::uint8_t*>(from), done);
    size_ += static_cast<std::uint32_t>(done);  // RFC 1952: modulo 2^32
    from += done, size -= done;
  }
}

void GzipWriter::finish() {
  std::uint8_t tail[10] = {0x03, 0x00};  // an empty last block with fixed codes
  for (unsigned i = 0; i < 4; ++i) {
    tail[2 + i] = static_cast<std::uint8_t>(crc_ >> 8 * i);
    tail[6 + i] = static_cast<std::uint8_t>(size_ >> 8 * i);
  }
  file_.write(tail, sizeof tail);
}

}  // namespace larmor::io
