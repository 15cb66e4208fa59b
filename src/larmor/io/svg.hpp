// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <fmt/format.h>

#include <string>
#include <string_view>

namespace larmor::io::svg {

/// Opens an inline drawing of width x height units that scales with its container up to its own size.
std::string open(double width, double height, std::string_view label);

/// Text at (x, y). anchor: start, middle, end.
std::string text(double x, double y, std::string_view anchor, std::string_view content, double size = 11.5,
                 std::string_view more = {});
std::string line(double x1, double y1, double x2, double y2, double opacity, double width = 1);
/// Width of a text in units at a font size: an estimate, sans-serif letters differ.
double text_width(std::string_view content, double size = 11.5);
/// `1234567` as "1,234,567".
std::string grouped(double whole);
/// "label [unit]", without the bracket when the unit is empty or "1".
std::string with_unit(const std::string& label, const std::string& unit);

/// Blue, vermilion, green, purple, orange, sky after Okabe and Ito, Color Universal Design (2008); blue is lighter than
/// theirs and black and yellow are left out, so that each is seen on the light and the dark theme.
inline constexpr std::string_view cycle[] = {"#2487d0", "#d55e00", "#009e73", "#b85c96", "#e69f00", "#56b4e9"};

}  // namespace larmor::io::svg
