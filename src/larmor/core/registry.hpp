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

  /// Errors   Errc::internal when the id or an alias is taken; nothing is added then
  void add(std::string id, Item item, const std::vector<std::string>& aliases = {}) {
    if (items_.count(id) || aliases_.count(id)) throw Error(Errc::internal, kind_ + " registered twice: " + id);
    for (const auto& alias : aliases)
      if (items_.count(alias) || aliases_.count(alias))
        throw Error(Errc::internal, kind_ + " alias registered twice: " + alias);
    for (const auto& alias : aliases) aliases_.emplace(alias, id);
    items_.emplace(std::move(id), std::move(item));
  }

  /// Takes an item and its aliases away; nothing when there is none.
  void erase(std::string_view id) {
    items_.erase(std::string(id));
    std::erase_if(aliases_, [&](const auto& alias) { return alias.second == id; });
  }

  /// The full id that `name` stands for. Errors   Errc::unknown_name with the nearest id, or with all that it could be
  std::string resolve(std::string_view name) const {
    const std::string key(name);
    if (items_.count(key)) return key;
    if (const auto alias = aliases_.find(key); alias != aliases_.end()) return alias->second;
    std::vector<std::string> found;
    for (const auto& [id, item] : items_)
      if (id.size() > key.size() && id.ends_with(key) && id[id.size() - key.size() - 1] == '.') found.push_back(id);
    if (found.size() == 1) return found[0];
    if (!found.empty() && !key.empty()) {
      std::string all;
      for (const auto& id : found) all += (all.empty() ? "" : ", ") + id;
      throw Error(Errc::unknown_name, "more than one " + kind_ + " is called '" + key + "'", "write one of: " + all);
    }
    // Aliases help to guess what was meant; the suggestion and the list to choose from are ids.
    auto names = ids();
    for (const auto& [alias, id] : aliases_) names.push_back(alias);
    std::string near = nearest(name, names);
    if (const auto alias = aliases_.find(near); alias != aliases_.end()) near = alias->second;
    std::string advice =
        list_command_.empty() ? unknown_name(kind_, name, ids()).advice() : "see all with: " + list_command_;
    throw Error(Errc::unknown_name,
                "no " + kind_ + " called '" + key + "'" + (near.empty() ? "" : "; did you mean " + near + "?"),
                std::move(advice));
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
