// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <larmor/flow/user/channel.hpp>
#include <nlohmann/json.hpp>

namespace larmor::flow::user {
namespace {

using Json = nlohmann::json;

constexpr std::size_t most_fds = 200;  // the kernel takes 253 with one message
constexpr std::uint32_t most_text = std::uint32_t{1} << 30;
constexpr std::size_t large = std::size_t{1} << 20;  // arrays from here on are never copied when shared already

struct Head {
  char magic[4];
  std::uint32_t text, fds;
};

Error gone() { return {Errc::file, std::string("the other process is gone: ") + std::strerror(errno)}; }

void send_all(int socket, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t n = ::send(socket, data, size, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) throw gone();
    data += n, size -= static_cast<std::size_t>(n);
  }
}

bool receive_all(int socket, char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t n = ::recv(socket, data, size, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    data += n, size -= static_cast<std::size_t>(n);
  }
  return true;
}

}  // namespace

void send(int socket, const std::string& json, const std::vector<int>& fds) {
  if (fds.size() > most_fds) throw Error(Errc::internal, fmt::format("{} descriptors in one message", fds.size()));
  if (json.size() > most_text)
    throw Error(Errc::shape, fmt::format("{} MB of text for a worker", json.size() >> 20), "give arrays, not lists");
  Head head{{'L', 'R', 'M', 'R'}, static_cast<std::uint32_t>(json.size()), static_cast<std::uint32_t>(fds.size())};
  iovec part{&head, sizeof head};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(most_fds * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part, message.msg_iovlen = 1;
  if (!fds.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
    cmsghdr* c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET, c->cmsg_type = SCM_RIGHTS, c->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    std::memcpy(CMSG_DATA(c), fds.data(), fds.size() * sizeof(int));
  }
  ssize_t n = 0;
  do n = ::sendmsg(socket, &message, MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  if (n <= 0) throw gone();
  send_all(socket, reinterpret_cast<const char*>(&head) + n, sizeof head - static_cast<std::size_t>(n));
  send_all(socket, json.data(), json.size());
}

std::optional<Message> receive(int socket) {
  Head head{};
  iovec part{&head, sizeof head};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(256 * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part, message.msg_iovlen = 1;
  message.msg_control = control.data(), message.msg_controllen = control.size();
  ssize_t n = 0;
  do n = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  while (n < 0 && errno == EINTR);
  if (n <= 0) return {};
  Message out;
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    std::vector<int> fds((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    std::memcpy(fds.data(), CMSG_DATA(c), fds.size() * sizeof(int));
    for (const int fd : fds) out.fds.emplace_back(fd);
  }
  const auto got = static_cast<std::size_t>(n);
  if (got < sizeof head && !receive_all(socket, reinterpret_cast<char*>(&head) + got, sizeof head - got)) return {};
  if (std::memcmp(head.magic, "LRMR", 4) != 0 || head.text > most_text || head.fds != out.fds.size())
    throw Error(Errc::format, "a worker sent what is no message");
  out.json.resize(head.text);
  if (!receive_all(socket, out.json.data(), out.json.size())) return {};
  return out;
}

Placed place(const Value& value) {
  Encoded encoded = encode(value);
  Placed out;
  Json buffers = Json::array();
  std::vector<std::pair<std::size_t, std::size_t>> small;  // which, offset in the common block
  std::size_t common = 0;
  for (std::size_t i = 0; i < encoded.buffers.size(); ++i) {
    const Array& a = encoded.buffers[i];
    Json b{{"dtype", to_string(a.dtype())}, {"shape", a.shape()}, {"bytes", a.bytes()}};
    const bool apart = a.bytes() >= large && out.fds.size() + 1 < most_fds;
    if (!apart) {
      small.emplace_back(i, common);
      b["offset"] = common;
      common += (a.bytes() + 63) / 64 * 64;
    } else if (const auto there = find_shared(a.raw())) {
      b["fd"] = out.fds.size(), b["offset"] = there->offset, b["size"] = there->size;
      out.fds.push_back(there->fd);
    } else {
      out.held.push_back(make_shared_memory(a.bytes()));
      copy_bytes(out.held.back().get(), {}, a.raw(), {}, a.bytes());
      b["fd"] = out.fds.size(), b["offset"] = 0, b["size"] = a.bytes();
      out.fds.push_back(find_shared(out.held.back().get())->fd);
    }
    buffers.push_back(std::move(b));
  }
  if (!small.empty()) {
    out.held.push_back(make_shared_memory(common));
    for (const auto& [i, offset] : small) {
      const Array& a = encoded.buffers[i];
      if (a.bytes()) std::memcpy(out.held.back().get() + offset, a.raw(), a.bytes());
      buffers[i]["fd"] = out.fds.size(), buffers[i]["size"] = common;
    }
    out.fds.push_back(find_shared(out.held.back().get())->fd);
  }
  out.json = "{\"head\":" + encoded.head + ",\"buffers\":" + buffers.dump() + "}";
  out.arrays = std::move(encoded.buffers);
  return out;
}

Value taken(const std::string& json, std::vector<Fd>& fds) {
  try {
    const Json message = Json::parse(json);
    std::vector<std::shared_ptr<std::byte>> maps(fds.size());
    std::vector<std::size_t> sizes(fds.size());
    std::vector<Array> buffers;
    for (const auto& b : message.at("buffers")) {
      const auto k = b.at("fd").get<std::size_t>();
      const auto size = b.at("size").get<std::size_t>(), offset = b.at("offset").get<std::size_t>();
      if (k >= fds.size()) throw Error(Errc::format, fmt::format("descriptor {} of {}", k, fds.size()));
      if (!maps[k]) maps[k] = map_shared_memory(std::move(fds[k]), size), sizes[k] = size;
      DType type = DType::f32;
      bool known = false;
      for (const DType t :
           {DType::boolean, DType::u8, DType::i16, DType::i32, DType::f32, DType::f64, DType::c64, DType::c128})
        if (to_string(t) == b.at("dtype").get<std::string>()) type = t, known = true;
      if (!known) throw Error(Errc::format, "elements of type " + b.at("dtype").dump());
      std::shared_ptr<std::byte> memory(maps[k], maps[k].get() + offset);
      Array a = Array::adopt(std::move(memory), type, b.at("shape").get<Shape>());
      if (offset > sizes[k] || a.bytes() > sizes[k] - offset)
        throw Error(Errc::format, fmt::format("{} bytes at {} of {}", a.bytes(), offset, sizes[k]));
      buffers.push_back(std::move(a));
    }
    return decode(message.at("head").dump(), buffers);
  } catch (const Json::exception& e) {
    throw Error(Errc::format, std::string("a worker's values: ") + e.what());
  }
}

}  // namespace larmor::flow::user
