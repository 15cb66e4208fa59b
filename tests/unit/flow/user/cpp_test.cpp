// SPDX-License-Identifier: Apache-2.0
#include <signal.h>

#include <chrono>
#include <larmor/flow/user/build.hpp>
#include <larmor/flow/user/shared_memory.hpp>
#include <thread>

#include "user_test.hpp"

namespace larmor::flow::user {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

using Clock = std::chrono::steady_clock;
double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

class CppOperation : public UserTest {
 protected:
  void SetUp() override {
    if (find_program({"g++", "c++"}).empty()) GTEST_SKIP() << "no C++ compiler";
    if (!std::filesystem::exists(LARMOR_BIN)) GTEST_SKIP() << "no " << LARMOR_BIN;
    UserTest::SetUp();
  }
  /// An operation with one optional array in, an out-port of anything, a setting n, and this body.
  void put_body(const std::string& body, const std::string& above = "") {
    put("op.cpp",
        "#include <larmor/flow/user/op.hpp>\n#include <cstdio>\n#include <stdexcept>\n" + above +
            "\nusing namespace larmor;\n"
            "static void compute(flow::Ports& io) {\n" +
            body +
            "\n}\n"
            "static flow::NodeType describe() {\n"
            "  return flow::NodeType{.title = \"T\"}.maybe<Array>(\"in\", \"it\").out<flow::Value>(\"out\", \"it\")\n"
            "      .set({\"n\", \"count\", 3}).run(compute);\n}\n"
            "LARMOR_OPERATION(\"user.op\", describe)\n");
  }
};

TEST_F(CppOperation, IsAnOperationLikeAnyOther) {
  put("scale.cpp", R"(#include <larmor/flow/user/op.hpp>
using namespace larmor;

namespace {
void compute(flow::Ports& io) {
  const Array in = io.in<Array>("in");
  const float gain = static_cast<float>(double(io.setting("gain")));
  Array out = Array::uninitialised(DType::f32, in.shape(), in.axes());
  const auto from = in.span<const float>();
  const auto to = out.span<float>();
  parallel_for(from.size(), 1 << 16, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) to[i] = gain * from[i];
  });
  io.warn("a word");
  io.log("logged");
  io.progress().begin("scaling", 2);
  io.out("out") = out;
}
flow::NodeType describe() {
  return flow::NodeType{.title = "Scale", .does = "Multiplies"}
      .in<Array>("in", "real", {.dtypes = {DType::f32}})
      .out<Array>("out", "in times gain")
      .set({"gain", "factor", 2.0, 0, 10})
      .run(compute);
}
}  // namespace
LARMOR_OPERATION("", describe)
)");
  EXPECT_THAT(refresh(), ElementsAre("user.scale"));
  ASSERT_EQ(ops_->list().at(0).error, "");
  EXPECT_EQ(types_.get("user.scale").setting("gain")->upper, 10);
  const Value image = Value::record("image", {{"data", ramp({3, 2}, {"x", "coil"})}});
  types_.types.add("image", {.title = "Image", .what = "", .parent = "array"});
  const Value out = run("user.scale", {{"in", image}}, {{"gain", 3}}).at("out");
  EXPECT_EQ(out.type(), "image");
  EXPECT_EQ(out.field("data").array().axes(), (Axes{"x", "coil"}));
  EXPECT_EQ(out.field("data").array().data<float>()[5], 15);
  EXPECT_EQ(warned_, "a word");
  EXPECT_THAT(log_, HasSubstr("logged"));
  EXPECT_THAT(progress_, HasSubstr("scaling"));
  // 100 MB: the result is made where the engine sees it.
  const Value big = ramp({5000, 5000});
  auto start = Clock::now();
  const Value first = run("user.scale", {{"in", big}}).at("out");
  std::printf("100 MB: %.0f ms from ordinary memory", 1e3 * since(start));
  ASSERT_TRUE(find_shared(first.array().raw()).has_value());
  start = Clock::now();
  const Value second = run("user.scale", {{"in", first}}).at("out");
  std::printf(", %.0f ms in a chain\n", 1e3 * since(start));
  EXPECT_EQ(second.array().data<float>()[3], 12);
  EXPECT_EQ(first.array().data<float>()[3], 6);
}

TEST_F(CppOperation, ErrorsOfTheCompilerNameTheirLine) {
  put_body("  io.out(\"out\") = not_there;");
  refresh();
  const auto listed = ops_->list().at(0);
  EXPECT_THAT(listed.error, AllOf(HasSubstr("op.cpp does not compile"), HasSubstr("not_there")));
  EXPECT_EQ(listed.error_at, "op.cpp:7");
  EXPECT_THAT(message("user.op"),
              AllOf(HasSubstr("not_there"), HasSubstr("at: op.cpp:7"), HasSubstr("the compiler said")));
  put_body("  void later(); later();");  // declared in a function: global, and nowhere defined
  refresh();
  EXPECT_THAT(ops_->list().at(0).error, HasSubstr("cannot be loaded"));
  put("op.cpp", "int x;\n");
  refresh();
  EXPECT_THAT(ops_->list().at(0).error, HasSubstr("no LARMOR_OPERATION"));
}

