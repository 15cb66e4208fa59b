// SPDX-License-Identifier: Apache-2.0
#include "document.hpp"

#include "http.hpp"

namespace larmor::server {
namespace {

constexpr std::size_t most_steps = 500, most_bytes = std::size_t{64} << 20;
constexpr auto merge_within = std::chrono::seconds(1);

HttpError nothing(const char* what) { return HttpError(409, Errc::usage, std::string("there is nothing to ") + what); }

}  // namespace

Document::Document(json content, Check check) : content_(std::move(content)), check_(std::move(check)) {
  check_(content_);
}

void Document::apply(const json& patch, json& inverse) {
  inverse = apply_patch(content_, patch);
  try {
    check_(content_);
  } catch (...) {
    apply_patch(content_, inverse);
    throw;
  }
}

Document::Change Document::edit(json patch, std::string label, std::string merge, Clock::time_point now) {
  json inverse;
  apply(patch, inverse);
  redo_.clear();
  const bool joined =
      !merge.empty() && !undo_.empty() && undo_.back().merge == merge && now - undo_.back().at <= merge_within;
  if (joined) {
    Step& step = undo_.back();
    merge_patches(step.forward, patch, step.inverse, inverse);
    step.label = label;
    step.at = now;
    step.bytes = 0;
  } else {
    undo_.push_back({patch, std::move(inverse), label, std::move(merge), now});
  }
  trim();
  return {++rev_, std::move(patch), std::move(label)};
}

void Document::trim() {
  if (undo_.empty()) return;
  Step& last = undo_.back();
  last.bytes = last.forward.dump().size() + last.inverse.dump().size();
  std::size_t sum = 0;
  for (const auto& step : undo_) sum += step.bytes;
  while (undo_.size() > most_steps || (sum > most_bytes && undo_.size() > 1)) {
    sum -= undo_.front().bytes;
    undo_.pop_front();
  }
}

Document::Change Document::undo() {
  if (undo_.empty()) throw nothing("undo");
  json ignored;
  apply(undo_.back().inverse, ignored);
  Step step = std::move(undo_.back());
  undo_.pop_back();
  step.merge.clear();
  redo_.push_back(std::move(step));
  return {++rev_, redo_.back().inverse, redo_.back().label};
}

Document::Change Document::redo() {
  if (redo_.empty()) throw nothing("redo");
  json inverse;
  apply(redo_.back().forward, inverse);
  undo_.push_back(std::move(redo_.back()));
  redo_.pop_back();
  return {++rev_, undo_.back().forward, undo_.back().label};
}

std::optional<std::string> Document::undo_label() const {
  return undo_.empty() ? std::nullopt : std::optional(undo_.back().label);
}
std::optional<std::string> Document::redo_label() const {
  return redo_.empty() ? std::nullopt : std::optional(redo_.back().label);
}

}  // namespace larmor::server
