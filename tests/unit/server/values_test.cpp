// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <complex>
#include <cstring>
#include <server/onto.hpp>
#include <server/slices.hpp>
#include <server/statistics.hpp>
#include <server/value_tree.hpp>

#include "studio_fixture.hpp"

namespace larmor::server {
namespace {

constexpr std::size_t plenty = std::size_t{1} << 30;

template <class T>
std::vector<T> elements(const Slice& s) {
  std::vector<T> out(s.bytes.size() / sizeof(T));
  std::memcpy(out.data(), s.bytes.data(), s.bytes.size());
  return out;
}

Array counting(const Shape& shape, const Axes& axes) {
  Array a = Array::of<float>(shape, axes);
  for (std::int64_t i = 0; i < a.size(); ++i) a.data<float>()[i] = static_cast<float>(i);
  return a;
}

TEST(Slices, AnyPlaneInAnyOrder) {
  const Array a = counting({4, 3, 5}, {"x", "y", "z"});
  const auto at = [](int x, int y, int z) { return static_cast<float>(x + 4 * y + 12 * z); };
  const Slice zx = read_slice(a, {.axes = {"z", "x"}, .at = {{"y", 2}}}, plenty);
  EXPECT_EQ(zx.shape, (Shape{5, 4}));
  const auto v = elements<float>(zx);
  for (int x = 0; x < 4; ++x)
    for (int z = 0; z < 5; ++z) EXPECT_EQ(v[static_cast<std::size_t>(z + 5 * x)], at(x, 2, z));
  EXPECT_EQ(elements<float>(read_slice(a, {.axes = {}}, plenty)).size(), 60u);
  EXPECT_EQ(elements<float>(read_slice(a, {.axes = {}, .at = {{"x", 1}, {"y", 1}, {"z", 1}}}, plenty)),
            (std::vector<float>{at(1, 1, 1)}));
  // The same of a view: strides, not order in memory.
  const int order[] = {2, 0, 1};
  const Slice same = read_slice(a.permuted(order), {.axes = {"z", "x"}, .at = {{"y", 2}}}, plenty);
  EXPECT_EQ(same.bytes, zx.bytes);
}

TEST(Slices, RangesAndStepsAreCountedFromTheRange) {
  const Array a = counting({100, 7}, {"x", "y"});
  const Slice s = read_slice(a, {.axes = {"x"}, .at = {{"y", 1}}, .range = {{"x", {10, 43}}}, .max = 8}, plenty);
  EXPECT_EQ(s.step, (Shape{5}));
  EXPECT_EQ(elements<float>(s), (std::vector<float>{110, 115, 120, 125, 130, 135, 140}));
  EXPECT_TRUE(read_slice(a, {.axes = {"x"}, .range = {{"x", {3, 3}}}}, plenty).bytes.empty());
}

TEST(Slices, PartsAndTypes) {
  Array c = Array::of<std::complex<float>>({2}, {"x"});
  c.data<std::complex<float>>()[0] = {3, -4};
  c.data<std::complex<float>>()[1] = {-1, 0};
  const auto part = [&](Part p) { return elements<float>(read_slice(c, {.part = p}, plenty)); };
  EXPECT_EQ(part(Part::abs), (std::vector<float>{5, 1}));
  EXPECT_EQ(part(Part::real), (std::vector<float>{3, -1}));
  EXPECT_EQ(part(Part::imag), (std::vector<float>{-4, 0}));
  EXPECT_FLOAT_EQ(part(Part::phase)[1], static_cast<float>(std::acos(-1.0)));
  EXPECT_EQ(read_slice(c, {}, plenty).dtype, DType::c64);
  EXPECT_THROW(read_slice(c, {.dtype = "u8"}, plenty), Error);
  Array d = Array::of<double>({4}, {"x"});
  for (int i = 0; i < 4; ++i) d.data<double>()[i] = i == 3 ? std::nan("") : 100.0 * i;
  EXPECT_EQ(elements<std::uint8_t>(read_slice(d, {.dtype = "u8"}, plenty)),
            (std::vector<std::uint8_t>{0, 100, 200, 0}));
  EXPECT_EQ(elements<std::uint8_t>(read_slice(d, {.dtype = "u8", .window = {{0, 100}}}, plenty)),
            (std::vector<std::uint8_t>{0, 255, 255, 0}));
  EXPECT_EQ(read_slice(d, {.part = Part::abs}, plenty).dtype, DType::f64);
  EXPECT_EQ(read_slice(d, {.part = Part::abs, .dtype = "f32"}, plenty).dtype, DType::f32);
}

TEST(Slices, MistakesAreNamed) {
  const Array a = counting({4, 3}, {"x", "y"});
  EXPECT_THROW(read_slice(a, {.axes = {"q"}}, plenty), Error);
  EXPECT_THROW(read_slice(a, {.axes = {"x", "x"}}, plenty), Error);
  EXPECT_THROW(read_slice(a, {.axes = {"x"}, .at = {{"y", 3}}}, plenty), Error);
  EXPECT_THROW(read_slice(a, {.axes = {"x"}, .at = {{"y", -1}}}, plenty), Error);
  EXPECT_THROW(read_slice(a, {.axes = {"x"}, .range = {{"x", {2, 9}}}}, plenty), Error);
  EXPECT_THROW(read_slice(a, {.max = -1}, plenty), Error);
  EXPECT_THROW(read_slice(a, {.dtype = "f99"}, plenty), Error);
  EXPECT_THROW(read_slice(a, {.window = {{1, 1}}}, plenty), Error);
  EXPECT_THROW(parse_indices("z"), Error);
  EXPECT_THROW(parse_indices("z:a"), Error);
  EXPECT_THROW(parse_ranges("z:1"), Error);
  EXPECT_THROW(part_of("colour"), Error);
  try {
    read_slice(a, {}, 47);
    ADD_FAILURE();
  } catch (const HttpError& e) {
    EXPECT_EQ(e.status(), 413);
    EXPECT_NE(e.message().find("48"), std::string::npos);
  }
}

/// A turned grid of 2 x 3 x 4 mm voxels somewhere.
Affine oblique() {
  const double c = std::cos(0.4), s = std::sin(0.4);
  Affine a;
  a.m = {{{2 * c, -3 * s, 0, -9}, {2 * s, 3 * c, 0, -14}, {0, 0, 4, -6}, {0, 0, 0, 1}}};
  return a;
}
/// x + 2 y - 3 z of the place [mm] of each voxel: what linear interpolation has to give everywhere.
Array linear_in_space(const Shape& shape, const Affine& affine) {
  Array a = Array::of<float>(shape, {"x", "y", "z"});
  float* p = a.data<float>();
  for (int k = 0; k < shape[2]; ++k)
    for (int j = 0; j < shape[1]; ++j)
      for (int i = 0; i < shape[0]; ++i) {
        const auto r = affine.apply(i, j, k);
        *p++ = static_cast<float>(r[0] + 2 * r[1] - 3 * r[2]);
      }
  return a;
}

TEST(Onto, SamplesLieAtTheSamePlaceInSpace) {
  const Affine fine = Affine::scaling(1, 1, 1), turned = oblique();
  const Array a = linear_in_space({24, 20, 12}, turned), grid = Array::of<std::uint8_t>({30, 28, 9}, {"x", "y", "z"});
  // Every plane of the other grid, also on swapped axes and thinned.
  for (const auto& axes : {Axes{"x", "y"}, Axes{"z", "x"}, Axes{"y", "z"}}) {
    const Slice s =
        read_onto(a, turned, grid, fine, {.axes = axes, .at = {{"x", 5}, {"y", 7}, {"z", 3}}, .max = 10}, plenty);
    EXPECT_EQ(s.axes, axes);
    EXPECT_EQ(s.dtype, DType::f32);
    const auto v = elements<float>(s);
    int inside = 0;
    for (std::int64_t j = 0; j < s.shape[1]; ++j)
      for (std::int64_t i = 0; i < s.shape[0]; ++i) {
        std::array<double, 3> at{5, 7, 3};
        const auto column = [](const std::string& name) { return name == "x" ? 0u : name == "y" ? 1u : 2u; };
        at[column(axes[0])] = static_cast<double>(i * s.step[0]);
        at[column(axes[1])] = static_cast<double>(j * s.step[1]);
        const float got = v[static_cast<std::size_t>(i + s.shape[0] * j)];
        const auto voxel = turned.inverse().apply(at[0], at[1], at[2]);  // the fine grid is space itself
        const bool in =
            voxel[0] >= 0 && voxel[0] <= 23 && voxel[1] >= 0 && voxel[1] <= 19 && voxel[2] >= 0 && voxel[2] <= 11;
        const bool out = voxel[0] < -0.51 || voxel[0] > 23.51 || voxel[1] < -0.51 || voxel[1] > 19.51 ||
                         voxel[2] < -0.51 || voxel[2] > 11.51;
        if (in) {
          ++inside;
          EXPECT_NEAR(got, at[0] + 2 * at[1] - 3 * at[2], 1e-4);  // float of values up to 100
        }
        if (out) {
          EXPECT_TRUE(std::isnan(got));
        }
      }
    EXPECT_GT(inside, 10);
  }
}

TEST(Onto, TheSameGridGivesTheSliceItself) {
  const Affine here = oblique();
  Array a = counting({9, 8, 7, 3}, {"x", "y", "z", "t"});
  const SliceQuery q{.axes = {"y", "x"}, .at = {{"z", 4}, {"t", 2}}};
  EXPECT_EQ(elements<float>(read_onto(a, here, a, here, q, plenty)), elements<float>(read_slice(a, q, plenty)));
}

TEST(Onto, LabelsStayLabelsAndTheOutsideIsNone) {
  Array labels = Array::of<std::uint8_t>({4, 4, 4}, {"x", "y", "z"});
  for (int n = 0; n < 64; ++n) labels.data<std::uint8_t>()[n] = static_cast<std::uint8_t>(n % 4 < 2 ? 7 : 40);
  const Array grid = Array::of<float>({20, 20, 20}, {"x", "y", "z"});
  const Slice s = read_onto(labels, Affine::scaling(2, 2, 2), grid, Affine::scaling(0.5, 0.5, 0.5),
                            {.axes = {"x", "y"}, .at = {{"z", 8}}}, plenty);
  EXPECT_EQ(s.dtype, DType::u8);
  std::map<int, int> seen;
  for (const auto v : elements<std::uint8_t>(s)) ++seen[v];
  for (const auto& [label, n] : seen) EXPECT_TRUE(label == 0 || label == 7 || label == 40) << label;
  EXPECT_GT(seen[0], 0);
  EXPECT_GT(seen[7], 0);
  EXPECT_GT(seen[40], 0);
}

TEST(Onto, MistakesAreNamed) {
  const Array a = counting({4, 4, 4}, {"x", "y", "z"}), flat = counting({4, 4}, {"x", "y"});
  const Affine one;
  EXPECT_THROW(read_onto(a, one, flat, one, {.axes = {"x", "y"}}, plenty), Error);
  EXPECT_THROW(read_onto(flat, one, a, one, {.axes = {"x", "y"}}, plenty), Error);
  EXPECT_THROW(read_onto(a, one, a, one, {.axes = {"x"}}, plenty), Error);
  EXPECT_THROW(read_onto(a, one, a, one, {.axes = {"x", "q"}}, plenty), Error);
  EXPECT_THROW(read_onto(a, one, a, one, {.axes = {"x", "y"}, .at = {{"z", 4}}}, plenty), Error);
  Affine singular;
  singular.m[2][2] = 0;
  EXPECT_THROW(read_onto(a, singular, a, one, {.axes = {"x", "y"}}, plenty), Error);
}

TEST(Statistics, OfAllAndOfRegions) {
  const Array a = counting({10, 10, 3}, {"x", "y", "z"});
  const Statistics all = statistics(a, {});
  EXPECT_EQ(all.count, 300);
  EXPECT_DOUBLE_EQ(all.mean, 149.5);
  EXPECT_DOUBLE_EQ(all.median, 149.5);
  // Of 0 .. n - 1: n (n + 1) / 12.
  EXPECT_NEAR(all.sd, std::sqrt(300.0 * 301 / 12), 1e-9);
  EXPECT_EQ(std::accumulate(all.counts.begin(), all.counts.end(), std::int64_t{0}), 300);
  const Statistics box =
      statistics(a, {.axes = {"x", "y"}, .at = {{"z", 1}}, .region = Region::parse("rect:1.5:2:4:3.9")});
  EXPECT_EQ(box.count, 6);  // x 2..4, y 2..3
  EXPECT_EQ(box.min, 100 + 20 + 2);
  EXPECT_EQ(box.max, 100 + 30 + 4);
  const Statistics every = statistics(a, {.axes = {"x", "y"}, .region = Region::parse("rect:0:0:1:0")});
  EXPECT_EQ(every.count, 6);  // two elements in each of three slices
  const Statistics outside = statistics(a, {.axes = {"x", "y"}, .region = Region::parse("rect:50:50:60:60")});
  EXPECT_EQ(outside.count, 0);
  EXPECT_TRUE(std::isnan(outside.mean));
}

TEST(Statistics, RegionsHoldWhatAreaSays) {
  const Array a = counting({200, 200}, {"x", "y"});
  // The number of centres inside grows as the area; the difference is of the order of the outline.
  const auto count = [&](const char* shape) {
    return static_cast<double>(statistics(a, {.axes = {"x", "y"}, .region = Region::parse(shape)}).count);
  };
  EXPECT_NEAR(count("ellipse:20.5:30.5:180.5:90.5"), std::acos(-1.0) * 80 * 30, 60);
  EXPECT_NEAR(count("polygon:10.5:10.5:150.5:10.5:10.5:110.5"), 140 * 100 / 2.0, 120);
  // A region on swapped axes is the transposed one.
  const auto one = statistics(a, {.axes = {"x", "y"}, .region = Region::parse("rect:1:2:3:9")});
  const int order[] = {1, 0};
  const auto other = statistics(a.permuted(order), {.axes = {"x", "y"}, .region = Region::parse("rect:1:2:3:9")});
  EXPECT_EQ(one.mean, other.mean);
  EXPECT_EQ(one.count, other.count);
}

TEST(Statistics, NotFiniteElementsAreLeftOut) {
  Array a = counting({5}, {"x"});
  a.data<float>()[0] = NAN;
  a.data<float>()[1] = INFINITY;
  const Statistics s = statistics(a, {});
  EXPECT_EQ(s.elements, 5);
  EXPECT_EQ(s.count, 3);
  EXPECT_EQ(s.mean, 3);
  EXPECT_EQ(extremes(a), (std::pair<double, double>{2, 4}));
  for (const char* bad : {"rect:1:2:3", "circle:1:2:3:4", "rect:a:b:c:d", "polygon:1:2:3:4", "rect:1:2:3:nan"})
    EXPECT_THROW(Region::parse(bad), Error) << bad;
  EXPECT_THROW(statistics(a, {.axes = {"x"}, .region = Region::parse("rect:1:2:3:4")}), Error);
  EXPECT_THROW(statistics(a, {.bins = 0}), Error);
}

TEST(Statistics, OfManyElementsPercentilesAreClose) {
  const Array a = counting({3000, 3000}, {"x", "y"});
  const Statistics s = statistics(a, {});
  EXPECT_TRUE(s.approximate);
  EXPECT_EQ(s.count, 9000000);
  EXPECT_NEAR(s.median, 4499999.5, 10);  // evenly spread: one step of the sample
}

TEST(ValueTree, ArraysAreFoundByTheirPaths) {
  const Array a = counting({2}, {"x"}), b = counting({3}, {"x"});
  const flow::Value v = flow::Value::record(
      "thing", {{"list", flow::Value::List{flow::Value(1), flow::Value::record("", {{"values", flow::Value(a)}})}},
                {"a.b", flow::Value(b)},
                {"nan", flow::Value(std::nan(""))}});
  const json tree = value_tree(v, "h1");
  EXPECT_EQ(tree["$type"], "thing");
  EXPECT_EQ(tree["list"][1]["values"]["path"], "list.1.values");
  EXPECT_EQ(tree["list"][1]["values"]["max"], 1);
  EXPECT_EQ(tree["nan"]["$number"], "nan");
  EXPECT_EQ(array_at(v, "list.1.values").size(), 2);
  EXPECT_EQ(array_at(v, "a.b").size(), 3);
  EXPECT_EQ(array_at(v, "").size(), 2);
  for (const char* bad : {"none", "list.7", "list.x", "list.0", "list.1.values.deeper"})
    EXPECT_THROW(array_at(v, bad), Error) << bad;
}

class ValuesTest : public StudioTest {};

TEST(ValueTree, MapsSayTheUnitTheyAreShownIn) {
  const auto map = [](const char* name, const char* unit) {
    return flow::Value::record("map",
                               {{"name", name}, {"unit", unit}, {"values", counting({2, 2, 1}, {"x", "y", "z"})}});
  };
  const json flow = value_tree(map("CBF", "mm3/(g s)"), "u1");
  EXPECT_EQ(flow["shown_unit"], "mL/min/100g");
  EXPECT_NEAR(flow["shown_factor"].get<double>(), 6, 1e-12);  // 1 mm3/(g s) = 0.1 mL x 60 / (100 g min)
  EXPECT_EQ(flow["unit"], "mm3/(g s)");                       // values and their unit stay what they are
  // In the unit of the lexicon already, of another dimension, unknown, or in a unit of somebody's own: as it is.
  for (const auto& [name, unit] :
       {std::pair{"Ktrans", "1/min"}, {"Ktrans", "mm"}, {"mine", "1/s"}, {"Ktrans", "bananas"}, {"CBF", ""}})
    EXPECT_FALSE(value_tree(map(name, unit), std::string(name) + unit).contains("shown_unit")) << name << " " << unit;
}

TEST_F(ValuesTest, SlicesComeWithWhatTheyAre) {
  const std::string g = open({{"r", node("test.ramp")}});
  ASSERT_TRUE(settled(g, "r", "done"));
  const std::string target = "/api/graphs/" + g + "/array?port=r.out&axes=y,x&at=z:2&part=real&max=5";
  const auto a = test::ask(server->port(), "GET", target);
  ASSERT_EQ(a.status, 200) << a.body;
  EXPECT_EQ(a.headers.at("x-larmor-shape"), "5,4");
  EXPECT_EQ(a.headers.at("x-larmor-step"), "2,3");
  EXPECT_EQ(a.headers.at("x-larmor-axes"), "y,x");
  EXPECT_EQ(a.headers.at("x-larmor-dtype"), "f32");
  const auto* v = reinterpret_cast<const float*>(a.body.data());
  EXPECT_EQ(v[1 + 5 * 2], 20000 + 200 + 6);
  const auto same = test::ask(server->port(), "GET", target, "", "If-None-Match: " + a.headers.at("etag") + "\r\n");
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(api("GET", "/api/graphs/" + g + "/array?port=r.out&at=q:0").status, 404);
  EXPECT_EQ(api("GET", "/api/graphs/" + g + "/array?port=r.none").status / 100, 4);
  EXPECT_EQ(api("GET", "/api/graphs/" + g + "/array").status, 400);
}

TEST_F(ValuesTest, ASliceIsTakenOntoTheGridOfAnother) {
  const std::string g = open({{"a", node("phantom.shepp_logan", {{"size", {32, 32, 8}}})},
                              {"place", node("image.from_array", {{"spacing", {2, 2, 2}}})},
                              {"r", node("test.ramp")}},
                             {{"place.in", "a.out"}});
  ASSERT_TRUE(settled(g, "place", "done"));
  const auto get = [&](const std::string& what) {
    return test::ask(server->port(), "GET", "/api/graphs/" + g + "/array?" + what);
  };
  const auto one = get("port=place.out&axes=x,y&at=z:4");
  const auto same = get("port=place.out&axes=x,y&at=z:4&onto=place.out");
  ASSERT_EQ(same.status, 200) << same.body;
  EXPECT_EQ(one.body.size(), same.body.size());
  EXPECT_NE(one.headers.at("etag"), same.headers.at("etag"));
  const auto plain = get("port=r.out&axes=x,y&onto=place.out");
  EXPECT_EQ(plain.status / 100, 4);
  EXPECT_NE(plain.body.find("no place in space"), std::string::npos) << plain.body;
  EXPECT_EQ(get("port=place.out&axes=x,y&onto=nobody.out").status, 404);
}

TEST_F(ValuesTest, DownloadsReadBack) {
  const std::string g = open({{"r", node("test.ramp")}, {"n", node("test.number", {{"value", 5}})}});
  ASSERT_TRUE(settled(g, "r", "done"));
  const auto get = [&](const std::string& what) {
    return test::ask(server->port(), "GET", "/api/graphs/" + g + "/download?" + what);
  };
  EXPECT_TRUE(get("port=r.out&format=npy").body.starts_with("\x93NUMPY"));
  EXPECT_TRUE(get("port=r.out&format=nii.gz").body.starts_with("\x1f\x8b"));
  EXPECT_TRUE(get("port=r.out&format=png&at=z:1").body.starts_with("\x89PNG"));
  EXPECT_EQ(get("port=n.out&format=json").body, "5");
  EXPECT_NE(get("port=n.out&format=csv").body.find("5"), std::string::npos);
  EXPECT_EQ(get("port=r.out&format=csv").status, 400);  // three axes
  EXPECT_EQ(get("port=r.out&format=exe").status, 404);
  EXPECT_EQ(get("port=n.out&format=png").status, 400);
  EXPECT_EQ(get("port=r.out&format=npy").headers.at("content-disposition"), "attachment; filename=\"r_out.npy\"");
}

std::size_t resident_kilobytes() {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6));
  return 0;
}

