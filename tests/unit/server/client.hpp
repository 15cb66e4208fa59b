// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

/// A blocking client on loopback, as small as can be: what it sends is exactly what the test says.
namespace larmor::test {

struct Answer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

class Client {
 public:
  explicit Client(int port) : port_(port), fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) throw std::runtime_error("no server");
  }
  ~Client() { ::close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool send(std::string_view text) {
    while (!text.empty()) {
      const auto n = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  /// One more piece; false at the end or when nothing comes in time.
  bool more(int milliseconds = 5000) {
    pollfd p{fd_, POLLIN, 0};
    if (::poll(&p, 1, milliseconds) <= 0) return false;
    char piece[65536];
    const auto n = ::recv(fd_, piece, sizeof piece, 0);
    if (n <= 0) return false;
    in_.append(piece, static_cast<std::size_t>(n));
    return true;
  }
  /// True when the server closes within the time, whatever it says before.
  bool closed_within(int milliseconds) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
    for (;;) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
      if (left <= 0) return false;
      pollfd p{fd_, POLLIN, 0};
      if (::poll(&p, 1, static_cast<int>(left)) <= 0) return false;
      char piece[65536];
      if (::recv(fd_, piece, sizeof piece, 0) <= 0) return true;
    }
  }
  std::optional<Answer> answer(int milliseconds = 10000) {
    std::size_t end;
    while ((end = in_.find("\r\n\r\n")) == std::string::npos)
      if (!more(milliseconds)) return std::nullopt;
    Answer a;
    a.status = std::stoi(in_.substr(in_.find(' ') + 1, 3));
    std::size_t at = in_.find("\r\n") + 2;
    while (at < end + 2) {
      const auto line_end = in_.find("\r\n", at), colon = in_.find(':', at);
      std::string name = in_.substr(at, colon - at);
      for (char& c : name) c = static_cast<char>(std::tolower(c));
      a.headers[name] = in_.substr(colon + 2, line_end - colon - 2);
      at = line_end + 2;
    }
    in_.erase(0, end + 4);
    const std::size_t n = a.headers.count("content-length") ? std::stoul(a.headers["content-length"]) : 0;
    while (in_.size() < n)
      if (!more(milliseconds)) return std::nullopt;
    a.body = in_.substr(0, n);
    in_.erase(0, n);
    return a;
  }
  Answer ask(const std::string& method, const std::string& target, const std::string& body = {},
             const std::string& extra = {}, int milliseconds = 100000) {
    std::string text = method + " " + target + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port_) + "\r\n" + extra;
    if (!body.empty() || method != "GET") {
      text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
      if (extra.find("Content-Type") == std::string::npos) text += "Content-Type: application/json\r\n";
    }
    send(text + "\r\n" + body);
    auto a = answer(milliseconds);
    if (!a) throw std::runtime_error("no answer to " + method + " " + target);
    return *a;
  }

  /// Opens a WebSocket; the status, 101 when it is open.
  int upgrade(const std::string& target, const std::string& extra = {}) {
    send("GET " + target + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port_) +
         "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
         extra + "\r\n");
    const auto a = answer();
    return a ? a->status : 0;
  }
  /// A text frame; masked with zeros, which is allowed.
  bool send_text(std::string_view text) {
    std::string frame("\x81", 1);
    if (text.size() < 126) {
      frame += static_cast<char>(0x80 | text.size());
    } else if (text.size() < 65536) {
      frame += static_cast<char>(0xFE);
      frame += static_cast<char>(text.size() >> 8);
      frame += static_cast<char>(text.size() & 255);
    } else {
      frame += static_cast<char>(0xFF);
      for (int shift = 56; shift >= 0; shift -= 8) frame += static_cast<char>((text.size() >> shift) & 255);
    }
    frame.append(4, '\0');
    return send(frame + std::string(text));
  }
  /// The next text frame; pings are passed over.
  std::optional<std::string> text(int milliseconds = 5000) {
    for (;;) {
      while (in_.size() < 2)
        if (!more(milliseconds)) return std::nullopt;
      const int op = in_[0] & 15;
      std::size_t n = static_cast<unsigned char>(in_[1]) & 127, head = 2;
      const std::size_t wide = n == 126 ? 2 : n == 127 ? 8 : 0;
      while (in_.size() < head + wide)
        if (!more(milliseconds)) return std::nullopt;
      if (wide) n = 0;
      for (std::size_t i = 0; i < wide; ++i) n = n << 8 | static_cast<unsigned char>(in_[head + i]);
      head += wide;
      while (in_.size() < head + n)
        if (!more(milliseconds)) return std::nullopt;
      std::string payload = in_.substr(head, n);
      in_.erase(0, head + n);
      if (op == 8) return std::nullopt;
      if (op == 1 || op == 2) return payload;
    }
  }

  const std::string& rest() const { return in_; }

 private:
  int port_, fd_;
  std::string in_;
};

inline Answer ask(int port, const std::string& method, const std::string& target, const std::string& body = {},
                  const std::string& extra = {}) {
  Client c(port);
  return c.ask(method, target, body, extra);
}

}  // namespace larmor::test
