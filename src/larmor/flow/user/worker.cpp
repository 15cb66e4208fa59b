// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <larmor/flow/user/worker.hpp>
#include <nlohmann/json.hpp>

namespace larmor::flow::user {
namespace {

using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr int poll_ms = 20;  // a cancelled worker is dead within this and the time of a kill
constexpr std::size_t tail_bytes = 16 * 1024;

std::string dumped(const Json& j) { return j.dump(-1, ' ', false, Json::error_handler_t::replace); }

/// The place in the user's file that a crash report of Python names: `File "/.../op.py", line 12`.
std::string place_in(const std::string& output, const std::filesystem::path& path) {
  const std::string mark = "File \"" + path.string() + "\", line ";
  const auto at = output.find(mark);
  if (at == std::string::npos) return {};
  const auto digits = output.substr(at + mark.size(), 9);
  const auto n = digits.find_first_not_of("0123456789");
  return path.filename().string() + ":" + digits.substr(0, n);
}

std::string last_lines(const std::string& text, int most) {
  std::size_t at = text.find_last_not_of("\n ");
  if (at == std::string::npos) return {};
  const std::size_t end = at + 1;
  for (; at > 0 && most > 0; --at)
    if (text[at - 1] == '\n' && --most == 0) break;
  return text.substr(at, end - at);
}

/// What the code said was wrong, as our error.
Error error_of(const Json& e, const std::string& name) {
  const auto text = [&](const char* key) { return e.contains(key) ? e.at(key).get<std::string>() : std::string(); };
  const std::string code = text("code");
  Errc kind = Errc::numeric;
  for (const Errc c : {Errc::usage, Errc::unknown_name, Errc::shape, Errc::range, Errc::type, Errc::file, Errc::format,
                       Errc::numeric, Errc::device})
    if (code == to_string(c)) kind = c;
  Error error(kind, name + ": " + text("message"), text("advice"));
  if (const auto at = text("at"); !at.empty()) error.at(at);
  return error;
}

}  // namespace

Worker::Worker(const std::vector<std::string>& words) : process_(words, true), name_("worker") {}

void Worker::drain(const Ports* io) {
  const std::string text = process_.printed();
  if (text.empty()) return;
  tail_ += text;
  if (tail_.size() > tail_bytes) tail_.erase(0, tail_.size() - tail_bytes);
  if (io) io->log(text);
}

Error Worker::ended(const std::string& doing) {
  process_.kill();  // a stream that ended while the process still runs is as good as dead
  process_.wait();
  drain(nullptr);
  std::string said = last_lines(tail_, 3);
  Error error(Errc::numeric, fmt::format("{}: the worker {} while {}", name_, process_.why_ended(), doing),
              said.empty() ? "it printed nothing; the next run starts a new one" : "it printed last: " + said);
  if (const auto at = place_in(tail_, path_); !at.empty()) error.at(at);
  return error;
}

Message Worker::talk(const std::string& json, const std::vector<int>& fds, const Cancel& cancel, double seconds,
                     const Ports* io) {
  const auto deadline = Clock::now() + std::chrono::duration<double>(seconds);
  const std::string doing = io ? "computing" : "describing itself";
  constexpr std::size_t steps = 1000;  // progress comes as a part of 1
  std::string stage = "\n";            // none so far
  std::size_t reached = 0;
  try {
    send(process_.socket(), json, fds);
  } catch (const Error&) {
    throw ended(doing);
  }
  for (;;) {
    pollfd watched[2] = {{process_.socket(), POLLIN, 0}, {process_.output(), POLLIN, 0}};
    ::poll(watched, 2, poll_ms);
    if (watched[1].revents) drain(io);
    if (cancel.requested()) {
      process_.kill();
      process_.wait();
      cancel.check();
    }
    if (seconds > 0 && Clock::now() > deadline) {
      process_.kill();
      process_.wait();
      drain(io);
      throw Error(Errc::numeric, fmt::format("{}: nothing came back in {:g} s while {}", name_, seconds, doing),
                  "is there a loop without an end, or slow work at the top of the file?");
    }
    if (!watched[0].revents) continue;
    std::optional<Message> message;
    try {
      message = receive(process_.socket());
    } catch (Error& e) {
      process_.kill();
      throw e.at(name_);
    }
    if (!message) {
      if (io) drain(io);
      throw ended(doing);
    }
    const Json reply = Json::parse(message->json, nullptr, false);
    if (!reply.is_object()) throw Error(Errc::format, name_ + ": the worker sent what is no message");
    if (const auto p = reply.find("progress"); p != reply.end()) {
      if (!io) continue;
      const std::string what = p->value("what", "");
      const auto done = static_cast<std::size_t>(std::clamp(p->value("part", 0.0), 0.0, 1.0) * steps);
      if (what != stage || done < reached) io->progress().begin(stage = what, steps), reached = 0;
      io->progress().add(done - reached);
      reached = done;
    } else if (const auto w = reply.find("warn"); w != reply.end()) {
      if (io) io->warn(w->get<std::string>());
    } else {
      drain(io);
      if (const auto e = reply.find("error"); e != reply.end()) {
        const std::string trace = e->value("traceback", "");
        if (io && !trace.empty()) io->log(trace);
        throw error_of(*e, name_);
      }
      return std::move(*message);
    }
  }
}

std::string Worker::load(const Source& source, double seconds, const Cancel& cancel) {
  name_ = source.path.filename().string(), path_ = source.path;
  loaded_.clear();
  Json request{{"do", "load"}, {"path", source.path.string()}, {"hash", source.hash}};
  if (source.python())
    request["text"] = source.text;
  else
    request["binary"] = source.binary.string();
  const Message reply = talk(dumped(request), {}, cancel, seconds, nullptr);
  const Json described = Json::parse(reply.json, nullptr, false);
  if (!described.is_object() || !described.contains("describe"))
    throw Error(Errc::format, name_ + ": the worker did not describe the operation");
  loaded_ = source.hash;
  return dumped(described["describe"]);
}

Value Worker::compute(const Ports& io, const Value& inputs, const Value& settings) {
  const Placed placed = place(Value::record("", {{"inputs", inputs}, {"settings", settings}}));
  const std::string request =
      "{\"do\":\"compute\",\"node\":" + dumped(Json(io.node())) + ",\"values\":" + placed.json + "}";
  Message reply = talk(request, placed.fds, io.cancel(), 0, &io);
  try {
    return taken(dumped(Json::parse(reply.json).at("values")), reply.fds);
  } catch (const Json::exception& e) {
    throw Error(Errc::format, name_ + ": the worker's answer: " + e.what());
  }
}

}  // namespace larmor::flow::user
