// SPDX-License-Identifier: Apache-2.0
#include <larmor/io/table.hpp>

#include "as_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return larmor::fuzz::as_file(data, size, [](const std::filesystem::path& file) {
    const auto table = larmor::io::read_table(file);
    if (!table.rows.empty()) table.vector(0, table.columns.back());
  });
}
