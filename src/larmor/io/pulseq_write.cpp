// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/io/file.hpp>
#include <larmor/io/pulseq.hpp>
#include <map>
#include <numbers>

namespace larmor::io {
namespace {

constexpr double two_pi = 2 * std::numbers::pi;

/// Lines by their text: an equal one keeps its number.
class Library {
 public:
  int id(const std::string& line) {
    const auto [at, fresh] = ids_.try_emplace(line, static_cast<int>(ids_.size()) + 1);
    if (fresh) lines_.push_back(line);
    return at->second;
  }
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  std::map<std::string, int> ids_;
  std::vector<std::string> lines_;
};

class Writer {
 public:
  explicit Writer(const Sequence& sequence) : sequence_(sequence) {}

  std::string text() {
    std::string blocks;
    for (block_ = 0; block_ < sequence_.blocks.size(); ++block_) blocks += block(sequence_.blocks[block_]) + "\n";
    std::string out =
        "# Pulseq sequence file\n# Created by Larmor " LARMOR_VERSION "\n\n[VERSION]\nmajor 1\nminor 4\nrevision 1\n\n";
    out += definitions();
    out += "# Format of blocks:\n# NUM DUR RF GX GY GZ ADC EXT\n[BLOCKS]\n" + blocks + "\n";
    section(out, "RF", "id amplitude mag_id phase_id time_shape_id delay freq phase", rf_);
    gradients(out);
    section(out, "ADC", "id num dwell delay freq phase", adc_);
    extensions(out);
    if (!shapes_.lines().empty()) {
      out += "# Sequence Shapes\n[SHAPES]\n\n";
      for (std::size_t i = 0; i < shapes_.lines().size(); ++i)
        out += fmt::format("shape_id {}\n{}\n", i + 1, shapes_.lines()[i]);
    }
    // The line end before the section is no part of what is signed.
    const std::string hash = md5_of(out);
    return out +
           fmt::format("\n[SIGNATURE]\n# MD5 of the file up to the line end before this section\nType md5\nHash {}\n",
                       hash);
  }

 private:
  const Sequence& sequence_;
  std::size_t block_ = 0;
  Library rf_, adc_, shapes_, labels_set_, labels_add_;
  // Trapezoids and shaped gradients share their numbers.
  std::map<std::string, int> gradient_ids_;
  std::vector<std::pair<int, std::string>> trapezoids_, shaped_;
  std::map<std::vector<std::pair<int, int>>, int> extension_ids_;  // (type, reference) ... -> first line
  std::vector<std::string> extension_lines_;
  // The same object is the same event.
  std::map<const void*, int> known_;

  [[noreturn]] void fail(const char* event, const std::string& what, const std::string& advice) const {
    throw Error(Errc::range, fmt::format("pulseq: {} of block {}: {}", event, block_, what), advice);
  }
  long long whole(const char* event, const char* what, double time, double unit, const char* name) const {
    const double n = time / unit;
    const auto rounded = std::llround(n);
    // Times are sums of decimal fractions; a thousandth of a unit is no time that anybody meant.
    if (std::abs(n - static_cast<double>(rounded)) > 1e-3)
      fail(event, fmt::format("the {} is {:.9g} s, no whole number of {}", what, time, name),
           "the format has whole numbers of them only: round it, or put the event in a waveform with times");
    return rounded;
  }

  std::string definitions() const {
    std::string out = "[DEFINITIONS]\n";
    std::vector<std::pair<std::string, std::string>> all{
        {"AdcRasterTime", fmt::format("{:.9g}", sequence_.adc_raster)},
        {"BlockDurationRaster", fmt::format("{:.9g}", sequence_.block_raster)},
        {"GradientRasterTime", fmt::format("{:.9g}", sequence_.gradient_raster)},
        {"RadiofrequencyRasterTime", fmt::format("{:.9g}", sequence_.rf_raster)},
        {"TotalDuration", fmt::format("{:.9g}", sequence_.duration())}};
    if (sequence_.gamma != proton_gamma) all.emplace_back("Gamma", fmt::format("{:.12g}", sequence_.gamma));
    const std::size_t ours = all.size();
    for (const auto& given : sequence_.definitions) {
      const bool made =
          given.first == "Gamma" || std::any_of(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(ours),
                                                [&](const auto& d) { return d.first == given.first; });
      if (!made) all.push_back(given);
    }
    for (auto [name, value] : all) {
      std::replace(value.begin(), value.end(), '\n', ' ');
      out += name + " " + value + "\n";
    }
    return out + "\n";
  }

