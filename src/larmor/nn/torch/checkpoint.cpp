// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <larmor/core/error.hpp>
#include <larmor/core/hash.hpp>
#include <larmor/nn/torch/checkpoint.hpp>
#include <nlohmann/json.hpp>

namespace larmor::nn::torch_side {
namespace {

using nlohmann::json;

json to_json(const Epoch& e) {
  return {{"epoch", e.number},
          {"loss", e.loss},
          {"rate", e.rate},
          {"seconds", e.seconds},
          {"per_second", e.samples_per_second},
          {"dice", e.dice},
          {"merged", e.merged},
          {"best", e.best}};
}
Epoch epoch_of(const json& j) {
  Epoch e;
  j.at("epoch").get_to(e.number), j.at("loss").get_to(e.loss), j.at("rate").get_to(e.rate);
  j.at("seconds").get_to(e.seconds), j.at("per_second").get_to(e.samples_per_second);
  j.at("dice").get_to(e.dice), j.at("merged").get_to(e.merged), j.at("best").get_to(e.best);
  return e;
}

}  // namespace

/// What must be the same for a checkpoint to go on: everything that the weights depend on.
std::string fingerprint(const TrainSpec& s, const std::vector<TrainSample>& training) {
  const auto& a = s.augment;
  std::string text =
      fmt::format("{} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {}", s.net.to_json(), fmt::join(s.patch, ","),
                  s.batch, s.epochs, s.steps, s.optimizer, s.rate, s.weight_decay, s.momentum, s.schedule, s.warm_up,
                  s.clip, s.ema, s.dice_weight, s.cross_entropy_weight, s.label_smoothing, s.seed, s.budget, a.rotate);
  text += fmt::format(" {} {} {} {} {} {} {} {} {} {} {} {}", a.scale, a.shift, a.elastic, a.elastic_points,
                      a.spatial_probability, fmt::join(a.mirror, ","), a.brightness, a.contrast, a.gamma, a.noise,
                      a.blur, a.intensity_probability);
  // Named only where used, so that checkpoints from before these settings go on.
  for (const auto& [name, value] :
       {std::pair{"robust", s.robust}, {"label_sd", s.label_sd}, {"teacher_share", s.teacher_share}})
    if (value > 0) text += fmt::format(" {} {}", name, value);
  Sha256 sum;
  sum.add(text.data(), text.size());
  for (const auto& t : training) {
    sum.add(t.image.data(), t.image.size() * sizeof(float));
    sum.add(t.labels.data(), t.labels.size());
    if (s.teacher_share > 0) sum.add(t.teacher.data(), t.teacher.size() * sizeof(float));
  }
  return sum.hex();
}

void write_checkpoint(const std::filesystem::path& file, const std::string& print, const TrainSpec& spec,
                      const State& state, const Position& position, const TrainResult& result) {
  Weights w;
  from_torch(state.p, "p.", w), from_torch(state.ema, "ema.", w);
  from_torch(state.m1, "m.", w), from_torch(state.m2, "v.", w);
  json j{{"count", position.count}, {"elapsed", position.elapsed},     {"since_best", position.since_best},
         {"best", result.best},     {"best_epoch", result.best_epoch}, {"history", json::array()}};
  for (const auto& e : result.history) j["history"].push_back(to_json(e));
  w.meta = {{"fingerprint", print}, {"state", j.dump()}, {"net", spec.net.to_json()}};
  write_weights(file, w);
}

bool read_checkpoint(const std::filesystem::path& file, const std::string& print, at::Device device, State& state,
                     Position& position, TrainResult& result) {
  if (!std::filesystem::exists(file)) return false;
  const Weights w = read_weights(file);
  if (w.meta.count("fingerprint") == 0 || w.meta.at("fingerprint") != print)
    throw Error(Errc::format, "the checkpoint belongs to other settings or other data",
                "train in another folder, or remove this one to begin again")
        .at(file.string());
  State::load(state.p, to_torch(w, "p.", device)), State::load(state.ema, to_torch(w, "ema.", device));
  State::load(state.m1, to_torch(w, "m.", device)), State::load(state.m2, to_torch(w, "v.", device));
  const json j = json::parse(w.meta.at("state"));
  for (const auto& e : j.at("history")) result.history.push_back(epoch_of(e));
  j.at("count").get_to(position.count), j.at("elapsed").get_to(position.elapsed);
  j.at("since_best").get_to(position.since_best);
  j.at("best").get_to(result.best), j.at("best_epoch").get_to(result.best_epoch);
  return true;
}

}  // namespace larmor::nn::torch_side
