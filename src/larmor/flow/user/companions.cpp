// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fstream>
#include <larmor/flow/user/companions.hpp>
#include <set>
#include <sstream>

namespace larmor::flow::user {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most = 500;  // a folder of operations is no package index

bool part_of_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.'; }

/// "a.b as c, d" -> a.b, d
std::vector<std::string> names_in(const std::string& list) {
  std::vector<std::string> out;
  std::istringstream items(list);
  for (std::string item; std::getline(items, item, ',');) {
    const auto first = std::find_if(item.begin(), item.end(), part_of_name);
    const auto end = std::find_if_not(first, item.end(), part_of_name);
    if (first != end) out.emplace_back(first, end);
  }
  return out;
}

/// Where module `name` of folder `from` would be: each of its packages, and the module itself.
void python_places(const fs::path& from, const std::string& name, std::vector<fs::path>& out) {
  fs::path at = from;
  std::istringstream parts(name);
  for (std::string part; std::getline(parts, part, '.');) {
    if (part.empty()) continue;
    at /= part;
    out.push_back(at.string() + ".py");
    out.push_back(at / "__init__.py");
  }
}

/// What the import statements of `text` may mean. `root` is where absolute names are looked for.
std::vector<fs::path> python_imports(const fs::path& file, const std::string& text, const fs::path& root) {
  std::vector<fs::path> out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string word;
    if (!(words >> word) || (word != "import" && word != "from")) continue;
    std::string rest;
    if (word == "import") {
      std::getline(words, rest);
      for (const auto& name : names_in(rest)) python_places(root, name, out);
      continue;
    }
    std::string package;
    if (!(words >> package >> word) || word != "import") continue;
    std::getline(words, rest);
    fs::path from = root;
    const std::size_t dots = std::min(package.find_first_not_of('.'), package.size());
    if (dots > 0) from = file.parent_path();
    for (std::size_t i = 1; i < dots; ++i) from = from.parent_path();
    package.erase(0, dots);
    if (package.empty()) out.push_back(from / "__init__.py");
    python_places(from, package, out);
    for (const auto& name : names_in(rest))  // a name may be a module of the package
      python_places(from, package.empty() ? name : package + "." + name, out);
  }
  return out;
}

std::vector<fs::path> cpp_includes(const fs::path& file, const std::string& text) {
  std::vector<fs::path> out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto hash = line.find_first_not_of(" \t");
    if (hash == std::string::npos || line[hash] != '#') continue;
    const auto word = line.find_first_not_of(" \t", hash + 1);
    if (word == std::string::npos || line.compare(word, 7, "include") != 0) continue;
    const auto open = line.find('"', word + 7), close = line.find('"', open + 1);
    if (open != std::string::npos && close != std::string::npos)
      out.push_back((file.parent_path() / line.substr(open + 1, close - open - 1)).lexically_normal());
  }
  return out;
}

}  // namespace

Companions companions(const fs::path& file, const std::string& text, bool python) {
  const fs::path own = fs::absolute(file).lexically_normal(), root = own.parent_path();
  std::set<fs::path> found, seen{own};
  std::vector<std::pair<fs::path, std::string>> todo{{own, text}};
  while (!todo.empty() && seen.size() < most) {
    const auto [at, content] = std::move(todo.back());
    todo.pop_back();
    for (auto& path : python ? python_imports(at, content, root) : cpp_includes(at, content)) {
      if (!seen.insert(path).second) continue;
      std::error_code failed;
      if (!fs::is_regular_file(path, failed)) continue;
      std::ostringstream read;
      read << std::ifstream(path, std::ios::binary).rdbuf();
      found.insert(path);
      todo.emplace_back(path, read.str());
    }
  }
  seen.erase(own);
  return {{found.begin(), found.end()}, {seen.begin(), seen.end()}};
}

}  // namespace larmor::flow::user
