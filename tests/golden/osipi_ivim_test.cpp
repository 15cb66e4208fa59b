// SPDX-License-Identifier: Apache-2.0
// Signals of the OSIPI TF2.4 IVIM code collection (Apache-2.0), LARMOR_TEST_DATA/ivim: 16 tissues with known D, f and
// D*, S0 = 1, Gaussian noise of 0.0005. Each error is judged by the least that an unbiased estimate can have: the
// Cramer-Rao bound at the truth, S0 free.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <larmor/io/bids.hpp>
#include <larmor/perfusion/ivim/estimate.hpp>

using namespace larmor;

namespace {

struct Tissue {
  std::string name;
  double noise, f, D, D_star;
  std::vector<double> data;
};
struct Collection {
  std::vector<double> b;
  std::vector<Tissue> tissues;
};

Collection read(const std::filesystem::path& path) {
  Collection out;
  const auto object = [&](const MetaValue& v) {
    return io::parse_json_metadata(std::get<std::string>(v), path.string());
  };
  for (const auto& [name, value] : io::read_json_metadata(path)) {
    const auto m = object(value);
    if (name == "config") {
      out.b = std::get<std::vector<double>>(m.at("bvalues"));
      continue;
    }
    out.tissues.push_back({name, std::get<double>(m.at("noise")), std::get<double>(m.at("f")),
                           std::get<double>(m.at("D")), std::get<double>(m.at("Dp")),
                           std::get<std::vector<double>>(m.at("data"))});
  }
  return out;
}

/// sd of S0, f, D, D* by the inverse of the Fisher information (Gauss-Jordan on 4 x 4, scaled).
std::vector<double> bound(const Collection& c, const Tissue& t) {
  const std::vector<double> p{1, t.f, t.D, t.D_star};
  std::vector<double> signal(c.b.size()), jacobian(4 * c.b.size());
  curve_signal(ivim::models().get("ivim.biexponential"), c.b, p, {}, signal, jacobian);
  double m[4][8]{};
  const double scale[]{1, 1, 1e-3, 1e-2};
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t j = 0; j < 4; ++j)
      for (std::size_t k = 0; k < c.b.size(); ++k)
        m[i][j] += jacobian[4 * k + i] * jacobian[4 * k + j] * scale[i] * scale[j];
    m[i][4 + i] = 1;
  }
  for (std::size_t i = 0; i < 4; ++i) {
    const double pivot = m[i][i];
    for (double& x : m[i]) x /= pivot;
    for (std::size_t r = 0; r < 4; ++r) {
      const double factor = m[r][i];
      if (r != i)
        for (std::size_t k = 0; k < 8; ++k) m[r][k] -= factor * m[i][k];
    }
  }
  std::vector<double> sd;
  for (std::size_t i = 0; i < 4; ++i) sd.push_back(t.noise * scale[i] * std::sqrt(m[i][4 + i]));
  return sd;
}

void judge(const char* method) {
  const char* root = std::getenv("LARMOR_TEST_DATA");
  const std::filesystem::path folder =
      std::filesystem::path(root && *root ? root : LARMOR_SOURCE_DIR "/../shared/data") / "ivim";
  if (!std::filesystem::exists(folder / "generic.json")) GTEST_SKIP() << "no " << (folder / "generic.json").string();
  double squares[3]{}, n = 0;
  for (const char* file : {"generic.json", "generic_brain.json"}) {
    const Collection c = read(folder / file);
    for (const Tissue& t : c.tissues) {
      ASSERT_EQ(t.data.size(), c.b.size()) << t.name;
      const std::vector<float> data(t.data.begin(), t.data.end());
      ivim::EstimateOptions o;
      o.noise_sd = t.noise, o.magnitude = false;
      const auto e = ivim::estimate(
          method, {.data = Array::from<float>(data, {1, static_cast<std::int64_t>(data.size())}), .b = c.b, .mask = {}},
          o);
      ASSERT_TRUE(fit::usable(e.fit.status[0])) << t.name;
      const auto sd = bound(c, t);
      const double truth[]{t.f, t.D, t.D_star};
      std::printf("%-16s %-24s", method, t.name.c_str());
      for (std::size_t m = 0; m < 3; ++m) {
        const double z = (e.fit.values[m + 1][0] - truth[m]) / sd[m + 1];
        std::printf("  %s %+.2f", m == 0 ? "f" : m == 1 ? "D" : "D*", z);
        EXPECT_LT(std::abs(z), 3) << t.name << ' ' << m;  // one draw of noise each, 48 numbers: 0.13 beyond 3
        squares[m] += z * z;
      }
      std::printf("\n");
      ++n;
    }
  }
  for (std::size_t m = 0; m < 3; ++m) {
    std::printf("%-16s RMS of %s over the bound: %.2f\n", method,
                m == 0   ? "f"
                : m == 1 ? "D"
                         : "D*",
                std::sqrt(squares[m] / n));
    EXPECT_LT(std::sqrt(squares[m] / n), 2);
  }
}

TEST(OsipiIvim, LeastSquares) { judge("ivim.lm"); }
TEST(OsipiIvim, VariableProjection) { judge("ivim.varpro"); }
TEST(OsipiIvim, Posterior) { judge("ivim.posterior"); }

}  // namespace
