// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/clinic/results.hpp>

#include "../io/dicom/make_series.hpp"

namespace larmor::test {

/// A crop with a bright ball; one half of it is anterior.
inline SeriesSpec crop_spec() {
  SeriesSpec s;
  s.columns = 33, s.rows = 41, s.slices = 30;  // 33 * 41 is no multiple of 8: frames of bits run on
  s.value = [](int i, int j, int k) { return 100 + 3 * i + 2 * j + k + (i == 16 && j == 20 ? 50 : 0); };
  return s;
}

inline clinic::Side measured_side(const dicom::Series& series, const std::string& side) {
  const auto volume = dicom::read_volume(series);
  clinic::Side out{.side = side,
                   .side_from = side.empty() ? "" : "operator",
                   .series = series,
                   .frames = volume.frames,
                   .image = volume.image,
                   .labels = {},
                   .volumes = {},
                   .notes = {},
                   .segmenter = "model test 12345678"};
  const auto n = volume.image.grid();
  Array labels = Array::of<std::uint8_t>({n[0], n[1], n[2]});
  std::int64_t count[3] = {};
  auto* at = labels.data<std::uint8_t>();
  for (std::int64_t k = 0; k < n[2]; ++k)
    for (std::int64_t j = 0; j < n[1]; ++j)
      for (std::int64_t i = 0; i < n[0]; ++i, ++at) {
        const double x = static_cast<double>(i - n[0] / 2), y = static_cast<double>(j - n[1] / 2),
                     z = static_cast<double>(k - n[2] / 2);
        if (x * x + y * y + z * z < 81) *at = y < 1 ? 1 : 2;
        ++count[*at];
      }
  out.labels = volume.image.like(labels);
  const double mm3 = std::abs(volume.image.affine.determinant());
  const auto a = count[1], p = count[2];
  out.volumes = {{.structure = "anterior", .voxels = a, .mm3 = static_cast<double>(a) * mm3},
                 {.structure = "posterior", .voxels = p, .mm3 = static_cast<double>(p) * mm3},
                 {.structure = "total", .voxels = a + p, .mm3 = static_cast<double>(a + p) * mm3}};
  return out;
}

inline clinic::Results measured(const fs::path& folder, const std::string& side = "left") {
  const auto found = dicom::scan(folder);
  clinic::Results r;
  r.subject = clinic::subject_of(found.studies.at(0).series.at(0), found.studies.at(0));
  r.sides = {measured_side(found.studies.at(0).series.at(0), side)};
  clinic::stamp(r);
  return r;
}

/// Whether a judge of the Debian package dicom3tools is there.
inline bool installed(const std::string& program) {
  return std::system(("command -v " + program + " > /dev/null").c_str()) == 0;
}

/// What a program says, both streams.
inline std::string output_of(const std::string& command) {
  std::string out;
  FILE* p = ::popen((command + " 2>&1").c_str(), "r");
  char part[4096];
  for (std::size_t n; (n = std::fread(part, 1, sizeof part, p)) > 0;) out.append(part, n);
  ::pclose(p);
  return out;
}
/// Lines that begin with "Error".
inline std::string errors_of(const std::string& command) {
  const std::string all = output_of(command);
  std::string errors;
  std::size_t from = 0;
  while (from < all.size()) {
    const auto to = std::min(all.find('\n', from), all.size());
    if (all.compare(from, 5, "Error") == 0) errors += all.substr(from, to - from) + "\n";
    from = to + 1;
  }
  return errors;
}

}  // namespace larmor::test
