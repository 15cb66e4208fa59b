// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/core/nd/expression_parser.hpp>
#include <limits>
#include <numbers>

namespace larmor::nd {
namespace {

using Step = Expression::Step;
using Kind = Step::Kind;

struct Short {
  const char* name;
  Binary op;
};
constexpr Short shorts[] = {{"min", Binary::minimum},
                            {"max", Binary::maximum},
                            {"pow", Binary::power},
                            {"mod", Binary::remainder},
                            {"atan2", Binary::arctan2}};

class Parser {
 public:
  explicit Parser(const std::string& text) : text_(text) {}

  Parsed parse() {
    if (text_.size() > 10000)
      throw Error(Errc::format, fmt::format("a formula of {} characters", text_.size()), "10,000 at most");
    either();
    skip();
    if (at_ < text_.size()) fail(fmt::format("'{}' is not understood here", text_[at_]));
    return std::move(out_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(Errc::format, fmt::format("formula '{}', column {}: {}", text_, at_ + 1, what),
                "write it like: abs(a) / (b + 1)");
  }
  void skip() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }
  bool take(std::string_view token) {
    skip();
    if (text_.compare(at_, token.size(), token) != 0) return false;
    at_ += token.size();
    return true;
  }
  void need(std::string_view token) {
    if (!take(token)) fail(fmt::format("'{}' is missing", token));
  }
  void push(Step step, int change) {
    step.at = at_;
    out_.steps.push_back(step);
    now_ += change;
    out_.depth = std::max(out_.depth, now_);
  }
  void binary(Binary op) { push({Kind::binary, static_cast<int>(op)}, -1); }
  void unary(Unary op) { push({Kind::unary, static_cast<int>(op)}, 0); }

  struct Nested {
    explicit Nested(Parser& p) : parser(p) {
      if (++p.level_ > 100) p.fail("nested more than 100 deep");
    }
    ~Nested() { --parser.level_; }
    Parser& parser;
  };

  void either() {
    const Nested nested(*this);
    both();
    while (take("||") || take("|")) both(), binary(Binary::logical_or);
  }
  void both() {
    compared();
    while (take("&&") || take("&")) compared(), binary(Binary::logical_and);
  }
  void compared() {
    sum();
    for (;;) {
      if (take("=="))
        sum(), binary(Binary::equal);
      else if (take("!="))
        sum(), binary(Binary::not_equal);
      else if (take("<="))
        sum(), binary(Binary::less_equal);
      else if (take(">="))
        sum(), binary(Binary::greater_equal);
      else if (take("<"))
        sum(), binary(Binary::less);
      else if (take(">"))
        sum(), binary(Binary::greater);
      else
        return;
    }
  }
  void sum() {
    product();
    for (;;) {
      if (take("+"))
        product(), binary(Binary::add);
      else if (take("-"))
        product(), binary(Binary::subtract);
      else
        return;
    }
  }
  void product() {
    signed_();
    for (;;) {
      skip();
      if (take("*"))
        signed_(), binary(Binary::multiply);
      else if (take("/"))
        signed_(), binary(Binary::divide);
      else if (take("%"))
        signed_(), binary(Binary::remainder);
      else
        return;
    }
  }
  void signed_() {
    const Nested nested(*this);
    if (take("-")) return signed_(), unary(Unary::negate);
    if (take("+")) return signed_();
    if (text_.compare(at_, 2, "!=") != 0 && take("!")) return signed_(), unary(Unary::logical_not);
    power();
  }
  void power() {
    atom();
    if (take("^") || take("**")) signed_(), binary(Binary::power);
  }
  void atom() {
    skip();
    if (at_ >= text_.size()) fail("something is missing at the end");
    const char c = text_[at_];
    if (take("(")) {
      either();
      need(")");
    } else if (std::isdigit(static_cast<unsigned char>(c)) || c == '.') {
      double v = 0;
      const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), v);
      if (error != std::errc()) fail("no number");
      at_ = static_cast<std::size_t>(end - text_.data());
      push({Kind::number, 0, v}, 1);
    } else if (std::isalpha(static_cast<unsigned char>(c)) || c == '_') {
      word();
    } else {
      fail(fmt::format("'{}' is not understood here", c));
    }
  }
  void word() {
    const std::size_t start = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_')) ++at_;
    const std::string name = text_.substr(start, at_ - start);
    if (take("(")) return call(name);
    constexpr double inf = std::numeric_limits<double>::infinity();
    if (name == "pi") return push({Kind::number, 0, std::numbers::pi}, 1);
    if (name == "e") return push({Kind::number, 0, std::numbers::e}, 1);
    if (name == "inf") return push({Kind::number, 0, inf}, 1);
    if (name == "nan") return push({Kind::number, 0, std::numeric_limits<double>::quiet_NaN()}, 1);
    if (name == "i") return push({Kind::imaginary}, 1);
    auto& names = out_.variables;
    auto it = std::find(names.begin(), names.end(), name);
    if (it == names.end()) it = names.insert(names.end(), name);
    push({Kind::variable, static_cast<int>(it - names.begin())}, 1);
  }
  void arguments(const std::string& name, int n) {
    for (int k = 0; k < n; ++k) {
      if (k > 0 && !take(",")) fail(fmt::format("{} takes {} arguments", name, n));
      either();
    }
    if (!take(")")) fail(fmt::format("{} takes {} argument{}: ')' is missing", name, n, n == 1 ? "" : "s"));
  }
  void call(const std::string& name) {
    if (name == "where") return arguments(name, 3), push({Kind::where}, -2);
    if (name == "clip") {  // min(max(a, low), high)
      either(), need(","), either(), binary(Binary::maximum), need(","), either(), binary(Binary::minimum), need(")");
      return;
    }
    for (const auto& f : unary_functions())
      if (f.name == name) return arguments(name, 1), unary(f.op);
    for (const auto& f : binary_functions())
      if (f.name == name) return arguments(name, 2), binary(f.op);
    for (const auto& f : shorts)
      if (f.name == name) return arguments(name, 2), binary(f.op);
    throw unknown_name("function", name, expression_functions());
  }

  const std::string& text_;
  std::size_t at_ = 0;
  int level_ = 0, now_ = 0;
  Parsed out_;
};

}  // namespace

Parsed parse_expression(const std::string& text) { return Parser(text).parse(); }

std::vector<std::string> expression_functions() {
  std::vector<std::string> names{"where", "clip"};
  for (const auto& f : unary_functions()) names.emplace_back(f.name);
  for (const auto& f : binary_functions()) names.emplace_back(f.name);
  for (const auto& f : shorts) names.emplace_back(f.name);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace larmor::nd
