// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <larmor/flow/value.hpp>

namespace larmor::flow {

/// A value in a file: 48 bytes (magic, sizes, checksum of the head, seconds it took), a head of JSON with the shapes of
/// the arrays, then their bytes, each at a multiple of 64. Written under a temporary name and renamed.
/// Errors   Errc::file with the reason of the system
void write_value_file(const std::filesystem::path& path, const Value& value, double seconds);

/// Errors   Errc::file when it cannot be read, Errc::format when it is cut off or not such a file. The bytes of arrays
/// are not checked: compare the hash of what comes.
Value read_value_file(const std::filesystem::path& path, double* seconds = nullptr);

/// Seconds that its content took to make; negative when it is no such file. Reads 48 bytes.
double seconds_of_value_file(const std::filesystem::path& path);

}  // namespace larmor::flow
