// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/types.h>

#include <filesystem>
#include <larmor/flow/user/shared_memory.hpp>
#include <string>
#include <vector>

namespace larmor::flow::user {

/// A program that runs beside this one, in a process group of its own. What it prints can be read; with a socket, that
/// is its descriptor 3. Killed, with its children, when this object goes.
class Process {
 public:
  /// `with_socket`: a pair of stream sockets. Errors   Errc::file when it cannot be started
  Process(const std::vector<std::string>& words, bool with_socket);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t id() const { return id_; }
  int socket() const { return socket_.get(); }
  int output() const { return output_.get(); }  // stdout and stderr together
  /// What was printed since the last call, without waiting.
  std::string printed();
  /// Whether it runs; when not, why_ended() says how it ended.
  bool running();
  std::string why_ended() const;  // "ended with code 3", "was killed by signal 9 (Killed)"
  int exit_code() const;          // -1: not by itself
  void kill();
  void wait();

 private:
  pid_t id_ = -1;
  int status_ = 0;
  bool ended_ = false;
  Fd socket_, output_;
};

/// The first of these programs that is there: a path, or a name looked up in PATH. Empty when none is.
std::filesystem::path find_program(const std::vector<std::string>& names);

}  // namespace larmor::flow::user
