// SPDX-License-Identifier: Apache-2.0
#include <larmor/io/png.hpp>

#include "as_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return larmor::fuzz::as_file(data, size, [](const std::filesystem::path& file) { larmor::io::read_png(file); });
}
