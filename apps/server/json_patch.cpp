// SPDX-License-Identifier: Apache-2.0
#include "json_patch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <larmor/core/error.hpp>

#include "http.hpp"

namespace larmor::server {
namespace {

using Path = std::vector<std::string>;

HttpError conflict(const std::string& what) {
  return HttpError(409, Errc::usage, what, "fetch the graph again and repeat the edit on what it is now");
}

std::size_t index_of(const std::string& key, std::size_t size, bool end_allowed, const std::string& path) {
  if (key == "-" && end_allowed) return size;
  std::size_t i = 0;
  const bool number = !key.empty() && key.size() < 10 && (key == "0" || key[0] != '0') &&
                      key.find_first_not_of("0123456789") == std::string::npos;
  if (number) i = std::stoul(key);
  if (!number || i > size || (i == size && !end_allowed))
    throw conflict(fmt::format("'{}': there is no element {} in a list of {}", path, key, size));
  return i;
}

json* child(json& at, const std::string& key, const std::string& path) {
  if (at.is_object()) {
    const auto it = at.find(key);
    return it == at.end() ? nullptr : &*it;
  }
  if (at.is_array()) return &at[index_of(key, at.size(), false, path)];
  throw conflict(fmt::format("'{}' goes through a {}, which has nothing inside", path, at.type_name()));
}

json& find(json& document, const Path& keys, std::size_t n, const std::string& path) {
  json* at = &document;
  for (std::size_t i = 0; i < n; ++i) {
    at = child(*at, keys[i], path);
    if (!at) throw conflict(fmt::format("there is no '{}' ('{}' is missing)", path, keys[i]));
  }
  return *at;
}

json operation(const char* op, const std::string& path) { return {{"op", op}, {"path", path}}; }
json operation(const char* op, const std::string& path, json value) {
  return {{"op", op}, {"path", path}, {"value", std::move(value)}};
}

/// Undoing operations, in the order in which they have to be applied.
using Undo = std::vector<json>;

Undo replace(json& document, const std::string& path, json value) {
  const Path keys = split_pointer(path);
  json& at = find(document, keys, keys.size(), path);
  std::swap(at, value);
  return {operation("replace", path, std::move(value))};
}

Undo add(json& document, const std::string& path, json value) {
  const Path keys = split_pointer(path);
  if (keys.empty()) return replace(document, path, std::move(value));
  json& parent = find(document, keys, keys.size() - 1, path);
  const std::string& key = keys.back();
  if (parent.is_array()) {
    const auto i = index_of(key, parent.size(), true, path);
    parent.insert(parent.begin() + static_cast<std::ptrdiff_t>(i), std::move(value));
    return {operation("remove", path.substr(0, path.rfind('/') + 1) + std::to_string(i))};
  }
  if (!parent.is_object()) throw conflict(fmt::format("'{}': a {} takes no members", path, parent.type_name()));
  if (const auto it = parent.find(key); it != parent.end()) {
    std::swap(*it, value);
    return {operation("replace", path, std::move(value))};
  }
  parent[key] = std::move(value);
  return {operation("remove", path)};
}

Undo remove(json& document, const std::string& path, json* taken = nullptr) {
  const Path keys = split_pointer(path);
  if (keys.empty()) throw Error(Errc::format, "the whole document cannot be removed", "replace it");
  json& parent = find(document, keys, keys.size() - 1, path);
  json old = std::move(find(document, keys, keys.size(), path));
  if (parent.is_array())
    parent.erase(index_of(keys.back(), parent.size(), false, path));
  else
    parent.erase(keys.back());
  if (taken) *taken = old;
  return {operation("add", path, std::move(old))};
}

std::string text(const json& op, const char* key) {
  const auto it = op.find(key);
  if (it == op.end() || !it->is_string())
    throw Error(Errc::format, fmt::format("an operation of the patch has no '{}'", key),
                "write it as RFC 6902 says: {\"op\":\"replace\",\"path\":\"/title\",\"value\":\"...\"}");
  return it->get<std::string>();
}
const json& value(const json& op) {
  const auto it = op.find("value");
  if (it == op.end())
    throw Error(Errc::format, fmt::format("'{}' of '{}' has no 'value'", text(op, "op"), text(op, "path")));
  return *it;
}

/// Copying into itself a few dozen times would fill any memory, and a deep tree the stack of whoever walks it.
constexpr std::size_t most_levels = 100, most_copied = std::size_t{1} << 21;

std::size_t levels(const json& value) {
  std::size_t deepest = 0;
  if (value.is_structured())
    for (const auto& inner : value) deepest = std::max(deepest, levels(inner));
  return deepest + 1;
}
std::size_t weight(const json& value) {
  if (value.is_string()) return 1 + value.get_ref<const std::string&>().size() / 32;
  std::size_t sum = 1;
  if (value.is_structured())
    for (const auto& inner : value) sum += weight(inner);
  return sum;
}
const json& placed(const std::string& path, const json& value) {
  const auto n = split_pointer(path).size() + levels(value);
  if (n > most_levels)
    throw Error(Errc::range, fmt::format("the patch makes {} levels; {} are allowed", n, most_levels));
  return value;
}

Undo apply_one(json& document, const json& op, std::size_t& copied) {
  if (!op.is_object()) throw Error(Errc::format, "an operation of the patch is no object");
  const std::string kind = text(op, "op"), path = text(op, "path");
  if (kind == "add") return add(document, path, placed(path, value(op)));
  if (kind == "replace") return replace(document, path, placed(path, value(op)));
  if (kind == "remove") return remove(document, path);
  if (kind == "test") {
    const Path keys = split_pointer(path);
    if (find(document, keys, keys.size(), path) != value(op))
      throw conflict(fmt::format("'{}' is not what the patch expects", path));
    return {};
  }
  if (kind == "copy" || kind == "move") {
    const std::string from = text(op, "from");
    const Path keys = split_pointer(from);
    if (kind == "copy") {
      const json& source = placed(path, find(document, keys, keys.size(), from));
      if ((copied += weight(source)) > most_copied)
        throw Error(Errc::range, fmt::format("the patch copies more than {} values", most_copied));
      return add(document, path, source);
    }
    if (from == path) return find(document, keys, keys.size(), from), Undo{};
    if (path.starts_with(from + "/")) throw conflict(fmt::format("'{}' cannot move into itself", from));
    placed(path, find(document, keys, keys.size(), from));
    json moved;
    Undo back = remove(document, from, &moved);
    try {
      Undo first = add(document, path, std::move(moved));
      first.insert(first.end(), back.begin(), back.end());
      return first;
    } catch (...) {
      for (const auto& u : back) apply_one(document, u, copied);
      throw;
    }
  }
  throw Error(Errc::format, fmt::format("no patch operation called '{}'", kind),
              "use one of: add, remove, replace, "
              "move, copy, test");
}

bool only_replaces(const json& patch) {
  for (const auto& op : patch)
    if (op.at("op") != "replace") return false;
  return true;
}
bool same_places(const json& a, const json& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i].at("path") != b[i].at("path")) return false;
  return true;
}

}  // namespace

