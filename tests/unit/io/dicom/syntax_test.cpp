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

#include "make_series.hpp"

namespace larmor::test {
namespace {

struct Syntax {
  E_TransferSyntax syntax;
  const char* name;
  double tolerance;
};

// Every way of storing pixels that the decoders know, on the same picture of 12 bits.
TEST(DicomSyntax, PixelsOfEverySyntax) {
  DJEncoderRegistration::registerCodecs();
  DJLSEncoderRegistration::registerCodecs();
  DcmRLEEncoderRegistration::registerCodecs();
  // Lossy JPEG at quality 90: the error of a smooth ramp of 0 to 4000 is below 1 % of its range.
  const Syntax all[] = {{EXS_LittleEndianImplicit, "implicit", 0},
                        {EXS_LittleEndianExplicit, "explicit", 0},
                        {EXS_BigEndianExplicit, "big endian", 0},
                        {EXS_DeflatedLittleEndianExplicit, "deflated", 0},
                        {EXS_RLELossless, "RLE", 0},
                        {EXS_JPEGProcess14, "JPEG lossless", 0},
                        {EXS_JPEGProcess14SV1, "JPEG lossless SV1", 0},
                        {EXS_JPEGLSLossless, "JPEG-LS", 0},
                        {EXS_JPEGLSLossy, "JPEG-LS near lossless", 2},
                        {EXS_JPEGProcess2_4, "JPEG extended", 40}};
  SeriesSpec s;
  s.columns = 32, s.rows = 24, s.slices = 1;
  s.value = [](int i, int j, int) { return 100 * i + 40 * j; };
  s.change = [](dicom::Dataset& d, int) { d.set("BitsStored", 12).set("HighBit", 11).set("PixelRepresentation", 0); };
  Folder plain;
  write_series(plain.path, s);
  for (const auto& [syntax, name, tolerance] : all) {
    Folder f;
    DcmFileFormat file;
    ASSERT_TRUE(file.loadFile((plain.path / "0.dcm").c_str()).good());
    const DJ_RPLossy lossy(90);
    const DJ_RPLossless lossless;
    const DJLSRepresentationParameter near_lossless(2, OFFalse);
    const DcmRepresentationParameter* parameter = nullptr;
    if (syntax == EXS_JPEGProcess2_4) parameter = &lossy;
    if (syntax == EXS_JPEGProcess14 || syntax == EXS_JPEGProcess14SV1) parameter = &lossless;
    if (syntax == EXS_JPEGLSLossy) parameter = &near_lossless;
    ASSERT_TRUE(file.getDataset()->chooseRepresentation(syntax, parameter).good()) << name;
    ASSERT_TRUE(file.saveFile((f.path / "0.dcm").c_str(), syntax).good()) << name;
    const auto image = dicom::read_volume(only_series(f.path)).image;
    const Array a = image.data.cast(DType::f64).contiguous_copy();
    double worst = 0;
    for (int j = 0; j < s.rows; ++j)
      for (int i = 0; i < s.columns; ++i)
        worst = std::max(worst, std::abs(a.data<double>()[j * s.columns + i] - s.value(i, j, 0)));
    EXPECT_LE(worst, tolerance) << name;
    if (tolerance > 2) {
      EXPECT_GT(worst, 0) << name << " was not compressed";
    }
  }
  DJEncoderRegistration::cleanup();
  DJLSEncoderRegistration::cleanup();
  DcmRLEEncoderRegistration::cleanup();
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
