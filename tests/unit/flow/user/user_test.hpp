// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <larmor/flow/user/operations.hpp>
#include <larmor/flow/user/process.hpp>
#include <mutex>

namespace larmor::flow::user {

/// Folders of its own for operations and what is built of them; the program that serves C++ is the one under test.
class UserTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    dir_ = std::filesystem::temp_directory_path() / (std::string("larmor_user_") + test->test_suite_name() + "_" +
                                                     test->name() + "_" + std::to_string(::getpid()));
    std::filesystem::remove_all(dir_);
    std::filesystem::create_directories(dir_ / "ops");
    options_.folders = {dir_ / "ops"};
    options_.program = LARMOR_BIN;
    options_.cache = dir_ / "cache";
  }
  void TearDown() override {
    ops_.reset();
    std::filesystem::remove_all(dir_);
  }

  static bool have_numpy() {
    static const bool have = [] {
      const auto python = find_program({"/usr/bin/python3", "python3"});
      if (python.empty()) return false;
      Process p({python.string(), "-c", "import numpy"}, false);
      p.wait();
      return p.exit_code() == 0;
    }();
    return have;
  }

  void put(const std::string& name, const std::string& text) const { std::ofstream(dir_ / "ops" / name) << text; }

  /// Looks at the folder again.
  std::vector<std::string> refresh() {
    if (!ops_) ops_ = std::make_unique<UserOperations>(options_);
    return ops_->refresh(types_);
  }

  std::map<std::string, Value> run(const std::string& id, std::map<std::string, Value> inputs = {},
                                   std::map<std::string, Value> settings = {}) {
    Ports::Services services;
    services.log = [this](const std::string& text) {
      const std::lock_guard lock(log_mutex_);
      log_ += text;
    };
    services.warn = [this](const std::string& text) { warned_ += text; };
    services.cancel = cancel_;
    services.progress = Progress([this](const std::string& what, std::size_t done, std::size_t total) {
      progress_ += what + " " + std::to_string(100 * done / total) + " ";
    });
    services.node = "a/node";
    return run_operation(types_.get(id), types_.types, std::move(inputs), std::move(settings), services);
  }

  /// What a run has said so far, also while it goes on in another thread.
  std::string logged() {
    const std::lock_guard lock(log_mutex_);
    return log_;
  }

  /// The error of a run: all of it as text, with its places.
  std::string message(const std::string& id, std::map<std::string, Value> inputs = {},
                      std::map<std::string, Value> settings = {}) {
    try {
      run(id, std::move(inputs), std::move(settings));
    } catch (const Error& e) {
      return e.what();
    }
    return "no error";
  }

  static Array ramp(Shape shape, Axes axes = {}) {
    Array a = Array::of<float>(std::move(shape), std::move(axes));
    for (std::int64_t i = 0; i < a.size(); ++i) a.data<float>()[i] = static_cast<float>(i);
    return a;
  }

  std::filesystem::path dir_;
  UserOptions options_;
  NodeTypes types_;
  std::unique_ptr<UserOperations> ops_;
  std::mutex log_mutex_;
  std::string log_, warned_, progress_;
  Cancel cancel_;
};

}  // namespace larmor::flow::user
