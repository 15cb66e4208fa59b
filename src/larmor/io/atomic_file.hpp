// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace larmor::io {

/// A file that appears whole: bytes go to a temporary name in the same folder; commit() flushes them to disk and
/// renames; without commit() nothing is left behind.
class AtomicFile {
 public:
  /// Makes the folder. Errors   Errc::file (not writable, the name is a folder)
  explicit AtomicFile(const std::filesystem::path& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Errors   Errc::file (no space)
  void write(const void* data, std::size_t size);
  void commit();

 private:
  [[noreturn]] void fail(const char* doing) const;
  std::filesystem::path path_, target_, work_;
  std::uint64_t written_ = 0;
  int file_ = -1;
};

/// Writes gzip (RFC 1952, one member) into `file`: pieces are compressed in parallel by ISA-L and joined in order.
class GzipWriter {
 public:
  explicit GzipWriter(AtomicFile& file);
  void write(const void* data, std::size_t size);
  void finish();

 private:
  AtomicFile& file_;
  std::uint32_t crc_ = 0, size_ = 0;
};

}  // namespace larmor::io
