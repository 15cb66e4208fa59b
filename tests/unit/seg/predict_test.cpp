// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <larmor/core/error.hpp>
#include <larmor/data/grid.hpp>
#include <larmor/nn/trainer.hpp>
#include <larmor/seg/predict.hpp>
#include <larmor/seg/preprocess.hpp>
#include <larmor/seg/volumetry.hpp>
#include <random>
#include <set>

namespace larmor::seg {
namespace {
namespace fs = std::filesystem;
using testing::HasSubstr;

Image blob(std::array<std::int64_t, 3> n = {18, 22, 20}, double scale = 1, double offset = 0) {
  Image i;
  i.data = Array::of<float>({n[0], n[1], n[2]});
  auto* v = i.data.data<float>();
  for (std::int64_t z = 0; z < n[2]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y)
      for (std::int64_t x = 0; x < n[0]; ++x)
        *v++ = static_cast<float>(scale *
                                      (std::exp(-0.02 * ((x - 8) * (x - 8) + (y - 12) * (y - 12) + (z - 9) * (z - 9))) +
                                       0.1 * std::sin(x + 2.0 * y + 3.0 * z)) +
                                  offset);
  i.source = "blob";
  return i;
}

/// A model file with random weights: what is tested here does not depend on what they say.
struct ModelFile {
  fs::path path = fs::temp_directory_path() / ("larmor_model_" + std::to_string(::getpid()) + ".safetensors");
  explicit ModelFile(bool mirror = true, unsigned seed = 1) {
    nn::UNetSpec s;
    s.filters = {4, 6, 8}, s.supervised = 1;
    auto w = nn::initial_weights(s, seed);
    w.meta["classes"] = "background,anterior,posterior";
    w.meta["mirror"] = mirror ? "1,0,0" : "0,0,0";
    w.meta["name"] = "test";
    nn::write_weights(path, w);
  }
  ~ModelFile() { fs::remove(path); }
};
std::string why(const std::function<void()>& f, Errc code) {
  try {
    f();
  } catch (const Error& e) {
    EXPECT_EQ(to_string(e.code()), to_string(code)) << e.what();
    return e.what();
  }
  return "no error";
}

TEST(Prepare, DoesNotDependOnScaleAndOffset) {
  const auto a = prepare(blob()), b = prepare(blob({18, 22, 20}, 1e5, 3e4));
  ASSERT_EQ(a.values.size(), b.values.size());
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    EXPECT_NEAR(a.values[i], b.values[i], 2e-4);  // floats of 3e4 with a range of 1e5 carry 4e-3 / 2e4
    sum += a.values[i], squares += static_cast<double>(a.values[i]) * a.values[i];
  }
  const auto n = static_cast<double>(a.values.size());
  EXPECT_NEAR(sum / n, 0, 1e-5);
  EXPECT_NEAR(squares / n, 1, 1e-5);
}

TEST(Prepare, IsRobustAgainstSpikes) {
  auto spiked = blob();
  spiked.data.data<float>()[100] = 1.7e6f;
  const auto a = prepare(blob()), b = prepare(spiked);
  for (std::size_t i = 0; i < a.values.size(); ++i)
    if (i != 100) {
      EXPECT_NEAR(a.values[i], b.values[i], 0.02);  // one voxel of 7920 moves a percentile by that
    }
}

TEST(Prepare, TurnsToTheTrainingGridAndBack) {
  const Image ras = blob();
  // The same volume stored as (z, -x, y): voxel (i, j, k) holds (x = 17 - j, y = k, z = i).
  Image other;
  other.data = Array::of<float>({20, 18, 22});
  for (int k = 0; k < 22; ++k)
    for (int j = 0; j < 18; ++j)
      for (int i = 0; i < 20; ++i)
        other.data.data<float>()[(k * 18 + j) * 20 + i] = ras.data.data<float>()[(i * 22 + k) * 18 + 17 - j];
  other.affine.m = {{{0, -1, 0, 17}, {0, 0, 1, 0}, {1, 0, 0, 0}, {0, 0, 0, 1}}};
  const auto a = prepare(ras), b = prepare(other);
  EXPECT_EQ(a.size, b.size);
  EXPECT_LT(a.affine.distance(b.affine), 1e-9);
  for (std::size_t i = 0; i < a.values.size(); ++i) ASSERT_NEAR(a.values[i], b.values[i], 1e-6);
  const Array back = back_to(other, b, Array::from<float>(b.values, {b.size[0], b.size[1], b.size[2]}));
  EXPECT_EQ(back.shape(), other.data.shape());
  for (int k = 0; k < 22; ++k)
    for (int j = 0; j < 18; ++j)
      for (int i = 0; i < 20; ++i)
        ASSERT_NEAR(back.data<float>()[(k * 18 + j) * 20 + i],
                    a.values[static_cast<std::size_t>((i * 22 + k) * 18 + 17 - j)], 1e-6);
}

TEST(Predict, PartsLabelsAsItsModelSays) {
  const ModelFile plain;
  const Image image = blob();
  const auto ragged = Segmenter(plain.path).predict(image, {.largest = false});
  auto w = nn::read_weights(plain.path);
  w.meta["parting"] = "2,1,1";
  nn::write_weights(plain.path, w);
  const auto parted = Segmenter(plain.path).predict(image, {.largest = false, .plane = true}),
             off = Segmenter(plain.path).predict(image, {.largest = false, .plane = false});
  const auto a = ragged.labels.data.span<std::uint8_t>(), b = parted.labels.data.span<std::uint8_t>(),
             c = off.labels.data.span<std::uint8_t>();
  const auto grid = image.grid();
  std::set<int> kinds;
  std::vector<std::set<int>> of_slice(static_cast<std::size_t>(grid[1]));
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i] == 0, b[i] == 0);  // the outline stays
    ASSERT_EQ(a[i], c[i]);
    if (b[i]) of_slice[i / static_cast<std::size_t>(grid[0]) % static_cast<std::size_t>(grid[1])].insert(b[i]);
    kinds.insert(a[i]);
  }
  ASSERT_EQ(kinds.size(), 3u);  // random weights give all labels, so that there is something to part
  int before = 2;
  for (const auto& s : of_slice)
    for (const int label : s) {
      EXPECT_EQ(s.size(), 1u);
      EXPECT_LE(label, before);  // all 2 first, then all 1
      before = label;
    }
  w.meta["parting"] = "2,7,1";
  nn::write_weights(plain.path, w);
  EXPECT_THAT(why([&] { Segmenter(plain.path).load(); }, Errc::format), HasSubstr("'2,7,1'"));
}

