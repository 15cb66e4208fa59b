// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>

#include "http.hpp"

namespace larmor::server {

/// Who may talk to the server. A page of a stranger that is open in the same browser is kept out by the Origin header,
/// one that lets its own name point to 127.0.0.1 (DNS rebinding) by the Host header, people on the network by the
/// token.
struct Guard {
  std::string token = {};  // empty: none is asked for, and only loopback names are answered
  std::optional<Response> admit(const Request& request) const;
};

/// "localhost:8090" -> "localhost", "[::1]:80" -> "::1".
std::string_view host_name(std::string_view host_and_port);
bool is_loopback(std::string_view host);

}  // namespace larmor::server
