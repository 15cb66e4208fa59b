// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <larmor/core/log.hpp>
#include <larmor/io/bids.hpp>
#include <larmor/io/convert.hpp>
#include <larmor/io/nifti.hpp>
#include <larmor/io/nifti_header.hpp>
#include <larmor/io/stream.hpp>
#include <new>

namespace larmor::io {
namespace {

namespace fs = std::filesystem;

void read_exactly(ByteStream& in, void* to, std::size_t n, const char* what) {
  const auto before = in.position();
  if (const auto got = in.read(to, n); got < n)
    throw Error(Errc::format,
                fmt::format("truncated: the {} needs {} bytes, the file ends after {}", what, before + n, before + got),
                "copy or download the file again");
}

// Everything between the header and the data: 4 bytes that say whether there are extensions, and these.
std::vector<NiftiInfo::Extension> read_extensions(ByteStream& in, const NiftiHeader& h) {
  std::vector<NiftiInfo::Extension> out;
  // Of a pair, whatever follows the header; 16 MiB are more than any extension needs.
  const auto offset =
      h.pair ? std::min<std::uint64_t>(in.at_most(), 16 << 20) : static_cast<std::uint64_t>(h.vox_offset);
  if (offset > in.at_most())
    throw Error(Errc::format, fmt::format("truncated: data begin at byte {}, the file has {}{}", offset,
                                          in.packed() ? "at most " : "", in.at_most()));
  // Piece by piece: a gzip file may claim more than it holds.
  std::vector<std::byte> block;
  const std::uint64_t want = offset - std::min(offset, in.position());
  while (block.size() < want) {
    const std::size_t at = block.size(), step = std::min<std::uint64_t>(want - at, 1 << 20);
    block.resize(at + step);
    const auto got = in.read(block.data() + at, step);
    block.resize(at + got);
    if (got < step) break;
  }
  if (!h.pair && block.size() < want)
    throw Error(Errc::format, fmt::format("truncated: data begin at byte {}, the file has {}", offset, in.position()),
                "copy or download the file again");
  if (block.size() < 4 || block[0] == std::byte{0}) return out;
  for (std::size_t at = 4; at + 16 <= block.size();) {
    std::int32_t head[2];
    for (int i = 0; i < 2; ++i)
      head[i] = h.big_endian ? load<std::int32_t, true>(&block[at + 4 * static_cast<std::size_t>(i)])
                             : load<std::int32_t, false>(&block[at + 4 * static_cast<std::size_t>(i)]);
    if (head[0] < 16 || static_cast<std::size_t>(head[0]) > block.size() - at) {
      log::warning(fmt::format("{}: extension {} claims {} bytes where {} are left; it is passed over",
                               in.path().string(), out.size() + 1, head[0], block.size() - at));
      break;
    }
    std::string data(reinterpret_cast<const char*>(&block[at + 8]), static_cast<std::size_t>(head[0]) - 8);
    data.erase(std::min(data.find_last_not_of('\0') + 1, data.size()));  // padded to a multiple of 16
    out.push_back({head[1], std::move(data)});
    at += static_cast<std::size_t>(head[0]);
  }
  return out;
}

// Times that a uniform spacing cannot express: written by write_nifti as a comment of its own.
std::vector<double> times_from(const std::vector<NiftiInfo::Extension>& extensions, std::int64_t volumes) {
  for (const auto& extension : extensions) {
    if (extension.code != 6 || !extension.data.starts_with("{\"FrameTimesStart\"")) continue;
    try {
      const auto meta = parse_json_metadata(extension.data, "extension");
      const auto* times = std::get_if<std::vector<double>>(&meta.at("FrameTimesStart"));
      if (times && static_cast<std::int64_t>(times->size()) == volumes) return *times;
    } catch (const Error&) {
      // A comment is free text; one that only looks like ours says nothing.
    }
  }
  return {};
}

fs::path with_ending(const fs::path& path, const char* from, const char* to) {
  std::string name = path.string();
  const auto at = name.rfind(from);
  return name.replace(at, std::strlen(from), to);
}

Image read(const fs::path& path, NiftiInfo* info) {
  ByteStream in(path);
  std::vector<std::byte> head(nifti2_bytes);
  bool big_endian = false;
  head.resize(in.read(head.data(), 4));
  if (head.empty()) throw Error(Errc::format, "the file is empty: 0 bytes", "copy or download the file again");
  const std::size_t size = nifti_header_bytes(head, big_endian);
  if (size == 0) {
    head.resize(132);
    const auto more = in.read(head.data() + 4, 128);
    const bool dicom = more == 128 && std::memcmp(head.data() + 128, "DICM", 4) == 0;
    throw Error(Errc::format, dicom ? "this is a DICOM file, not NIfTI" : "this is not a NIfTI file",
                dicom ? "larmor dicom to-nifti converts it" : "give a .nii or .nii.gz file");
  }
  head.resize(size);
  read_exactly(in, head.data() + 4, size - 4, "header");
  const NiftiHeader h = parse_nifti_header(head, big_endian);

  NiftiInfo found;
  found.extensions = read_extensions(in, h);
  Image image;
  if (h.pair) {
    if (path.filename().string().rfind(".hdr") == std::string::npos)
      throw Error(Errc::format, "this is the header of a .hdr and .img pair, but its name does not end in .hdr",
                  "name the two files x.hdr and x.img");
    ByteStream data(with_ending(path, ".hdr", ".img"));
    std::vector<std::byte> skipped(std::min<std::uint64_t>(static_cast<std::uint64_t>(h.vox_offset), data.at_most()));
    data.read(skipped.data(), skipped.size());
    image.data = read_nifti_data(data, h);
  } else {
    image.data = read_nifti_data(in, h);
    std::byte beyond;
    in.read(&beyond, 1);  // reaches the checksum of a gzip file
  }
  image.affine = affine_of(h);
  if (const auto conflict = size_conflict(h); !conflict.empty())
    log::warning(fmt::format("{}: {}", path.string(), conflict));
  image.source = path.string();

  const double unit = seconds_per_unit(h.xyzt_units);
  const double step = std::isfinite(h.pixdim[4]) ? h.pixdim[4] * unit : 0;
  const std::int64_t volumes = image.volumes();
  if (volumes > 1 && unit > 0) {
    image.times = times_from(found.extensions, volumes);
    if (image.times.empty() && step > 0)
      for (std::int64_t i = 0; i < volumes; ++i)
        image.times.push_back((std::isfinite(h.toffset) ? h.toffset * unit : 0) + static_cast<double>(i) * step);
  }
  if (info) {
    found.version = h.version, found.datatype = h.datatype, found.big_endian = h.big_endian;
    found.scl_slope = h.scl_slope, found.scl_inter = h.scl_inter;
    found.qform_code = h.qform_code, found.sform_code = h.sform_code;
    found.xyzt_units = h.xyzt_units, found.pixdim_t = step;
    found.description = h.descrip, found.aux_file = h.aux_file;
    found.intent_name = h.intent_name, found.intent_code = h.intent_code;
    *info = std::move(found);
  }
  return image;
}

}  // namespace

Image read_nifti(const fs::path& path, NiftiInfo* info) {
  try {
    return read(path, info);
  } catch (const std::bad_alloc&) {
    throw Error(Errc::file, "there is not enough memory for this image").at(path.string());
  } catch (Error& e) {
    if (e.code() == Errc::format && e.message().find(path.string()) == std::string::npos) e.at(path.string());
    throw;
  }
}

}  // namespace larmor::io
