// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The one table of units and quantities.
///
/// Inside, Larmor computes in s, 1/s, mm, mm2/s, rad, mM, T and fractions 0..1. Units that people write (1/min,
/// mL/min/100mL, ms, deg) are converted once, where values enter or leave the program, by the functions here.
namespace larmor::units {

/// What a unit measures: powers of time, length, concentration x volume, angle, field, mass and signal. An angle counts
/// as a dimension of its own, so Hz and rad/s do not convert into each other by accident.
struct Dimension {
  enum Base : std::uint8_t { time, length, amount, angle, field, mass, signal };
  std::array<std::int8_t, 7> power{};

  bool operator==(const Dimension&) const = default;
  /// Unit of this dimension that the engine computes in: "1/s", "mm2/s", "mM s", "1".
  std::string engine_unit() const;
};

struct Unit {
  double scale = 1;  // value in engine units = value x scale
  Dimension dimension;
};

/// Reads a unit as people write it: names of `names()` with powers ("mm2", "mm^2", "s-1"), products ("mM s", "mM*s"),
/// quotients from left to right ("mL/100mL/min"), brackets ("1/(s mM)") and numbers, which count
/// what follows them ("100mL", also after a slash). Upper and lower case
/// differ. Errors   Errc::unknown_name with the nearest name, Errc::usage with the place for anything else
Unit parse(std::string_view text);

/// What a value in `from` is multiplied by to be in `to`.
/// Errors   those of parse; Errc::usage naming both when they measure different things
double factor(std::string_view from, std::string_view to);
double convert(double value, std::string_view from, std::string_view to);

/// The engine's unit for whatever `unit` measures: "1/s" for "mL/100mL/min".
std::string engine_unit(std::string_view unit);

/// Every name that parse knows, "s", "ms", ....
std::vector<std::string> names();

/// A quantity that maps, settings and reports name, with the unit it is computed in and the one it is shown in.
struct Quantity {
  std::string_view name;     // as in file names and settings: "Ktrans"
  std::string_view symbol;   // as printed, with _ for a subscript: "K^trans", "v_e"
  std::string_view title;    // "Volume transfer constant"
  std::string_view engine;   // unit inside: "1/s"
  std::string_view display;  // unit of the lexicon: "1/min"
  std::string_view lexicon;  // who says so: "OSIPI CAPLEX"
};

/// All of them, sorted by name.
std::span<const Quantity> quantities();
/// Errors   Errc::unknown_name with the nearest
const Quantity& quantity(std::string_view name);
/// The same, or nullptr.
const Quantity* find_quantity(std::string_view name);

/// Unit that `name` is shown in; `engine_unit` itself when the table does not know the name or knows it for another
/// dimension.
std::string display_unit(std::string_view name, std::string_view engine_unit);

/// Factors that formulas need often (the table gives the same, a test compares).
inline constexpr double per_minute = 1.0 / 60.0;                  // 1/min in 1/s
inline constexpr double mL_per_100mL_per_minute = 0.01 / 60.0;    // in 1/s
inline constexpr double millisecond = 1e-3;                       // in s
inline constexpr double degree = 3.14159265358979323846 / 180.0;  // in rad

}  // namespace larmor::units
