// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>
#include <larmor/core/error.hpp>
#include <numeric>

namespace larmor {

Error::Error(Errc code, std::string what_happened, std::string what_to_do)
    : std::runtime_error(what_happened),
      code_(code),
      message_(std::move(what_happened)),
      advice_(std::move(what_to_do)) {
  compose();
}

Error& Error::at(std::string place) {
  where_.push_back(std::move(place));
  compose();
  return *this;
}

Error& Error::advise(std::string what_to_do) {
  advice_ = std::move(what_to_do);
  compose();
  return *this;
}

void Error::compose() {
  text_ = message_;
  for (const auto& place : where_) text_ += "\n  at: " + place;
  if (!advice_.empty()) text_ += "\n  do: " + advice_;
}

std::string_view to_string(Errc code) {
  switch (code) {
    case Errc::usage:
      return "usage";
    case Errc::unknown_name:
      return "unknown_name";
    case Errc::shape:
      return "shape";
    case Errc::range:
      return "range";
    case Errc::type:
      return "type";
    case Errc::file:
      return "file";
    case Errc::format:
      return "format";
    case Errc::numeric:
      return "numeric";
    case Errc::device:
      return "device";
    case Errc::cancelled:
      return "cancelled";
    case Errc::internal:
      return "internal";
  }
  return "internal";
}

namespace {

std::string lowered(std::string_view s) {
  std::string out(s);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours each cost 1.
std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i)
    for (std::size_t j = 1; j <= b.size(); ++j) {
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

}  // namespace

std::string nearest(std::string_view name, std::span<const std::string> candidates) {
  const std::string wanted = lowered(name);
  std::string best;
  // Of two letters one may be wrong, of more two or a third; and something of both names has to be left.
  std::size_t best_distance = (wanted.size() <= 2 ? 1 : std::max<std::size_t>(2, wanted.size() / 3)) + 1;
  for (const auto& candidate : candidates) {
    const std::string full = lowered(candidate);
    const std::string last = full.substr(full.rfind('.') + 1);  // all of it when there is no dot
    std::size_t distance = std::min(edit_distance(wanted, full), edit_distance(wanted, last));
    if (wanted.size() >= 3 && (full.starts_with(wanted) || last.starts_with(wanted)))
      distance = std::min<std::size_t>(distance, 1);
    if (distance < best_distance && (distance == 0 || distance < std::max(wanted.size(), full.size())))
      best_distance = distance, best = candidate;
  }
  return best;
}

Error unknown_name(std::string_view kind, std::string_view name, std::span<const std::string> candidates,
                   std::string advice) {
  std::string text = "no " + std::string(kind) + " called '" + std::string(name) + "'";
  if (const auto near = nearest(name, candidates); !near.empty()) text += "; did you mean " + near + "?";
  if (advice.empty()) {
    advice = "use one of: ";
    for (std::size_t i = 0; i < candidates.size(); ++i) advice += (i ? ", " : "") + candidates[i];
  }
  return Error(Errc::unknown_name, text, advice);
}

}  // namespace larmor
