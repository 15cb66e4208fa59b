// SPDX-License-Identifier: Apache-2.0
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcrleerg.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmjpeg/djencode.h>
#include <dcmtk/dcmjpeg/djrplol.h>
#include <dcmtk/dcmjpls/djencode.h>

#include <fstream>
#include <iterator>
#include <larmor/io/dicom/anonymize.hpp>
#include <random>

#include "make_series.hpp"

namespace larmor::test {
namespace {

std::string bytes_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Everything that is done with a file from outside. True when it was an image.
bool use(const fs::path& path) {
  try {
    const auto found = dicom::scan(path);
    if (found.studies.empty()) return false;
    const auto& series = found.studies[0].series[0];
    dicom::anonymize(series.head(), {.key = "k"});
    dicom::read_volume(series, {.at_most = 1 << 22});
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// Small files of every kind of coding: plain, other byte order, without VRs, three compressions, many frames.
std::vector<std::string> seeds() {
  DJEncoderRegistration::registerCodecs();
  DJLSEncoderRegistration::registerCodecs();
  DcmRLEEncoderRegistration::registerCodecs();
  Folder f;
  SeriesSpec s;
  s.slices = 3;
  make_slice(s, 0).write(f.path / "plain.dcm");
  enhanced(s, true).write(f.path / "enhanced.dcm");
  std::vector<std::string> out{bytes_of(f.path / "plain.dcm"), bytes_of(f.path / "enhanced.dcm")};
  const DJ_RPLossless lossless;
  for (const auto syntax : {EXS_LittleEndianImplicit, EXS_BigEndianExplicit, EXS_DeflatedLittleEndianExplicit,
                            EXS_RLELossless, EXS_JPEGProcess14SV1, EXS_JPEGLSLossless}) {
    DcmFileFormat file;
    EXPECT_TRUE(file.loadFile((f.path / "enhanced.dcm").c_str()).good());
    EXPECT_TRUE(
        file.getDataset()->chooseRepresentation(syntax, syntax == EXS_JPEGProcess14SV1 ? &lossless : nullptr).good());
    EXPECT_TRUE(file.saveFile((f.path / "other.dcm").c_str(), syntax).good());
    out.push_back(bytes_of(f.path / "other.dcm"));
  }
  DJEncoderRegistration::cleanup();
  DJLSEncoderRegistration::cleanup();
  DcmRLEEncoderRegistration::cleanup();
  return out;
}

// What is not an Error, or ends the process, is a finding.
TEST(DicomDamage, AnyBytesAreAnErrorOrAnImage) {
  std::mt19937 random(1);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  Folder f;
  const auto path = f.path / "a.dcm";
  int images = 0, errors = 0;
  for (const auto& seed : seeds())
    for (int trial = 0; trial < 120; ++trial) {
      std::string bytes = seed;
      switch (trial % 5) {
        case 0:  // cut off
          bytes.resize(below(bytes.size()));
          break;
        case 1:  // some bits
          for (std::size_t k = 0; k <= below(8); ++k) bytes[below(bytes.size())] ^= static_cast<char>(1 << below(8));
          break;
        case 2: {  // a length or a tag that is nonsense
          const char word[] = {'\xff', '\xff', '\xff', '\x7f'};
          bytes.replace(132 + below(bytes.size() - 136), 4, word, 4);
          break;
        }
        case 3:  // a part again, somewhere else
          bytes.insert(132 + below(bytes.size() - 132), bytes.substr(below(bytes.size()), below(200)));
          break;
        default: {  // a part of noise
          const auto at = below(bytes.size()), n = std::min(bytes.size() - at, below(64));
          for (std::size_t k = 0; k < n; ++k) bytes[at + k] = static_cast<char>(random());
        }
      }
      std::ofstream(path, std::ios::binary) << bytes;
      (use(path) ? images : errors) += 1;
    }
  EXPECT_GT(images, 20);   // pixels and texts may be anything
  EXPECT_GT(errors, 200);  // and most structure may not
}

TEST(DicomDamage, EveryPrefixIsAnErrorOrAnImage) {
  Folder f;
  SeriesSpec s;
  s.slices = 1, s.rows = 3, s.columns = 4;
  make_slice(s, 0).write(f.path / "whole.dcm");
  const auto whole = bytes_of(f.path / "whole.dcm");
  for (std::size_t n = 1; n < whole.size(); n += 7) {
    std::ofstream(f.path / "a.dcm", std::ios::binary) << whole.substr(0, n);
    EXPECT_FALSE(use(f.path / "a.dcm")) << n << " of " << whole.size() << " bytes";
  }
}

}  // namespace
}  // namespace larmor::test
