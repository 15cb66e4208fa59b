// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <larmor/flow/provenance.hpp>

namespace larmor::flow {
namespace {

using testing::HasSubstr;
using testing::Key;
using testing::UnorderedElementsAre;

class ProvenanceTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    dir_ = std::filesystem::temp_directory_path() /
           (std::string("larmor_provenance_") + test->name() + "_" + std::to_string(::getpid()));
    std::filesystem::create_directories(dir_);
    types_.add("io.read", [] {
      NodeType t = NodeType{.title = "Read"}.out<Array>("out", "").set(Setting::open("path", "which"));
      t.version = 3;
      return t;
    }());
    types_.add("io.write",
               NodeType{.title = "Write"}.in<Array>("in", "").set(Setting::save("path", "where", "out.nii")));
    types_.add("a.a", NodeType{.title = "A"}.in<Array>("in", "").out<Array>("out", ""));
    put("a.dat", "one");
    put("b.dat", "two");
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  void put(const std::string& name, const std::string& text) const { std::ofstream(dir_ / name) << text; }

  std::filesystem::path dir_;
  NodeTypes types_;
  Graph graph_ = parse_graph(R"({"larmor": 1, "nodes": {
      "a": {"op": "io.read", "settings": {"path": "a.dat"}}, "b": {"op": "io.read", "settings": {"path": "b.dat"}},
      "sub": {"graph": "d"}, "wa": {"op": "io.write"}, "wb": {"op": "io.write"},
      "swept": {"op": "io.read", "sweeps": {"path": ["a.dat", "gone.dat"]}}, "ws": {"op": "io.write"}},
      "wires": {"sub.x": "a.out", "wa.in": "sub.y", "wb.in": "b.out", "ws.in": "swept.out"},
      "definitions": {"d": {"nodes": {"p": {"op": "a.a"}, "r": {"op": "io.read", "settings": {"path": "b.dat"}}},
                            "inputs": {"x": {"to": ["p.in"]}}, "outputs": {"y": {"from": "p.out"}}}}})");
};

TEST_F(ProvenanceTest, HoldsWhatTheNodeDependsOn) {
  const auto wb = provenance_of(graph_, "wb", types_, {}, dir_);
  EXPECT_THAT(wb.files, UnorderedElementsAre(Key("b.dat")));
  EXPECT_EQ(wb.files.at("b.dat"), hash_file(dir_ / "b.dat").str());
  EXPECT_THAT(wb.operations, UnorderedElementsAre(std::pair("io.read", 3), std::pair("io.write", 1)));
  const auto wa = provenance_of(graph_, "wa", types_, {}, dir_);
  EXPECT_THAT(wa.files, UnorderedElementsAre(Key("a.dat"), Key("b.dat")));  // the sub-graph reads the other
  EXPECT_THAT(wa.operations, UnorderedElementsAre(Key("io.read"), Key("io.write"), Key("a.a")));
  const auto inner = provenance_of(graph_, "sub/p", types_, {}, dir_);
  EXPECT_THAT(inner.files, UnorderedElementsAre(Key("a.dat")));
  const auto ws = provenance_of(graph_, "ws", types_, {}, dir_);
  EXPECT_EQ(ws.files.at("gone.dat"), "");
  EXPECT_FALSE(ws.files.at("a.dat").empty());
  EXPECT_THROW(provenance_of(graph_, "wc", types_, {}, dir_), Error);
}

TEST_F(ProvenanceTest, GivesTheGraphBack) {
  const std::string text = to_json(provenance_of(graph_, "wa", types_, {}, dir_));
  EXPECT_EQ(text.find('\n'), std::string::npos);
  const auto back = parse_provenance(text);
  EXPECT_EQ(to_json(back.graph), to_json(graph_));
  EXPECT_EQ(back.node, "wa");
  EXPECT_EQ(back.larmor, LARMOR_VERSION);
  EXPECT_EQ(back.operations.at("io.read"), 3);
  EXPECT_EQ(to_json(back), text);
}

TEST_F(ProvenanceTest, IsAPureFunctionOfGraphAndFiles) {
  const auto text = [&] { return to_json(provenance_of(graph_, "wb", types_, {}, dir_)); };
  const std::string before = text();
  EXPECT_EQ(text(), before);
  put("b.dat", "other");  // another size: the remembered hash is not used
  EXPECT_NE(text(), before);
  put("b.dat", "two");
  std::filesystem::last_write_time(dir_ / "b.dat", std::filesystem::file_time_type::clock::now());
  EXPECT_EQ(text(), before);
}

TEST(Provenance, RefusesWhatIsNone) {
  const auto message = [](std::string_view text) -> std::string {
    try {
      parse_provenance(text);
    } catch (const Error& e) {
      return e.what();
    }
    return "no error";
  };
  EXPECT_THAT(message(R"({"software": "larmor", "command": "larmor dce"})"), HasSubstr("not made by one"));
  EXPECT_THAT(message("hello"), HasSubstr("not JSON"));
  EXPECT_THAT(message("[]"), HasSubstr("no graph in it"));
  EXPECT_THAT(message(R"({"graph": {"larmor": 99}})"), HasSubstr("version 99"));
  EXPECT_THAT(message(R"({"graph": {"larmor": 1}, "node": 3})"), HasSubstr("not the provenance that a graph writes"));
}

TEST(Provenance, HashOfAFile) {
  EXPECT_TRUE(hash_file("/no/such/file").zero());
  EXPECT_TRUE(hash_file("/").zero());
}

}  // namespace
}  // namespace larmor::flow
