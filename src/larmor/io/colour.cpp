// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/io/png.hpp>

namespace larmor::io {
namespace {

using Rgb = std::array<double, 3>;

// Polynomials in t through the published tables: viridis and inferno (Smith and van der Walt, matplotlib, CC0; fit by
// M. Zucker, public domain, within 6 of 255), turbo (Mikhailov, Google, Apache-2.0; his own fit, 32 of 255 at the
// ends).
constexpr Rgb viridis[] = {{0.2777273272234177, 0.005407344544966578, 0.3340998053353061},
                           {0.1050930431085774, 1.404613529898575, 1.384590162594685},
                           {-0.3308618287255563, 0.214847559468213, 0.09509516302823659},
                           {-4.634230498983486, -5.799100973351585, -19.33244095627987},
                           {6.228269936347081, 14.17993336680509, 56.69055260068105},
                           {4.776384997670288, -13.74514537774601, -65.35303263337234},
                           {-5.435455855934631, 4.645852612178535, 26.3124352495832}};
constexpr Rgb inferno[] = {{0.0002189403691192265, 0.001651004631001012, -0.01948089843709184},
                           {0.1065134194856116, 0.5639564367884091, 3.932712388889277},
                           {11.60249308247187, -3.972853965665698, -15.9423941062914},
                           {-41.70399613139459, 17.43639888205313, 44.35414519872813},
                           {77.162935699427, -33.40235894210092, -81.80730925738993},
                           {-71.31942824499214, 32.62606426397723, 73.20951985803202},
                           {25.13112622477341, -12.24266895238567, -23.07032500287172}};
constexpr Rgb turbo[] = {{0.13572138, 0.09140261, 0.10667330},      {4.61539260, 2.19418839, 12.64194608},
                         {-42.66032258, 4.84296658, -60.58204836},  {132.13108234, -14.18503333, 110.36276771},
                         {-152.94239396, 4.27729857, -89.90310912}, {59.28637943, 2.82956604, 27.34824973}};

// Moreland, Diverging color maps for scientific visualization, ISVC 2009: 33 steps, linear between.
constexpr std::uint8_t coolwarm[33][3] = {
    {59, 76, 192},   {68, 90, 204},   {77, 104, 215},  {87, 117, 225},  {98, 130, 234},  {108, 142, 241},
    {119, 154, 247}, {130, 165, 251}, {141, 176, 254}, {152, 185, 255}, {163, 194, 255}, {174, 201, 253},
    {184, 208, 249}, {194, 213, 244}, {204, 217, 238}, {213, 219, 230}, {221, 221, 221}, {229, 216, 209},
    {236, 211, 197}, {241, 204, 185}, {245, 196, 173}, {247, 187, 160}, {247, 177, 148}, {247, 166, 135},
    {244, 154, 123}, {241, 141, 111}, {236, 127, 99},  {229, 112, 88},  {222, 96, 77},   {213, 80, 66},
    {203, 62, 56},   {192, 40, 47},   {180, 4, 38}};

std::array<std::uint8_t, 3> bytes_of(const Rgb& rgb) {
  std::array<std::uint8_t, 3> out{};
  for (std::size_t i = 0; i < 3; ++i) out[i] = static_cast<std::uint8_t>(std::lround(255 * std::clamp(rgb[i], 0., 1.)));
  return out;
}

std::array<std::uint8_t, 3> polynomial(std::span<const Rgb> coefficients, double t) {
  Rgb sum{};
  for (std::size_t k = coefficients.size(); k-- > 0;)
    for (std::size_t i = 0; i < 3; ++i) sum[i] = sum[i] * t + coefficients[k][i];
  return bytes_of(sum);
}

}  // namespace

std::array<std::uint8_t, 3> colour(std::string_view map, double t) {
  t = t > 0 ? std::min(t, 1.0) : 0.0;  // NaN too
  if (map == "grey") return bytes_of({t, t, t});
  if (map == "viridis") return polynomial(viridis, t);
  if (map == "inferno") return polynomial(inferno, t);
  if (map == "turbo") return polynomial(turbo, t);
  if (map == "coolwarm") {
    const auto i = std::min<std::size_t>(static_cast<std::size_t>(t * 32), 31);
    const double w = t * 32 - static_cast<double>(i);
    Rgb rgb{};
    for (std::size_t c = 0; c < 3; ++c) rgb[c] = ((1 - w) * coolwarm[i][c] + w * coolwarm[i + 1][c]) / 255;
    return bytes_of(rgb);
  }
  const std::vector<std::string> names{"grey", "viridis", "inferno", "turbo", "coolwarm"};
  throw unknown_name("colour map", map, names);
}

}  // namespace larmor::io
