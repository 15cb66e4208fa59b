// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <functional>
#include <larmor/flow/node_type.hpp>
#include <memory>
#include <string>
#include <vector>

namespace larmor::flow::user {

struct UserOptions {
  /// Searched in this order; the first file of a name counts. Files that begin with '_' or '.' are none.
  std::vector<std::filesystem::path> folders = {};
  std::filesystem::path program = "/proc/self/exe";  // serves operations in C++ as `program op-worker`
  std::filesystem::path python = {};                 // empty: LARMOR_PYTHON, /usr/bin/python3, python3 in PATH
  std::filesystem::path cache = {};                  // of what was built and described; empty: ~/.cache/larmor/ops
  double describe_seconds = 15;                      // a file that takes longer to load is told so
};
/// ~/.larmor/ops; empty without a home.
std::filesystem::path home_folder();

/// A user's file and what became of it.
struct UserOperation {
  std::string id;
  std::filesystem::path file;
  bool python = true;
  int lines = 0;                // of code: not empty, not only a comment
  std::string error, error_at;  // why it does not load; "my_op.py:12"
};

/// Operations of users: one Python or C++ file each, in folders. Every operation runs in a process of its own, which is
/// started when it is first needed and stays: what it keeps in its state is there in the next run, also after an edit.
/// Killing it, or its crash, fails the node that runs and nothing else.
///
/// Thread-safe. What refresh() puts into the registry holds what it needs; this object may go first.
class UserOperations {
 public:
  explicit UserOperations(UserOptions options);
  ~UserOperations();

  /// Looks at the folders and brings the registry up to date: new and edited files are described (in their process, or
  /// as they were described before when the content is the same), those that went are taken out. A file that does not
  /// load is there nevertheless, with the ports of its last good version, and fails with the reason when it runs.
  /// Returns the ids that changed. Takes the registry's lock for writing.
  std::vector<std::string> refresh(NodeTypes& types);

  /// Calls `changed` from a thread of its own, a moment after a file was saved, added or removed; refresh() does the
  /// rest.
  void watch(std::function<void()> changed);

  std::vector<UserOperation> list() const;
  /// Lines of code of an operation, 0 when it is none of these.
  int lines_of(const std::string& id) const;
  /// Process that runs the operation now, 0: none.
  int process_of(const std::string& id) const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace larmor::flow::user
