// SPDX-License-Identifier: Apache-2.0
#include "shipped.hpp"

#include <larmor/core/log.hpp>
#include <larmor/io/file.hpp>
#include <larmor/nodes/shipped_graphs.hpp>

namespace larmor::server {

Shipped::Shipped(const std::vector<fs::path>& folders, std::vector<fs::path> also) : also_(std::move(also)) {
  std::map<std::string, std::string> texts = nodes::shipped_graphs(), examples;
  for (const auto& folder : folders) {
    std::error_code error;
    for (const auto& file : fs::directory_iterator(folder, error))
      if (file.path().extension() == ".json") examples.emplace(file.path().stem().string(), io::read_text(file.path()));
  }
  examples.insert(nodes::example_graphs().begin(), nodes::example_graphs().end());
  for (const auto& [name, text] : examples)  // one may be called like what it shows
    texts.emplace(texts.count(name) ? name + "-example" : name, text);
  for (auto& [name, text] : texts) try {
      const flow::Graph graph = flow::parse_graph(text);
      all_.push_back({name, graph.title, graph.about, std::move(text)});
    } catch (const Error& e) {
      log::warning("studio: graph " + name + ": " + e.message());
    }
}

const Shipped::Entry& Shipped::get(const std::string& name) const {
  std::vector<std::string> names;
  for (const auto& e : all_) {
    if (e.name == name) return e;
    names.push_back(e.name);
  }
  throw unknown_name("shipped graph", name, names);
}

flow::Library Shipped::library() const {
  return [this](const std::string& name) -> std::shared_ptr<const flow::Graph> {
    std::lock_guard lock(mutex_);
    if (const auto it = read_.find(name); it != read_.end()) return it->second;
    for (const auto& e : all_)
      if (e.name == name) return read_[name] = std::make_shared<const flow::Graph>(flow::parse_graph(e.text));
    // These may be edited while we run.
    if (name.find('/') != std::string::npos || name.starts_with('.')) return nullptr;
    std::error_code error;
    for (const auto& folder : also_)
      if (const fs::path file = folder / (name + ".json"); fs::is_regular_file(file, error))
        return std::make_shared<const flow::Graph>(flow::load_graph(file));
    return nullptr;
  };
}

}  // namespace larmor::server