std::vector<std::string> split_pointer(std::string_view pointer) {
  std::vector<std::string> keys;
  if (pointer.empty()) return keys;
  if (pointer[0] != '/')
    throw Error(Errc::format, fmt::format("'{}' is no JSON pointer", pointer), "it begins with /: /nodes/read/at");
  for (const char c : pointer) {
    if (c == '/')
      keys.emplace_back();
    else
      keys.back() += c;
  }
  for (auto& key : keys)
    for (std::size_t i = 0; i < key.size(); ++i) {
      if (key[i] != '~') continue;
      const char next = i + 1 < key.size() ? key[i + 1] : '\0';
      if (next != '0' && next != '1')
        throw Error(Errc::format, fmt::format("'{}' is no JSON pointer: ~ stands before 0 or 1", pointer));
      key.replace(i, 2, next == '0' ? "~" : "/");
    }
  return keys;
}

json apply_patch(json& document, const json& patch) {
  if (!patch.is_array()) throw Error(Errc::format, "the patch is no list of operations");
  std::vector<json> undo;  // of the last operation first
  std::size_t copied = 0;
  try {
    for (const auto& op : patch) {
      Undo one = apply_one(document, op, copied);
      undo.insert(undo.begin(), std::make_move_iterator(one.begin()), std::make_move_iterator(one.end()));
    }
  } catch (...) {
    for (const auto& op : undo) apply_one(document, op, copied = 0);
    throw;
  }
  return json(std::move(undo));
}

void merge_patches(json& forward, const json& next, json& inverse, const json& next_inverse) {
  if (only_replaces(forward) && only_replaces(next) && same_places(forward, next)) {
    forward = next;  // the first inverse goes back to the start of the drag
    return;
  }
  forward.insert(forward.end(), next.begin(), next.end());
  json all = next_inverse;
  all.insert(all.end(), inverse.begin(), inverse.end());
  inverse = std::move(all);
}

}  // namespace larmor::server
