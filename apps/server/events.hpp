// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <deque>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>

#include "http_server.hpp"

namespace larmor::server {

using json = nlohmann::json;

/// What happens to a graph, numbered, to all its clients; the last of it is kept, so that a client whose connection
/// broke goes on where it was. Thread-safe.
class Events {
 public:
  explicit Events(std::size_t most_messages = 8192, std::size_t most_bytes = std::size_t{16} << 20);

  void publish(json message);
  /// Sends what came after `since`, or {"t":"reset"} when that is no longer known, and then everything new.
  void join(const std::shared_ptr<Socket>& socket, std::optional<std::uint64_t> since);
  void leave(const Socket& socket);
  void close_all();
  int clients() const;
  std::uint64_t seq() const;

 private:
  void publish_locked(json message);
  struct Message {
    std::uint64_t seq;
    std::shared_ptr<const std::string> text;
  };
  mutable std::mutex mutex_;
  std::size_t most_messages_, most_bytes_, bytes_ = 0;
  std::uint64_t seq_;
  std::deque<Message> kept_;
  std::vector<std::shared_ptr<Socket>> sockets_;
};

}  // namespace larmor::server