TEST_F(CppOperation, ExceptionsCrashesAndKillsFailOneRun) {
  put_body(R"(  const int n = int(io.setting("n"));
  if (n == 1) throw Error(Errc::shape, "3 for 4", "give 4");
  if (n == 2) throw std::runtime_error("thrown");
  if (n == 5) throw 5;
  if (n == 4) { std::printf("last words\n"); std::fflush(stdout); volatile int* p = nullptr; *p = 1; }
  if (n == 6) for (volatile int i = 0;; i = i + 1) {}
  io.out("out") = flow::Value(n);)");
  refresh();
  ASSERT_EQ(ops_->list().at(0).error, "");
  EXPECT_EQ(run("user.op").at("out").number(), 3);
  EXPECT_THAT(message("user.op", {}, {{"n", 1}}), AllOf(HasSubstr("op.cpp: 3 for 4"), HasSubstr("do: give 4")));
  EXPECT_THAT(message("user.op", {}, {{"n", 2}}), HasSubstr("op.cpp: thrown"));
  EXPECT_THAT(message("user.op", {}, {{"n", 5}}), HasSubstr("no std::exception"));
  const std::string crash = message("user.op", {}, {{"n", 4}});
  EXPECT_THAT(crash, HasSubstr("the worker was killed by signal 11"));
  EXPECT_EQ(run("user.op").at("out").number(), 3);
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    cancel_.request();
  });
  EXPECT_THAT(message("user.op", {}, {{"n", 6}}), HasSubstr("cancel"));
  canceller.join();
}

TEST_F(CppOperation, StateOutlivesAnEdit) {
  const std::string count = "  auto& n = flow::user::state<int>(\"count\");\n  ++n;\n";
  put_body(count + "  io.out(\"out\") = flow::Value(n);");
  refresh();
  EXPECT_EQ(run("user.op").at("out").number(), 1);
  EXPECT_EQ(run("user.op").at("out").number(), 2);
  const int process = ops_->process_of("user.op");
  put_body(count + "  io.out(\"out\") = flow::Value(100 * n);");
  refresh();
  EXPECT_EQ(run("user.op").at("out").number(), 300);
  EXPECT_EQ(ops_->process_of("user.op"), process);
}

TEST_F(CppOperation, HeadersBesideItArePartOfIt) {
  put("number.hpp", "#pragma once\n#include \"deeper.hpp\"\ninline constexpr int number = deeper + 1;\n");
  put("deeper.hpp", "#pragma once\ninline constexpr int deeper = 1;\n");
  const auto now = [&] {
    put_body("  io.out(\"out\") = flow::Value(number);", "#include \"number.hpp\"\n");
    refresh();
    return run("user.op").at("out").number();
  };
  EXPECT_EQ(now(), 2);
  put("deeper.hpp", "#pragma once\ninline constexpr int deeper = 5;\n");
  EXPECT_EQ(now(), 6);
}

TEST_F(CppOperation, WhatWasBuiltIsUsedAgain) {
  put_body("  io.out(\"out\") = flow::Value(1);");
  refresh();
  ops_ = std::make_unique<UserOperations>(options_);
  NodeTypes fresh;
  const auto built = [&] {
    std::map<std::filesystem::path, std::filesystem::file_time_type> out;
    for (const auto& entry : std::filesystem::directory_iterator(options_.cache))
      if (entry.path().extension() == ".so") out[entry.path()] = entry.last_write_time();
    return out;
  };
  const auto before = built();
  ASSERT_EQ(before.size(), 1U);
  ops_->refresh(fresh);
  EXPECT_EQ(built(), before);  // nothing was compiled again
  EXPECT_EQ(run_operation(fresh.get("user.op"), fresh.types, {}, {}).at("out").number(), 1);
}

TEST_F(CppOperation, MissingCompilerAndHeadersAreSaid) {
  try {
    header_folder("/nowhere/bin/larmor");
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), AllOf(HasSubstr("headers of larmor"), HasSubstr("/nowhere/include")));
  }
  put_body("");
  options_.program = "/nowhere/bin/larmor";
  refresh();
  EXPECT_THAT(ops_->list().at(0).error, HasSubstr("headers of larmor are not there"));
}

}  // namespace
}  // namespace larmor::flow::user
