// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/values/sequence.hpp>
#include <map>

namespace larmor::flow {
namespace {

Value array_of(const std::vector<double>& v) {
  return Array::from<double>(v, {static_cast<std::int64_t>(v.size())}, {"t"});
}
std::vector<double> numbers_of(const Value& record, const char* name) {
  return ValueTraits<std::vector<double>>::from(record.field(name));
}
double number_of(const Value& record, const char* name) { return ValueTraits<double>::from(record.field(name)); }
Value maybe(const std::optional<double>& v) { return v ? Value(*v) : Value(); }
std::optional<double> maybe_of(const Value& record, const char* name) {
  const Value v = record.field(name);
  return v.none() ? std::nullopt : std::optional(v.number());
}

Value to_value(const Rf& rf) {
  return Value::record("pulse", {{"delay", rf.delay},
                                 {"magnitude", array_of(rf.magnitude)},
                                 {"phase", array_of(rf.phase)},
                                 {"times", array_of(rf.times)},
                                 {"raster", rf.raster},
                                 {"frequency_offset", rf.frequency_offset},
                                 {"phase_offset", rf.phase_offset},
                                 {"use", std::string(1, rf.use)},
                                 {"centre", maybe(rf.centre)}});
}
Rf rf_of(const Value& v) {
  const std::string use = v.field("use").text();
  return {.delay = number_of(v, "delay"),
          .magnitude = numbers_of(v, "magnitude"),
          .phase = numbers_of(v, "phase"),
          .times = numbers_of(v, "times"),
          .raster = number_of(v, "raster"),
          .frequency_offset = number_of(v, "frequency_offset"),
          .phase_offset = number_of(v, "phase_offset"),
          .use = use.empty() ? 'u' : use[0],
          .centre = maybe_of(v, "centre")};
}

Value to_value(const Gradient& g) {
  Value::Fields fields{{"delay", g.delay}};
  if (g.trapezoid) {
    const auto& t = *g.trapezoid;
    for (const auto& [name, number] :
         {std::pair{"amplitude", t.amplitude}, {"rise", t.rise}, {"flat", t.flat}, {"fall", t.fall}})
      fields.emplace_back(name, number);
  } else {
    fields.emplace_back("values", array_of(g.values));
    fields.emplace_back("times", array_of(g.times));
    fields.emplace_back("raster", g.raster);
    fields.emplace_back("first", maybe(g.first));
    fields.emplace_back("last", maybe(g.last));
  }
  return Value::record("gradient", std::move(fields));
}
Gradient gradient_of(const Value& v) {
  Gradient g{.delay = number_of(v, "delay")};
  if (!v.field("amplitude").none()) {
    g.trapezoid = Gradient::Trapezoid{number_of(v, "amplitude"), number_of(v, "rise"), number_of(v, "flat"),
                                      number_of(v, "fall")};
    return g;
  }
  g.values = numbers_of(v, "values"), g.times = numbers_of(v, "times"), g.raster = number_of(v, "raster");
  g.first = maybe_of(v, "first"), g.last = maybe_of(v, "last");
  return g;
}

Value to_value(const Adc& a) {
  return Value::record("sampling", {{"samples", a.samples},
                                    {"dwell", a.dwell},
                                    {"delay", a.delay},
                                    {"frequency_offset", a.frequency_offset},
                                    {"phase_offset", a.phase_offset}});
}
Adc adc_of(const Value& v) {
  return {.samples = static_cast<std::int64_t>(number_of(v, "samples")),
          .dwell = number_of(v, "dwell"),
          .delay = number_of(v, "delay"),
          .frequency_offset = number_of(v, "frequency_offset"),
          .phase_offset = number_of(v, "phase_offset")};
}

/// Events by object, numbered from 1.
template <class T>
class Events {
 public:
  double id(const std::shared_ptr<const T>& event) {
    if (!event) return 0;
    const auto [at, fresh] = ids_.try_emplace(event.get(), static_cast<double>(ids_.size() + 1));
    if (fresh) list_.push_back(to_value(*event));
    return at->second;
  }
  Value list() const { return list_; }

