// SPDX-License-Identifier: Apache-2.0
#include <larmor/io/nifti.hpp>

#include "as_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return larmor::fuzz::as_file(data, size, [](const std::filesystem::path& file) {
    larmor::io::NiftiInfo info;
    larmor::io::read_nifti(file, &info);
  });
}
