// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/values/spins.hpp>

namespace larmor::flow {
namespace {

using sim::Spins;

constexpr std::pair<const char*, std::vector<double> Spins::*> doubles[] = {
    {"x", &Spins::x},   {"y", &Spins::y},   {"z", &Spins::z},  {"df", &Spins::df},
    {"vx", &Spins::vx}, {"vy", &Spins::vy}, {"vz", &Spins::vz}};
constexpr std::pair<const char*, std::vector<float> Spins::*> floats[] = {
    {"T1", &Spins::T1}, {"T2", &Spins::T2}, {"M0", &Spins::M0}, {"B1", &Spins::B1}, {"D", &Spins::D}};

template <class T>
void write(Value::Fields& fields, const char* name, const std::vector<T>& v) {
  if (!v.empty()) fields.emplace_back(name, Array::from<T>(v, {static_cast<std::int64_t>(v.size())}, {"spin"}));
}
template <class T>
std::vector<T> read(const Value& value, const char* name) {
  const Value field = value.field(name);
  if (field.none()) return {};
  const Array a = field.array().cast(dtype_of<T>).contiguous_copy();
  return {a.data<T>(), a.data<T>() + a.size()};
}

}  // namespace

Value ValueTraits<Spins>::to(const Spins& s) {
  Value::Fields fields;
  for (const auto& [name, member] : doubles) write(fields, name, s.*member);
  for (const auto& [name, member] : floats) write(fields, name, s.*member);
  if (!s.coil.empty())
    fields.emplace_back("coil", Array::from<std::complex<float>>(
                                    s.coil, {static_cast<std::int64_t>(s.size()), s.coils()}, {"spin", "coil"}));
  Value::List axes, ticks;
  std::vector<double> shape(s.shape.begin(), s.shape.end());
  for (const auto& a : s.axes) axes.emplace_back(a);
  for (const auto& t : s.ticks) ticks.push_back(ValueTraits<std::vector<double>>::to(t));
  fields.emplace_back("shape", ValueTraits<std::vector<double>>::to(shape));
  fields.emplace_back("axes", axes);
  fields.emplace_back("ticks", ticks);
  return Value::record("spins", std::move(fields));
}

Spins ValueTraits<Spins>::from(const Value& value) {
  if (value.type() != "spins")
    throw Error(Errc::type, "spins are needed and this is " + value.describe(),
                "make some: sim.spins, sim.spin_cloud, sim.voxel_spins");
  Spins s;
  for (const auto& [name, member] : doubles) s.*member = read<double>(value, name);
  for (const auto& [name, member] : floats) s.*member = read<float>(value, name);
  s.coil = read<std::complex<float>>(value, "coil");
  for (const double n : ValueTraits<std::vector<double>>::from(value.field("shape")))
    s.shape.push_back(static_cast<std::int64_t>(n));
  for (const auto& a : value.field("axes").list()) s.axes.push_back(a.text());
  for (const auto& t : value.field("ticks").list()) s.ticks.push_back(ValueTraits<std::vector<double>>::from(t));
  s.check();
  return s;
}

}  // namespace larmor::flow
