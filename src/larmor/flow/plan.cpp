// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <larmor/flow/plan.hpp>
#include <larmor/flow/stack.hpp>
#include <sstream>

namespace larmor::flow {
namespace fs = std::filesystem;

int Paths::number(const std::string& path, const std::string& op) {
  const auto [it, added] = numbers.try_emplace(path, static_cast<int>(names.size()));
  if (added) names.push_back(path), ops.push_back(op);
  return it->second;
}

int Plan::add_sink(std::vector<Feed> feeds) {
  Step sink;
  sink.kind = Step::Kind::sink;
  sink.cacheable = false;
  sink.inputs = std::move(feeds);
  steps.push_back(std::move(sink));
  return static_cast<int>(steps.size()) - 1;
}

namespace {

template <class F>
void for_each_source(const Step& step, F&& f) {
  for (const auto& feed : step.inputs) f(feed);
  for (const auto& feed : step.wired_settings) f(feed);
}

}  // namespace

void Plan::finish() {
  for (auto& step : steps) step.consumers.assign(step.outputs.size(), {}), step.producers = 0;
  for (std::size_t s = 0; s < steps.size(); ++s)
    for_each_source(steps[s], [&](const Feed& feed) {
      if (feed.from.kind != Source::Kind::step) return;
      ++steps[s].producers;
      auto& consumers = steps[static_cast<std::size_t>(feed.from.step)].consumers;
      consumers[static_cast<std::size_t>(feed.from.port)].push_back(static_cast<int>(s));
    });
}

Hash Plan::fingerprint() const {
  Hasher all;
  for (const auto& step : steps) {
    all.add(step.base);
    if (step.refused) all.add(step.refused->message());
    for_each_source(step, [&](const Feed& feed) {
      const int where[] = {static_cast<int>(feed.from.kind), feed.from.step, feed.from.port};
      all.add(feed.name).add(where, sizeof where).add(feed.from.constant.hash());
    });
    for (const auto& name : step.outputs) all.add(name);
  }
  return all.done();
}

bool Plan::told() const {
  for (const auto& step : steps) {
    if (step.refused || (step.kind != Step::Kind::sink && !step.cacheable)) return false;
    for (const auto& feed : step.wired_settings) {
      const Setting* s = step.type ? step.type->setting(feed.name) : nullptr;
      // Which file a wire will name is not known yet, nor its time of change.
      if (s && (s->kind == SettingKind::file_open || s->kind == SettingKind::folder)) return false;
    }
  }
  return true;
}

Source stacked(Plan& plan, const Bundle& bundle, const std::string& path, const NodeTypes& types) {
  if (bundle.sweeps.empty()) return bundle.at.at(0);
  Axes axes;
  std::vector<int> counts;
  Step step;
  Hasher base;
  base.add("flow.stack");
  for (const auto& sweep : bundle.sweeps) {
    std::string axis = sweep->axis;
    while (std::find(axes.begin(), axes.end(), axis) != axes.end()) axis += "_2";
    axes.push_back(axis), counts.push_back(sweep->count);
    base.add(axis).add(&sweep->count, sizeof sweep->count);
  }
  NodeType type{.title = "Stack"};
  type.inputs.push_back({"in", "results of a sweep", "any", {.repeated = true}});
  type.outputs.push_back({"out", "stacked on the axes of the sweeps", "any", {}});
  type.compute = [axes, counts, &types](Ports& io) {
    io.outputs()["out"] = stack_sweeps(io.all("in"), axes, counts, types.types);
  };
  step.type = std::make_shared<const NodeType>(std::move(type));
  step.path = plan.paths->number(path);
  step.op = "flow.stack", step.part = step.stacks = true;
  for (std::size_t i = 0; i < bundle.at.size(); ++i)
    step.inputs.push_back({"in." + std::to_string(i + 1), bundle.at[i]});
  step.outputs = {"out"}, step.policy = {Policy::automatic};
  step.base = base.done();
  plan.steps.push_back(std::move(step));
  return Source::of_step(static_cast<int>(plan.steps.size()) - 1, 0);
}

namespace {

void add_stamp(Hasher& h, const fs::path& path) {
  struct stat s {};
  if (stat(path.c_str(), &s) != 0) {
    h.add("absent");
    return;
  }
  const std::int64_t facts[] = {S_ISDIR(s.st_mode) ? 0 : static_cast<std::int64_t>(s.st_size),
                                static_cast<std::int64_t>(s.st_mtim.tv_sec), s.st_mtim.tv_nsec};
  h.add(facts, sizeof facts);
}

}  // namespace

Hash file_stamp(const fs::path& path) {
  Hasher h;
  add_stamp(h, path);
  std::error_code failed;
  if (!fs::is_directory(path, failed)) return h.done();
  constexpr std::size_t most = 10'000;  // a folder of more is judged by these
  std::vector<fs::path> inside;
  for (auto it = fs::recursive_directory_iterator(path, fs::directory_options::skip_permission_denied, failed);
       !failed && it != fs::recursive_directory_iterator() && inside.size() < most; it.increment(failed))
    inside.push_back(it->path());
  std::sort(inside.begin(), inside.end());
  for (const auto& p : inside) h.add(p.native()), add_stamp(h, p);
  return h.done();
}

namespace {

std::vector<std::string> words_of(const std::string& name) {
  std::vector<std::string> out;
  std::istringstream words(name.substr(0, name.find('.', 1)));
  for (std::string word; std::getline(words, word, '_');) out.push_back(word);
  std::sort(out.begin(), out.end());
  return out;
}

/// In `folder`: files with the same name up to the first dot, and sidecars whose name says a part of it.
std::vector<fs::path> beside(const fs::path& folder, const std::string& name) {
  const std::string stem = name.substr(0, name.find('.', 1)) + ".";
  const auto words = words_of(name);
  constexpr std::size_t most = 10'000;  // a folder of more is judged by these
  std::size_t seen = 0;
  std::vector<fs::path> out;
  std::error_code failed;
  for (auto it = fs::directory_iterator(folder, failed); !failed && it != fs::directory_iterator() && ++seen < most;
       it.increment(failed)) {
    const std::string other = it->path().filename().string();
    if (!other.starts_with(stem)) {
      if (!other.ends_with(".json")) continue;
      const auto part = words_of(other);
      if (!std::includes(words.begin(), words.end(), part.begin(), part.end())) continue;
    }
    out.push_back(it->path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

Hash input_stamp(const fs::path& path) {
  std::error_code failed;
  if (fs::is_directory(path, failed)) return file_stamp(path);
  Hasher h;
  add_stamp(h, path);
  const std::string name = path.filename().string();
  const fs::path own = fs::absolute(path, failed).lexically_normal().parent_path();
  fs::path root = own;  // of the data set that it belongs to
  while (root != root.parent_path() && !fs::exists(root / "dataset_description.json", failed))
    root = root.parent_path();
  if (!fs::exists(root / "dataset_description.json", failed)) root = own;
  for (fs::path folder = own;; folder = folder.parent_path()) {
    for (const auto& p : beside(folder, name)) h.add(p.native()), add_stamp(h, p);
    if (folder == root) break;
  }
  return h.done();
}

}  // namespace larmor::flow
