// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>

#include "json_patch.hpp"

namespace larmor::server {

/// The JSON of a graph with its revisions and the way back through them. Knows nothing of clients or runs.
class Document {
 public:
  /// Throws for a content that cannot be ("nodes" is a number); the edit is taken back then.
  using Check = std::function<void(const json& content)>;
  using Clock = std::chrono::steady_clock;
  struct Change {
    std::uint64_t rev = 0;
    json patch;
    std::string label;
  };

  Document(json content, Check check);

  /// Errors   those of apply_patch and of the check; the document is as it was then
  Change edit(json patch, std::string label, std::string merge = {}, Clock::time_point now = Clock::now());
  /// Errors   HttpError 409 when there is nothing to undo
  Change undo();
  Change redo();

  const json& content() const { return content_; }
  std::uint64_t rev() const { return rev_; }
  std::uint64_t saved_rev() const { return saved_; }
  void saved(std::uint64_t rev) { saved_ = rev; }
  std::optional<std::string> undo_label() const;
  std::optional<std::string> redo_label() const;

 private:
  struct Step {
    json forward, inverse;
    std::string label, merge;
    Clock::time_point at;
    std::size_t bytes = 0;
  };
  void apply(const json& patch, json& inverse);
  void trim();

  json content_;
  Check check_;
  std::uint64_t rev_ = 1, saved_ = 1;
  std::deque<Step> undo_, redo_;
};

}  // namespace larmor::server