  std::string block(const Block& b) {
    const auto duration = whole("duration", "duration", b.duration, sequence_.block_raster, "block rasters");
    std::string line = fmt::format("{} {} {}", block_ + 1, duration, b.rf ? rf(b.rf) : 0);
    constexpr std::array names{"gradient x", "gradient y", "gradient z"};
    for (std::size_t axis = 0; axis < 3; ++axis)
      line += fmt::format(" {}", b.g[axis] ? gradient(b.g[axis], names[axis]) : 0);
    return line + fmt::format(" {} {}", b.adc ? adc(b.adc) : 0, extension(b.labels));
  }

  int shape(std::span<const double> samples) {
    std::string text = fmt::format("num_samples {}\n", samples.size());
    for (const double v : compress_shape(samples)) text += fmt::format("{:.10g}\n", v);
    return shapes_.id(text);
  }
  int times(const std::vector<double>& all, double raster) {
    if (all.empty()) return 0;
    std::vector<double> in_rasters;
    // On the raster where they are meant to be: 1e-6 of it is beyond what the sums of a time grid lose.
    for (const double t : all) {
      const double n = t / raster, near = std::round(n);
      in_rasters.push_back(std::abs(n - near) < 1e-6 ? near : n);
    }
    return shape(in_rasters);
  }

  int rf(const std::shared_ptr<const Rf>& event) {
    const auto [at, fresh] = known_.try_emplace(event.get(), 0);
    if (!fresh) return at->second;
    const Rf& p = *event;
    const double most = *std::max_element(p.magnitude.begin(), p.magnitude.end());
    std::vector<double> magnitude, phase;
    for (std::size_t i = 0; i < p.magnitude.size(); ++i) {
      magnitude.push_back(most > 0 ? p.magnitude[i] / most : 0);
      const double turns = p.phase[i] / two_pi;
      phase.push_back(turns - std::floor(turns));
    }
    if (p.times.empty() && std::abs(p.raster / sequence_.rf_raster - 1) > 1e-9)
      fail("pulse",
           fmt::format("its raster is {:.9g} s and that of the sequence {:.9g} s", p.raster, sequence_.rf_raster),
           "give its samples times, or the sequence that raster");
    const int mag_id = shape(magnitude), phase_id = shape(phase), time_id = times(p.times, sequence_.rf_raster);
    return at->second = rf_.id(fmt::format("{:.12g} {} {} {} {} {:.12g} {:.12g}", most * sequence_.gamma, mag_id,
                                           phase_id, time_id, whole("pulse", "delay", p.delay, 1e-6, "microseconds"),
                                           p.frequency_offset, p.phase_offset));
  }

  int gradient(const std::shared_ptr<const Gradient>& event, const char* name) {
    const auto [at, fresh] = known_.try_emplace(event.get(), 0);
    if (!fresh) return at->second;
    const Gradient& g = *event;
    const auto us = [&](const char* what, double t) { return whole(name, what, t, 1e-6, "microseconds"); };
    std::string line;
    if (g.trapezoid) {
      const auto rise = us("rise", g.trapezoid->rise), flat = us("flat top", g.trapezoid->flat),
                 fall = us("fall", g.trapezoid->fall);
      line = fmt::format("{:.12g} {} {} {} {}", g.trapezoid->amplitude * sequence_.gamma, rise, flat, fall,
                         us("delay", g.delay));
    } else {
      double most = 0;
      for (const double v : g.values) most = std::max(most, std::abs(v));
      std::vector<double> part;
      for (const double v : g.values) part.push_back(most > 0 ? v / most : 0);
      if (g.times.empty() && std::abs(g.raster / sequence_.gradient_raster - 1) > 1e-9)
        fail(name,
             fmt::format("its raster is {:.9g} s and that of the sequence {:.9g} s", g.raster,
                         sequence_.gradient_raster),
             "give its samples times, or the sequence that raster");
      if (g.first || g.last) fail(name, "version 1.4 has no values at the edges of a shape", "give its samples times");
      const int amp_id = shape(part), time_id = times(g.times, sequence_.gradient_raster);
      line = fmt::format("{:.12g} {} {} {}", most * sequence_.gamma, amp_id, time_id, us("delay", g.delay));
    }
    const std::string key = (g.trapezoid ? "T " : "G ") + line;
    const auto [known, is_new] = gradient_ids_.try_emplace(key, static_cast<int>(gradient_ids_.size()) + 1);
    if (is_new) (g.trapezoid ? trapezoids_ : shaped_).emplace_back(known->second, line);
    return at->second = known->second;
  }