TEST(Predict, GivesLabelsProbabilitiesAndUncertainty) {
  const ModelFile model;
  const Image image = blob();
  const auto s = Segmenter(model.path).predict(image, {.largest = false});
  EXPECT_EQ(s.labels.data.shape(), image.data.shape());
  EXPECT_EQ(s.probabilities.data.shape(), (Shape{18, 22, 20, 3}));
  EXPECT_EQ(s.probabilities.data.axes().back(), "class");
  EXPECT_THAT(s.model, HasSubstr("test "));
  EXPECT_EQ(s.classes.size(), 3u);
  const auto n = static_cast<std::size_t>(image.voxels());
  const auto* p = s.probabilities.data.data<float>();
  for (std::size_t i = 0; i < n; ++i) {
    ASSERT_NEAR(p[i] + p[n + i] + p[2 * n + i], 1, 1e-5);
    const auto l = s.labels.data.data<std::uint8_t>()[i];
    for (std::size_t c = 0; c < 3; ++c) ASSERT_GE(p[l * n + i], p[c * n + i]);
    const float u = s.uncertainty.data.data<float>()[i];
    ASSERT_GE(u, 0);
    ASSERT_LE(u, 1);
    double entropy = 0;
    for (std::size_t c = 0; c < 3; ++c) entropy -= p[c * n + i] > 0 ? p[c * n + i] * std::log(p[c * n + i]) : 0;
    ASSERT_NEAR(u, entropy / std::log(3.0), 1e-5);
  }
}

