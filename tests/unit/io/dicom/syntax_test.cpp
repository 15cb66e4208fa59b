// SPDX-License-Identifier: Apache-2.0
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmdata/dcrleerg.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmjpeg/djencode.h>
#include <dcmtk/dcmjpeg/djrplol.h>
#include <dcmtk/dcmjpeg/djrploss.h>
#include <dcmtk/dcmjpls/djencode.h>
#include <dcmtk/dcmjpls/djrparam.h>
#include <gmock/gmock.h>

#include <fstream>
#include <iterator>

#include "make_series.hpp"

namespace larmor::test {
namespace {

struct Syntax {
  E_TransferSyntax syntax;
  const char* name;
  double tolerance;
};

/// Encoders for as long as a test takes.
struct Encoders {
  Encoders() {
    DJEncoderRegistration::registerCodecs();
    DJLSEncoderRegistration::registerCodecs();
    DcmRLEEncoderRegistration::registerCodecs();
  }
  ~Encoders() {
    DJEncoderRegistration::cleanup();
    DJLSEncoderRegistration::cleanup();
    DcmRLEEncoderRegistration::cleanup();
  }
};

/// The file `from` in another syntax as `to`.
void store_as(const fs::path& from, const fs::path& to, E_TransferSyntax syntax) {
  DcmFileFormat file;
  ASSERT_TRUE(file.loadFile(from.c_str()).good());
  const DJ_RPLossy lossy(90);
  const DJ_RPLossless lossless;
  const DJLSRepresentationParameter near_lossless(2, OFFalse);
  const DcmRepresentationParameter* parameter = &lossy;
  if (syntax == EXS_JPEGProcess14 || syntax == EXS_JPEGProcess14SV1) parameter = &lossless;
  if (syntax == EXS_JPEGLSLossy) parameter = &near_lossless;
  if (!DcmXfer(syntax).isEncapsulated() || syntax == EXS_RLELossless || syntax == EXS_JPEGLSLossless)
    parameter = nullptr;
  ASSERT_TRUE(file.getDataset()->chooseRepresentation(syntax, parameter).good());
  ASSERT_TRUE(file.saveFile(to.c_str(), syntax).good());
}

std::string bytes_of_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Largest difference of the picture in the only file of a folder from what was meant.
double worst_in(const fs::path& folder, const SeriesSpec& s) {
  const auto image = dicom::read_volume(only_series(folder)).image;
  const Array a = image.data.cast(DType::f64).contiguous_copy();
  double worst = 0;
  for (int j = 0; j < s.rows; ++j)
    for (int i = 0; i < s.columns; ++i)
      worst = std::max(worst, std::abs(a.data<double>()[j * s.columns + i] - s.value(i, j, 0)));
  return worst;
}

// Every way of storing pixels that the decoders know, on the same picture of 12 bits.
TEST(DicomSyntax, PixelsOfEverySyntax) {
  const Encoders encoders;
  // Lossy JPEG at quality 90: the error of a smooth ramp of 0 to 4000 is below 1 % of its range.
  const Syntax all[] = {{EXS_LittleEndianImplicit, "implicit", 0},
                        {EXS_LittleEndianExplicit, "explicit", 0},
                        {EXS_BigEndianExplicit, "big endian", 0},
                        {EXS_DeflatedLittleEndianExplicit, "deflated", 0},
                        {EXS_PrivateGE_LEI_WithBigEndianPixelData, "implicit with big endian pixels (GE)", 0},
                        {EXS_RLELossless, "RLE", 0},
                        {EXS_JPEGProcess14, "JPEG lossless", 0},
                        {EXS_JPEGProcess14SV1, "JPEG lossless SV1", 0},
                        {EXS_JPEGLSLossless, "JPEG-LS", 0},
                        {EXS_JPEGLSLossy, "JPEG-LS near lossless", 2},
                        {EXS_JPEGProcess2_4, "JPEG extended", 40},
                        {EXS_JPEGProcess6_8, "JPEG spectral selection", 40},
                        {EXS_JPEGProcess10_12, "JPEG progressive", 40}};
  SeriesSpec s;
  s.columns = 32, s.rows = 24, s.slices = 1;
  s.value = [](int i, int j, int) { return 100 * i + 40 * j; };
  s.change = [](dicom::Dataset& d, int) { d.set("BitsStored", 12).set("HighBit", 11).set("PixelRepresentation", 0); };
  Folder plain;
  write_series(plain.path, s);
  for (const auto& [syntax, name, tolerance] : all) {
    SCOPED_TRACE(name);
    Folder f;
    store_as(plain.path / "0.dcm", f.path / "0.dcm", syntax);
    EXPECT_EQ(dicom::Dataset::read(f.path / "0.dcm").transfer_syntax(), DcmXfer(syntax).getXferID());
    const double worst = worst_in(f.path, s);
    EXPECT_LE(worst, tolerance);
    if (tolerance > 2) {
      EXPECT_GT(worst, 0) << "it was not compressed";
    }
  }
}

TEST(DicomSyntax, EightBitsOfBaselineJpegAndTheOthers) {
  const Encoders encoders;
  SeriesSpec s;
  s.columns = 32, s.rows = 24, s.slices = 1;
  s.value = [](int i, int j, int) { return 5 * i + 3 * j; };
  s.change = [&](dicom::Dataset& d, int) {
    std::vector<std::byte> v;
    for (int j = 0; j < s.rows; ++j)
      for (int i = 0; i < s.columns; ++i) v.push_back(static_cast<std::byte>(s.value(i, j, 0)));
    d.set("BitsAllocated", 8).set("BitsStored", 8).set("HighBit", 7).set("PixelRepresentation", 0).erase("PixelData");
    d.set_bytes("PixelData", v);
  };
  Folder plain;
  write_series(plain.path, s);
  // 1 %, as above.
  for (const auto& [syntax, name, tolerance] : {Syntax{EXS_JPEGProcess1, "JPEG baseline", 3},
                                                {EXS_JPEGProcess14SV1, "JPEG lossless SV1", 0},
                                                {EXS_JPEGLSLossless, "JPEG-LS", 0},
                                                {EXS_RLELossless, "RLE", 0},
                                                {EXS_BigEndianExplicit, "big endian", 0}}) {
    SCOPED_TRACE(name);
    Folder f;
    store_as(plain.path / "0.dcm", f.path / "0.dcm", syntax);
    EXPECT_LE(worst_in(f.path, s), tolerance);
  }
}

TEST(DicomSyntax, CompressedFramesOfAnEnhancedObject) {
  const Encoders encoders;
  SeriesSpec s;
  make_oblique(s);
  Folder plain;
  enhanced(s, true).write(plain.path / "0.dcm");
  const auto whole = dicom::read_volume(only_series(plain.path)).image;
  const Array a = whole.data.cast(DType::f64).contiguous_copy();
  for (const auto syntax : {EXS_RLELossless, EXS_JPEGLSLossless, EXS_JPEGProcess14SV1, EXS_BigEndianExplicit}) {
    SCOPED_TRACE(DcmXfer(syntax).getXferName());
    Folder f;
    store_as(plain.path / "0.dcm", f.path / "0.dcm", syntax);
    const auto image = dicom::read_volume(only_series(f.path)).image;
    EXPECT_LT(image.affine.distance(whole.affine), 1e-12);
    const Array b = image.data.cast(DType::f64).contiguous_copy();
    ASSERT_EQ(a.size(), b.size());
    for (std::int64_t i = 0; i < a.size(); ++i) ASSERT_EQ(a.data<double>()[i], b.data<double>()[i]);
  }
}

// Files from before PS3.10, in three codings, and one with group 0002 but no prefix.
TEST(DicomSyntax, FilesWithoutPrefixAreFound) {
  Folder f, bare;
  SeriesSpec s;
  s.slices = 4;
  write_series(f.path, s);
  const E_TransferSyntax kinds[] = {EXS_LittleEndianImplicit, EXS_LittleEndianExplicit, EXS_BigEndianExplicit};
  for (int k = 0; k < 3; ++k) {
    const auto name = std::to_string(k) + ".dcm";
    DcmFileFormat file;
    ASSERT_TRUE(file.loadFile((f.path / name).c_str()).good());
    ASSERT_TRUE(file.getDataset()->saveFile((bare.path / name).c_str(), kinds[k]).good());
  }
  const auto whole = bytes_of_file(f.path / "3.dcm");
  std::ofstream(bare.path / "3.dcm", std::ios::binary) << whole.substr(132);
  EXPECT_EQ(worst_in(bare.path, s), 0);
}

TEST(DicomSyntax, WhatCannotBeDecodedIsNamed) {
  Folder f;
  SeriesSpec s;
  s.slices = 1;
  write_series(f.path, s);
  // The header of a JPEG 2000 file, by its name only.
  DcmFileFormat file;
  ASSERT_TRUE(file.loadFile((f.path / "0.dcm").c_str()).good());
  auto* sequence = new DcmPixelSequence(DCM_PixelSequenceTag);
  sequence->insert(new DcmPixelItem(DcmTag(DCM_Item, EVR_OB)));
  auto* item = new DcmPixelItem(DcmTag(DCM_Item, EVR_OB));
  Uint8 bytes[64] = {0xff, 0x4f, 0xff, 0x51};
  item->putUint8Array(bytes, sizeof bytes);
  sequence->insert(item);
  auto* pixels = new DcmPixelData(DCM_PixelData);
  pixels->putOriginalRepresentation(EXS_JPEG2000LosslessOnly, nullptr, sequence);
  file.getDataset()->insert(pixels, OFTrue);
  ASSERT_TRUE(file.saveFile((f.path / "0.dcm").c_str(), EXS_JPEG2000LosslessOnly).good());
  const auto text = error_of([&] { dicom::read_volume(only_series(f.path)); });
  EXPECT_THAT(text, testing::HasSubstr("JPEG 2000"));
  EXPECT_THAT(text, testing::HasSubstr("gdcmconv --raw"));
}

}  // namespace
}  // namespace larmor::test
