// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <larmor/nodes/operations.hpp>
#include <server/describe.hpp>
#include <server/shipped.hpp>

namespace larmor::server {
namespace {

using flow::NodeType;
using flow::Setting;

NodeType reader(std::vector<std::string> endings) {
  return NodeType{.title = "R", .does = "Reads"}
      .out<flow::Value>("out", "it")
      .set(Setting::open("path", "file", std::move(endings)))
      .run([](flow::Ports&) {});
}
std::string opener(const flow::NodeTypes& types, const std::string& ending) {
  return catalogue(types, Shipped({})).at("extensions").value(ending, "");
}

TEST(Catalogue, AFileIsOpenedByAnOperationThatOnlyReadsIt) {
  flow::NodeTypes types;
  types.add("a.read_and_more", reader({"nii"}));
  types.add("io.read", reader({"nii", "png", "npy"}));
  types.add("io.read_npy", reader({"npy"}));
  types.add("b.only_here", reader({"dcm"}));
  types.add("io.a_wire_first", NodeType{.title = "W", .does = "Needs"}
                                   .in<flow::Value>("in", "it")
                                   .set(Setting::open("path", "file", {"txt"}))
                                   .run([](flow::Ports&) {}));
  types.add("io.any_file", reader({}));
  EXPECT_EQ(opener(types, "nii"), "io.read");      // a reader before one that does more, though that opens fewer kinds
  EXPECT_EQ(opener(types, "npy"), "io.read_npy");  // the one that is made for it
  EXPECT_EQ(opener(types, "png"), "io.read");
  EXPECT_EQ(opener(types, "dcm"), "b.only_here");  // no reader opens it
  EXPECT_EQ(opener(types, "txt"), "");             // it would stand there without its input
  EXPECT_EQ(catalogue(types, Shipped({})).at("extensions").size(), 4u);
}

TEST(Catalogue, EveryKindThatIsReadHasItsReader) {
  const auto types = nodes::make_operations();
  for (const auto& [ending, id] : std::map<std::string, std::string>{{"nii", "io.read_image"},
                                                                     {"nii.gz", "io.read_image"},
                                                                     {"npy", "io.read_npy"},
                                                                     {"cfl", "io.read_cfl"},
                                                                     {"csv", "io.read_table"},
                                                                     {"tsv", "io.read_table"},
                                                                     {"png", "io.read_png"},
                                                                     {"txt", "io.read_text"}})
    EXPECT_EQ(opener(types, ending), id) << ending;
  const json all = catalogue(types, Shipped({}));
  for (const auto& [ending, id] : all.at("extensions").items()) EXPECT_TRUE(types.has(id.get<std::string>())) << ending;
}

}  // namespace
}  // namespace larmor::server