TEST(Predict, MirrorImagesGiveMirroredResults) {
  const ModelFile model;
  Image image = blob({24, 24, 24});  // of a size that needs no padding, which is not symmetric
  Image flipped = image;
  flipped.data = Array::of<float>({24, 24, 24});
  for (int z = 0; z < 24; ++z)
    for (int y = 0; y < 24; ++y)
      for (int x = 0; x < 24; ++x)
        flipped.data.data<float>()[(z * 24 + y) * 24 + x] = image.data.data<float>()[(z * 24 + y) * 24 + 23 - x];
  const Segmenter segmenter(model.path);
  const auto a = segmenter.predict(image), b = segmenter.predict(flipped);
  for (int z = 0; z < 24; ++z)
    for (int y = 0; y < 24; ++y)
      for (int x = 0; x < 24; ++x)
        ASSERT_NEAR(a.probabilities.data.data<float>()[(z * 24 + y) * 24 + x],
                    b.probabilities.data.data<float>()[(z * 24 + y) * 24 + 23 - x], 1e-4);
}

TEST(Predict, OrientationDoesNotChangeTheVolumes) {
  const ModelFile model;
  const Image image = blob();
  Image lps = image;
  lps.data = Array::of<float>(image.data.shape());
  for (int z = 0; z < 20; ++z)
    for (int y = 0; y < 22; ++y)
      for (int x = 0; x < 18; ++x)
        lps.data.data<float>()[(z * 22 + y) * 18 + x] = image.data.data<float>()[(z * 22 + 21 - y) * 18 + 17 - x];
  lps.affine = regridded(image.affine, {17, 21, 0}, {-1, -1, 1});
  const Segmenter segmenter(model.path);
  const auto a = label_volumes(segmenter.predict(image).labels), b = label_volumes(segmenter.predict(lps).labels);
  EXPECT_EQ(a[0].voxels, b[0].voxels);
  EXPECT_EQ(a[1].voxels, b[1].voxels);
}

/// The image with `before` and `after` voxels of one value more along every axis.
Image padded(const Image& image, std::array<int, 3> before, std::array<int, 3> after, float value) {
  const auto n = image.grid();
  std::array<std::int64_t, 3> m{};
  std::array<double, 3> first{};
  for (std::size_t a = 0; a < 3; ++a) m[a] = n[a] + before[a] + after[a], first[a] = -before[a];
  Image out = image;
  out.data = Array::of<float>({m[0], m[1], m[2]});
  for (float& v : out.data.span<float>()) v = value;
  for (std::int64_t z = 0; z < n[2]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y)
      for (std::int64_t x = 0; x < n[0]; ++x)
        out.data.data<float>()[((z + before[2]) * m[1] + y + before[1]) * m[0] + x + before[0]] =
            image.data.data<float>()[(z * n[1] + y) * n[0] + x];
  out.affine = regridded(image.affine, first, {1, 1, 1});
  return out;
}

TEST(Predict, PaddingIsBackgroundAndChangesNothing) {
  const ModelFile model;
  const Segmenter segmenter(model.path);
  const Image image = blob();
  const Image wide = padded(image, {10, 3, 0}, {7, 0, 12}, 0.0f);
  const auto a = segmenter.predict(image, {.largest = false}), b = segmenter.predict(wide, {.largest = false});
  const auto va = label_volumes(a.labels), vb = label_volumes(b.labels);
  ASSERT_GT(va[0].voxels + va[1].voxels, 0);
  for (std::size_t k = 0; k < 2; ++k) EXPECT_EQ(va[k].voxels, vb[k].voxels);
  const auto n = image.grid(), m = wide.grid();
  for (std::int64_t z = 0; z < n[2]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y)
      for (std::int64_t x = 0; x < n[0]; ++x)
        ASSERT_EQ(a.labels.data.data<std::uint8_t>()[(z * n[1] + y) * n[0] + x],
                  b.labels.data.data<std::uint8_t>()[(z * m[1] + y + 3) * m[0] + x + 10]);
  EXPECT_EQ(b.probabilities.data.data<float>()[0], 1);  // background in a corner
  EXPECT_EQ(b.uncertainty.data.data<float>()[0], 0);
  // More voxels than are segmented, but for the frame.
  const Image huge = padded(image, {80, 80, 80}, {80, 80, 80}, 0.0f);
  ASSERT_GT(huge.voxels(), Preprocess{}.largest);
  const auto vh = label_volumes(segmenter.predict(huge, {.largest = false}).labels);
  for (std::size_t k = 0; k < 2; ++k) EXPECT_EQ(va[k].voxels, vh[k].voxels);
  // What is left must be an image.
  Image thin = padded(image, {0, 0, 0}, {0, 0, 0}, 0);
  thin.data = thin.data.range(0, 0, 6).contiguous_copy();
  thin = padded(thin, {9, 0, 0}, {9, 0, 0}, 5);
  EXPECT_THAT(why([&] { segmenter.predict(thin); }, Errc::shape), HasSubstr("but for 6 x 22 x 20 they are padding"));
}

