// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <larmor/flow/node_type_json.hpp>
#include <larmor/flow/user/channel.hpp>
#include <larmor/flow/user/cpp_worker.hpp>
#include <larmor/flow/user/op.hpp>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

namespace larmor::flow::user {

std::shared_ptr<void>& state_slot(const std::string& name) {
  static auto* slots = new std::map<std::string, std::shared_ptr<void>>;  // never destroyed: its code may be gone then
  return (*slots)[name];
}

namespace {

using Json = nlohmann::json;

constexpr int engine = 3;  // descriptor

std::string dumped(const Json& j) { return j.dump(-1, ' ', false, Json::error_handler_t::replace); }

void tell(const Json& message) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  send(engine, dumped(message));
}

struct Loaded {
  std::unique_ptr<NodeType> type;
  std::string id, file;
};

template <class F>
F symbol(void* library, const char* name) {
  return reinterpret_cast<F>(::dlsym(library, name));
}

Loaded load(const Json& request) {
  const auto binary = request.at("binary").get<std::string>();
  // Never closed: what the state holds was made by code in there.
  void* library = ::dlopen(binary.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const std::string why = ::dlerror();
    throw Error(Errc::format, "it cannot be loaded: " + why, "is every function of it defined, in this one file?");
  }
  const auto version = symbol<const char* (*)()>(library, "larmor_operation_for");
  const auto id = symbol<const char* (*)()>(library, "larmor_operation_id");
  const auto make = symbol<void* (*)()>(library, "larmor_operation_make");
  if (!version || !id || !make)
    throw Error(Errc::format, "there is no LARMOR_OPERATION in it",
                "end the file with LARMOR_OPERATION(\"user.name\", describe)");
  if (std::string(version()) != LARMOR_VERSION)
    throw Error(Errc::format, fmt::format("it was built for larmor {} and this is {}", version(), LARMOR_VERSION));
  Loaded out{std::unique_ptr<NodeType>(static_cast<NodeType*>(make())), id(), request.at("path").get<std::string>()};
  if (!out.type->compute) throw Error(Errc::format, "describe() says no function to run", "add .run(compute)");
  return out;
}

void compute(const Loaded& op, const Json& request, std::vector<Fd>& fds) {
  const Value values = taken(dumped(request.at("values")), fds);
  std::map<std::string, Value> inputs, settings;
  for (const auto& [name, value] : values.field("inputs").fields()) inputs[name] = value;
  for (const auto& [name, value] : values.field("settings").fields()) settings[name] = value;
  Ports::Services services;
  services.node = request.at("node").get<std::string>();
  services.warn = [](const std::string& text) { tell({{"warn", text}}); };
  services.log = [](const std::string& text) { std::fputs((text + "\n").c_str(), stdout); };
  services.progress = Progress([](const std::string& what, std::size_t done, std::size_t total) {
    tell({{"progress", {{"part", double(done) / double(total)}, {"what", what}}}});
  });
  Ports io(*op.type, std::move(inputs), std::move(settings), std::move(services));
  op.type->compute(io);
  Value::Fields outputs;
  for (const auto& [name, value] : io.outputs()) outputs.emplace_back(name, value);
  const Placed placed = place(Value::record("", std::move(outputs)));
  std::fflush(stdout);
  send(engine, "{\"values\":" + placed.json + "}", placed.fds);
}

Json failure(Errc code, const std::string& message, const std::string& advice, const std::vector<std::string>& where) {
  std::string trace;
  for (const auto& place : where) trace += "at: " + place + "\n";
  return {{"error",
           {{"message", message}, {"advice", advice}, {"code", to_string(code)}, {"traceback", trace}, {"at", ""}}}};
}

void on_crash(int number) {
  const char text[] = "crashed; functions from the innermost:\n";
  [[maybe_unused]] auto n = ::write(2, text, sizeof text - 1);
  void* frames[48];
  ::backtrace_symbols_fd(frames, ::backtrace(frames, 48), 2);
  ::signal(number, SIG_DFL);
  ::raise(number);
}

// Results are made where the engine sees them: handing them over copies nothing.
std::shared_ptr<std::byte> shared_when_large(std::size_t bytes) {
  return bytes >= (std::size_t{1} << 20) ? make_shared_memory(bytes) : nullptr;
}

}  // namespace

int run_cpp_worker() {
  ::fcntl(engine, F_SETFD, FD_CLOEXEC);
  set_cpu_allocator(shared_when_large);
  void* first[2];
  ::backtrace(first, 2);  // loads what it needs now, not while crashing
  for (const int s : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL}) ::signal(s, on_crash);
  // Ends the process when the engine is gone, also while the operation computes.
  std::thread([] {
    pollfd watched{engine, POLLRDHUP, 0};
    while (::poll(&watched, 1, -1) < 0) {
    }
    ::_exit(0);
  }).detach();
  Loaded loaded;
  for (;;) {
    auto message = receive(engine);
    if (!message) return 0;
    try {
      const Json request = Json::parse(message->json);
      if (request.at("do") == "load") {
        loaded = load(request);
        tell({{"describe", Json::parse(to_json(loaded.id, *loaded.type))}});
      } else {
        compute(loaded, request, message->fds);
      }
    } catch (const Error& e) {
      tell(failure(e.code(), e.message(), e.advice(), e.where()));
    } catch (const std::exception& e) {
      tell(failure(Errc::numeric, e.what(), "", {}));
    } catch (...) {
      tell(failure(Errc::numeric, "something that is no std::exception was thrown", "", {}));
    }
    std::fflush(stdout);
  }
}

}  // namespace larmor::flow::user
