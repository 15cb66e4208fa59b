// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>

#include "http.hpp"

namespace larmor::server {

/// A file of the web client, packed into the program by tools/embed_web.py.
struct Asset {
  std::string_view path;   // "/assets/index-4f3a.js"
  std::string_view type;   // Content-Type
  std::string_view etag;   // of the content
  std::string_view bytes;  // gzip
  bool hashed = false;     // the name changes with the content
};
/// Generated. Empty when the program was built without npm.
std::span<const Asset> assets();

/// The file of the request's path; every path that is none is the application, which reads it.
Response asset_response(const Request& request);

}  // namespace larmor::server
