// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <functional>
#include <larmor/io/dicom/volume.hpp>

/// DICOM series made for tests: nothing in them comes from a person.
namespace larmor::test {

namespace fs = std::filesystem;

/// A folder that goes with the test.
struct Folder {
  fs::path path;
  Folder() {
    static int n = 0;
    path = fs::temp_directory_path() / ("larmor_dicom_" + std::to_string(::getpid()) + "_" + std::to_string(n++));
    fs::create_directories(path);
  }
  ~Folder() {
    std::error_code ec;
    fs::remove_all(path, ec);
  }
};

using Vec3 = std::array<double, 3>;

struct SeriesSpec {
  int columns = 12, rows = 10, slices = 8;
  double dx = 1, dy = 1, dz = 1;                           // between columns, rows, slices [mm]
  Vec3 row{1, 0, 0}, column{0, 1, 0}, origin{-5, -4, -3};  // LPS
  std::function<int(int i, int j, int k)> value = [](int i, int j, int k) { return 7 * i + 31 * j + 101 * k; };
  std::string description = "HippoCrop", modality = "MR", patient = "P1", name = "Doe^Jane";
  std::string study = "2.25.1001", series = "2.25.2001";
  std::function<void(dicom::Dataset&, int k)> change = {};  // last word before a slice is written
};

inline Vec3 normal_of(const SeriesSpec& s) {
  const auto &a = s.row, &b = s.column;
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}
inline Vec3 place_of(const SeriesSpec& s, int k) {
  const Vec3 n = normal_of(s);
  return {s.origin[0] + n[0] * s.dz * k, s.origin[1] + n[1] * s.dz * k, s.origin[2] + n[2] * s.dz * k};
}

inline void set_pixels(dicom::Dataset& d, const std::vector<std::int16_t>& values) {
  d.set_bytes("PixelData", std::as_bytes(std::span(values)), true);
}

inline dicom::Dataset make_slice(const SeriesSpec& s, int k) {
  dicom::Dataset d;
  d.set("SOPClassUID", "1.2.840.10008.5.1.4.1.1.4")
      .set("SOPInstanceUID", dicom::uid_from(s.series + "." + std::to_string(k)));
  d.set("ImageType", "ORIGINAL\\PRIMARY\\M")
      .set("StudyDate", "20200102")
      .set("StudyTime", "030405")
      .set("SeriesDate", "20200102");
  d.set("SeriesTime", "030500").set("AccessionNumber", "ACC1").set("Modality", s.modality).set("Manufacturer", "");
  d.set("ReferringPhysicianName", "").set("StudyDescription", "Head").set("SeriesDescription", s.description);
  d.set("PatientName", s.name).set("PatientID", s.patient).set("PatientBirthDate", "").set("PatientSex", "");
  d.set("ScanningSequence", "GR").set("SequenceVariant", "SP").set("ScanOptions", "").set("MRAcquisitionType", "3D");
  d.set("SliceThickness", s.dz).set("RepetitionTime", 2300).set("EchoTime", 3).set("EchoTrainLength", 1);
  d.set("StudyInstanceUID", s.study).set("SeriesInstanceUID", s.series).set("StudyID", "S1").set("SeriesNumber", 3);
  d.set("InstanceNumber", k + 1).set("ImagePositionPatient", std::vector<double>(3));
  const Vec3 p = place_of(s, k);
  d.set("ImagePositionPatient", {p[0], p[1], p[2]});
  d.set("ImageOrientationPatient", {s.row[0], s.row[1], s.row[2], s.column[0], s.column[1], s.column[2]});
  d.set("FrameOfReferenceUID", s.study + ".9").set("PositionReferenceIndicator", "");
  d.set("SamplesPerPixel", 1)
      .set("PhotometricInterpretation", "MONOCHROME2")
      .set("Rows", s.rows)
      .set("Columns", s.columns);
  d.set("PixelSpacing", {s.dy, s.dx})
      .set("BitsAllocated", 16)
      .set("BitsStored", 16)
      .set("HighBit", 15)
      .set("PixelRepresentation", 1);
  std::vector<std::int16_t> values;
  for (int j = 0; j < s.rows; ++j)
    for (int i = 0; i < s.columns; ++i) values.push_back(static_cast<std::int16_t>(s.value(i, j, k)));
  if (values.size() % 2) values.push_back(0);
  set_pixels(d, values);
  if (s.change) s.change(d, k);
  return d;
}

/// Files 0.dcm, 1.dcm, ... in `folder`.
inline void write_series(const fs::path& folder, const SeriesSpec& s) {
  for (int k = 0; k < s.slices; ++k) make_slice(s, k).write(folder / (std::to_string(k) + ".dcm"));
}

/// The series as one enhanced object, its frames not in the order of places.
inline dicom::Dataset enhanced(const SeriesSpec& s, bool per_frame_slope) {
  dicom::Dataset d = make_slice(s, 0);
  for (const char* moved :
       {"ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness", "PixelData"})
    d.erase(moved);
  d.set("SOPClassUID", "1.2.840.10008.5.1.4.1.1.4.1").set("NumberOfFrames", s.slices);
  auto shared = d.add("SharedFunctionalGroupsSequence");
  shared.add("PlaneOrientationSequence")
      .set("ImageOrientationPatient", {s.row[0], s.row[1], s.row[2], s.column[0], s.column[1], s.column[2]});
  shared.add("PixelMeasuresSequence").set("PixelSpacing", {s.dy, s.dx}).set("SliceThickness", s.dz);
  std::vector<std::int16_t> values;
  for (int frame = 0; frame < s.slices; ++frame) {
    const int half = (s.slices + 1) / 2;  // interleaved: not in the order of places
    const int k = frame < half ? 2 * frame : 2 * (frame - half) + 1;
    const Vec3 p = place_of(s, k);
    auto own = d.add("PerFrameFunctionalGroupsSequence");
    own.add("PlanePositionSequence").set("ImagePositionPatient", {p[0], p[1], p[2]});
    if (per_frame_slope)
      own.add("PixelValueTransformationSequence").set("RescaleSlope", k + 1.0).set("RescaleIntercept", 0);
    for (int j = 0; j < s.rows; ++j)
      for (int i = 0; i < s.columns; ++i) values.push_back(static_cast<std::int16_t>(s.value(i, j, k)));
  }
  set_pixels(d, values);
  return d;
}

inline dicom::Series only_series(const fs::path& folder) {
  auto found = dicom::scan(folder);
  EXPECT_EQ(found.studies.size(), 1U);
  EXPECT_EQ(found.studies.at(0).series.size(), 1U);
  return found.studies.at(0).series.at(0);
}

/// Directions of an oblique plane: right-angled to rounding.
inline void make_oblique(SeriesSpec& s) {
  const double a = 0.31, b = -0.22, c = 0.13;
  const auto turn = [&](Vec3 v) {
    v = {std::cos(a) * v[0] - std::sin(a) * v[1], std::sin(a) * v[0] + std::cos(a) * v[1], v[2]};
    v = {v[0], std::cos(b) * v[1] - std::sin(b) * v[2], std::sin(b) * v[1] + std::cos(b) * v[2]};
    return Vec3{std::cos(c) * v[0] + std::sin(c) * v[2], v[1], -std::sin(c) * v[0] + std::cos(c) * v[2]};
  };
  s.row = turn({1, 0, 0}), s.column = turn({0, 1, 0});
  s.dx = 0.9, s.dy = 0.8, s.dz = 1.3, s.origin = {-31.25, 17.5, -42.125};
}

/// What an error says, and its advice; fails the test when nothing is thrown.
template <class F>
std::string error_of(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  ADD_FAILURE() << "no error was thrown";
  return {};
}

}  // namespace larmor::test
