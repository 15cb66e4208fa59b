// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <larmor/flow/node_type.hpp>

namespace larmor::flow {
namespace {

using testing::HasSubstr;

NodeType scale() {
  return NodeType{.title = "Scale", .does = "Multiplies by a factor"}
      .in<Array>("in", "any array", {.dtypes = {DType::f32}, .axes = {"x"}})
      .maybe<double>("offset", "added")
      .out<Array>("out", "in x factor")
      .set({"factor", "multiplies", 2.0, 0, 10})
      .set({"times", "repeats", 1, 1, 5})
      .run([](Ports& io) {
        Array a = io.in<Array>("in").clone();
        const double factor = io.setting("factor"), offset = io.has("offset") ? io.in<double>("offset") : 0;
        for (auto& v : a.span<float>()) v = static_cast<float>(v * factor + offset);
        if (factor == 0) io.warn("everything is 0");
        io.out("out") = a;
      });
}

Array ones() { return Array::from(std::span<const float>(std::vector<float>{1, 1}), {2}, {"x"}); }

template <class F>
std::string message(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(NodeType, RunsWithDefaultsAndSettings) {
  const Types types;
  const auto type = scale();
  EXPECT_EQ(run_operation(type, types, {{"in", ones()}}, {}).at("out").array().data<float>()[0], 2);
  EXPECT_EQ(
      run_operation(type, types, {{"in", ones()}, {"offset", 1}}, {{"factor", 3}}).at("out").array().data<float>()[1],
      4);
  std::string warned;
  Ports::Services services;
  services.warn = [&](const std::string& text) { warned = text; };
  run_operation(type, types, {{"in", ones()}}, {{"factor", 0}}, services);
  EXPECT_EQ(warned, "everything is 0");
}

TEST(NodeType, SaysWhatIsWrongWithACall) {
  const Types types;
  const auto type = scale();
  const auto call = [&](std::map<std::string, Value> in, std::map<std::string, Value> set) {
    return message([&] { run_operation(type, types, in, set); });
  };
  EXPECT_THAT(call({}, {}), HasSubstr("'in' gets nothing"));
  EXPECT_THAT(call({{"inn", ones()}}, {}), HasSubstr("did you mean in?"));
  EXPECT_THAT(call({{"in", "text"}}, {}), HasSubstr("Array is needed and this is Text"));
  EXPECT_THAT(call({{"in", ones().cast(DType::f64)}}, {}), HasSubstr("takes f32 and this is f64"));
  EXPECT_THAT(call({{"in", ones().with_axes({"y"})}}, {}), HasSubstr("needs an axis 'x'"));
  EXPECT_THAT(call({{"in", ones()}}, {{"factor", 11}}), HasSubstr("from 0 to 10"));
  EXPECT_THAT(call({{"in", ones()}}, {{"factor", "a"}}), HasSubstr("give a number"));
  EXPECT_THAT(call({{"in", ones()}}, {{"times", 1.5}}), HasSubstr("whole number"));
  EXPECT_THAT(call({{"in", ones()}}, {{"factr", 1}}), HasSubstr("did you mean factor?"));
}

TEST(NodeType, KindOfASettingFollowsFromItsDefault) {
  EXPECT_EQ(Setting("a", "", 1).kind, SettingKind::integer);
  EXPECT_EQ(Setting("a", "", 1.0).kind, SettingKind::number);
  EXPECT_EQ(Setting("a", "", true).kind, SettingKind::boolean);
  EXPECT_EQ(Setting("a", "", "x").kind, SettingKind::text);
  const auto choice = Setting::choice("a", "", "one", {"one", "two"});
  EXPECT_EQ(choice.checked("two").text(), "two");
  EXPECT_THAT(message([&] { (void)choice.checked("on"); }), HasSubstr("did you mean one?"));
  EXPECT_THAT(message([&] { (void)Setting::colour("c", "", "#fff").checked("red"); }), HasSubstr("#0072B2"));
  EXPECT_TRUE(Setting("a", "", 1.0).or_none().checked({}).none());
}

TEST(NodeType, RepeatedPortsComeInOrder) {
  const auto type = NodeType{.title = "Join"}
                        .in<double>("in", "numbers", {.repeated = true})
                        .out<double>("out", "digits read together")
                        .run([](Ports& io) {
                          double sum = 0;
                          for (const auto& v : io.all("in")) sum = 10 * sum + v.number();
                          io.out("out") = sum;
                        });
  const auto out = run_operation(type, Types(), {{"in.10", 3}, {"in.2", 2}, {"in.1", 1}}, {});
  EXPECT_EQ(out.at("out").number(), 123);
  EXPECT_EQ(type.input("in.x"), nullptr);
}

TEST(NodeType, FormAdaptsSettingsToTheData) {
  const auto type = NodeType{.title = "Pick"}
                        .in<Array>("in", "array")
                        .out<Array>("out", "one row")
                        .set({"index", "which", 0, 0})
                        .validate([](Form& form) {
                          if (!form.in("in").none())
                            form.change("index").upper = static_cast<double>(form.in("in").array().extent(0) - 1);
                        });
  EXPECT_EQ(Form(type, {{"in", ones()}}, {}).all()[0].upper, 1);
  EXPECT_EQ(Form(type, {}, {}).all()[0].upper, unbounded);
}

TEST(Types, AcceptDescendantsAndHarmlessReadings) {
  Types types;
  types.add("image", {.title = "Image", .what = "array with geometry", .parent = "array"});
  EXPECT_TRUE(types.accepts("array", "image"));
  EXPECT_FALSE(types.accepts("image", "array"));
  EXPECT_TRUE(types.accepts("any", "image"));
  EXPECT_TRUE(types.accepts("array", "number"));
  EXPECT_FALSE(types.accepts("number", "text"));
  EXPECT_EQ(types.refusal("image", "text"), "Image is needed and this is Text");
}

}  // namespace
}  // namespace larmor::flow
