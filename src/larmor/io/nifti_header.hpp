// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <larmor/data/image.hpp>
#include <larmor/io/stream.hpp>
#include <span>
#include <string>

namespace larmor::io {

/// Codes of NIfTI's datatype field.
enum class NiftiType : int {
  u8 = 2,
  i16 = 4,
  i32 = 8,
  f32 = 16,
  c64 = 32,
  f64 = 64,
  rgb24 = 128,
  i8 = 256,
  u16 = 512,
  u32 = 768,
  i64 = 1024,
  u64 = 1280,
  f128 = 1536,
  c128 = 1792,
  c256 = 2048,
  rgba32 = 2304
};
/// Bytes a voxel, 0 for a code that is not a numeric type.
std::size_t nifti_size(int datatype);
std::string nifti_type_name(int datatype);

/// The fields of a NIfTI-1 or -2 header that carry meaning, in host order.
struct NiftiHeader {
  int version = 1;
  bool big_endian = false;
  bool pair = false;  // .hdr and .img
  std::array<std::int64_t, 8> dim{};
  int datatype = 16;
  std::array<double, 8> pixdim{};  // [0] is qfac
  std::int64_t vox_offset = 0;
  double scl_slope = 1, scl_inter = 0, toffset = 0;
  int qform_code = 0, sform_code = 0, xyzt_units = 0, intent_code = 0;
  std::array<double, 3> quatern{}, qoffset{};
  std::array<std::array<double, 4>, 3> srow{};
  std::string descrip, aux_file, intent_name;
};

inline constexpr std::size_t nifti1_bytes = 348, nifti2_bytes = 540;

/// What the first 4 bytes announce: 348, 540, or 0 when this is not NIfTI.
std::size_t nifti_header_bytes(std::span<const std::byte> first, bool& big_endian);
/// Errors   Errc::format (magic, extents, offset)
NiftiHeader parse_nifti_header(std::span<const std::byte> bytes, bool big_endian);
/// Little-endian bytes of a single-file header.
std::string serialise(const NiftiHeader& header);

/// The voxels that follow, scaled and converted as read_nifti says; `in` stands at the first of them.
/// Errors   Errc::format (truncated, absurd sizes, types without numbers)
Array read_nifti_data(ByteStream& in, const NiftiHeader& header);

/// Where both forms are given and do not agree on the size of a voxel by more than 10 %: which volumes they say, and
/// which is taken. Turned and moved against each other they often are, and mean different spaces. Empty otherwise.
std::string size_conflict(const NiftiHeader& header);
/// Affine [mm] of a header: sform, else qform, else spacing; singular or non-finite ones are passed over.
Affine affine_of(const NiftiHeader& header);
/// Fills sform, qform (nearest rotation when the affine has shear) and pixdim[0..3]. Errors   Errc::range (not finite)
void set_affine(NiftiHeader& header, const Affine& affine);
/// Seconds a time unit of the header; 0 when the fourth axis is not time (Hz, ppm, rad/s).
double seconds_per_unit(int xyzt_units);

}  // namespace larmor::io
