// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/sim/spins.hpp>
#include <numbers>

namespace larmor::sim {
namespace {

constexpr double pi = std::numbers::pi;

template <class T>
void count(const char* name, const std::vector<T>& v, std::size_t n) {
  if (!v.empty() && v.size() != n)
    throw Error(Errc::shape, fmt::format("spins: {} values of {} for {} spins", v.size(), name, n),
                "give one for each spin, or none");
}

template <class T>
void finite(const char* name, const std::vector<T>& v) {
  for (std::size_t i = 0; i < v.size(); ++i)
    if (!std::isfinite(v[i]))
      throw Error(Errc::range, fmt::format("spins: {} of spin {} is {}", name, i, v[i]), "give finite numbers");
}

/// Beyond, turns within a step have no digits left, or no end.
void within(const char* name, const std::vector<double>& v, double most, const char* unit) {
  for (std::size_t i = 0; i < v.size(); ++i)
    if (std::abs(v[i]) > most)
      throw Error(Errc::range, fmt::format("spins: {} of spin {} is {:g} {}", name, i, v[i], unit),
                  fmt::format("give {:g} {} at most", most, unit));
}

void not_negative(const char* name, const std::vector<float>& v) {
  for (std::size_t i = 0; i < v.size(); ++i)
    if (v[i] < 0)
      throw Error(Errc::range, fmt::format("spins: {} of spin {} is {:g}", name, i, v[i]), "give 0 or more");
}

// Counter-based: splitmix64 of (seed, stream, i). Source: Steele et al., OOPSLA (2014)
double uniform(std::uint64_t seed, std::uint64_t stream, std::uint64_t i) {
  std::uint64_t z = seed * 0xD1342543DE82EF95ull + stream * 0x9E3779B97F4A7C15ull + (i + 1) * 0xBF58476D1CE4E5B9ull;
  for (int round = 0; round < 2; ++round) {
    z += 0x9E3779B97F4A7C15ull;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    z ^= z >> 31;
  }
  return (static_cast<double>(z >> 11) + 0.5) * 0x1p-53;
}

double lorentzian(double quantile, double T2_prime) { return std::tan(pi * (quantile - 0.5)) / (2 * pi * T2_prime); }

void check_prime(double T2_prime, int isochromats) {
  if (!(T2_prime >= 0) || !std::isfinite(T2_prime))
    throw Error(Errc::range, fmt::format("spins: a T2' of {:g} s", T2_prime), "give 0 for none, or a time");
  if (isochromats < 1 || isochromats > 100000)
    throw Error(Errc::range, fmt::format("spins: {} isochromats", isochromats), "give 1 to 100,000");
}

}  // namespace

void Spins::check() const {
  const std::size_t n = size();
  if (n == 0) throw Error(Errc::range, "there are no spins", "give at least one value of each property");
  if (T2.size() != n) throw Error(Errc::shape, fmt::format("spins: {} values of T2 for {} of T1", T2.size(), n));
  count("x", x, n), count("y", y, n), count("z", z, n), count("df", df, n);
  count("vx", vx, n), count("vy", vy, n), count("vz", vz, n);
  count("M0", M0, n), count("B1", B1, n), count("D", D, n);
  if (!coil.empty() && coil.size() % n)
    throw Error(Errc::shape, fmt::format("spins: {} coil sensitivities for {} spins", coil.size(), n),
                "give (spin, coil)");
  finite("x", x), finite("y", y), finite("z", z), finite("df", df), finite("vx", vx), finite("vy", vy);
  finite("vz", vz), finite("M0", M0), finite("B1", B1), finite("D", D);
  within("x", x, 1e6, "mm"), within("y", y, 1e6, "mm"), within("z", z, 1e6, "mm"), within("df", df, 1e10, "Hz");
  not_negative("B1", B1), not_negative("D", D);
  for (std::size_t i = 0; i < n; ++i) {
    if (!(T1[i] > 0) || !(T2[i] > 0))
      throw Error(Errc::range, fmt::format("spins: T1 = {:g} s, T2 = {:g} s of spin {}", T1[i], T2[i], i),
                  "give times above 0; infinite ones mean no relaxation");
    // f32 of a T2 that equals 2 T1 may round up.
    if (T2[i] > 2 * T1[i] * (1 + 1e-6f))
      throw Error(Errc::range, fmt::format("spins: T2 = {:g} s is above 2 T1 = {:g} s of spin {}", T2[i], 2 * T1[i], i),
                  "no tissue relaxes so; T2 <= 2 T1");
    if (T2[i] < 1e-6f || T1[i] < 1e-6f)
      throw Error(Errc::range, fmt::format("spins: T1 = {:g} s, T2 = {:g} s of spin {}", T1[i], T2[i], i),
                  "give times of 1e-6 s or more; times are in seconds");
  }
}

std::vector<double> spaced(double first, double last, int n) {
  if (n < 1) throw Error(Errc::range, fmt::format("{} values from {:g} to {:g}", n, first, last), "give 1 or more");
  if (n == 1) return {0.5 * (first + last)};
  std::vector<double> out;
  for (int i = 0; i < n; ++i) out.push_back(first + (last - first) * i / (n - 1));
  return out;
}

Spins spin_grid(const SpinGrid& g) {
  check_prime(g.T2_prime, g.isochromats);
  const int iso = g.T2_prime > 0 ? g.isochromats : 1;
  struct Axis {
    const char* name;
    const std::vector<double>* values;
  };
  std::vector<double> offsets;
  for (int k = 0; k < iso; ++k) offsets.push_back(iso == 1 ? 0.0 : lorentzian((k + 0.5) / iso, g.T2_prime));
  const Axis axes[] = {{"isochromat", &offsets},
                       {"x", &g.x},
                       {"y", &g.y},
                       {"z", &g.z},
                       {"df", &g.df},
                       {"T1", &g.T1},
                       {"T2", &g.T2},
                       {"B1", &g.B1}};
  Spins out;
  double total = 1;
  for (const auto& a : axes) {
    if (a.values->empty())
      throw Error(Errc::range, fmt::format("there are no spins: no value of {}", a.name), "give at least one");
    total *= static_cast<double>(a.values->size());
    if (a.values->size() > 1) {
      out.shape.push_back(static_cast<std::int64_t>(a.values->size()));
      out.axes.emplace_back(a.name);
      out.ticks.push_back(*a.values);
    }
  }
  if (total > 1e9) throw Error(Errc::range, fmt::format("{:g} spins", total), "give 1e9 at most");
  if (out.shape.empty()) out.shape = {1}, out.axes = {"spin"}, out.ticks = {{}};
  const auto n = static_cast<std::size_t>(total);
  out.x.reserve(n), out.y.reserve(n), out.z.reserve(n), out.df.reserve(n);
  const bool B1 = g.B1.size() > 1 || g.B1[0] != 1;
  for (const double b : g.B1)
    for (const double T2 : g.T2)
      for (const double T1 : g.T1)
        for (const double f : g.df)
          for (const double z : g.z)
            for (const double y : g.y)
              for (const double x : g.x)
                for (const double offset : offsets) {
                  out.x.push_back(x), out.y.push_back(y), out.z.push_back(z), out.df.push_back(f + offset);
                  out.T1.push_back(static_cast<float>(T1)), out.T2.push_back(static_cast<float>(T2));
                  if (B1) out.B1.push_back(static_cast<float>(b));
                }
  if (g.velocity != std::array<double, 3>{})
    out.vx.assign(n, g.velocity[0]), out.vy.assign(n, g.velocity[1]), out.vz.assign(n, g.velocity[2]);
  if (g.D != 0) out.D.assign(n, static_cast<float>(g.D));
  out.M0.assign(n, static_cast<float>(g.M0));
  out.check();
  return out;
}

Spins spin_cloud(const SpinCloud& c) {
  check_prime(c.T2_prime, 1);
  if (c.n < 1 || c.n > 1000000000) throw Error(Errc::range, fmt::format("a cloud of {} spins", c.n), "give 1 to 1e9");
  if (!(c.df_sd >= 0)) throw Error(Errc::range, fmt::format("spins: a spread of {:g} Hz", c.df_sd), "give 0 or more");
  const auto n = static_cast<std::size_t>(c.n);
  Spins out;
  std::vector<double>* places[] = {&out.x, &out.y, &out.z};
  for (std::size_t a = 0; a < 3; ++a)
    for (std::size_t i = 0; i < n; ++i) places[a]->push_back(c.low[a] + (c.high[a] - c.low[a]) * uniform(c.seed, a, i));
  for (std::size_t i = 0; i < n; ++i) {
    double f = c.df;
    if (c.df_sd > 0)
      f += c.df_sd * std::sqrt(-2 * std::log(uniform(c.seed, 3, i))) * std::cos(2 * pi * uniform(c.seed, 4, i));
    if (c.T2_prime > 0) f += lorentzian(uniform(c.seed, 5, i), c.T2_prime);
    out.df.push_back(f);
  }
  out.T1.assign(n, static_cast<float>(c.T1)), out.T2.assign(n, static_cast<float>(c.T2));
  out.M0.assign(n, static_cast<float>(c.M0));
  if (c.velocity != std::array<double, 3>{})
    out.vx.assign(n, c.velocity[0]), out.vy.assign(n, c.velocity[1]), out.vz.assign(n, c.velocity[2]);
  if (c.D != 0) out.D.assign(n, static_cast<float>(c.D));
  out.shape = {c.n}, out.axes = {"spin"}, out.ticks = {{}};
  out.check();
  return out;
}

Spins voxel_spins(const VoxelMaps& maps) {
  const Shape shape = maps.PD.shape();
  if (shape.size() != 2 && shape.size() != 3)
    throw Error(Errc::shape, "a density map of " + maps.PD.describe(), "give (x, y) or (x, y, z)");
  const auto read = [&](const Array& a, const char* name) -> Array {
    if (a.size() == 0) return {};
    if (a.shape() != shape)
      throw Error(Errc::shape, fmt::format("'{}' is {} and the density {}", name, a.describe(), maps.PD.describe()),
                  "give maps of one shape");
    return a.to(Device::cpu()).cast(DType::f64).contiguous_copy();
  };
  const Array PD = read(maps.PD, "PD"), T1 = read(maps.T1, "T1"), T2 = read(maps.T2, "T2"), df = read(maps.df, "df"),
              star = read(maps.T2_star, "T2_star");
  if (T1.size() == 0 || T2.size() == 0) throw Error(Errc::shape, "maps of T1 and T2 are needed", "wire both");
  if (maps.per_axis < 1 || maps.per_axis > 64)
    throw Error(Errc::range, fmt::format("{} spins a voxel along each axis", maps.per_axis), "give 1 to 64");
  check_prime(0, maps.isochromats);
  Array coils;
  std::int64_t n_coils = 1;
  if (maps.coils.size() > 0) {
    Shape want = shape;
    n_coils = maps.coils.extent(static_cast<int>(shape.size()));
    want.push_back(n_coils);
    if (maps.coils.shape() != want)
      throw Error(Errc::shape,
                  fmt::format("coils are {} and the density {}", maps.coils.describe(), maps.PD.describe()),
                  "give the axes of the density, then coil");
    coils = maps.coils.to(Device::cpu()).cast(DType::c64).contiguous_copy();
  }
  const std::int64_t voxels = PD.size();
  const std::size_t dims = shape.size();
  std::array<int, 3> sub{1, 1, 1};
  for (std::size_t a = 0; a < dims; ++a)
    if (shape[a] > 1) sub[a] = maps.per_axis;
  Spins out;
  std::vector<std::int64_t> of;  // voxel of each spin
  for (std::int64_t p = 0; p < voxels; ++p) {
    const double density = PD.data<double>()[p];
    if (!(density > 0)) continue;
    std::int64_t rest = p;
    std::array<double, 3> at{};
    for (std::size_t a = 0; a < dims; ++a)
      at[a] = static_cast<double>(rest % shape[a] - shape[a] / 2), rest /= shape[a];
    const double T2_here = T2.data<double>()[p];
    double prime = 0;
    if (star.size()) {
      const double rate = 1 / star.data<double>()[p] - 1 / T2_here;
      if (rate < -1e-6 / T2_here)
        throw Error(
            Errc::range,
            fmt::format("T2* = {:g} s is longer than T2 = {:g} s in voxel {}", star.data<double>()[p], T2_here, p),
            "1 / T2* is 1 / T2 + 1 / T2'");
      prime = rate > 1e-6 / T2_here ? 1 / rate : 0;
    }
    const int iso = prime > 0 ? maps.isochromats : 1;
    const double share = density / (sub[0] * sub[1] * sub[2] * iso);
    for (int c = 0; c < sub[2]; ++c)
      for (int b = 0; b < sub[1]; ++b)
        for (int a = 0; a < sub[0]; ++a)
          for (int k = 0; k < iso; ++k) {
            out.x.push_back(maps.voxel[0] * (at[0] + (a + 0.5) / sub[0] - 0.5));
            out.y.push_back(maps.voxel[1] * (at[1] + (b + 0.5) / sub[1] - 0.5));
            out.z.push_back(dims > 2 ? maps.voxel[2] * (at[2] + (c + 0.5) / sub[2] - 0.5) : 0.0);
            const double quantile = (k + 0.5) / iso;
            out.df.push_back((df.size() ? df.data<double>()[p] : 0.0) + (iso > 1 ? lorentzian(quantile, prime) : 0.0));
            out.T1.push_back(static_cast<float>(T1.data<double>()[p]));
            out.T2.push_back(static_cast<float>(T2_here));
            out.M0.push_back(static_cast<float>(share));
            of.push_back(p);
          }
  }
  for (std::int64_t q = 0; q < n_coils && coils.size(); ++q)
    for (const auto p : of) out.coil.push_back(coils.data<std::complex<float>>()[p + voxels * q]);
  out.shape = {static_cast<std::int64_t>(out.size())}, out.axes = {"spin"}, out.ticks = {{}};
  out.check();
  return out;
}

}  // namespace larmor::sim
