// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/nodes/traj_protocol.hpp>

namespace larmor::nodes {
namespace {

using flow::Value;

class Reader {
 public:
  explicit Reader(const Value& record) : record_(record) {}

  bool number(const char* name, double unit, double& to) const {
    const Value v = record_.field(name);
    if (v.none()) return false;
    if (v.kind() != Value::Kind::number)
      throw Error(Errc::type, std::string("protocol: '") + name + "' is " + v.describe(), "give a number");
    to = v.number() * unit;
    return true;
  }
  template <class Count>
  bool count(const char* name, Count& to) const {
    double n = 0;
    if (!number(name, 1, n)) return false;
    if (!(std::abs(n) <= 1e15) || n != std::floor(n))
      throw Error(Errc::range, fmt::format("protocol: '{}' is {:g}", name, n), "give a whole number");
    to = static_cast<std::int64_t>(n);
    return true;
  }
  std::string text(const char* name) const {
    const Value v = record_.field(name);
    if (v.none()) return {};
    if (v.kind() != Value::Kind::text)
      throw Error(Errc::type, std::string("protocol: '") + name + "' is " + v.describe(), "give a text");
    std::string out = v.text();
    std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
    return out;
  }
  Value field(const char* name) const { return record_.field(name); }

 private:
  const Value& record_;
};

recon::SpiralEnd end_of(const std::string& text) {
  const auto has = [&](const char* part) { return text.find(part) != std::string::npos; };
  if (has("m1") || has("first moment")) return recon::SpiralEnd::rewind_both;
  if (has("m0") || has("zeroth moment") || has("rewound")) return recon::SpiralEnd::rewind;
  if (has("spoil")) return recon::SpiralEnd::spoil;
  if (has("ramp")) return recon::SpiralEnd::ramp;
  return recon::spiral_end(text);
}

}  // namespace

ScanProtocol scan_protocol(const Value& record, const recon::SpiralProtocol& start) {
  if (record.kind() != Value::Kind::record)
    throw Error(Errc::type, "a protocol is needed and this is " + record.describe(), "read one with io.read_json");
  const Reader read(record);
  ScanProtocol p{.spiral = start};
  auto& s = p.spiral;
  double number = 0;
  if (!read.number("fov_m", 1, s.fov) || !read.count("arms", s.arms))
    throw Error(Errc::format, "protocol: 'fov_m' or 'arms' is not there", "give both, and resolution_m, dwell_ms, ...");
  read.number("resolution_m", 1, s.resolution);
  read.number("dwell_ms", 1e-3, s.dwell);
  read.number("gradient_raster_ms", 1e-3, s.limits.raster);
  read.number("max_gradient_mT_per_m", 1e-3, s.limits.max_gradient);
  read.number("max_slew_mT_per_m_per_ms", 1, s.limits.max_slew);
  read.number("max_gradient_frequency_kHz", 1e3, s.limits.max_frequency);
  read.number("gamma_kHz_per_mT", 1e6, s.limits.gamma);
  read.number("t2_match", 1e-3, s.T2_match);
  read.count("read_samples", p.samples);
  if (read.number("TE_ms", 1e-3, number)) p.echo_time = number;
  if (const Value v = read.field("undersampling"); !v.none()) {
    const auto& list = v.list();
    if (list.size() != 3)
      throw Error(Errc::shape, "protocol: 'undersampling' is " + v.describe(), "give [begin, end, factor]");
    s.undersampling.begin = list[0].number();
    s.undersampling.end = list[1].number();
    s.undersampling.factor = list[2].number();
  }
  if (const std::string shape = read.text("undersampling_shape"); !shape.empty())
    s.undersampling.shape = recon::undersampling_shape(shape);
  if (std::string way = read.text("in_out"); !way.empty()) {
    for (const char c : {'/', '_', ' '}) std::replace(way.begin(), way.end(), c, '-');
    s.direction = recon::spiral_direction(way == "inout" ? "in-out" : way);
  }
  if (const std::string end = read.text("gradient_end"); !end.empty()) s.end = end_of(end);
  if (const Value v = read.field("true_resolution"); !v.none()) s.true_resolution = v.boolean();
  if (const Value v = read.field("recorded_raster_points"); v.kind() == Value::Kind::record)
    for (const auto& [name, to] :
         {std::pair{"na", &p.readout_end}, std::pair{"nb", &p.ramp_end}, std::pair{"nc", &p.rewind_end}})
      Reader(v).count(name, *to);
  if (const std::string type = read.text("spiral_type"); !type.empty() && type.find("arch") == std::string::npos)
    p.warnings.push_back("the protocol's spiral is '" + type + "', and this designs Archimedean ones in a plane");
  for (const auto& [name, value] : record.fields())
    if (name.starts_with("reconstruction_settings") && value.kind() == Value::Kind::record) {
      const Reader settings(value);
      settings.number("x_delay_us", 1e-6, p.delay[0]);
      settings.number("y_delay_us", 1e-6, p.delay[1]);
      settings.number("z_delay_us", 1e-6, p.delay[2]);
      if (settings.number("effective_matrix", 1, number)) {
        if (!(number >= 2 && number <= 32768 && number == std::floor(number)))
          throw Error(Errc::range, "protocol: an effective_matrix of " + settings.field("effective_matrix").describe(),
                      "give a whole number of voxels");
        p.matrix = static_cast<std::int64_t>(number);
      }
      if (const std::string scale = settings.text("kmax_convention");
          !scale.empty() && s.true_resolution && scale.find("sqrt(pi)") == std::string::npos)
        p.warnings.push_back("the protocol's kmax_convention is '" + scale +
                             "', and the design goes out by 2/sqrt(pi) (true_resolution)");
    }
  return p;
}

}  // namespace larmor::nodes
