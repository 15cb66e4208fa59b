// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <functional>
#include <optional>

#include "http.hpp"

namespace larmor::server {

/// One WebSocket. Thread-safe.
class Socket {
 public:
  virtual ~Socket() = default;
  /// Queues a text; never waits. A client that is too far behind is dropped: it comes back and resumes.
  virtual void send(std::shared_ptr<const std::string> text) = 0;
  void send(std::string text) { send(std::make_shared<const std::string>(std::move(text))); }
  virtual void close() = 0;
  virtual bool open() const = 0;
};

/// What is done with requests. All are called from the server's threads; what they throw becomes an error response.
struct Handlers {
  /// Before the body is read: an answer here ends the request ("not allowed").
  std::function<std::optional<Response>(const Request&)> admit = {};
  std::function<Response(const Request&)> answer;
  /// Long work goes to a pool of its own, so that edits are answered meanwhile.
  std::function<bool(const Request&)> heavy = {};
  /// A WebSocket that asks to be opened: an answer here refuses it.
  std::function<std::optional<Response>(const Request&)> admit_socket = {};
  std::function<void(const Request&, const std::shared_ptr<Socket>&)> opened = {};
  std::function<void(Socket&, std::string_view text)> message = {};
  std::function<void(Socket&)> closed = {};
};

struct HttpOptions {
  std::string host = "127.0.0.1";
  int port = 0;  // 0: any that is free
  std::size_t header_limit = std::size_t{16} << 10, body_limit = std::size_t{32} << 20;
  std::size_t message_limit = std::size_t{64} << 10;  // of a client's WebSocket message
  /// What a WebSocket client may be behind.
  std::size_t queue_bytes = std::size_t{16} << 20, queue_messages = 8192;
  int messages_per_second = 100;  // of a WebSocket client; more closes it
  int max_connections = 256, max_sockets = 64;
  int threads = 3, heavy_threads = 2;
  /// A request's header (the wait for it included), its body, and any progress of its answer have to come within.
  std::chrono::milliseconds header_time{20000}, body_time{30000}, stall_time{20000}, socket_idle{60000};
};

/// HTTP/1.1 with keep-alive, and WebSockets. A client that hangs or floods costs itself its connection and nobody else
/// anything: times are limited, queues are bounded, and when all places are taken the one that has waited longest for
/// its request is closed.
class HttpServer {
 public:
  /// Listens at once. Errors   Errc::file when the address is taken or not ours
  HttpServer(HttpOptions options, Handlers handlers);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  int port() const;
  /// Open connections, WebSockets included.
  int connections() const;
  /// Closes everything and waits for the handlers that run.
  void stop();

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace larmor::server
