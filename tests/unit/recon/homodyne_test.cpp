// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <larmor/recon/homodyne.hpp>

namespace larmor::recon {
namespace {

TEST(HomodyneWeights, PairsCountTwiceTogether) {
  for (const auto& s : {Sampled{64, 20, 64}, Sampled{65, 0, 40}, Sampled{250, 100, 250}, Sampled{64, 0, 64}}) {
    const auto w = homodyne_weights(s);
    const bool whole = s.begin == 0 && s.end == s.n;
    for (std::int64_t d = 1; s.centre() - d >= 0 && s.centre() + d < s.n; ++d) {
      const auto a = static_cast<std::size_t>(s.centre() - d), b = static_cast<std::size_t>(s.centre() + d);
      EXPECT_NEAR(w.detect[a] + w.detect[b], 2, 1e-14) << s.n << " " << d;
      EXPECT_NEAR(w.symmetric[a], w.symmetric[b], 1e-15);
      if (!whole && d > s.overlap()) {
        EXPECT_EQ(w.symmetric[a], 0);
      }
    }
    EXPECT_EQ(w.detect[static_cast<std::size_t>(s.centre())], 1);
    for (std::int64_t k = 0; k < s.n; ++k)
      if (k < s.begin || k >= s.end) {
        EXPECT_EQ(w.detect[static_cast<std::size_t>(k)], 0);
      }
  }
}

TEST(PlaceSamples, LeastSymmetricSize) {
  const auto s = place_samples(150, 25, 250);
  EXPECT_EQ(s.begin, 100);
  EXPECT_EQ(s.end, 250);
  EXPECT_EQ(s.overlap(), 25);
  for (const auto& [m, centre] :
       {std::pair<std::int64_t, std::int64_t>{150, 25}, {64, 32}, {65, 32}, {10, 9}, {10, 0}}) {
    const auto least = place_samples(m, centre);
    EXPECT_GE(least.begin, 0);
    EXPECT_LE(least.end, least.n);
    EXPECT_EQ(least.centre() - least.begin, centre);
    EXPECT_THROW(place_samples(m, centre, least.n - 2), Error) << m << " " << centre;
  }
  EXPECT_THROW(place_samples(10, 10), Error);
  EXPECT_THROW(homodyne_weights({64, 32, 64}), Error);
  EXPECT_THROW(homodyne_weights({64, 40, 64}), Error);
}

TEST(FindCentre, IsWhereTheEnergyIs) {
  Array k = Array::of<std::complex<float>>({5, 7});
  k.data<std::complex<float>>()[3 + 5 * 2] = {0, 9};
  EXPECT_EQ(find_centre(k, 0), 3);
  EXPECT_EQ(find_centre(k, 1), 2);
  EXPECT_THROW(find_centre(k, 2), Error);
}

}  // namespace
}  // namespace larmor::recon
