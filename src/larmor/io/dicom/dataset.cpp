// SPDX-License-Identifier: Apache-2.0
#include <larmor/io/dicom/dcmtk.hpp>
//
#include <dcmtk/dcmdata/dcostrmb.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcrledrg.h>
#include <dcmtk/dcmjpeg/djdecode.h>
#include <dcmtk/dcmjpls/djdecode.h>
#include <dcmtk/oflog/oflog.h>
#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <larmor/io/file.hpp>
#include <mutex>

namespace larmor::dicom {

void set_up() {
  static std::once_flag once;
  std::call_once(once, [] {
    OFLog::configure(OFLogger::OFF_LOG_LEVEL);
    DJDecoderRegistration::registerCodecs(EDC_never);  // colours stay as they are stored
    DJLSDecoderRegistration::registerCodecs();
    DcmRLEDecoderRegistration::registerCodecs();
  });
}

Dataset::Dataset(const std::shared_ptr<void>& file)
    : Item(file, static_cast<DcmFileFormat*>(file.get())->getDataset()) {}
Dataset::Dataset()
    : Dataset([] {
        set_up();
        return std::shared_ptr<void>(std::make_shared<DcmFileFormat>());
      }()) {}

bool Dataset::is_dicom(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  char head[132] = {};
  in.read(head, sizeof head);
  const auto n = in.gcount();
  if (n == 132 && std::string_view(head + 128, 4) == "DICM") return true;
  if (n < 16) return false;
  // Files from before PS3.10: (0008,00xx) in little endian, with a VR or a plausible length; or in big endian, or
  // (0002,0000), with a VR.
  if (head[0] == 8 && head[1] == 0 && head[3] == 0 && head[6] < 64) return true;
  const std::string_view tag(head, 3), vr(head + 4, 2);
  return (tag == std::string_view("\0\x8\0", 3) && (vr == "UL" || vr == "CS" || vr == "UI")) ||
         (tag == std::string_view("\x2\0\0", 3) && vr == "UL");
}

Dataset Dataset::read(const std::filesystem::path& path) {
  set_up();
  io::require_file(path);
  if (!is_dicom(path))
    throw Error(Errc::format, fmt::format("{} is not a DICOM file", path.string()), "larmor info reads other formats");
  auto file = std::make_shared<DcmFileFormat>();
  const OFCondition done = file->loadFile(path.c_str());
  if (done.bad() || file->getDataset()->card() == 0)
    throw Error(Errc::format, fmt::format("{} is a damaged DICOM file: {}", path.string(), done.text()),
                "copy or export it again");
  Dataset out(file);
  if (!out.has("SOPClassUID") && !out.is_there("PixelData") && !out.has("StudyInstanceUID") && !out.is_directory())
    throw Error(Errc::format, fmt::format("{} holds no DICOM object (no SOP class)", path.string()),
                "copy or export it again");
  return out;
}

std::string Dataset::transfer_syntax() const {
  return DcmXfer(file_of(owner_).getDataset()->getOriginalXfer()).getXferID();
}
std::string Dataset::transfer_syntax_name() const {
  return DcmXfer(file_of(owner_).getDataset()->getOriginalXfer()).getXferName();
}

bool Dataset::has_pixels() const {
  return is_there("PixelData") || is_there("FloatPixelData") || is_there("DoubleFloatPixelData");
}

bool Dataset::is_directory() const { return is_there("DirectoryRecordSequence"); }

std::vector<std::byte> Dataset::pixels() const {
  DcmDataset& data = *file_of(owner_).getDataset();
  const auto count = [&](const char* name, double otherwise) { return number(name).value_or(otherwise); };
  const double frames = std::max(1.0, count("NumberOfFrames", 1)), bits = count("BitsAllocated", 16);
  const double wanted = count("Rows", 0) * count("Columns", 0) * count("SamplesPerPixel", 1) * frames * bits / 8;
  if (!(wanted >= 1) || wanted > 64e9)
    throw Error(Errc::format, fmt::format("an image of {} x {} pixels and {} frames of {} bits", count("Columns", 0),
                                          count("Rows", 0), frames, bits));
  const auto need = static_cast<std::size_t>(std::ceil(wanted));
  const auto take = [&](const void* from, std::size_t have) {
    if (have < need)
      throw Error(Errc::format, fmt::format("its pixels are cut off: {} of {} bytes are there", have, need),
                  "copy or export it again");
    const auto* b = static_cast<const std::byte*>(from);
    return std::vector<std::byte>(b, b + need);
  };
  DcmElement* e = nullptr;
  if (data.findAndGetElement(DCM_FloatPixelData, e).good()) {
    Float32* p = nullptr;
    if (e->getFloat32Array(p).good() && p != nullptr) return take(p, e->getLength());
  }
  if (data.findAndGetElement(DCM_DoubleFloatPixelData, e).good()) {
    Float64* p = nullptr;
    if (e->getFloat64Array(p).good() && p != nullptr) return take(p, e->getLength());
  }
  if (data.findAndGetElement(DCM_PixelData, e).bad()) throw Error(Errc::format, "it holds no pixels");
  OFCondition done = data.chooseRepresentation(EXS_LittleEndianExplicit, nullptr);
  if (done.bad())
    throw Error(Errc::format,
                fmt::format("its pixels in {} cannot be decoded: {}", transfer_syntax_name(), done.text()),
                "store it uncompressed (dcmdjpeg, gdcmconv --raw) and read that");
  if (data.findAndGetElement(DCM_PixelData, e).bad()) throw Error(Errc::format, "it holds no pixels");
  std::vector<std::byte> out;
  const std::size_t have = e->getLength();
  if (bits > 8) {
    Uint16* p = nullptr;
    done = e->getUint16Array(p);
    if (done.good() && p != nullptr) out = take(p, have);
  } else {
    Uint8* p = nullptr;
    done = e->getUint8Array(p);
    if (done.good() && p != nullptr) out = take(p, have);
  }
  if (out.empty())
    throw Error(Errc::format, fmt::format("its pixels cannot be read: {}", done.bad() ? done.text() : "none are there"),
                "copy or export it again");
  return out;
}

Dataset Dataset::clone() const {
  return Dataset(std::shared_ptr<void>(std::make_shared<DcmFileFormat>(file_of(owner_))));
}

std::vector<std::byte> Dataset::bytes(bool keep_syntax) const {
  DcmFileFormat& file = file_of(owner_);
  DcmDataset& data = *file.getDataset();
  if (!has("SOPClassUID") || !has("SOPInstanceUID"))
    throw Error(Errc::format, "a DICOM file needs SOPClassUID and SOPInstanceUID");
  E_TransferSyntax syntax = keep_syntax ? data.getOriginalXfer() : EXS_LittleEndianExplicit;
  if (syntax == EXS_Unknown) syntax = EXS_LittleEndianExplicit;
  OFCondition done = data.chooseRepresentation(syntax, nullptr);
  if (done.good()) {
    file.loadAllDataIntoMemory();
    file.getMetaInfo()->clear();
    done = file.validateMetaInfo(syntax, EWM_createNewMeta);
  }
  if (done.bad()) throw Error(Errc::format, fmt::format("cannot make a DICOM file: {}", done.text()));
  const auto size = static_cast<std::size_t>(file.calcElementLength(syntax, EET_ExplicitLength)) + 4096;
  std::vector<std::byte> out(size);
  DcmOutputBufferStream stream(out.data(), static_cast<offile_off_t>(size));
  file.transferInit();
  done = file.write(stream, syntax, EET_ExplicitLength, nullptr, EGL_recalcGL, EPD_withoutPadding);
  file.transferEnd();
  if (done.bad()) throw Error(Errc::format, fmt::format("cannot make a DICOM file: {}", done.text()));
  void* at = nullptr;
  offile_off_t length = 0;
  stream.flushBuffer(at, length);
  out.resize(static_cast<std::size_t>(length));
  return out;
}

void Dataset::write(const std::filesystem::path& path, bool keep_syntax) const {
  const auto all = bytes(keep_syntax);
  io::write_bytes(path, all.data(), all.size());
}

}  // namespace larmor::dicom