// Corners that stay empty when a picture is turned, with a hole of the same value inside, which is a measurement.
TEST(Padding, CornersAreFoundAndFilled) {
  Image image = blob({20, 20, 20});
  auto* v = image.data.data<float>();
  const auto at = [](int x, int y, int z) { return static_cast<std::size_t>((z * 20 + y) * 20 + x); };
  std::size_t empty = 0;
  for (int z = 0; z < 20; ++z)
    for (int y = 0; y < 20; ++y)
      for (int x = 0; x < 20; ++x)
        if (x + y < 5) v[at(x, y, z)] = -3, ++empty;
  v[at(10, 10, 10)] = -3;
  const auto padding = find_padding(image.data);
  ASSERT_EQ(padding.is.size(), 8000u);
  EXPECT_EQ(static_cast<std::size_t>(std::count(padding.is.begin(), padding.is.end(), 1)), empty);
  EXPECT_EQ(padding.is[at(10, 10, 10)], 0);
  EXPECT_EQ(padding.first, (std::array<std::int64_t, 3>{0, 0, 0}));
  EXPECT_EQ(padding.end, (std::array<std::int64_t, 3>{20, 20, 20}));
  Array filled = image.data.clone();
  fill_padding(filled, padding);
  for (std::size_t i = 0; i < 8000; ++i) {
    ASSERT_EQ(filled.data<float>()[i] == v[i], !padding.is[i]);
  }
  EXPECT_TRUE(find_padding(blob().data).is.empty());                  // noise has no frame
  EXPECT_TRUE(find_padding(Array::of<float>({9, 9, 9})).is.empty());  // nor has one value
  const ModelFile model;
  const auto s = Segmenter(model.path).predict(image, {.largest = false});
  for (std::size_t i = 0; i < 8000; ++i) ASSERT_LE(s.labels.data.data<std::uint8_t>()[i], padding.is[i] ? 0 : 2);
}

TEST(Predict, WideFieldsAreFlagged) {
  const ModelFile model;
  const auto ids = [&](const Image& image) {
    std::vector<std::string> out;
    for (const auto& f : Segmenter(model.path).predict(image).flags) out.push_back(f.id);
    return out;
  };
  EXPECT_THAT(ids(blob({80, 22, 20})), testing::Contains("field"));
  EXPECT_THAT(ids(blob()), testing::Not(testing::Contains("field")));
}

TEST(Predict, EnsembleIsTheMean) {
  const ModelFile first(false, 1);
  const auto w1 = nn::read_weights(first.path);
  const auto w2 = nn::initial_weights(nn::UNetSpec::from_json(w1.meta.at("net")), 2);
  auto second = w1;
  second.tensors = w2.tensors;
  const auto dir = fs::temp_directory_path() / ("larmor_ensemble_test_" + std::to_string(::getpid()));
  nn::write_weights(dir / "2.safetensors", second);
  nn::write_weights(dir / "both.safetensors", ensemble({w1, second}));
  const auto image = blob();
  const auto a = Segmenter(first.path).predict(image), b = Segmenter(dir / "2.safetensors").predict(image),
             c = Segmenter(dir / "both.safetensors").predict(image);
  for (std::int64_t i = 0; i < c.probabilities.data.size(); ++i)
    ASSERT_NEAR(c.probabilities.data.data<float>()[i],
                (a.probabilities.data.data<float>()[i] + b.probabilities.data.data<float>()[i]) / 2, 1e-5);
  // Of an ensemble and a network comes one of all networks, which weigh the same.
  const auto flat = ensemble({w1, second, w1}), nested = ensemble({ensemble({w1, second}), w1});
  EXPECT_EQ(nested.meta, flat.meta);
  EXPECT_EQ(nn::sha256_of(nested), nn::sha256_of(flat));
  auto other = second;
  other.meta["fold"] = "1", other.meta["seen"] = "a,b";  // what one network saw is not what all did
  const auto joined = ensemble({other, w1}).meta;
  EXPECT_EQ(joined.count("fold") + joined.count("seen"), 0u);
  other.meta["mirror"] = "1,1,1";
  EXPECT_THROW(ensemble({w1, other}), Error);
  EXPECT_THROW(ensemble({}), Error);
  fs::remove_all(dir);
}

