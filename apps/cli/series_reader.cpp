// SPDX-License-Identifier: Apache-2.0
#include "series_reader.hpp"

#include <fmt/format.h>

namespace larmor::cli {
namespace fs = std::filesystem;

SeriesReader::Series4 SeriesReader::series_4d(const char* key, const Paths& found, const char* role, const char* names,
                                              const char* axes, bool one_volume) {
  Series4 s{{}, one_file(key, found, role)};
  if (s.path.empty())
    throw Error(Errc::file, fmt::format("no {} found ({})", role, names),
                fmt::format("name it with '{}:' in the configuration", key))
        .at(folder_.string());
  s.image = image(key, s.path);
  if (one_volume && s.image.data.rank() == 3) {  // readers drop a last axis of 1
    auto shape = s.image.data.shape();
    shape.push_back(1);
    s.image.data = s.image.data.contiguous_copy().reshaped(shape, {"x", "y", "z", "t"});
  }
  if (s.image.data.rank() != 4)
    throw Error(
        Errc::shape,
        fmt::format("the {} is {} ({} axes), not 4-D", role, to_string(s.image.data.shape()), s.image.data.rank()),
        fmt::format("give a 4-D file ({})", axes))
        .at(s.path.string());
  return s;
}

std::vector<std::uint8_t> SeriesReader::input_mask(const Paths& found, const Image& series, const char* role,
                                                   const char* becomes) {
  const fs::path path = one_file("input.mask", found, "mask");
  if (path.empty()) {
    facts_.mask_from = "every voxel";
    note(fmt::format("input.mask: none; every voxel is {}", becomes));
    return {};
  }
  facts_.mask_from = path.filename().string();
  return region("input.mask", path, "mask", series, role);
}

}  // namespace larmor::cli
