// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <larmor/core/cancel.hpp>
#include <string>

namespace larmor::flow::user {

/// Folder of the headers that operations in C++ include: beside the program, else in the source tree it was built in.
/// Errors   Errc::file with the folders looked at
std::filesystem::path header_folder(const std::filesystem::path& program);

/// The shared library made of a C++ file, from `cache` when this content was built before.
/// Errors   Errc::format with the compiler's first error at "file.cpp:12", the rest as advice; Errc::file without a
/// compiler
std::filesystem::path build_operation(const std::filesystem::path& file, const std::string& hash,
                                      const std::filesystem::path& headers, const std::filesystem::path& cache,
                                      double seconds = 300);

}  // namespace larmor::flow::user
