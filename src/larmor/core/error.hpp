// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace larmor {

/// What kind of thing went wrong; the command line turns `usage` into exit code 2 and the rest into 1.
enum class Errc : std::uint8_t {
  usage,
  unknown_name,
  shape,
  range,
  type,
  file,
  format,
  numeric,
  device,
  cancelled,
  internal
};

/// An error a person can act on: what happened, where (`at:` lines, innermost first) and what to do (`do:`).
///
///   asl.cbf: 'PLD' holds 3 values for 40 slices
///     at: node 'cbf' of graph perfusion.json
///     do: give one PLD for all slices, or 40 of them [s]
class Error : public std::runtime_error {
 public:
  Error(Errc code, std::string what_happened, std::string what_to_do = {});

  Errc code() const { return code_; }
  const std::string& message() const { return message_; }
  const std::string& advice() const { return advice_; }
  const std::vector<std::string>& where() const { return where_; }

  /// Adds an `at:` line. Each layer that knows more adds its own and rethrows.
  Error& at(std::string place);
  /// Replaces the advice, for a layer that knows better what the caller can do.
  Error& advise(std::string what_to_do);

  const char* what() const noexcept override { return text_.c_str(); }

 private:
  void compose();
  Errc code_;
  std::string message_, advice_, text_;
  std::vector<std::string> where_;
};

/// Name for the class of error, as machines read it ("file", "shape", ...).
std::string_view to_string(Errc code);

/// The candidate nearest to `name` by edit distance (case-insensitive; a unique suffix after a dot counts as near),
/// or an empty string when none is near.
std::string nearest(std::string_view name, std::span<const std::string> candidates);

/// "no <kind> called 'x'; did you mean y?" with the advice `all: <list>`.
Error unknown_name(std::string_view kind, std::string_view name, std::span<const std::string> candidates,
                   std::string advice = {});

}  // namespace larmor
