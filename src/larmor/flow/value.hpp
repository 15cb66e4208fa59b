// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <larmor/core/array.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace larmor::flow {

/// 128 bits of content (XXH3). Equal content has equal hashes on every machine of the same byte order.
struct Hash {
  std::uint64_t hi = 0, lo = 0;
  auto operator<=>(const Hash&) const = default;
  bool zero() const { return hi == 0 && lo == 0; }
  std::string str() const;  // 32 hexadecimal digits
  /// Errors   Errc::format
  static Hash parse(std::string_view text);
};
/// Hash of pieces in order; lengths count, so ("ab", "c") and ("a", "bc") differ.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;
  Hasher& add(const void* data, std::size_t size);
  Hasher& add(std::string_view text) { return add(text.data(), text.size()); }
  Hasher& add(const Hash& hash);
  Hash done() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// What travels on a wire: nothing, a boolean, a number, a text, an Array, a list, or a record (named fields with the
/// name of a type: "image", "curve", ...). Immutable and reference-counted; copies are free.
///
/// Everything is made of these few kinds, so hashing, spilling to disk, sending to another process and showing a value
/// need to be written once, and a domain type is a pair of functions to and from a record (value_traits.hpp).
class Value {
 public:
  enum class Kind : std::uint8_t { none, boolean, number, text, array, list, record };
  using List = std::vector<Value>;
  using Fields = std::vector<std::pair<std::string, Value>>;

  Value() = default;
  Value(bool v);
  Value(double v);
  Value(int v) : Value(static_cast<double>(v)) {}
  Value(float v) : Value(static_cast<double>(v)) {}
  Value(std::int64_t v) : Value(static_cast<double>(v)) {}
  Value(std::string v);
  Value(const char* v) : Value(std::string(v)) {}
  Value(Array v);
  Value(List v);
  static Value record(std::string type, Fields fields);

  Kind kind() const;
  bool none() const { return !node_; }
  /// "none", "boolean", "number", "text", "array", "list", or the record's own type.
  const std::string& type() const;

  /// The content. Errors   Errc::type, naming what it is and what was asked for
  bool boolean() const;
  double number() const;
  const std::string& text() const;
  const Array& array() const;
  const List& list() const;
  const Fields& fields() const;
  /// Field of a record; none when absent.
  Value field(std::string_view name) const;

  /// Content hash, computed once and kept: arrays by type, shape, axes and bytes (in parallel for large ones), NaN by
  /// its bits. Device arrays are fetched first.
  Hash hash() const;
  /// Bytes of all arrays and texts inside.
  std::size_t bytes() const;
  /// One line for tooltips and errors: "f32 (64 x, 64 y)", "image f32 (...)", "0.42", "'text'", "list of 3 number".
  std::string describe() const;
  /// Same object (not: same content).
  bool same(const Value& other) const { return node_ == other.node_; }

 private:
  struct Node;
  std::shared_ptr<const Node> node_;
  const Node& need(Kind kind) const;
};

/// A value as text and buffers: `head` is JSON in which each array is {"$array": k, "dtype", "shape", "axes"} and a
/// record {"$type": name, ...}; buffers[k] is contiguous on the CPU. NaN and infinities are {"$number": "nan"}.
struct Encoded {
  std::string head;
  std::vector<Array> buffers;
};
Encoded encode(const Value& value);
/// Errors   Errc::format for a head that is not such JSON or names a buffer that is not there or does not fit
Value decode(std::string_view head, const std::vector<Array>& buffers);

/// Plain JSON (no arrays of more than `most` elements: those are summarised by describe()); for settings and reports.
std::string to_json(const Value& value, std::size_t most = 64);
/// JSON to a value: object -> record of type "", array of numbers -> list. Errors   Errc::format
Value from_json(std::string_view text);

}  // namespace larmor::flow
