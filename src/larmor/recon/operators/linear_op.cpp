// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <larmor/core/nd/noise.hpp>
#include <larmor/recon/operators/linear_op.hpp>
#include <larmor/recon/operators/vectors.hpp>

namespace larmor::recon {

std::int64_t Space::size() const {
  std::int64_t n = 1;
  for (const auto extent : shape) n *= extent;
  return n;
}
std::string Space::describe() const {
  std::string out;
  for (std::size_t i = 0; i < shape.size(); ++i)
    out += fmt::format("{}{} {}", i ? ", " : "", shape[i], i < axes.size() ? axes[i] : "?");
  return fmt::format("{} ({})", to_string(type), out);
}
int Space::axis(const std::string& name) const {
  const auto it = std::find(axes.begin(), axes.end(), name);
  if (it == axes.end()) throw unknown_name("axis", name, axes);
  return static_cast<int>(it - axes.begin());
}

LinearOp::LinearOp(std::string name, Space domain, Space range)
    : name_(std::move(name)), domain_(std::move(domain)), range_(std::move(range)) {
  if (domain_.type != range_.type || (domain_.type != DType::c64 && domain_.type != DType::c128))
    throw Error(Errc::type, fmt::format("{}: from {} to {}: both are to be c64, or c128", name_,
                                        to_string(domain_.type), to_string(range_.type)));
}

namespace {

const Array& checked(const Array& a, const Space& space, const std::string& name, const char* what, Array& packed) {
  if (a.dtype() != space.type || a.shape() != space.shape || a.axes() != space.axes)
    throw Error(Errc::shape, fmt::format("{} {} {} and this is {}", name, what, space.describe(), a.describe()));
  if (a.contiguous()) return a;
  return packed = a.contiguous_copy();
}

class Composed final : public LinearOp {
 public:
  Composed(Op outer, Op inner)
      : LinearOp(outer->name() + " of " + inner->name(), inner->domain(), outer->range()),
        outer_(std::move(outer)),
        inner_(std::move(inner)) {}

 protected:
  Array run(const Array& x, const Cancel* cancel) const override {
    return outer_->forward(inner_->forward(x, cancel), cancel);
  }
  Array run_adjoint(const Array& y, const Cancel* cancel) const override {
    return inner_->adjoint(outer_->adjoint(y, cancel), cancel);
  }
  Array run_normal(const Array& x, const Cancel* cancel) const override {
    return inner_->adjoint(outer_->normal(inner_->forward(x, cancel), cancel), cancel);
  }

 private:
  Op outer_, inner_;
};

class Sum final : public LinearOp {
 public:
  Sum(Op a, Op b)
      : LinearOp(a->name() + " + " + b->name(), a->domain(), a->range()), a_(std::move(a)), b_(std::move(b)) {}

 protected:
  Array run(const Array& x, const Cancel* cancel) const override {
    return combination(1, a_->forward(x, cancel), 1, b_->forward(x, cancel));
  }
  Array run_adjoint(const Array& y, const Cancel* cancel) const override {
    return combination(1, a_->adjoint(y, cancel), 1, b_->adjoint(y, cancel));
  }

 private:
  Op a_, b_;
};

class Scaled final : public LinearOp {
 public:
  Scaled(double factor, Op a)
      : LinearOp(fmt::format("{} {}", factor, a->name()), a->domain(), a->range()), factor_(factor), a_(std::move(a)) {}

 protected:
  Array run(const Array& x, const Cancel* cancel) const override { return times(factor_, a_->forward(x, cancel)); }
  Array run_adjoint(const Array& y, const Cancel* cancel) const override {
    return times(factor_, a_->adjoint(y, cancel));
  }
  Array run_normal(const Array& x, const Cancel* cancel) const override {
    return times(factor_ * factor_, a_->normal(x, cancel));
  }

 private:
  static Array times(double factor, const Array& a) {
    Array out = a.clone();
    scale(factor, out);
    return out;
  }
  double factor_;
  Op a_;
};

class Adjoint final : public LinearOp {
 public:
  explicit Adjoint(Op a) : LinearOp("adjoint of " + a->name(), a->range(), a->domain()), a_(std::move(a)) {}

 protected:
  Array run(const Array& x, const Cancel* cancel) const override { return a_->adjoint(x, cancel); }
  Array run_adjoint(const Array& y, const Cancel* cancel) const override { return a_->forward(y, cancel); }

 private:
  Op a_;
};

Space end_to_end(const std::vector<Op>& ops) {
  if (ops.empty()) throw Error(Errc::shape, "a stack of no operators");
  Space out{{0}, {"sample"}, ops[0]->range().type};
  for (const auto& op : ops) {
    if (op->domain() != ops[0]->domain())
      throw Error(Errc::shape, fmt::format("{} takes {} and {} takes {}", ops[0]->name(), ops[0]->domain().describe(),
                                           op->name(), op->domain().describe()));
    out.shape[0] += op->range().size();
  }
  return out;
}

class Stacked final : public LinearOp {
 public:
  explicit Stacked(std::vector<Op> ops)
      : LinearOp("stack", ops.at(0)->domain(), end_to_end(ops)), ops_(std::move(ops)) {}

