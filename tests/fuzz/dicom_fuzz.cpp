// SPDX-License-Identifier: Apache-2.0
// Any bytes as a DICOM file: a volume and a de-identified copy, or refused with an Error.
#include <larmor/io/dicom/anonymize.hpp>
#include <larmor/io/dicom/volume.hpp>

#include "as_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return larmor::fuzz::as_file(data, size, [](const std::filesystem::path& path) {
    const auto found = larmor::dicom::scan(std::vector{path});
    if (found.studies.empty()) return;
    const auto& series = found.studies[0].series[0];
    larmor::dicom::anonymize(series.head(), {.key = "k"});
    larmor::dicom::read_volume(series, {.at_most = 1 << 20});
  });
}
