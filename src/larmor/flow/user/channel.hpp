// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/user/shared_memory.hpp>
#include <larmor/flow/value.hpp>
#include <optional>
#include <string>
#include <vector>

namespace larmor::flow::user {

/// What engine and worker say to one another: JSON, and descriptors of shared memory that it names.
struct Message {
  std::string json;
  std::vector<Fd> fds;
};

/// A message over a stream socket: "LRMR", length of the text (u32, little-endian), number of descriptors (u32), the
/// text; the descriptors travel with the first byte.
/// Errors   Errc::file when the other end is gone
void send(int socket, const std::string& json, const std::vector<int>& fds = {});
/// Waits for a whole message; `none` at the end of the stream. Errors   Errc::format for what is no message
std::optional<Message> receive(int socket);

/// A value as text and places in shared memory. Large arrays that are there already go as they are; others are copied
/// there, small ones together.
///   {"head": ..., "buffers": [{"fd": 0, "offset": 0, "bytes": 8, "dtype": "f32", "shape": [2]}]}
struct Placed {
  std::string json;
  std::vector<int> fds;
  // What keeps the descriptors until they are sent.
  std::vector<std::shared_ptr<std::byte>> held;
  std::vector<Array> arrays;
};
Placed place(const Value& value);
/// Takes the descriptors of the message. Errors   Errc::format when it does not fit them
Value taken(const std::string& json, std::vector<Fd>& fds);

}  // namespace larmor::flow::user
