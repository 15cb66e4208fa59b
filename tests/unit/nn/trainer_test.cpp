// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <larmor/core/error.hpp>
#include <larmor/nn/trainer.hpp>
#include <random>

#include "balls.hpp"

namespace larmor::nn {
namespace {
namespace fs = std::filesystem;

TEST(Trainer, LibraryAndLanesAgree) {
  NEED_TRAINER();
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  for (const auto& [dims, filters, residual] :
       {std::tuple{3, std::vector{3, 5, 9}, true}, {3, {8, 4}, false}, {2, {4, 6, 7}, true}}) {
    UNetSpec s;
    s.dims = dims, s.filters = filters, s.residual = residual, s.supervised = 1;
    const auto w = initial_weights(s, 5);
    const std::array<int, 3> size{dims == 2 ? 5 : 12, 16, 8};
    std::vector<float> x(static_cast<std::size_t>(size[0] * size[1] * size[2]));
    for (auto& v : x) v = normal(random);
    const auto ours = UNet(w)(x, size);
    for (const auto& device : trainer().devices())
      for (const bool channels_last : {false, true}) {
        const auto theirs = trainer().forward(w, x, size, device, channels_last);
        ASSERT_EQ(ours.size(), theirs.size());
        for (std::size_t i = 0; i < ours.size(); ++i)
          ASSERT_NEAR(ours[i], theirs[i], 1e-4) << device << ' ' << i;  // what is promised of CPU and CUDA
      }
  }
}

// What CUDA runs, on the CPU: the library's layers, with bfloat16 and the other order of memory.
TEST(Trainer, LibraryAndLanesLearnAlike) {
  NEED_TRAINER();
  const auto where = folder("larmor_train_layers");
  auto spec = small();
  spec.epochs = 2;
  const auto losses = [&](const TrainSpec& s) {
    std::filesystem::remove_all(where);
    const auto h = trainer().train(s, balls(6, 1), {}, where).history;
    return std::pair{h[0].loss, h[1].loss};
  };
  spec.half = false;
  const auto lanes = losses(spec);
  spec.layers = true, spec.half = false;
  for (const bool channels_last : {false, true}) {
    spec.channels_last = channels_last;
    const auto layers = losses(spec);
    EXPECT_NEAR(layers.first, lanes.first, 1e-3);  // rounding, magnified by six steps of Adam
    EXPECT_NEAR(layers.second, lanes.second, 5e-3);
  }
  spec.half = true;
  const auto half = losses(spec);
  EXPECT_NEAR(half.first, lanes.first, 0.03);  // eight bits of each number
  EXPECT_NEAR(half.second, lanes.second, 0.1);
  std::filesystem::remove_all(where);
}

TEST(Trainer, LearnsBalls) {
  NEED_TRAINER();
  const auto where = folder("larmor_train_balls");
  auto spec = small();
  spec.epochs = 25;
  spec.validate_every = 5;
  const auto result = trainer().train(spec, balls(12, 1), balls(4, 2), where);
  EXPECT_GT(result.best, 0.8);  // voxels at the surface of balls of radius 3 under noise stay open
  EXPECT_LT(result.history.back().loss, 0.5 * result.history.front().loss);
  const UNet net(read_weights(where / "best.safetensors"));
  EXPECT_EQ(net.spec().filters, spec.net.filters);
  fs::remove_all(where);
  spec.keep = "last", spec.epochs = 2;  // the held-out images have no say then
  trainer().train(spec, balls(12, 1), balls(4, 2), where);
  EXPECT_FALSE(fs::exists(where / "best.safetensors"));
  EXPECT_TRUE(fs::exists(where / "last.safetensors"));
  fs::remove_all(where);
}

TEST(Trainer, GoesOnAsIfNothingHappened) {
  NEED_TRAINER();
  const auto whole = folder("larmor_train_whole"), cut = folder("larmor_train_cut"),
             killed = folder("larmor_train_killed");
  const auto data = balls(6, 1);
  const auto spec = small();
  trainer().train(spec, data, {}, whole);
  Cancel cancel;
  TrainCallbacks callbacks;
  callbacks.epoch = [&](const Epoch& e) {
    if (e.number == 3) cancel.request();
  };
  EXPECT_THROW(trainer().train(spec, data, {}, cut, callbacks, &cancel), Error);
  trainer().train(spec, data, {}, cut);
  EXPECT_TRUE(same(read_weights(whole / "last.safetensors"), read_weights(cut / "last.safetensors")));

  // kill -9 in the middle of the third epoch: at most that epoch is lost.
  const pid_t child = ::fork();
  if (child == 0) {
    TrainCallbacks die;
    int epoch = 0;
    die.epoch = [&](const Epoch& e) { epoch = e.number; };
    die.step = [&](std::size_t done, std::size_t, double) {
      if (epoch == 2 && done == 2) ::kill(::getpid(), SIGKILL);
    };
    trainer().train(spec, data, {}, killed, die);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  int first = 0;
  TrainCallbacks after;
  after.epoch = [&](const Epoch& e) {
    if (first == 0) first = e.number;
  };
  const auto result = trainer().train(spec, data, {}, killed, after);
  EXPECT_EQ(first, 3);
  EXPECT_EQ(result.history.size(), 6u);
  EXPECT_TRUE(same(read_weights(whole / "last.safetensors"), read_weights(killed / "last.safetensors")));
  for (const auto& p : {whole, cut, killed}) fs::remove_all(p);
}

TEST(Trainer, StopsEarly) {
  NEED_TRAINER();
  const auto where = folder("larmor_train_early");
  auto spec = small();
  spec.epochs = 50, spec.patience = 2, spec.rate = 1e-9, spec.ema = 0;  // nothing improves
  const auto result = trainer().train(spec, balls(2, 1), balls(1, 2), where);
  EXPECT_TRUE(result.stopped_early);
  EXPECT_LT(result.history.size(), 10u);
  fs::remove_all(where);
}

TEST(Trainer, SgdAndPolyAndPlainAndFlatNetworksLearnToo) {
  NEED_TRAINER();
  const auto where = folder("larmor_train_sgd");
  auto spec = small();
  spec.optimizer = "sgd", spec.schedule = "poly", spec.momentum = 0.9, spec.net.residual = false, spec.net.dims = 2;
  spec.epochs = 8, spec.label_smoothing = 0.05;
  const auto result = trainer().train(spec, balls(6, 1), {}, where);
  EXPECT_LT(result.history.back().loss, result.history.front().loss);
  fs::remove_all(where);
}

// Pictures are turned any way and moved by a third of their size: labels that stayed behind could not be learned.
TEST(Trainer, LabelsMoveWithTheImage) {
  NEED_TRAINER();
  const auto where = folder("larmor_train_moved");
  auto spec = small();
  spec.epochs = 30, spec.validate_every = 10;
  spec.augment = {.rotate = 180,
                  .scale = 0.2,
                  .shift = 5,
                  .elastic = 1,
                  .spatial_probability = 1,
                  .mirror = {true, true, true},
                  .brightness = 0.1,
                  .contrast = 0.1,
                  .gamma = 0.1,
                  .noise = 0.1,
                  .blur = 0.2,
                  .intensity_probability = 0.5};
  const auto result = trainer().train(spec, balls(12, 1), balls(4, 2), where);
  EXPECT_GT(result.best, 0.6);  // balls are round, so it is not far from what it is without
  fs::remove_all(where);
}

TEST(Trainer, RatesWarmUpAndFall) {
  NEED_TRAINER();
  const auto where = folder("larmor_train_rates");
  auto spec = small();
  spec.epochs = 6, spec.steps = 2, spec.warm_up = 2;
  for (const char* schedule : {"cosine", "poly", "constant"}) {
    SCOPED_TRACE(schedule);
    spec.schedule = schedule;
    const auto h = trainer().train(spec, balls(2, 1), {}, where / schedule).history;
    ASSERT_EQ(h.size(), 6u);
    EXPECT_LT(h[0].rate, 0.6 * spec.rate);
    EXPECT_GT(h[0].rate, 0);
    for (std::size_t k = 3; k < 6; ++k) EXPECT_LE(h[k].rate, h[k - 1].rate);
    // Half a step before the end; the exponent 0.9 makes nearly a line of poly.
    if (spec.schedule == "constant")
      EXPECT_EQ(h[5].rate, spec.rate);
    else
      EXPECT_LT(h[5].rate, 0.12 * spec.rate);
  }
  fs::remove_all(where);
}

TEST(Trainer, RefusesDamageAndNonsense) {
  NEED_TRAINER();
  const auto where = folder("larmor_train_bad");
  const auto data = balls(2, 1);
  auto spec = small();
  spec.epochs = 1;
  trainer().train(spec, data, {}, where);
  auto other = spec;
  other.rate = 0.02;
  try {
    trainer().train(other, data, {}, where);
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr("other settings"));
  }
  {
    std::fstream f(where / "checkpoint.safetensors", std::ios::in | std::ios::out | std::ios::binary);
    f.seekp(-9, std::ios::end);
    f.put('\x55');
  }
  try {
    trainer().train(spec, data, {}, where);
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr("SHA-256"));
  }
  spec.patch = {15, 16, 16};
  EXPECT_THROW(trainer().train(spec, data, {}, where), Error);
  spec = small();
  spec.optimizer = "adan";
  EXPECT_THROW(trainer().train(spec, data, {}, where), Error);
  EXPECT_THROW(trainer().train(small(), {}, {}, where), Error);
  auto wrong = data;
  wrong[0].labels[0] = 9;
  EXPECT_THROW(trainer().train(small(), wrong, {}, where), Error);
  wrong = data;
  wrong[0].image[5] = std::nanf("");
  EXPECT_THROW(trainer().train(small(), wrong, {}, folder("larmor_train_nan")), Error);
  fs::remove_all(where);
}

TEST(InitialWeights, FollowTheSeed) {
  UNetSpec s;
  const auto a = initial_weights(s, 1), b = initial_weights(s, 1), c = initial_weights(s, 2);
  EXPECT_TRUE(same(a, b));
  EXPECT_FALSE(same(a, c));
  double sum = 0, squares = 0;
  const auto& w = a.tensors.at("enc1.conv1.weight").values;  // 24 x 24 x 27
  for (const float v : w) sum += v, squares += static_cast<double>(v) * v;
  const double n = static_cast<double>(w.size());
  EXPECT_NEAR(sum / n, 0, 5 * std::sqrt(2.0 / (24 * 27)) / std::sqrt(n));
  EXPECT_NEAR(squares / n, 2.0 / (24 * 27), 0.1 * 2 / (24 * 27));
}

}  // namespace
}  // namespace larmor::nn
