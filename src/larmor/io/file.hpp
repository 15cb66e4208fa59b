// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <larmor/core/error.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace larmor::io {

namespace fs = std::filesystem;

/// "no file called 'x' in folder y; did you mean z?", or the first folder of the path that is missing.
Error missing_file(const fs::path& path);
/// Size of a regular file. Errors   Errc::file (missing: with the nearest name in the folder; a directory; a device)
std::uint64_t require_file(const fs::path& path);

/// Whole file as bytes; a gzip file (by its first bytes, not its name) is unpacked.
/// Errors   Errc::file (missing: with the nearest name in the folder; a directory; not readable), Errc::format
/// (truncated or corrupt gzip)
std::vector<std::byte> read_bytes(const fs::path& path);
std::string read_text(const fs::path& path);  // a UTF-8 byte order mark is dropped
/// SHA-256 of the file as it lies there (not unpacked), as sha256sum prints it. Errors   Errc::file
std::string sha256_of(const fs::path& path);

/// Writes to a temporary name in the same folder, flushes to disk and renames: afterwards the file is whole or as it
/// was. Makes the folder. Errors   Errc::file (no space, not writable); the temporary file is removed
void write_bytes(const fs::path& path, const void* data, std::size_t size);
void write_text(const fs::path& path, std::string_view text);
/// gzip-compressed (ISA-L), atomic like write_bytes.
void write_gzip(const fs::path& path, const void* data, std::size_t size);

/// Asks before long work whether its result could be written there; nothing is written, and nothing stays behind.
/// Errors   Errc::file, those of writing it
void require_writable_file(const fs::path& path);
void require_writable_folder(const fs::path& path);

/// A folder that appears whole: files are written under path() and moved to the target by commit(); without commit
/// everything is removed. An existing target keeps its other files; ours replace those of the same name.
class OutputFolder {
 public:
  explicit OutputFolder(fs::path target);
  ~OutputFolder();
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;
  const fs::path& path() const { return work_; }
  const fs::path& target() const { return target_; }
  void commit();

 private:
  fs::path target_, work_, made_;  // made_: the topmost parent folder that had to be made
  bool done_ = false;
};

}  // namespace larmor::io
