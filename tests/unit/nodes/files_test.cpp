// SPDX-License-Identifier: Apache-2.0
#include <larmor/io/bids.hpp>
#include <larmor/io/npy.hpp>
#include <larmor/nodes/axis_names.hpp>
#include <larmor/nodes/files.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/picture.hpp>
#include <larmor/nodes/values/report.hpp>
#include <larmor/nodes/values/table.hpp>
#include <larmor/nodes/write.hpp>

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

const std::string made_by = R"({"graph":{"about":"a \"quoted\" -- <b> & text"},"n":1})";

flow::Ports::Services with_provenance() {
  flow::Ports::Services s;
  s.provenance = [] { return made_by; };
  return s;
}

Image sample() {
  Image image;
  image.data = Array::of<float>({2, 3, 4, 3}, {"x", "y", "z", "t"});
  for (std::size_t i = 0; i < 72; ++i) image.data.span<float>()[i] = static_cast<float>(i) / 7;
  image.affine = Affine::scaling(2, 2, 5);
  image.times = {0, 1, 5};  // no header can say this
  image.meta["FlipAngle"] = 15.0;
  return image;
}

Value picture() {
  return ValueTraits<io::Picture>::to({.width = 2, .height = 1, .channels = 3, .pixels = {1, 2, 3, 4, 5, 6}});
}
Value table() { return ValueTraits<io::Table>::to({.columns = {"a", "b"}, .rows = {{"1", "x"}}, .source = {}}); }

TEST(Files, EveryKindComesBackByItsName) {
  const TempFolder dir;
  const std::vector<std::pair<std::string, Value>> all{
      {"image.nii.gz", ValueTraits<Image>::to(sample())},
      {"plain.nii", ValueTraits<Image>::to(sample())},
      {"array.npy", sample().data},
      {"table.csv", table()},
      {"table.tsv", table()},
      {"picture.png", picture()},
      {"any.json", Value::record("", {{"a", Value::List{1.0, "b"}}, {"c", Value::record("", {{"d", true}})}})},
      {"text.txt", Value("hello\nthere")}};
  for (const auto& [name, value] : all) {
    write_file(dir / name, value);
    const Value back = read_file(dir / name);
    EXPECT_EQ(back.type(), value.type()) << name;
    if (value.type() == "image") {
      const auto i = ValueTraits<Image>::from(back);
      EXPECT_EQ(i.times, sample().times) << name;
      EXPECT_EQ(i.affine.m, sample().affine.m);
      EXPECT_EQ(i.meta.at("FlipAngle"), MetaValue(15.0));
      EXPECT_TRUE(std::equal(i.data.span<const float>().begin(), i.data.span<const float>().end(),
                             sample().data.span<const float>().begin()));
    } else if (value.type() == "table") {
      EXPECT_EQ(ValueTraits<io::Table>::from(back).rows, ValueTraits<io::Table>::from(value).rows);
    } else if (value.kind() == Value::Kind::array) {
      EXPECT_EQ(back.array().shape(), value.array().shape());
    } else {
      EXPECT_EQ(back.hash(), value.hash()) << name << " " << flow::to_json(back);
    }
  }
}

