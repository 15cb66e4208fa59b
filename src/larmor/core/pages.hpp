// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <memory>

namespace larmor {

/// Uninitialised memory on the CPU in large pages (2 MB) whatever the size, for what is used again and again; arrays do
/// so from 8 MB on. A multiple of 2 MB has no small pages at its end. Errors   Errc::numeric (out of memory)
std::shared_ptr<std::byte> allocate_pages(std::size_t bytes);

}  // namespace larmor
