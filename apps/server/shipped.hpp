// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <larmor/flow/graph.hpp>
#include <mutex>

namespace larmor::server {

namespace fs = std::filesystem;

/// Graphs that come with the program, in it or in folders beside it, and for nodes that name a graph also those of the
/// folders that are worked in.
class Shipped {
 public:
  struct Entry {
    std::string name, title, about;
    std::string text;
  };
  explicit Shipped(const std::vector<fs::path>& folders, std::vector<fs::path> also = {});

  const std::vector<Entry>& all() const { return all_; }
  /// Errors   Errc::unknown_name
  const Entry& get(const std::string& name) const;
  /// For graphs whose nodes name one of these. Lives as long as the object.
  flow::Library library() const;

 private:
  std::vector<Entry> all_;
  std::vector<fs::path> also_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::shared_ptr<const flow::Graph>> read_;
};

}  // namespace larmor::server