TEST_F(ValuesTest, ThreeGigabytesAreProbedWithoutACopy) {
  const std::string g = open({{"b", node("test.big")}});
  ASSERT_TRUE(soon([&] { return !state_of(g, "b").empty() && state_of(g, "b") != "running"; }, 60000));
  const auto before = resident_kilobytes();
  const auto slice = test::ask(server->port(), "GET", "/api/graphs/" + g + "/array?port=b.out&axes=x,y&at=z:700");
  ASSERT_EQ(slice.status, 200) << slice.body;
  EXPECT_EQ(slice.body.size(), std::size_t{4} << 20);
  EXPECT_EQ(test::ask(server->port(), "GET", "/api/graphs/" + g + "/array?port=b.out&axes=z,y&at=x:7&max=256").status,
            200);
  const auto whole = api("GET", "/api/graphs/" + g + "/array?port=b.out");
  EXPECT_EQ(whole.status, 413);
  EXPECT_NE(whole.body["error"]["message"].get<std::string>().find("3221225472"), std::string::npos);
  EXPECT_EQ(api("GET", "/api/graphs/" + g + "/download?port=b.out&format=npy").status, 413);
  const auto all = api("GET", "/api/graphs/" + g + "/statistics?port=b.out").body;
  EXPECT_EQ(all["count"], std::int64_t{1024} * 1024 * 768);
  EXPECT_LT(resident_kilobytes(), before + 512 * 1024);
}

}  // namespace
}  // namespace larmor::server
