// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/error.hpp>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace larmor {

/// Named items of one kind ("model", "AIF", ...). Filled by the generated call lists (cmake/LarmorTools.cmake), read
/// only afterwards. A name may be given in full ("dce.tofts"), by its last part when that is unique ("tofts"), or by
/// an alias.
template <class Item>
class Registry {
 public:
  explicit Registry(std::string kind, std::string list_command = {})
      : kind_(std::move(kind)), list_command_(std::move(list_command)) {}

  /// Errors   Errc::internal when the id or an alias is taken
  void add(std::string id, Item item, std::vector<std::string> aliases = {}) {
    for (auto& alias : aliases)
      if (!aliases_.emplace(alias, id).second) throw Error(Errc::internal, kind_ + " alias registered twice: " + alias);
    if (!items_.emplace(id, std::move(item)).second) throw Error(Errc::internal, kind_ + " registered twice: " + id);
  }

  /// The full id that `name` stands for. Errors   Errc::unknown_name with the nearest id
  std::string resolve(std::string_view name) const {
    const std::string key(name);
    if (items_.count(key)) return key;
    if (const auto alias = aliases_.find(key); alias != aliases_.end()) return alias->second;
    std::string found;
    int matches = 0;
    for (const auto& [id, item] : items_)
      if (id.size() > key.size() && id.ends_with(key) && id[id.size() - key.size() - 1] == '.') found = id, ++matches;
    if (matches == 1) return found;
    auto names = ids();
    throw unknown_name(kind_, name, names, list_command_.empty() ? std::string{} : "see all with: " + list_command_);
  }

  const Item& get(std::string_view name) const { return items_.at(resolve(name)); }
  bool has(std::string_view id) const { return items_.count(std::string(id)) > 0; }

  std::vector<std::string> ids() const {
    std::vector<std::string> out;
    for (const auto& [id, item] : items_) out.push_back(id);
    return out;
  }
  std::vector<std::string> aliases_of(std::string_view id) const {
    std::vector<std::string> out;
    for (const auto& [alias, target] : aliases_)
      if (target == id) out.push_back(alias);
    return out;
  }

  const std::string& kind() const { return kind_; }
  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }
  std::size_t size() const { return items_.size(); }

 private:
  std::string kind_, list_command_;
  std::map<std::string, Item> items_;
  std::map<std::string, std::string> aliases_;
};

}  // namespace larmor
