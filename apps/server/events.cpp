// SPDX-License-Identifier: Apache-2.0
#include "events.hpp"

#include <algorithm>
#include <chrono>

namespace larmor::server {
namespace {

std::shared_ptr<const std::string> text_of(const json& message) {
  return std::make_shared<const std::string>(message.dump(-1, ' ', false, json::error_handler_t::replace));
}

// Numbers of a server that was started again are larger than all it gave before, so an old one is known to be old.
std::uint64_t first_number() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count()) * 1000;
}

}  // namespace

Events::Events(std::size_t most_messages, std::size_t most_bytes)
    : most_messages_(most_messages), most_bytes_(most_bytes), seq_(first_number()) {}

void Events::publish(json message) {
  std::lock_guard lock(mutex_);
  publish_locked(std::move(message));
}

void Events::publish_locked(json message) {
  message["seq"] = ++seq_;
  const auto text = text_of(message);
  kept_.push_back({seq_, text});
  bytes_ += text->size();
  while (kept_.size() > most_messages_ || (bytes_ > most_bytes_ && kept_.size() > 1)) {
    bytes_ -= kept_.front().text->size();
    kept_.pop_front();
  }
  for (const auto& socket : sockets_) socket->send(text);
}

void Events::join(const std::shared_ptr<Socket>& socket, std::optional<std::uint64_t> since) {
  std::lock_guard lock(mutex_);
  if (since && *since != seq_) {
    const bool known = *since < seq_ && !kept_.empty() && kept_.front().seq <= *since + 1;
    if (known) {
      for (const auto& message : kept_)
        if (message.seq > *since) socket->send(message.text);
    } else {
      socket->send(text_of({{"t", "reset"}, {"seq", seq_}}));
    }
  }
  sockets_.push_back(socket);
  publish_locked({{"t", "clients"}, {"n", sockets_.size()}});
}

void Events::leave(const Socket& socket) {
  std::lock_guard lock(mutex_);
  const auto n = std::erase_if(sockets_, [&](const auto& s) { return s.get() == &socket; });
  if (n) publish_locked({{"t", "clients"}, {"n", sockets_.size()}});
}

void Events::close_all() {
  std::lock_guard lock(mutex_);
  for (const auto& socket : sockets_) socket->close();
  sockets_.clear();
}

int Events::clients() const {
  std::lock_guard lock(mutex_);
  return static_cast<int>(sockets_.size());
}
std::uint64_t Events::seq() const {
  std::lock_guard lock(mutex_);
  return seq_;
}

}  // namespace larmor::server
