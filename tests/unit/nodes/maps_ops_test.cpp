// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/nodes/files.hpp>
#include <larmor/nodes/map_files.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>
#include <larmor/nodes/values/report.hpp>
#include <larmor/nodes/values/table.hpp>

#include "../io/support.hpp"
#include "run_op.hpp"

namespace larmor::nodes {
namespace {

using flow::Value;
using flow::ValueTraits;
using test::caught;
using test::run_op;
using test::TempFolder;
using testing::HasSubstr;

ParameterMaps some_maps() {
  ParameterMaps m;
  m.reference.affine = Affine::scaling(2, 3, 4);
  m.reference.data = Array::of<float>({3, 2, 2}, {"x", "y", "z"});
  const auto add = [&](const char* name, const char* unit, float first) {
    Array values = Array::of<float>({3, 2, 2}, {"x", "y", "z"});
    for (std::size_t v = 0; v < 12; ++v) values.span<float>()[v] = first * static_cast<float>(v + 1);
    values.span<float>()[7] = NAN;
    m.maps.push_back(
        {.name = name, .symbol = name, .unit = unit, .title = name, .values = values, .standard_error = {}});
  };
  add("Ktrans", "1/s", 0.001F), add("ve", "1", 0.02F);
  m.maps[0].standard_error = m.maps[0].values.clone();
  m.status = Array::of<std::uint8_t>({3, 2, 2}, {"x", "y", "z"});
  std::fill(m.status.span<std::uint8_t>().begin(), m.status.span<std::uint8_t>().end(), std::uint8_t(1));
  m.meta["Models"] = std::vector<std::string>{"dce.tofts"};
  return m;
}

TEST(MapFolders, ComeBackInEngineUnits) {
  for (const char* units : {"lexicon", "engine"}) {
    const TempFolder dir;
    const std::string folder = (dir / "maps").string();
    flow::Ports::Services services;
    services.provenance = [] { return R"({"graph":{}})"; };
    const auto m = some_maps();
    run_op("io.write_maps", {{"maps", ValueTraits<ParameterMaps>::to(m)}}, {{"folder", folder}, {"units", units}},
           services);
    EXPECT_EQ(read_provenance(folder + "/Ktrans_se.nii.gz"), R"({"graph":{}})");
    const auto back = ValueTraits<ParameterMaps>::from(run_op("io.read_maps", {}, {{"folder", folder}}).at("maps"));
    ASSERT_EQ(back.maps.size(), 2U);
    for (const auto& map : m.maps) {
      const auto& same = back.get(map.name);
      EXPECT_EQ(same.unit, map.unit);
      for (std::size_t v = 0; v < 12; ++v) {
        const float x = map.values.span<const float>()[v], y = same.values.span<const float>()[v];
        EXPECT_TRUE(std::isnan(x) ? std::isnan(y) : std::abs(x - y) <= 2e-7F * x) << map.name << v;  // two roundings
      }
    }
    EXPECT_FALSE(back.get("Ktrans").standard_error.empty());
    EXPECT_EQ(back.status.span<const std::uint8_t>()[3], 1);
    EXPECT_EQ(back.reference.affine.m, m.reference.affine.m);
  }
}

TEST(MapFolders, RefuseWhatIsNone) {
  const TempFolder dir;
  EXPECT_EQ(caught([&] { read_maps(dir / "absent"); }).code(), Errc::file);
  EXPECT_EQ(caught([&] { read_maps(dir.path); }).code(), Errc::file);
  EXPECT_EQ(caught([&] {
              run_op("io.write_maps", {{"maps", ValueTraits<ParameterMaps>::to(some_maps())}}, {{"folder", ""}});
            }).code(),
            Errc::usage);
}

TEST(Validate, CountsWhatIsWithinTolerance) {
  const auto truth = some_maps();
  auto maps = some_maps();
  maps.maps[0].values.span<float>()[0] *= 3;      // 0.06 to 0.18 1/min: far out
  maps.maps[1].values.span<float>()[1] = NAN;     // missing
  maps.maps[1].values.span<float>()[2] += 0.04F;  // within 0.05
  std::string told;
  const auto run = [&](double need) {
    told.clear();
    return run_op("dce.validate",
                  {{"maps", ValueTraits<ParameterMaps>::to(maps)}, {"truth", ValueTraits<ParameterMaps>::to(truth)}},
                  {{"need", need}}, {.warn = [&](const std::string& text) { told += text; }});
  };
  const auto out = run(95);
  const auto table = ValueTraits<io::Table>::from(out.at("table"));
  EXPECT_EQ(table.cell(0, "map"), "Ktrans");
  EXPECT_EQ(table.cell(0, "unit"), "1/min");
  EXPECT_EQ(table.cell(0, "voxels"), "11");
  EXPECT_EQ(table.cell(1, "missing"), "1");
  EXPECT_FALSE(out.at("good").boolean());
  EXPECT_NEAR(out.at("within").number(), 10.0 / 11, 1e-12);
  // Both maps with the part that is within: one voxel of the first is far out, one of the second missing.
  EXPECT_THAT(told, HasSubstr("out of tolerance: Ktrans (90.9 %), "));
  EXPECT_THAT(told, HasSubstr("95 % are needed"));
  EXPECT_TRUE(run(90).at("good").boolean());
  EXPECT_EQ(told, "");
  auto other = truth;
  other.maps.resize(1), other.maps[0].name = "PS";
  maps = some_maps();
  EXPECT_EQ(caught([&] {
              run_op("dce.validate", {{"maps", ValueTraits<ParameterMaps>::to(maps)},
                                      {"truth", ValueTraits<ParameterMaps>::to(other)}});
            }).code(),
            Errc::numeric);
}

TEST(Report, NeedsMapsOfAFit) {
  auto maps = some_maps();
  maps.meta.clear();
  Image c;
  c.data = Array::of<float>({3, 2, 2, 4}, {"x", "y", "z", "t"});
  c.times = {0, 1, 2, 3};
  EXPECT_THAT(caught([&] {
                run_op("dce.report",
                       {{"maps", ValueTraits<ParameterMaps>::to(maps)}, {"concentration", ValueTraits<Image>::to(c)}});
              }).what(),
              HasSubstr("which model"));
}

}  // namespace
}  // namespace larmor::nodes