TEST(Files, EveryOutputOperationKeepsTheGraphThatMadeIt) {
  const TempFolder dir;
  const struct {
    const char *op, *port, *file;
    Value value;
  } all[] = {{"io.write_image", "image", "a.nii.gz", ValueTraits<Image>::to(sample())},
             {"io.write_npy", "array", "b.npy", sample().data},
             {"io.write_cfl", "array", "k.cfl", sample().data},
             {"io.write_table", "table", "c.csv", table()},
             {"io.write_table", "table", "d.tsv", ValueTraits<Aif>::to({.times = {0, 1}, .values = {2, 3}})},
             {"io.write_png", "picture", "e.png", picture()},
             {"io.write_json", "value", "f.json", Value::record("", {{"a", 1.0}})},
             {"io.write_json", "value", "g.json", Value(2.5)},
             {"io.write_report", "report", "h.html",
              ValueTraits<Page>::to({.title = "t", .html = "<html>\n<head>\n</head><p></html>"})}};
  for (const auto& c : all) {
    const std::string path = (dir / c.file).string();
    const auto out = run_op(c.op, {{c.port, c.value}}, {{"path", path}}, with_provenance());
    EXPECT_EQ(out.at("file").text(), path);
    EXPECT_TRUE(operations().get(c.op).effect) << c.op;
    EXPECT_EQ(flow::from_json(read_provenance(path)).hash(), flow::from_json(made_by).hash()) << c.file;
  }
  // The sidecar of an image has it too.
  EXPECT_THAT(test::slurp(dir / "a.json"), HasSubstr("Provenance"));
  // And what is read again is the data, not the provenance.
  EXPECT_EQ(ValueTraits<io::Table>::from(read_file(dir / "c.csv")).columns, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(ValueTraits<io::Table>::from(read_file(dir / "d.tsv")).columns[0], "time");
}

TEST(Files, WithoutProvenanceThereIsNone) {
  const TempFolder dir;
  for (const char* name : {"a.nii", "a.npy", "a.csv", "a.png"}) {
    write_file(dir / name, name == std::string("a.png")   ? picture()
                           : name == std::string("a.csv") ? table()
                                                          : Value(sample().data));
    EXPECT_EQ(read_provenance(dir / name), "") << name;
  }
}

TEST(Files, ReadersAgreeWithTheTable) {
  for (const auto& [ending, op] : file_readers()) {
    ASSERT_TRUE(operations().has(op)) << op;
    const auto* path = operations().get(op).setting("path");
    ASSERT_NE(path, nullptr) << op;
    EXPECT_NE(std::find(path->choices.begin(), path->choices.end(), ending), path->choices.end()) << ending;
  }
  for (const auto& kind : file_kinds()) {
    ASSERT_TRUE(operations().has(kind.writer)) << kind.writer;
    for (const auto& ending : operations().get(kind.writer).setting("path")->choices)
      EXPECT_EQ(file_kind("a." + ending).writer, kind.writer);
  }
}

TEST(Files, ErrorsNameWhatWasMeant) {
  const TempFolder dir;
  EXPECT_THAT(caught([] { read_file("a/b.npz"); }).what(), HasSubstr("did you mean npy?"));
  EXPECT_THAT(caught([] { read_file("scan.nii.g"); }).what(), HasSubstr("did you mean nii"));
  EXPECT_EQ(caught([] { file_kind("noending"); }).code(), Errc::unknown_name);
  EXPECT_EQ(caught([] { read_file("report.html"); }).code(), Errc::usage);
  EXPECT_EQ(caught([&] { read_file(dir / "absent.nii"); }).code(), Errc::file);
  const auto wrong = caught([&] { write_file(dir / "a.png", table()); });
  EXPECT_EQ(wrong.code(), Errc::type);
  EXPECT_THAT(wrong.what(), HasSubstr("a.png"));
  test::spill(dir / "bad.json", "{\"a\": ");
  EXPECT_THAT(caught([&] { read_file(dir / "bad.json"); }).what(), HasSubstr("bad.json"));
  EXPECT_EQ(caught([&] { read_provenance(dir / "absent.npy"); }).code(), Errc::file);
  EXPECT_EQ(dir.names(), std::vector<std::string>{"bad.json"});  // nothing half written
}

TEST(Files, ReadersAreOperations) {
  const TempFolder dir;
  const auto path = [&](const char* name) { return Value((dir / name).string()); };
  write_file(dir / "a.json", Value::record("", {{"FA", Value::List{2.0, 5.0}}, {"on", true}}));
  const auto json = run_op("io.read_json", {}, {{"path", path("a.json")}}).at("value");
  EXPECT_EQ(ValueTraits<std::vector<double>>::from(json.field("FA")), (std::vector<double>{2, 5}));
  write_file(dir / "a.csv", table());
  EXPECT_EQ(
      ValueTraits<io::Table>::from(run_op("io.read_table", {}, {{"path", path("a.csv")}}).at("table")).cell(0, "b"),
      "x");
  write_file(dir / "a.png", picture());
  const auto png = run_op("io.read_png", {}, {{"path", path("a.png")}});
  EXPECT_EQ(png.at("picture").hash(), picture().hash());
  EXPECT_EQ(png.at("data").array().shape(), (Shape{3, 2, 1}));
  const auto written = run_op("io.write_text", {{"text", "two\nlines"}}, {{"path", path("a.txt")}});
  EXPECT_EQ(run_op("io.read_text", {}, {{"path", written.at("file")}}).at("text").text(), "two\nlines");
  for (const char* op :
       {"io.read_json", "io.read_table", "io.read_png", "io.read_text", "io.read_image", "io.read_npy"})
    EXPECT_EQ(caught([&] { run_op(op, {}, {{"path", path("absent")}}); }).code(), Errc::file) << op;
}

TEST(Files, CurvesAreReadInTheirUnit) {
  const TempFolder dir;
  test::spill(dir / "aif.csv", "c,time\n1,0\n3,0.5\n");
  const auto read = [&](const char* unit, bool plasma) {
    return ValueTraits<Aif>::from(
        run_op("dce.aif_file", {}, {{"path", (dir / "aif.csv").string()}, {"time_unit", unit}, {"plasma", plasma}})
            .at("aif"));
  };
  EXPECT_EQ(read("min", true).times, (std::vector<double>{0, 30}));
  EXPECT_EQ(read("s", false).values, (std::vector<double>{1, 3}));
  EXPECT_TRUE(read("s", true).plasma);
  test::spill(dir / "aif.csv", "t\n1\n2\n");
  EXPECT_EQ(caught([&] { read("s", true); }).code(), Errc::format);
}

TEST(AxisNames, AreGivenInOrder) {
  const Array a = Array::of<float>({2, 3});
  EXPECT_EQ(with_axis_names(a, "coil, x").axes(), (Axes{"coil", "x"}));
  EXPECT_EQ(with_axis_names(a, "").axes(), a.axes());
  EXPECT_EQ(caught([&] { with_axis_names(a, "x"); }).code(), Errc::shape);
  EXPECT_EQ(caught([&] { with_axis_names(a, "x x"); }).code(), Errc::usage);
}

TEST(ReadNpy, NamesTheAxes) {
  const TempFolder dir;
  io::write_npy(dir / "a.npy", Array::of<float>({2, 3}));
  const auto out = run_op("io.read_npy", {}, {{"path", (dir / "a.npy").string()}, {"axes", "coil x"}});
  EXPECT_EQ(out.at("array").array().axes(), (Axes{"coil", "x"}));
  // Those that were written come back, unless others are asked for.
  write_npy_file(dir / "b.npy", Array::of<float>({2, 3}).with_axes({"sample", "arm"}), "");
  const auto read = [&](const std::string& axes) {
    return run_op("io.read_npy", {}, {{"path", (dir / "b.npy").string()}, {"axes", axes}}).at("array").array().axes();
  };
  EXPECT_EQ(read(""), (Axes{"sample", "arm"}));
  EXPECT_EQ(read("t x"), (Axes{"t", "x"}));
  EXPECT_EQ(read_file(dir / "b.npy").array().axes(), (Axes{"sample", "arm"}));
  test::spill(dir / "b.npy.json", R"({"Axes": ["sample"]})");
  EXPECT_EQ(caught([&] { read(""); }).code(), Errc::shape);
  test::spill(dir / "b.npy.json", R"({"about": "no axes in here"})");
  EXPECT_EQ(read(""), (Axes{"x", "y"}));
}

TEST(ReadNpy, PutsAxesInOrder) {
  const TempFolder dir;
  Array a = Array::of<float>({2, 3, 4});
  for (std::int64_t i = 0; i < a.size(); ++i) a.data<float>()[i] = float(i);
  io::write_npy(dir / "fortran.npy", a);
  // The same numbers as NumPy stores them: the last axis fastest.
  const std::array reversed{2, 1, 0};
  const Array stored = a.permuted(reversed).contiguous_copy();
  std::string text = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 4), }\n";
  std::string bytes = std::string("\x93NUMPY\1\0", 8) + char(text.size()) + '\0' + text;
  bytes.append(static_cast<const char*>(stored.raw()), stored.bytes());
  test::spill(dir / "c.npy", bytes);
  for (const char* file : {"fortran.npy", "c.npy"})
    for (const auto& [order, axes] : std::map<std::string, std::array<int, 3>>{
             {"", {0, 1, 2}}, {"sample, arm, slice", {2, 1, 0}}, {"arm", {1, 0, 2}}}) {
      const Array got =
          run_op("io.read_npy", {}, {{"path", (dir / file).string()}, {"axes", "slice arm sample"}, {"order", order}})
              .at("array")
              .array();
      const Array want = a.with_axes({"slice", "arm", "sample"}).permuted(axes).contiguous_copy();
      EXPECT_TRUE(got.contiguous());
      EXPECT_EQ(got.axes(), want.axes()) << order;
      EXPECT_TRUE(std::ranges::equal(got.span<const float>(), want.span<const float>())) << file << " " << order;
    }
  EXPECT_EQ(caught([&] {
              run_op("io.read_npy", {}, {{"path", (dir / "c.npy").string()}, {"axes", "a b c"}, {"order", "a, d"}});
            }).code(),
            Errc::unknown_name);
}

