// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <filesystem>
#include <larmor/flow/node_type.hpp>
#include <larmor/flow/user/channel.hpp>
#include <larmor/flow/user/process.hpp>

namespace larmor::flow::user {

/// What a worker loads: a file of a user, and the hash of its content.
struct Source {
  std::filesystem::path path;  // of the file, for messages
  std::string hash;
  std::string text;              // Python: what is run is what was described, also when the file is being edited
  std::filesystem::path binary;  // C++: the shared library made of it
  bool python() const { return binary.empty(); }
};

/// A process that runs one user operation, again and again. One call at a time.
class Worker {
 public:
  /// Errors   Errc::file when it cannot be started or has no numpy, with what to install
  explicit Worker(const std::vector<std::string>& words);

  /// Loads another version of the file; the state of the earlier one stays. Returns the JSON of its description.
  /// Errors   as of the file, at "file.py:12"; Errc::cancelled when it takes longer than `seconds`
  std::string load(const Source& source, double seconds, const Cancel& cancel = {});
  const std::string& loaded() const { return loaded_; }  // hash

  /// Runs the operation: the outputs as one record. What it prints goes to io.log().
  /// Errors   those of the code with the line in it; when the process ends, how and what it printed last. Cancel kills
  /// the process at once.
  Value compute(const Ports& io, const Value& inputs, const Value& settings);

  bool alive() { return process_.running(); }
  pid_t id() const { return process_.id(); }

 private:
  Message talk(const std::string& json, const std::vector<int>& fds, const Cancel& cancel, double seconds,
               const Ports* io);
  void drain(const Ports* io);
  Error ended(const std::string& doing);

  Process process_;
  std::string loaded_, name_, tail_;  // tail: what was printed last
  std::filesystem::path path_;
};

}  // namespace larmor::flow::user
