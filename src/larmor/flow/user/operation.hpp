// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <condition_variable>
#include <larmor/flow/user/operations.hpp>
#include <larmor/flow/user/worker.hpp>
#include <mutex>

namespace larmor::flow::user {

/// The processes of one user operation, and the versions of its file.
class Operation {
 public:
  Operation(std::filesystem::path file, const UserOptions& options);

  struct Described {
    std::string id;
    NodeType type;  // with compute
    std::shared_ptr<const Error> error;
    int lines = 0;
  };
  /// Describes the file as it is now, when that is not what was described last; null then.
  /// Never throws for what is in the file: the error is in the result.
  std::shared_ptr<const Described> refresh(const std::shared_ptr<Operation>& self);
  const std::filesystem::path& file() const { return file_; }
  bool python() const { return python_; }
  int process() const;
  /// Other files whose change changes it: where they are, or would be.
  std::vector<std::filesystem::path> looked_for() const;

 private:
  Source read();
  std::shared_ptr<Described> describe(Source& source);
  void run(Ports& io, const NodeType& type, const Source& source);

  /// A worker for one call; waits while as many as may be are busy.
  class Lease;
  std::vector<std::string> words() const;

  const std::filesystem::path file_;
  const UserOptions options_;
  const bool python_;
  mutable std::mutex mutex_;
  std::condition_variable free_;
  std::vector<std::unique_ptr<Worker>> idle_;
  int busy_ = 0, most_ = 1;
  std::vector<int> busy_ids_;
  std::vector<std::filesystem::path> looked_for_;
  std::string described_;                  // hash of the content that was described last
  std::shared_ptr<const Described> last_;  // that did load
};

}  // namespace larmor::flow::user
