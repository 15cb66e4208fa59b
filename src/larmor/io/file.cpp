// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <larmor/core/error.hpp>
#include <larmor/core/hash.hpp>
#include <larmor/io/atomic_file.hpp>
#include <larmor/io/file.hpp>
#include <larmor/io/stream.hpp>

namespace larmor::io {

Error missing_file(const fs::path& path) {
  if (path.empty()) return Error(Errc::file, "no file is given", "choose one");
  std::error_code ec;
  // The first part of the path that is not there; its folder is where the name was mistyped.
  fs::path at = path.has_filename() ? path : path.parent_path(), folder = at.parent_path();
  const bool whole = folder.empty() || fs::is_directory(folder, ec);
  while (!folder.empty() && !fs::is_directory(folder, ec) && folder != folder.parent_path())
    at = folder, folder = at.parent_path();
  std::vector<std::string> names;
  const fs::path look = folder.empty() ? fs::path(".") : folder;
  for (auto it = fs::directory_iterator(look, ec); !ec && it != fs::directory_iterator(); it.increment(ec)) {
    names.push_back(it->path().filename().string());
    if (names.size() == 10000) break;  // a suggestion is not worth reading a folder of millions
  }
  std::sort(names.begin(), names.end());
  if (fs::is_symlink(folder / at.filename(), ec))
    return Error(Errc::file,
                 fmt::format("{} is a link to something that is not there", (folder / at.filename()).string()),
                 "mend the link");
  std::string text = fmt::format("no {} called '{}' in {}", whole ? "file" : "folder", at.filename().string(),
                                 folder.empty() ? "the current folder" : "folder " + look.string());
  const auto near = nearest(at.filename().string(), names);
  if (!near.empty()) text += fmt::format("; did you mean {}?", near);
  return Error(Errc::file, text, near.empty() ? "check the path" : "");
}

std::uint64_t require_file(const fs::path& path) {
  std::error_code ec;
  const auto status = fs::status(path, ec);
  if (status.type() == fs::file_type::not_found) throw missing_file(path);
  if (ec) throw Error(Errc::file, fmt::format("cannot read {}: {}", path.string(), ec.message()));
  if (fs::is_directory(status))
    throw Error(Errc::file, fmt::format("{} is a folder, not a file", path.string()), "give a file inside it");
  // A pipe or a device has no size to check claims against, and opening one can wait for ever.
  if (!fs::is_regular_file(status))
    throw Error(Errc::file, fmt::format("{} is not a regular file", path.string()), "copy its content to a file first");
  const auto size = fs::file_size(path, ec);
  if (ec) throw Error(Errc::file, fmt::format("cannot read {}: {}", path.string(), ec.message()));
  return size;
}

std::vector<std::byte> read_bytes(const fs::path& path) {
  ByteStream in(path);
  std::vector<std::byte> bytes;
  // Grown as data arrive; gzip images mostly unpack to less than four times their size.
  std::size_t room = static_cast<std::size_t>(in.packed() ? 4 * in.file_size() : in.file_size()) + 1, filled = 0;
  for (;;) {
    bytes.resize(room);
    filled += in.read(bytes.data() + filled, room - filled);
    if (filled < room) break;
    room *= 2;
  }
  bytes.resize(filled);
  return bytes;
}

std::string read_text(const fs::path& path) {
  const auto bytes = read_bytes(path);
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return std::string(text);
}

std::string sha256_of(const fs::path& path) {
  require_file(path);
  std::ifstream in(path, std::ios::binary);
  std::vector<char> piece(1 << 20);
  Sha256 hash;
  while (in) {
    in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    hash.add(piece.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (!in.eof()) throw Error(Errc::file, fmt::format("cannot read {}", path.string()), "check its permissions");
  return hash.hex();
}

void write_bytes(const fs::path& path, const void* data, std::size_t size) {
  AtomicFile file(path);
  file.write(data, size);
  file.commit();
}

void write_text(const fs::path& path, std::string_view text) { write_bytes(path, text.data(), text.size()); }

void require_writable_folder(const fs::path& path) { const OutputFolder trial(path); }

void require_writable_file(const fs::path& path) {
  std::error_code ec;
  const fs::path target = fs::is_symlink(path, ec) ? fs::weakly_canonical(path, ec) : path;
  const fs::path folder = target.parent_path();
  if (folder.empty() || fs::is_directory(folder, ec) || target.filename().empty())
    const AtomicFile trial(path);
  else
    require_writable_folder(folder);
}

void write_gzip(const fs::path& path, const void* data, std::size_t size) {
  AtomicFile file(path);
  GzipWriter gzip(file);
  gzip.write(data, size);
  gzip.finish();
  file.commit();
}

}  // namespace larmor::io
