// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/core/error.hpp>
#include <larmor/seg/folds.hpp>
#include <map>
#include <random>
#include <set>

namespace larmor::seg {

std::string person_of(const std::string& name, const std::string& rule) {
  if (rule == "file") return name;
  const std::vector<std::string> rules{"pairs", "file"};
  if (rule != "pairs") throw unknown_name("rule of persons", rule, rules);
  const auto last = name.find_last_of("0123456789");
  if (last == std::string::npos)
    throw Error(Errc::format, fmt::format("'{}' holds no number to pair it by", name),
                "name files by number, or take every file as a person: --persons file");
  auto first = last;
  while (first > 0 && name[first - 1] >= '0' && name[first - 1] <= '9') --first;
  const auto digits = name.substr(first, last - first + 1);
  return std::to_string((std::stoull(digits.substr(0, 18)) + 1) / 2);
}

std::vector<int> person_folds(const std::vector<std::string>& persons, int n, std::uint64_t seed) {
  const std::set<std::string> distinct(persons.begin(), persons.end());
  if (n < 2 || static_cast<std::size_t>(n) > distinct.size())
    throw Error(Errc::range, fmt::format("{} folds of {} persons", n, distinct.size()),
                "give 2 folds or more, and at most as many as there are persons");
  std::vector<std::string> order(distinct.begin(), distinct.end());
  std::mt19937_64 random(seed);
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random() % i]);
  std::map<std::string, int> fold;
  for (std::size_t i = 0; i < order.size(); ++i) fold[order[i]] = static_cast<int>(i % static_cast<std::size_t>(n));
  std::vector<int> out;
  for (const auto& p : persons) out.push_back(fold.at(p));
  return out;
}

}  // namespace larmor::seg
