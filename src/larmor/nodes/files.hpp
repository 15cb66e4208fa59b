// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <functional>
#include <larmor/flow/value.hpp>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace larmor::nodes {

/// A kind of file: what its name ends with, and the operations and functions that read and write it.
struct FileKind {
  std::vector<std::string> endings;  // "nii", "nii.gz"
  std::string title;
  std::string reader, writer;  // operations; empty: none
  std::function<flow::Value(const std::filesystem::path&)> read = {};
  std::function<void(const std::filesystem::path&, const flow::Value&, const std::string& provenance)> write = {};
};
std::span<const FileKind> file_kinds();
/// By the longest ending, upper and lower case alike. Errors   Errc::unknown_name with the nearest ending
const FileKind& file_kind(const std::filesystem::path& path);
/// Ending to the operation that reads it: "nii.gz" -> "io.read_image".
std::map<std::string, std::string> file_readers();

/// What the file holds, as a value of the type that its kind has: an image, an array, a table, a picture, any JSON.
/// Errors   those of the reader; Errc::usage for a kind that is only written
flow::Value read_file(const std::filesystem::path& path);
/// Writes by the name's ending, atomically. `provenance` (JSON, may be empty) goes into the file, or beside it where
/// the format has no place: see read_provenance. Errors   those of the writer; Errc::type for a value of another type
void write_file(const std::filesystem::path& path, const flow::Value& value, const std::string& provenance = {});

/// The provenance (JSON) in a file that Larmor wrote: a NIfTI comment extension, a PNG text, a line at the top of a
/// table, a field of a JSON file, a meta line of a report, else the field "Provenance" of <path>.json or of the image's
/// sidecar. Empty when there is none. Errors   Errc::file, Errc::format
std::string read_provenance(const std::filesystem::path& path);

}  // namespace larmor::nodes
