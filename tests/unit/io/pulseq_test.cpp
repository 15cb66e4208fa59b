// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <larmor/io/pulseq.hpp>
#include <numbers>
#include <random>

#include "support.hpp"

using namespace larmor;
using namespace larmor::io;
using namespace larmor::test;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

template <class T>
std::shared_ptr<const T> shared(T event) {
  return std::make_shared<const T>(std::move(event));
}

/// One of everything that the format has.
Sequence full_sequence() {
  Sequence s;
  s.gradient_raster = 6.4e-6, s.block_raster = 1e-6;
  s.define("Name", "everything");
  s.define("FOV", "0.24 0.24 0.005");
  Rf sinc{.delay = 100e-6, .raster = s.rf_raster, .frequency_offset = 120.5, .phase_offset = 0.7};
  for (int i = 0; i < 200; ++i) {
    const double x = (i - 99.5) / 40, v = std::sin(std::numbers::pi * x) / (std::numbers::pi * x);
    sinc.magnitude.push_back(8e-6 * std::abs(v));
    sinc.phase.push_back(v < 0 ? std::numbers::pi : 0.0);
  }
  const Rf hard{.magnitude = {12e-6, 12e-6}, .phase = {0, 0}, .times = {0, 500e-6}};
  const Gradient slab{.trapezoid = Gradient::Trapezoid{0.01, 100e-6, 300e-6, 120e-6}};
  Gradient spiral{.delay = 20e-6}, smooth{.raster = s.gradient_raster};
  for (int i = 0; i < 300; ++i) {
    spiral.times.push_back(i * s.gradient_raster);
    spiral.values.push_back(0.02 * std::sin(0.07 * i) * i / 300);
    smooth.values.push_back(0.015 * std::exp(-0.001 * (i - 150) * (i - 150)));
  }
  const auto g = shared(slab);
  s.blocks.push_back({.duration = 520e-6, .rf = shared(sinc), .g = {nullptr, nullptr, g}});
  s.blocks.push_back({.duration = 600e-6, .rf = shared(hard)});
  s.blocks.push_back({.duration = 4e-3,
                      .g = {shared(spiral), shared(smooth), g},
                      .adc = shared(Adc{.samples = 400, .dwell = 4.8e-6, .delay = 20e-6, .phase_offset = 0.7}),
                      .labels = {{"SLC", 3, false}, {"LIN", 1, true}}});
  s.blocks.push_back({.duration = 4e-3,
                      .g = {g, nullptr, nullptr},
                      .adc = shared(Adc{.samples = 64, .dwell = 1e-5, .frequency_offset = -33.25}),
                      .labels = {{"LIN", 1, true}}});
  s.blocks.push_back({.duration = 20e-3});
  return s;
}

/// Equal up to the 1e-9 of the greatest value to which shapes are rounded.
void expect_same(const std::vector<Corner>& a, const std::vector<Corner>& b) {
  ASSERT_EQ(a.size(), b.size());
  double most = 0;
  for (const auto& c : a) most = std::max(most, std::abs(c.value));
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_NEAR(a[i].time, b[i].time, 1e-14);
    EXPECT_NEAR(a[i].value, b[i].value, 1.1e-9 * most);
  }
}

void expect_same(const Sequence& a, const Sequence& b) {
  ASSERT_EQ(a.blocks.size(), b.blocks.size());
  for (std::size_t i = 0; i < a.blocks.size(); ++i) {
    const Block &x = a.blocks[i], &y = b.blocks[i];
    EXPECT_NEAR(x.duration, y.duration, 1e-14);
    for (std::size_t axis = 0; axis < 3; ++axis) {
      ASSERT_EQ(x.g[axis] != nullptr, y.g[axis] != nullptr);
      if (x.g[axis]) expect_same(x.g[axis]->corners(), y.g[axis]->corners());
    }
    ASSERT_EQ(x.rf != nullptr, y.rf != nullptr);
    if (x.rf) {
      ASSERT_EQ(x.rf->magnitude.size(), y.rf->magnitude.size());
      for (std::size_t k = 0; k < x.rf->magnitude.size(); ++k) {
        EXPECT_NEAR(x.rf->magnitude[k], y.rf->magnitude[k], 1e-14);
        EXPECT_NEAR(std::remainder(x.rf->phase[k] - y.rf->phase[k], 2 * std::numbers::pi), 0, 1e-8);
        EXPECT_NEAR(x.rf->sample_time(k), y.rf->sample_time(k), 1e-14);
      }
      EXPECT_NEAR(x.rf->frequency_offset, y.rf->frequency_offset, 1e-9);
      EXPECT_NEAR(x.rf->phase_offset, y.rf->phase_offset, 1e-12);
    }
    ASSERT_EQ(x.adc != nullptr, y.adc != nullptr);
    if (x.adc) {
      EXPECT_EQ(x.adc->samples, y.adc->samples);
      EXPECT_NEAR(x.adc->dwell, y.adc->dwell, 1e-15);
      EXPECT_NEAR(x.adc->delay, y.adc->delay, 1e-15);
      EXPECT_NEAR(x.adc->frequency_offset, y.adc->frequency_offset, 1e-9);
      EXPECT_NEAR(x.adc->phase_offset, y.adc->phase_offset, 1e-12);
    }
    EXPECT_EQ(x.labels, y.labels);
  }
}

