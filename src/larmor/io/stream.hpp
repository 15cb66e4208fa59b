// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace larmor::io {

/// The bytes of a file in order, unpacked on the way when it is gzip (by its first bytes, not its name).
class ByteStream {
 public:
  /// Errors   Errc::file (missing, with the nearest name; a directory; not readable)
  explicit ByteStream(const std::filesystem::path& path);
  ~ByteStream();
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;

  /// Reads up to `n` bytes, fewer only at the end. Errors   Errc::format (truncated or corrupt gzip), Errc::file
  std::size_t read(void* to, std::size_t n);
  /// Bytes handed out so far.
  std::uint64_t position() const { return position_; }
  /// No file of this length can hold more bytes than this: its size, or what gzip could make of it at most. Checked
  /// before anything is allocated for a size that a header claims.
  std::uint64_t at_most() const;
  /// An upper bound on the file's bytes, good enough to trust a claim of `claim` bytes with memory when it is not
  /// below it: at_most(), but for a gzip file that would have to grow more than 20-fold and past 256 MiB a dry run
  /// that counts up to the claim.
  std::uint64_t at_most(std::uint64_t claim) const;
  bool packed() const { return gzip_ != nullptr; }
  std::uint64_t file_size() const { return size_; }
  const std::filesystem::path& path() const { return path_; }

 private:
  struct Gzip;
  std::size_t read_file(void* to, std::size_t n);

  std::filesystem::path path_;
  int file_ = -1;
  std::uint64_t size_ = 0, position_ = 0;
  std::unique_ptr<Gzip> gzip_;
};

}  // namespace larmor::io
