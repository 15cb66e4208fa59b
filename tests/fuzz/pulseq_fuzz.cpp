// SPDX-License-Identifier: Apache-2.0
// Any bytes as a pulse sequence: read, or refused with an Error; what was read is written and read again.
#include <cstddef>
#include <cstdint>
#include <larmor/core/error.hpp>
#include <larmor/io/pulseq.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  larmor::Sequence sequence;
  try {
    sequence = larmor::io::parse_pulseq({reinterpret_cast<const char*>(data), size});
  } catch (const larmor::Error&) {
    return 0;
  }
  try {
    larmor::io::parse_pulseq(larmor::io::format_pulseq(sequence));
  } catch (const larmor::Error&) {  // what the older version of the format cannot hold
  }
  return 0;
}