/// Written by hand from the words of the specification.
const char* const by_hand = R"(# Pulseq sequence file
[VERSION]
major 1
minor 4
revision 1

[DEFINITIONS]
AdcRasterTime 1e-07
BlockDurationRaster 1e-05
GradientRasterTime 1e-05
RadiofrequencyRasterTime 1e-06
Name gre

[BLOCKS]
1  30 1 0 0 0 0 0
2 100 0 1 2 0 1 1

[RF]
# id amplitude mag_id phase_id time_shape_id delay freq phase
1 2500 1 2 0 100 0 0.5

[GRADIENTS]
2 -42577.478518 3 0 20

[TRAP]
1 425774.78518 30 940 30 0

[ADC]
1 94 10000 30 0 1.5

[EXTENSIONS]
1 1 1 0
extension LABELSET 1
1 7 SLC

[SHAPES]

shape_id 1
num_samples 100
1
0
0
97

shape_id 2
num_samples 100
0
0
98

shape_id 3
num_samples 4
0.25
0.5
1
0.5

[SIGNATURE]
Type md5
Hash 00
)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string message_of(const std::string& text) {
  try {
    parse_pulseq(text, "a.seq");
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST(Pulseq, WhatIsWrittenIsReadBack) {
  const Sequence s = full_sequence();
  const std::string text = format_pulseq(s);
  const Sequence back = parse_pulseq(text);
  expect_same(s, back);
  EXPECT_EQ(*back.definition("Name"), "everything");
  EXPECT_EQ(back.gradient_raster, 6.4e-6);
  // A second round changes nothing more.
  EXPECT_EQ(format_pulseq(back), text);
}

TEST(Pulseq, FilesAreWrittenWholeAndReadBack) {
  TempFolder dir;
  write_pulseq(dir / "a.seq", full_sequence());
  expect_same(full_sequence(), read_pulseq(dir / "a.seq"));
  EXPECT_THROW(read_pulseq(dir / "b.seq"), Error);
}

TEST(Pulseq, AnotherGammaIsKept) {
  Sequence s = full_sequence();
  s.gamma = 10.7084e6;  // 13C
  const Sequence back = parse_pulseq(format_pulseq(s));
  EXPECT_DOUBLE_EQ(back.gamma, s.gamma);
  expect_same(s, back);
}

TEST(Pulseq, EventsAreWrittenOnceAndSharedAgain) {
  const Sequence back = parse_pulseq(format_pulseq(full_sequence()));
  EXPECT_EQ(back.blocks[0].g[2], back.blocks[2].g[2]);
  EXPECT_EQ(back.blocks[0].g[2], back.blocks[3].g[0]);
  // Objects of their own with the same content are one event too.
  Sequence s = full_sequence();
  s.blocks[3].g[0] = shared(Gradient(*s.blocks[3].g[0]));
  EXPECT_EQ(format_pulseq(s), format_pulseq(full_sequence()));
}

TEST(Pulseq, ReadsWhatTheSpecificationSays) {
  const Sequence s = parse_pulseq(by_hand);
  ASSERT_EQ(s.blocks.size(), 2u);
  EXPECT_DOUBLE_EQ(s.blocks[0].duration, 300e-6);
  const Rf& rf = *s.blocks[0].rf;
  EXPECT_EQ(rf.magnitude.size(), 100u);
  EXPECT_NEAR(rf.magnitude[50], 2500 / proton_gamma, 1e-18);
  EXPECT_DOUBLE_EQ(rf.delay, 100e-6);
  EXPECT_DOUBLE_EQ(rf.phase_offset, 0.5);
  EXPECT_NEAR(rf.flip_angle(), 2 * std::numbers::pi * 2500 * 100e-6, 1e-12);
  const Gradient &x = *s.blocks[1].g[0], &y = *s.blocks[1].g[1];
  EXPECT_NEAR(x.trapezoid->amplitude, 0.01, 1e-15);
  EXPECT_DOUBLE_EQ(x.trapezoid->flat, 940e-6);
  EXPECT_DOUBLE_EQ(y.delay, 20e-6);
  ASSERT_EQ(y.values.size(), 4u);
  EXPECT_NEAR(y.values[2], -1e-3, 1e-15);
  EXPECT_NEAR(y.corners()[1].time, 25e-6, 1e-15);  // the first sample lies half a raster after the delay
  EXPECT_EQ(s.blocks[1].adc->samples, 94);
  EXPECT_DOUBLE_EQ(s.blocks[1].adc->dwell, 10e-6);
  EXPECT_EQ(s.blocks[1].labels, (std::vector<Label>{{"SLC", 7, false}}));
}

TEST(Pulseq, ReadsVersionOneFive) {
  std::string text = replaced(by_hand, "minor 4\nrevision 1", "minor 5\nrevision 0");
  text = replaced(text, "1 2500 1 2 0 100 0 0.5", "1 2500 1 2 0 50 100 0 0 0 0.5 e");
  text = replaced(text, "2 -42577.478518 3 0 20", "2 -42577.478518 -4257.7478518 0 3 0 20");
  text = replaced(text, "1 94 10000 30 0 1.5", "1 94 10000 30 0 0 0 1.5 0");
  const Sequence s = parse_pulseq(text);
  EXPECT_EQ(s.blocks[0].rf->use, 'e');
  EXPECT_NEAR(s.blocks[0].rf->centre_time(), 150e-6, 1e-15);
  EXPECT_NEAR(s.blocks[1].g[1]->corners().front().value, -1e-4, 1e-15);
  EXPECT_EQ(s.blocks[1].g[1]->corners().back().value, 0);
  EXPECT_DOUBLE_EQ(s.blocks[1].adc->phase_offset, 1.5);
  EXPECT_THAT(message_of(replaced(text, "50 100 0 0 0 0.5 e", "50 100 1 0 0 0.5 e")), HasSubstr("ppm"));
}

TEST(Pulseq, ShapesPackAsTheSpecificationShows) {
  // The example of the specification's section on compression.
  const std::vector<double> samples{0, 0.1, 0.25, 0.5, 1, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25, 0};
  const std::vector<double> packed = compress_shape(samples);
  EXPECT_THAT(packed, ElementsAre(0, 0.1, 0.15, 0.25, 0.5, 0, 0, 4, -0.25, -0.25, 2));
  const auto back = expand_shape(packed, samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i) EXPECT_NEAR(back[i], samples[i], 1e-12);
}

TEST(Pulseq, ShapesOfEveryKindUnpackToThemselves) {
  std::mt19937 random(7);
  std::uniform_int_distribution<int> length(1, 60), value(-3, 3);
  for (int round = 0; round < 2000; ++round) {
    std::vector<double> samples(static_cast<std::size_t>(length(random)));
    // Few different steps, so that there are runs of every length.
    double at = 0;
    for (auto& v : samples) v = at += 0.01 * (round % 2 ? value(random) : value(random) / 3);
    const auto packed = compress_shape(samples);
    EXPECT_LE(packed.size(), samples.size());
    const auto back = expand_shape(packed, samples.size());
    ASSERT_EQ(back.size(), samples.size());
    for (std::size_t i = 0; i < samples.size(); ++i) ASSERT_NEAR(back[i], samples[i], 1e-9) << round;
  }
}

TEST(Pulseq, TheChecksumIsMd5) {
  // The test suite of RFC 1321.
  EXPECT_EQ(md5_of(""), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(md5_of("abc"), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(md5_of("12345678901234567890123456789012345678901234567890123456789012345678901234567890"),
            "57edf4a22be3c955ac49da2e2107b67a");
  const std::string text = format_pulseq(full_sequence());
  const auto at = text.find("\n[SIGNATURE]");
  ASSERT_NE(at, std::string::npos);
  EXPECT_THAT(text.substr(at), HasSubstr("Hash " + md5_of(text.substr(0, at))));
}

TEST(Pulseq, SaysWhatItCannotWrite) {
  const auto message = [](auto change) {
    Sequence s = full_sequence();
    change(s);
    try {
      format_pulseq(s);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_EQ(message([](auto&) {}), "");
  EXPECT_THAT(message([](auto& s) { s.blocks[4].duration = 1.5e-6; }),
              HasSubstr("duration of block 4: the duration is 1.5e-06 s, no whole number of block rasters"));
  EXPECT_THAT(message([](auto& s) {
                s.blocks[3].g[0] = shared(Gradient{.trapezoid = Gradient::Trapezoid{0.01, 6.4e-6, 1e-4, 6.4e-6}});
              }),
              HasSubstr("gradient x of block 3: the rise is 6.4e-06 s, no whole number of microseconds"));
  EXPECT_THAT(message([](auto& s) {
                s.blocks[3].g[0] = shared(Gradient{.values = {1, 1}, .raster = 1e-5});
              }),
              HasSubstr("its raster is 1e-05 s and that of the sequence 6.4e-06"));
  EXPECT_THAT(message([](auto& s) { s.blocks[3].duration = 1e-6; }), HasSubstr("the block lasts"));
}

TEST(Pulseq, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(message_of(by_hand), "");
  EXPECT_THAT(message_of(""), HasSubstr("no [VERSION]"));
  EXPECT_THAT(message_of("hello"), HasSubstr("a.seq: line 1: 'hello' stands before any section"));
  EXPECT_THAT(message_of(replaced(by_hand, "minor 4", "minor 2")), HasSubstr("version 1.2"));
  EXPECT_THAT(message_of(replaced(by_hand, "[TRAP]", "[TRAPS]")), HasSubstr("did you mean TRAP?"));
  EXPECT_THAT(message_of(replaced(by_hand, "[TRAP]", "[TRAP")), HasSubstr("is not closed"));
  EXPECT_THAT(message_of(replaced(by_hand, "1 94 10000", "1 94 ten")), HasSubstr("'ten' is no number"));
  EXPECT_THAT(message_of(replaced(by_hand, "1 94 10000", "1 94.5 10000")), HasSubstr("no whole number"));
  EXPECT_THAT(message_of(replaced(by_hand, "2 100 0 1 2 0 1 1", "2 100 0 1 9 0 1 1")),
              HasSubstr("there is no 9 in [GRADIENTS]"));
  EXPECT_THAT(message_of(replaced(by_hand, "2 100 0 1 2 0 1 1", "2 100 0 1 2")), HasSubstr("give NUM DUR RF"));
  EXPECT_THAT(message_of(replaced(by_hand, "2 100 0 1 2 0 1 1", "2 10 0 1 2 0 1 1")), HasSubstr("the block lasts"));
  EXPECT_THAT(message_of(replaced(by_hand, "1 2500 1 2 0 100 0 0.5", "1 2500 1 2 100 0 0.5")),
              HasSubstr("6 numbers after the id in [RF]"));
  EXPECT_THAT(message_of(replaced(by_hand, "1 2500 1 2", "1 2500 8 2")), HasSubstr("there is no shape 8 (magnitude)"));
  EXPECT_THAT(message_of(replaced(by_hand, "1 2500 1 2", "1 2500 1 3")), HasSubstr("4 phases for 100 magnitudes"));
  EXPECT_THAT(message_of(replaced(by_hand, "\n97\n", "\n98\n")),
              HasSubstr("repeats a number 100 times after 1 samples"));
  EXPECT_THAT(message_of(replaced(by_hand, "\n97\n", "\n96\n")), HasSubstr("unpacks to 99"));
  EXPECT_THAT(message_of(replaced(by_hand, "\n97\n", "\n")), HasSubstr("ends where a number of repeats should be"));
  EXPECT_THAT(message_of(replaced(by_hand, "\n97\n", "\n1e300\n")), HasSubstr("repeats a number"));
  EXPECT_THAT(message_of(replaced(by_hand, "num_samples 4", "num_samples 4000000000")),
              HasSubstr("a shape of 4000000000 samples"));
  EXPECT_THAT(message_of(replaced(by_hand, "shape_id 2", "shape_id 1")), HasSubstr("the shape 1 is there twice"));
  EXPECT_THAT(message_of(replaced(by_hand, "1 1 1 0", "1 1 1 1")), HasSubstr("never ends"));
  EXPECT_THAT(message_of(replaced(by_hand, "extension LABELSET 1", "extension ROTATIONS 1")),
              HasSubstr("the extension ROTATIONS changes what is played"));
  EXPECT_THAT(message_of(replaced(by_hand, "GradientRasterTime 1e-05", "GradientRasterTime 0")),
              HasSubstr("the gradient raster is 0 s"));
}

TEST(Pulseq, MutatedFilesAreReadOrRefusedButNeverCrash) {
  std::mt19937 random(42);
  const std::vector<std::string> seeds{by_hand, format_pulseq(full_sequence())};
  const std::string letters = "0123456789-+.e []#\n\tabcNA\0\xff";
  int read = 0, refused = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string text = seeds[static_cast<std::size_t>(round % 8 == 0)];
    const int changes = 1 + static_cast<int>(random() % 4);
    for (int c = 0; c < changes && !text.empty(); ++c) {
      const std::size_t at = random() % text.size(), n = random() % 12;
      switch (random() % 4) {
        case 0:
          text[at] = letters[random() % letters.size()];
          break;
        case 1:
          text.erase(at, n);
          break;
        case 2:
          text.insert(at, text.substr(random() % text.size(), n));
          break;
        default:
          text.resize(text.size() - n * text.size() / 100);
          break;
      }
    }
    try {
      parse_pulseq(text);
      ++read;
    } catch (const Error&) {
      ++refused;
    }
  }
  // Both happen, so the mutations reach the inside of the parser.
  EXPECT_GT(read, 100);
  EXPECT_GT(refused, 500);
}
