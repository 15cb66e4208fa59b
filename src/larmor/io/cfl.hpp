// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <larmor/core/array.hpp>

namespace larmor::io {

/// BART's two files: NAME.hdr, whose text names up to 16 extents, and NAME.cfl, complex f32 numbers, first axis
/// fastest, little-endian. Either file's name, or NAME alone, names both.
///
/// The axes are BART's dimensions: x y z coil map te coeff coeff2 iter cshift t t2 level slice avg batch. Those of one
/// element are left out, except x, y and z before the last one that is there.
/// Errors   Errc::file, Errc::format (no dimensions, a bad one, too large, a .cfl of another size, with both)
Array read_cfl(const std::filesystem::path& path);
/// Real arrays become complex. Atomic for each file; the .hdr is written last.
/// Errors   Errc::unknown_name for an axis that BART does not have, with all of them; Errc::file
void write_cfl(const std::filesystem::path& path, const Array& array);

}  // namespace larmor::io
