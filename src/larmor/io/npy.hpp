// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <larmor/core/array.hpp>

namespace larmor::io {

/// NumPy .npy, versions 1-3, either byte order and memory order, all types of Array and those that widen into one. The
/// axes come in the file's order, so shape (a, b) in NumPy is shape (a, b) here; C order is transposed on reading.
/// Errors   Errc::file, Errc::format
Array read_npy(const std::filesystem::path& path);
/// The same, but nothing is moved: what NumPy stored in C order is a view whose last axis is the fastest, which costs
/// no second copy where axes are to be put in another order anyway.
Array read_npy_view(const std::filesystem::path& path);
/// Fortran order, atomic.
void write_npy(const std::filesystem::path& path, const Array& array);

}  // namespace larmor::io