TEST(Predict, NetworksOfAnEnsembleShareTheMirrorImages) {
  const ModelFile one(true, 3);
  const auto w = nn::read_weights(one.path);
  const auto dir = fs::temp_directory_path() / ("larmor_mirrors_test_" + std::to_string(::getpid()));
  nn::write_weights(dir / "twice.safetensors", ensemble({w, w}));
  const auto image = blob();
  // The same network twice, each time with one of the two images: what one network makes of both.
  const auto a = Segmenter(one.path).predict(image), b = Segmenter(dir / "twice.safetensors").predict(image);
  for (std::int64_t i = 0; i < a.probabilities.data.size(); ++i)
    ASSERT_EQ(a.probabilities.data.data<float>()[i], b.probabilities.data.data<float>()[i]);
  fs::remove_all(dir);
}

TEST(Predict, SaysWhatIsWrong) {
  const ModelFile model;
  const Segmenter segmenter(model.path);
  const auto predict = [&](const Image& i) { return [&segmenter, &i] { segmenter.predict(i); }; };
  Image bad = blob();
  bad.data = Array::of<float>({18, 22, 20});
  EXPECT_THAT(why(predict(bad), Errc::range), HasSubstr("constant"));  // all zero
  bad = blob();
  bad.data.data<float>()[7] = NAN;
  EXPECT_THAT(why(predict(bad), Errc::numeric), HasSubstr("1 of 7920 voxels"));
  bad.data = Array::of<float>({18, 22, 1});
  EXPECT_THAT(why(predict(bad), Errc::shape), HasSubstr("18 x 22 x 1"));
  bad.data = Array::of<float>({18, 22, 20, 2});
  EXPECT_THAT(why(predict(bad), Errc::shape), HasSubstr("not 3-D"));
  bad = blob();
  for (std::size_t r = 0; r < 3; ++r)
    for (double& v : bad.affine.m[r]) v *= 1e-3;  // micrometres taken for millimetres
  EXPECT_THAT(why(predict(bad), Errc::shape), HasSubstr("too small for a hippocampus"));
  bad = blob();
  bad.data = Array::of<std::complex<float>>({18, 22, 20});
  EXPECT_THAT(why(predict(bad), Errc::type), HasSubstr("complex"));
  bad.data = Array::uninitialised(DType::u8, {512, 512, 512});  // never touched: costs no memory
  EXPECT_THAT(why(predict(bad), Errc::shape), HasSubstr("512 x 512 x 512"));
  EXPECT_THAT(why([] { Segmenter("/nowhere/x.safetensors").load(); }, Errc::file), HasSubstr("cannot read"));
  {
    std::fstream f(model.path, std::ios::in | std::ios::out | std::ios::binary);
    f.seekp(-3, std::ios::end);
    f.put('\x7f');
  }
  EXPECT_THAT(why([&] { Segmenter(model.path).load(); }, Errc::format), HasSubstr("SHA-256"));
}

TEST(Predict, FlagsWhatNeedsALook) {
  const ModelFile model;
  auto w = nn::read_weights(model.path);
  w.meta["volume_range"] = "1e8,2e8";
  w.meta["uncertainty_limit"] = "0.001";
  nn::write_weights(model.path, w);
  const auto s = Segmenter(model.path).predict(blob());
  std::vector<std::string> ids;
  for (const auto& f : s.flags) ids.push_back(f.id);
  EXPECT_THAT(ids, testing::Contains("size"));
  EXPECT_THAT(ids, testing::Contains("uncertain"));
  EXPECT_GT(s.mean_uncertainty, 0.001);
  double sum = 0, inside = 0;
  for (std::size_t i = 0; i < 7920; ++i)
    if (s.labels.data.data<std::uint8_t>()[i]) sum += s.uncertainty.data.data<float>()[i], ++inside;
  EXPECT_NEAR(s.mean_uncertainty, sum / inside, 1e-6);
}

}  // namespace
}  // namespace larmor::seg