TEST(ReadRaw, TakesTheLayoutFromItsSettings) {
  const TempFolder dir;
  test::spill(dir / "a.raw", std::string("head\1\0\2\0\3\0\4\0", 12));
  const auto out = run_op("io.read_raw", {},
                          {{"path", (dir / "a.raw").string()},
                           {"dtype", "i16"},
                           {"shape", Value::List{2.0, -1.0}},
                           {"offset", 4.0},
                           {"axes", "x y"}});
  const Array a = out.at("array").array();
  EXPECT_EQ(a.shape(), (Shape{2, 2}));
  EXPECT_EQ(a.span<const std::int16_t>()[2], 3);
}

TEST(ReadBids, FindsByEntities) {
  const TempFolder dir;
  for (const char* name : {"sub-01_acq-a_T1w.nii.gz", "sub-02_acq-a_T1w.nii.gz"}) {
    Image i = sample();
    i.data = i.data.slice(3, 0).contiguous_copy();
    i.times.clear();
    write_file(dir / name, ValueTraits<Image>::to(i));
  }
  const auto read = [&](const std::string& entities, double index) {
    return run_op("io.read_bids", {}, {{"folder", dir.path.string()}, {"entities", entities}, {"index", index}});
  };
  EXPECT_THAT(read("sub=02", 0).at("file").text(), HasSubstr("sub-02"));
  EXPECT_EQ(read("", 1).at("count").number(), 2);
  EXPECT_THAT(caught([&] { read("sub=03", 0); }).what(), HasSubstr("0 images end in _T1w"));
  EXPECT_EQ(caught([&] { read("sub", 0); }).code(), Errc::usage);
  EXPECT_EQ(run_op("io.read_sidecar", {}, {{"path", (dir / "sub-01_acq-a_T1w.nii.gz").string()}})
                .at("facts")
                .field("FlipAngle")
                .number(),
            15);
}

}  // namespace
}  // namespace larmor::nodes