 protected:
  Array run(const Array& x, const Cancel* cancel) const override {
    Array out = range().zeros();
    auto* to = static_cast<std::byte*>(out.raw());
    for (const auto& op : ops_) {
      const Array part = op->forward(x, cancel).contiguous_copy();
      std::memcpy(to, part.raw(), part.bytes());
      to += part.bytes();
    }
    return out;
  }
  Array run_adjoint(const Array& y, const Cancel* cancel) const override {
    Array out = domain().zeros();
    std::int64_t at = 0;
    for (const auto& op : ops_) {
      const Space& s = op->range();
      add_scaled(1, op->adjoint(y.range(0, at, at + s.size()).reshaped(s.shape, s.axes), cancel), out);
      at += s.size();
    }
    return out;
  }
  Array run_normal(const Array& x, const Cancel* cancel) const override {
    Array out = domain().zeros();
    for (const auto& op : ops_) add_scaled(1, op->normal(x, cancel), out);
    return out;
  }

 private:
  std::vector<Op> ops_;
};

}  // namespace

Array LinearOp::forward(const Array& x, const Cancel* cancel) const {
  if (cancel) cancel->check();
  Array packed;
  return run(checked(x, domain_, name_, "takes", packed), cancel);
}
Array LinearOp::adjoint(const Array& y, const Cancel* cancel) const {
  if (cancel) cancel->check();
  Array packed;
  return run_adjoint(checked(y, range_, name_, "gives", packed), cancel);
}
Array LinearOp::normal(const Array& x, const Cancel* cancel) const {
  if (cancel) cancel->check();
  Array packed;
  return run_normal(checked(x, domain_, name_, "takes", packed), cancel);
}

Op composed(Op outer, Op inner) {
  if (outer->domain() != inner->range())
    throw Error(Errc::shape, fmt::format("{} gives {} and {} takes {}", inner->name(), inner->range().describe(),
                                         outer->name(), outer->domain().describe()));
  return std::make_shared<Composed>(std::move(outer), std::move(inner));
}
Op sum(Op a, Op b) {
  if (a->domain() != b->domain() || a->range() != b->range())
    throw Error(Errc::shape,
                fmt::format("{} leads from {} to {} and {} from {} to {}", a->name(), a->domain().describe(),
                            a->range().describe(), b->name(), b->domain().describe(), b->range().describe()));
  return std::make_shared<Sum>(std::move(a), std::move(b));
}
Op scaled(double factor, Op a) { return std::make_shared<Scaled>(factor, std::move(a)); }
Op adjoint_of(Op a) { return std::make_shared<Adjoint>(std::move(a)); }
Op stacked(std::vector<Op> ops) {
  end_to_end(ops);
  return std::make_shared<Stacked>(std::move(ops));
}

Array arranged(const Array& a, const Space& space, const std::string& what) {
  const auto misfit = [&] {
    return Error(Errc::shape, fmt::format("{}: {} where {} is needed", what, a.describe(), space.describe()),
                 "rename or crop its axes, or make the other input to fit");
  };
  Array out = a.to(Device::cpu());
  // Axes of one element that the space does not know go; those of more have no place.
  for (int i = out.rank(); i-- > 0;) {
    if (std::find(space.axes.begin(), space.axes.end(), out.axes()[static_cast<std::size_t>(i)]) != space.axes.end())
      continue;
    if (out.extent(i) != 1) throw misfit();
    out = out.slice(i, 0);
  }
  std::vector<int> order;
  for (std::size_t i = 0; i < space.axes.size(); ++i) {
    const auto it = std::find(out.axes().begin(), out.axes().end(), space.axes[i]);
    const std::int64_t n = it == out.axes().end() ? 1 : out.extent(static_cast<int>(it - out.axes().begin()));
    if (n != space.shape[i]) throw misfit();
    if (it != out.axes().end()) order.push_back(static_cast<int>(it - out.axes().begin()));
  }
  if (order.size() != static_cast<std::size_t>(out.rank())) throw misfit();
  return out.permuted(order).contiguous_copy().reshaped(space.shape, space.axes).cast(space.type);
}

Array random_vector(const Space& space, unsigned seed) { return nd::normal(space.type, space.shape, space.axes, seed); }

double adjoint_gap(const LinearOp& A, unsigned seed) {
  const Array x = random_vector(A.domain(), seed), y = random_vector(A.range(), seed + 1);
  const Array Ax = A.forward(x), Ay = A.adjoint(y);
  const auto left = std::conj(dot(Ax, y)), right = std::conj(dot(x, Ay));
  return std::abs(left - right) / (norm(Ax) * norm(y));
}

double normal_norm(const LinearOp& A, int iterations, const Cancel* cancel) {
  Array x = random_vector(A.domain(), 7);
  double size = norm(x);
  for (int i = 0; i < iterations && size > 0; ++i) {
    scale(1 / size, x);
    x = A.normal(x, cancel);
    size = norm(x);
  }
  return size;
}

}  // namespace larmor::recon