  int adc(const std::shared_ptr<const Adc>& event) {
    const Adc& a = *event;
    return adc_.id(fmt::format(
        "{} {} {} {:.12g} {:.12g}", a.samples, whole("sampling", "dwell time", a.dwell, 1e-9, "nanoseconds"),
        whole("sampling", "delay", a.delay, 1e-6, "microseconds"), a.frequency_offset, a.phase_offset));
  }

  int extension(const std::vector<Label>& labels) {
    if (labels.empty()) return 0;
    std::vector<std::pair<int, int>> list;
    for (const auto& label : labels)
      list.emplace_back(
          label.increment ? 2 : 1,
          (label.increment ? labels_add_ : labels_set_).id(fmt::format("{} {}", label.value, label.name)));
    // Each line names the next: the list is written from its end, and equal ends are shared.
    int next = 0;
    for (std::size_t i = list.size(); i-- > 0;) {
      const std::vector<std::pair<int, int>> tail(list.begin() + static_cast<std::ptrdiff_t>(i), list.end());
      const auto [at, fresh] = extension_ids_.try_emplace(tail, static_cast<int>(extension_lines_.size()) + 1);
      if (fresh) extension_lines_.push_back(fmt::format("{} {} {}", list[i].first, list[i].second, next));
      next = at->second;
    }
    return next;
  }

  static void section(std::string& out, const char* name, const char* columns, const Library& library) {
    if (library.lines().empty()) return;
    out += fmt::format("# {}\n[{}]\n", columns, name);
    for (std::size_t i = 0; i < library.lines().size(); ++i) out += fmt::format("{} {}\n", i + 1, library.lines()[i]);
    out += "\n";
  }
  void gradients(std::string& out) const {
    const auto put = [&](const char* name, const char* columns, const auto& all) {
      if (all.empty()) return;
      out += fmt::format("# {}\n[{}]\n", columns, name);
      for (const auto& [id, line] : all) out += fmt::format("{} {}\n", id, line);
      out += "\n";
    };
    put("GRADIENTS", "id amplitude amp_shape_id time_shape_id delay", shaped_);
    put("TRAP", "id amplitude rise flat fall delay", trapezoids_);
  }
  void extensions(std::string& out) const {
    if (extension_lines_.empty()) return;
    out += "# id type ref next_id\n[EXTENSIONS]\n";
    for (std::size_t i = 0; i < extension_lines_.size(); ++i) out += fmt::format("{} {}\n", i + 1, extension_lines_[i]);
    const auto put = [&](const char* name, int type, const Library& labels) {
      if (labels.lines().empty()) return;
      out += fmt::format("extension {} {}\n", name, type);
      for (std::size_t i = 0; i < labels.lines().size(); ++i) out += fmt::format("{} {}\n", i + 1, labels.lines()[i]);
    };
    put("LABELSET", 1, labels_set_);
    put("LABELINC", 2, labels_add_);
    out += "\n";
  }
};

}  // namespace

std::string format_pulseq(const Sequence& sequence) {
  sequence.check();
  return Writer(sequence).text();
}

void write_pulseq(const std::filesystem::path& path, const Sequence& sequence) {
  write_text(path, format_pulseq(sequence));
}

}  // namespace larmor::io
