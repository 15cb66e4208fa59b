// SPDX-License-Identifier: Apache-2.0
#define XXH_STATIC_LINKING_ONLY
#include <fmt/format.h>
#include <xxhash.h>

#include <charconv>
#include <larmor/core/error.hpp>
#include <larmor/flow/value.hpp>

namespace larmor::flow {

std::string Hash::str() const { return fmt::format("{:016x}{:016x}", hi, lo); }

Hash Hash::parse(std::string_view text) {
  Hash h;
  const auto read = [&](std::size_t at, std::uint64_t& out) {
    const char* last = text.data() + at + 16;
    const auto [end, error] = std::from_chars(text.data() + at, last, out, 16);
    return error == std::errc() && end == last;
  };
  if (text.size() != 32 || !read(0, h.hi) || !read(16, h.lo))
    throw Error(Errc::format, "'" + std::string(text) + "' is no content hash", "a hash has 32 hexadecimal digits");
  return h;
}

struct Hasher::State {
  XXH3_state_t xx;
};

Hasher::Hasher() : state_(std::make_unique<State>()) { XXH3_128bits_reset(&state_->xx); }
Hasher::~Hasher() = default;

Hasher& Hasher::add(const void* data, std::size_t size) {
  const std::uint64_t length = size;
  XXH3_128bits_update(&state_->xx, &length, sizeof length);
  if (size) XXH3_128bits_update(&state_->xx, data, size);
  return *this;
}

Hasher& Hasher::add(const Hash& hash) {
  XXH3_128bits_update(&state_->xx, &hash.hi, sizeof hash.hi);
  XXH3_128bits_update(&state_->xx, &hash.lo, sizeof hash.lo);
  return *this;
}

Hash Hasher::done() const {
  const auto h = XXH3_128bits_digest(&state_->xx);
  return {h.high64, h.low64};
}

}  // namespace larmor::flow
