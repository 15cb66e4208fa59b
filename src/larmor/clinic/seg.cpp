// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/clinic/derive.hpp>
#include <larmor/clinic/seg.hpp>

namespace larmor::clinic {
namespace {

// CIELab as PS3.3 C.10.7.1.1 stores it, from sRGB under D65 taken to the D50 of the profile connection space by
// Bradford's matrix (ICC.1:2010).
std::string cielab(const std::array<unsigned char, 3>& rgb) {
  std::array<double, 3> c{};
  for (std::size_t i = 0; i < 3; ++i) {
    const double v = rgb[i] / 255.0;
    c[i] = v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
  }
  const double x = 0.4360747 * c[0] + 0.3850649 * c[1] + 0.1430804 * c[2];
  const double y = 0.2225045 * c[0] + 0.7168786 * c[1] + 0.0606169 * c[2];
  const double z = 0.0139322 * c[0] + 0.0971045 * c[1] + 0.7141733 * c[2];
  const auto f = [](double t) { return t > 216.0 / 24389 ? std::cbrt(t) : (24389.0 / 27 * t + 16) / 116; };
  const double fx = f(x / 0.96422), fy = f(y), fz = f(z / 0.82521);
  const double L = 116 * fy - 16, a = 500 * (fx - fy), b = 200 * (fy - fz);
  const auto word = [](double v, double lo, double hi) {
    return std::lround(std::clamp((v - lo) / (hi - lo), 0.0, 1.0) * 65535);
  };
  return fmt::format("{}\\{}\\{}", word(L, 0, 100), word(a, -128, 127), word(b, -128, 127));
}

void add_segment(dicom::Dataset& d, const Structure& s, const Side& side) {
  auto segment = d.add("SegmentSequence");
  add_code(segment, "SegmentedPropertyCategoryCodeSequence", codes::anatomy);
  segment.set("SegmentNumber", s.label).set("SegmentLabel", s.title);
  const auto algorithm = side.automatic ? "AUTOMATIC" : "SEMIAUTOMATIC";
  segment.set("SegmentAlgorithmType", algorithm).set("SegmentAlgorithmName", side.segmenter.substr(0, 64));
  segment.set("RecommendedDisplayCIELabValue", cielab(s.rgb));
  segment.set("TrackingID", std::string(side.side.empty() ? "" : side.side + " ") + s.name + " hippocampus");
  segment.set("TrackingUID", dicom::new_uid());
  auto type = add_code(segment, "SegmentedPropertyTypeCodeSequence", codes::hippocampus);
  if (side.side == "left") add_code(type, "SegmentedPropertyTypeModifierCodeSequence", codes::left);
  if (side.side == "right") add_code(type, "SegmentedPropertyTypeModifierCodeSequence", codes::right);
  add_code(type, "SegmentedPropertyTypeModifierCodeSequence", s.modifier);
}

struct Pixels {
  std::vector<std::byte> bytes;
  std::size_t bits = 0;
  void bit(bool v) {
    if (bits % 8 == 0) bytes.push_back(std::byte{0});
    if (v) bytes.back() |= std::byte{1} << (bits % 8);
    ++bits;
  }
};

double probability(const Side& side, std::size_t voxel, int label) {
  const auto n = static_cast<std::size_t>(side.labels.voxels());
  return side.probabilities->data.data<float>()[static_cast<std::size_t>(label) * n + voxel];
}

void refer_to_frame(dicom::Item& own, const Side& side, const dicom::Frame& f) {
  const auto& source = side.series.instances[f.instance].data;
  auto derivation = own.add("DerivationImageSequence");
  auto image = derivation.add("SourceImageSequence");
  image.set("ReferencedSOPClassUID", source.text("SOPClassUID"))
      .set("ReferencedSOPInstanceUID", source.text("SOPInstanceUID"));
  if (source.number("NumberOfFrames").value_or(1) > 1) image.set("ReferencedFrameNumber", f.number + 1);
  add_code(image, "PurposeOfReferenceCodeSequence", {"121322", "DCM", "Source image for image processing operation"});
  add_code(derivation, "DerivationCodeSequence", {"113076", "DCM", "Segmentation"});
}

}  // namespace

dicom::Dataset make_seg(const Results& results, const Side& side, int series_number, bool fractional) {
  auto d = begin_object(results, {"1.2.840.10008.5.1.4.1.1.66.4", "SEG", "Hippocampus segmentation", series_number});
  const auto grid = side.labels.grid();
  const auto nx = static_cast<std::size_t>(grid[0]), ny = static_cast<std::size_t>(grid[1]), n = nx * ny;
  const auto labels = side.labels.data.contiguous_copy().cast(DType::u8);
  const std::uint8_t* label = labels.data<std::uint8_t>();

  d.set("ImageType", "DERIVED\\PRIMARY").set("ContentLabel", "HIPPOCAMPUS").set("ContentCreatorName", "");
  d.set("ContentDescription", (side.side.empty()     ? "Hippocampus"
                               : side.side == "left" ? "Left hippocampus"
                                                     : "Right hippocampus"));
  d.set("SamplesPerPixel", 1).set("PhotometricInterpretation", "MONOCHROME2").set("PixelRepresentation", 0);
  d.set("Rows", static_cast<int>(ny)).set("Columns", static_cast<int>(nx)).set("LossyImageCompression", "00");
  // What was made of pictures that were compressed with loss has it in its past (PS3.3 C.7.6.1.1.5).
  if (side.series.head().text("LossyImageCompression") == "01")
    for (const char* name : {"LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod"})
      d.copy(side.series.head(), name);
  const int bits = fractional ? 8 : 1;
  d.set("BitsAllocated", bits).set("BitsStored", bits).set("HighBit", bits - 1);
  d.set("SegmentationType", fractional ? "FRACTIONAL" : "BINARY");
  const bool soft = fractional && side.probabilities.has_value();
  if (fractional)
    d.set("SegmentationFractionalType", soft ? "PROBABILITY" : "OCCUPANCY").set("MaximumFractionalValue", 255);
  d.set("FrameOfReferenceUID", side.series.head().text("FrameOfReferenceUID").empty()
                                   ? dicom::uid_from(side.series.uid)
                                   : side.series.head().text("FrameOfReferenceUID"));
  d.set("PositionReferenceIndicator", "");
  for (const auto& s : structures()) add_segment(d, s, side);

  const auto organisation = dicom::new_uid();
  d.add("DimensionOrganizationSequence").set("DimensionOrganizationUID", organisation);
  const auto dimension = [&](const char* pointer, const char* group, const char* what) {
    auto index = d.add("DimensionIndexSequence");
    index.set("DimensionOrganizationUID", organisation).set("DimensionIndexPointer", pointer);
    index.set("FunctionalGroupPointer", group).set("DimensionDescriptionLabel", what);
  };
  dimension("(0062,000b)", "(0062,000a)", "ReferencedSegmentNumber");
  dimension("(0020,0032)", "(0020,9113)", "ImagePositionPatient");

  const auto mm = side.labels.affine.spacing();
  auto shared = d.add("SharedFunctionalGroupsSequence");
  const auto& first = side.frames.front();
  shared.add("PlaneOrientationSequence")
      .set("ImageOrientationPatient", std::vector<double>(first.orientation.begin(), first.orientation.end()));
  auto measures = shared.add("PixelMeasuresSequence");
  measures.set("PixelSpacing", {first.spacing[0], first.spacing[1]})
      .set("SliceThickness", mm[2])
      .set("SpacingBetweenSlices", mm[2]);

  Pixels pixels;
  int frames = 0;
  const auto add_frame = [&](const Structure& s, std::size_t z, int place) {
    const auto& f = side.frames[z];
    auto own = d.add("PerFrameFunctionalGroupsSequence");
    refer_to_frame(own, side, f);
    auto content = own.add("FrameContentSequence");
    content.set("DimensionIndexValues", fmt::format("{}\\{}", s.label, place));
    own.add("PlanePositionSequence").set("ImagePositionPatient", {f.position[0], f.position[1], f.position[2]});
    own.add("SegmentIdentificationSequence").set("ReferencedSegmentNumber", s.label);
    for (std::size_t i = z * n; i < (z + 1) * n; ++i) {
      if (soft)
        pixels.bytes.push_back(
            static_cast<std::byte>(std::lround(255 * std::clamp(probability(side, i, s.label), 0.0, 1.0))));
      else if (fractional)
        pixels.bytes.push_back(label[i] == s.label ? std::byte{255} : std::byte{0});
      else
        pixels.bit(label[i] == s.label);
    }
    ++frames;
  };
  for (const auto& s : structures()) {
    int place = 0;
    for (std::size_t z = 0; z < static_cast<std::size_t>(grid[2]); ++z) {
      const auto* begin = label + z * n;
      bool there = std::find(begin, begin + n, static_cast<std::uint8_t>(s.label)) != begin + n;
      // Half of the smallest step above zero: a frame that would be all zeros is left out.
      for (std::size_t i = z * n; soft && !there && i < (z + 1) * n; ++i)
        there = probability(side, i, s.label) >= 0.5 / 255;
      ++place;
      if (there) add_frame(s, z, place);
    }
  }
  if (frames == 0) add_frame(structures()[0], 0, 1);  // an object without frames is none
  d.set("NumberOfFrames", frames);
  if (pixels.bytes.size() % 2) pixels.bytes.push_back(std::byte{0});
  d.set_bytes("PixelData", pixels.bytes);
  refer_to_slices(d, side);
  return d;
}

}  // namespace larmor::clinic