 private:
  std::map<const T*, double> ids_;
  Value::List list_;
};

template <class T, class From>
std::vector<std::shared_ptr<const T>> events_of(const Value& record, const char* name, From from) {
  std::vector<std::shared_ptr<const T>> out{nullptr};
  for (const auto& v : record.field(name).list()) out.push_back(std::make_shared<const T>(from(v)));
  return out;
}

template <class T>
const std::shared_ptr<const T>& pick(const std::vector<std::shared_ptr<const T>>& events, double id, const char* what) {
  if (!(id >= 0) || id >= static_cast<double>(events.size()))
    throw Error(Errc::range, "sequence: " + std::string(what) + " " + std::to_string(id) + " of " +
                                 std::to_string(events.size() - 1));
  return events[static_cast<std::size_t>(id)];
}

}  // namespace

Value ValueTraits<Sequence>::to(const Sequence& s) {
  Events<Rf> rf;
  Events<Gradient> gradients;
  Events<Adc> adc;
  std::vector<double> table;
  Value::List labels, definitions;
  for (std::size_t i = 0; i < s.blocks.size(); ++i) {
    const Block& b = s.blocks[i];
    for (const double v :
         {b.duration, rf.id(b.rf), gradients.id(b.g[0]), gradients.id(b.g[1]), gradients.id(b.g[2]), adc.id(b.adc)})
      table.push_back(v);
    for (const auto& label : b.labels)
      labels.push_back(Value::record("label", {{"block", static_cast<double>(i)},
                                               {"name", label.name},
                                               {"value", label.value},
                                               {"increment", label.increment}}));
  }
  for (const auto& [name, value] : s.definitions) definitions.push_back(Value::List{name, value});
  return Value::record(
      "sequence",
      {{"data", Array::from<double>(table, {6, static_cast<std::int64_t>(s.blocks.size())}, {"column", "block"})},
       {"rf", rf.list()},
       {"gradients", gradients.list()},
       {"adc", adc.list()},
       {"labels", std::move(labels)},
       {"definitions", std::move(definitions)},
       {"gradient_raster", s.gradient_raster},
       {"rf_raster", s.rf_raster},
       {"adc_raster", s.adc_raster},
       {"block_raster", s.block_raster},
       {"gamma", s.gamma},
       {"source", s.source}});
}

Sequence ValueTraits<Sequence>::from(const Value& value) {
  if (value.type() != "sequence")
    throw Error(Errc::type, "a pulse sequence is needed and this is " + value.describe(),
                "make one: io.read_pulseq, traj.sequence");
  Sequence s{.gradient_raster = number_of(value, "gradient_raster"),
             .rf_raster = number_of(value, "rf_raster"),
             .adc_raster = number_of(value, "adc_raster"),
             .block_raster = number_of(value, "block_raster"),
             .gamma = number_of(value, "gamma"),
             .source = value.field("source").text()};
  const auto rf = events_of<Rf>(value, "rf", rf_of);
  const auto gradients = events_of<Gradient>(value, "gradients", gradient_of);
  const auto adc = events_of<Adc>(value, "adc", adc_of);
  const Array table = ValueTraits<Array>::from(value.field("data")).cast(DType::f64).contiguous_copy();
  if (table.rank() != 2 || table.extent(0) != 6)
    throw Error(Errc::shape, "sequence: blocks are " + table.describe(), "give (column, block) with 6 columns");
  for (std::int64_t i = 0; i < table.extent(1); ++i) {
    const double* row = table.data<double>() + 6 * i;
    Block b{.duration = row[0], .rf = pick(rf, row[1], "pulse")};
    for (std::size_t axis = 0; axis < 3; ++axis) b.g[axis] = pick(gradients, row[2 + axis], "gradient");
    b.adc = pick(adc, row[5], "sampling");
    s.blocks.push_back(std::move(b));
  }
  for (const auto& label : value.field("labels").list()) {
    const double block = number_of(label, "block");
    if (!(block >= 0) || block >= static_cast<double>(s.blocks.size()))
      throw Error(Errc::range, "sequence: a label of block " + std::to_string(block));
    s.blocks[static_cast<std::size_t>(block)].labels.push_back({label.field("name").text(),
                                                                static_cast<std::int64_t>(number_of(label, "value")),
                                                                label.field("increment").boolean()});
  }
  for (const auto& pair : value.field("definitions").list())
    s.definitions.emplace_back(pair.list().at(0).text(), pair.list().at(1).text());
  s.check();
  return s;
}

}  // namespace larmor::flow
