// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <larmor/data/image.hpp>
#include <string>
#include <vector>

namespace larmor::io {

/// What a NIfTI header says beyond the image itself.
struct NiftiInfo {
  int version = 1;                      // 1 or 2
  int datatype = 16;                    // NIfTI code in the file
  double scl_slope = 1, scl_inter = 0;  // already applied to the data by read_nifti
  int qform_code = 0, sform_code = 0;
  int xyzt_units = 0;
  double pixdim_t = 0;  // [s], converted from the header's unit
  std::string description, aux_file, intent_name;
  int intent_code = 0;
  bool big_endian = false;
  struct Extension {
    int code;
    std::string data;
  };
  std::vector<Extension> extensions;  // code 6 (comment) carries our provenance JSON
};

/// Reads .nii or .nii.gz, version 1 or 2, either byte order, every numeric type.
///
/// The data keep their type when no scaling is needed and Array has it (u8 i16 i32 f32 f64 c64 c128); others go to the
/// nearest type that holds every value (i8 -> i16, u16 -> i32, u32 i64 u64 -> f64, rgb refused). A slope or intercept
/// gives f32 (f64 for 32-bit integers and wider). The affine is the sform, else the qform, else the spacing. Spatial
/// units other than mm and time units other than s are converted; times are n * pixdim[4] when that is > 0 and there
/// are several volumes. Trailing axes of length 1 beyond z are dropped. Errors   Errc::file, Errc::format (not NIfTI,
/// truncated with both byte counts, absurd sizes)
Image read_nifti(const std::filesystem::path& path, NiftiInfo* info = nullptr);

struct NiftiWrite {
  std::string description = {};  // at most 79 characters are kept
  std::string provenance = {};   // JSON, written as a comment extension when not empty
  bool version2 = false;         // version 2 is also chosen when an extent exceeds 32767
};

/// Writes .nii or .nii.gz by the name's ending, atomically: sform and qform (code 1) from the affine, times as
/// pixdim[4] when uniform. bool becomes u8. Errors   Errc::file, Errc::type
void write_nifti(const std::filesystem::path& path, const Image& image, const NiftiWrite& options = {});

}  // namespace larmor::io
