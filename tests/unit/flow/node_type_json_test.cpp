// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <larmor/flow/node_type_json.hpp>

namespace larmor::flow {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(NodeTypeJson, ReadsWhatItWrites) {
  NodeType t = NodeType{.title = "T", .does = "Does.", .from = "P", .help = "$x$"}
                   .in<Array>("in", "it",
                              {.repeated = true,
                               .dtypes = {DType::f32, DType::c64},
                               .min_rank = 1,
                               .max_rank = 3,
                               .axes = {"x"},
                               .lower = 0})
                   .maybe<double>("k", "factor")
                   .out<Array>("out", "that")
                   .set({"n", "count", 3, 1, 9})
                   .set(Setting("v", "value", 0.5).in("ms").by(0.1))
                   .set({"on", "switch", true})
                   .set(Setting("word", "text", "a").lines())
                   .set(Setting::choice("way", "how", "b", {"a", "b"}))
                   .set(Setting::open("file", "which", {"nii"}))
                   .set(Setting::colour("c", "colour", "#fff"))
                   .set(Setting::numbers("list", "some", {1, 2.5}))
                   .set(Setting("maybe", "or not", 1.0).or_none());
  t.version = 4, t.impure = true, t.tags = {"x"}, t.examples = {{"one", "{}"}};
  const std::string text = to_json("user.t", t);
  const auto [id, back] = parse_node_type(text);
  EXPECT_EQ(id, "user.t");
  EXPECT_EQ(to_json(id, back), text);
  EXPECT_EQ(back.settings[0].kind, SettingKind::integer);
  EXPECT_EQ(back.settings[7].value.list()[1].number(), 2.5);
  EXPECT_EQ(back.inputs[0].limits.upper, unbounded);
}

TEST(NodeTypeJson, KindsFollowFromDefaults) {
  const auto t = parse_node_type(R"({"inputs": [{"name": "in"}], "settings": [
      {"name": "i", "default": 1}, {"name": "f", "default": 1.0}, {"name": "b", "default": false},
      {"name": "t", "default": "x"}, {"name": "c", "default": "x", "choices": ["x", "y"]},
      {"name": "l", "default": [1, 2]}]})")
                     .second;
  EXPECT_EQ(t.inputs[0].type, "array");
  const SettingKind kinds[] = {SettingKind::integer, SettingKind::number, SettingKind::boolean,
                               SettingKind::text,    SettingKind::choice, SettingKind::numbers};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(t.settings[i].kind, kinds[i]) << i;
}

TEST(NodeTypeJson, NamesThePlaceOfEveryFault) {
  const auto message = [](std::string_view json) -> std::string {
    try {
      parse_node_type(json);
    } catch (const Error& e) {
      EXPECT_EQ(e.code() == Errc::format || e.code() == Errc::range || e.code() == Errc::type ||
                    e.code() == Errc::unknown_name,
                true);
      return e.what();
    }
    return "no error";
  };
  EXPECT_THAT(message("[]"), HasSubstr("an object is needed"));
  EXPECT_THAT(message(R"({"titel": "x"})"), HasSubstr("did you mean title?"));
  EXPECT_THAT(message(R"({"title": 1})"), AllOf(HasSubstr("a text is needed"), HasSubstr("at: title")));
  EXPECT_THAT(message(R"({"version": 1.5})"), HasSubstr("at: version"));
  EXPECT_THAT(message(R"({"version": -1})"), HasSubstr("at: version"));
  EXPECT_THAT(message(R"({"impure": 1})"), HasSubstr("at: impure"));
  EXPECT_THAT(message(R"({"tags": "a"})"), HasSubstr("at: tags"));
  EXPECT_THAT(message(R"({"tags": [1]})"), HasSubstr("at: tags"));
  EXPECT_THAT(message(R"({"inputs": {}})"), HasSubstr("at: inputs"));
  EXPECT_THAT(message(R"({"inputs": [{"name": "1a"}]})"), HasSubstr("cannot be a name"));
  EXPECT_THAT(message(R"({"inputs": [{"name": "a"}, {"name": "a"}]})"), HasSubstr("twice"));
  EXPECT_THAT(message(R"({"inputs": [{"name": "a", "dtypes": ["f23"]}]})"), HasSubstr("did you mean f32?"));
  EXPECT_THAT(message(R"({"inputs": [{"name": "a", "tpe": "x"}]})"), HasSubstr("did you mean type?"));
  EXPECT_THAT(message(R"({"settings": [{"name": "a"}]})"), HasSubstr("neither 'kind' nor 'default'"));
  EXPECT_THAT(message(R"({"settings": [{"name": "a", "kind": "numbr"}]})"), HasSubstr("did you mean number?"));
  EXPECT_THAT(message(R"({"settings": [{"name": "a", "kind": "number"}]})"), HasSubstr("has no default"));
  EXPECT_THAT(message(R"({"settings": [{"name": "a", "default": 5, "upper": 3}]})"),
              AllOf(HasSubstr("'a' is 5"), HasSubstr("at: settings.0.default")));
  EXPECT_THAT(message(R"({"settings": [{"name": "a", "default": "c", "choices": ["a"]}]})"), HasSubstr("settings.0"));
  EXPECT_THAT(message(R"({"settings": [{"name": "a", "default": 1, "lower": "x"}]})"), HasSubstr("settings.0.lower"));
  EXPECT_THAT(message(R"({"examples": [{"titel": "x"}]})"), HasSubstr("examples.0"));
}

}  // namespace
}  // namespace larmor::flow
