// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <larmor/io/atomic_file.hpp>
#include <larmor/io/nifti.hpp>
#include <larmor/io/nifti_header.hpp>

namespace larmor::io {
namespace {

NiftiType type_of(DType type) {
  switch (type) {
    case DType::boolean:
    case DType::u8:
      return NiftiType::u8;
    case DType::i16:
      return NiftiType::i16;
    case DType::i32:
      return NiftiType::i32;
    case DType::f32:
      return NiftiType::f32;
    case DType::f64:
      return NiftiType::f64;
    case DType::c64:
      return NiftiType::c64;
    case DType::c128:
      return NiftiType::c128;
  }
  throw Error(Errc::type, "NIfTI has no type for this array");
}

// Sets pixdim[4] and toffset; false when the times are not n * step + start.
bool set_times(NiftiHeader& h, const std::vector<double>& times) {
  const std::size_t n = times.size();
  if (n < 2) return true;
  const double step = (times[n - 1] - times[0]) / static_cast<double>(n - 1);
  if (!(step > 0) || !std::isfinite(step)) return false;
  // 1e-4 of a step: what float32 fields keep of a series of a thousand volumes.
  for (std::size_t i = 0; i < n; ++i)
    if (!(std::abs(times[i] - times[0] - static_cast<double>(i) * step) <= 1e-4 * step)) return false;
  h.pixdim[4] = step;
  h.toffset = times[0];
  return true;
}

void add_comment(std::string& block, const std::string& text) {
  const auto size = static_cast<std::int32_t>((8 + text.size() + 15) / 16 * 16);
  const std::int32_t head[2] = {size, 6};
  const std::size_t at = block.size();
  block.append(reinterpret_cast<const char*>(head), sizeof head);
  block += text;
  block.resize(at + static_cast<std::size_t>(size));
}

}  // namespace

void write_nifti(const std::filesystem::path& path, const Image& image, const NiftiWrite& options) {
  const std::string name = path.string();
  const bool gzip = name.ends_with(".nii.gz");
  if (!gzip && !name.ends_with(".nii"))
    throw Error(Errc::file, fmt::format("cannot write {} as NIfTI by its name", name),
                "end the name in .nii or .nii.gz");
  const Array data = image.data.to(Device::cpu()).contiguous_copy();
  if (data.empty() || data.rank() > 7)
    throw Error(Errc::shape,
                fmt::format("NIfTI holds 1 to 7 axes of at least one voxel, this image is {}", data.describe()))
        .at(name);
  if (!image.times.empty() && static_cast<std::int64_t>(image.times.size()) != image.volumes())
    throw Error(Errc::shape, fmt::format("{} times for {} volumes", image.times.size(), image.volumes())).at(name);

  NiftiHeader h;
  const auto widest = *std::max_element(data.shape().begin(), data.shape().end());
  h.version = options.version2 || widest > 32767 ? 2 : 1;
  h.dim.fill(1);
  h.dim[0] = std::max(3, data.rank());
  for (int i = 0; i < data.rank(); ++i) h.dim[static_cast<std::size_t>(i) + 1] = data.extent(i);
  h.datatype = static_cast<int>(type_of(data.dtype()));
  h.descrip = options.description.substr(0, 79);
  h.xyzt_units = 2 | 8;  // mm, s
  try {
    set_affine(h, image.affine);
  } catch (Error& e) {
    e.at(name);
    throw;
  }
  std::string extensions;
  if (!options.provenance.empty()) add_comment(extensions, options.provenance);
  if (!set_times(h, image.times))
    add_comment(extensions, fmt::format("{{\"FrameTimesStart\":[{}]}}", fmt::join(image.times, ",")));
  // The offset is a float32 in version 1: exact for multiples of 16 up to 2^28.
  if (extensions.size() > (1u << 27)) h.version = 2;
  const std::size_t header_bytes = h.version == 1 ? nifti1_bytes : nifti2_bytes;
  h.vox_offset = static_cast<std::int64_t>(header_bytes + 4 + extensions.size());
  std::string head = serialise(h);
  head += extensions.empty() ? '\0' : '\1';
  head.append(3, '\0');
  head += extensions;

  AtomicFile file(path);
  if (gzip) {
    GzipWriter packed(file);
    packed.write(head.data(), head.size());
    packed.write(data.raw(), data.bytes());
    packed.finish();
  } else {
    file.write(head.data(), head.size());
    file.write(data.raw(), data.bytes());
  }
  file.commit();
}

}  // namespace larmor::io
