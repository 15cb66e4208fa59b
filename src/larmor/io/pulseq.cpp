// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/io/file.hpp>
#include <larmor/io/pulseq.hpp>
#include <limits>
#include <map>
#include <numbers>
#include <set>

namespace larmor::io {
namespace {

constexpr double two_pi = 2 * std::numbers::pi;
// All shapes of a file together: a file of a few lines may ask for any number of repeats.
constexpr std::size_t most_samples = 1 << 26;

std::string_view trimmed(std::string_view s) {
  if (const auto comment = s.find('#'); comment != std::string_view::npos) s = s.substr(0, comment);
  const auto from = s.find_first_not_of(" \t\r");
  return from == std::string_view::npos ? std::string_view{} : s.substr(from, s.find_last_not_of(" \t\r") - from + 1);
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; (at = line.find_first_not_of(" \t", at)) != std::string_view::npos;) {
    const std::size_t end = std::min(line.find_first_of(" \t", at), line.size());
    words.push_back(line.substr(at, end - at));
    at = end;
  }
  return words;
}

/// A line of a table: numbers after the id, and where it stands.
struct Entry {
  std::vector<double> numbers;
  std::string word = {};  // at its end, where the table has one
  std::size_t line = 0;
};
using Table = std::map<long long, Entry>;

struct Shape {
  std::size_t count = 0, line = 0;
  std::vector<double> stored = {};
  std::optional<std::vector<double>> samples = {};
};

class Parser {
 public:
  Parser(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  Sequence parse() {
    read_lines();
    if (!version_) fail(0, "no [VERSION] with major and minor", "is it a Pulseq file?");
    if (*version_ != 104 && *version_ != 105)
      fail(0, fmt::format("version {}.{}", *version_ / 100, *version_ % 100), "write it as version 1.4 or 1.5");
    raster("GradientRasterTime", sequence_.gradient_raster);
    raster("RadiofrequencyRasterTime", sequence_.rf_raster);
    raster("AdcRasterTime", sequence_.adc_raster);
    raster("BlockDurationRaster", sequence_.block_raster);
    raster("Gamma", sequence_.gamma);
    for (const auto& [id, entry] : blocks_) sequence_.blocks.push_back(block(entry));
    sequence_.source = name_;
    try {
      sequence_.check();
    } catch (Error& e) {
      e.at(name_);
      throw;
    }
    return std::move(sequence_);
  }

 private:
  std::string_view text_;
  const std::string& name_;
  Sequence sequence_;
  std::optional<int> version_;
  std::optional<int> major_, minor_;
  std::vector<std::pair<long long, Entry>> blocks_;
  std::map<std::string, Table, std::less<>> tables_;  // by section; extensions by "extension NAME"
  std::map<long long, std::string> extension_names_;  // by type
  std::map<long long, Shape> shapes_;
  std::size_t unpacked_ = 0;
  std::map<long long, std::shared_ptr<const Rf>> rfs_;
  std::map<long long, std::shared_ptr<const Gradient>> gradients_;
  std::map<long long, std::shared_ptr<const Adc>> adcs_;

  [[noreturn]] void fail(std::size_t line, const std::string& what, const std::string& advice = {}) const {
    throw Error(Errc::format,
                line == 0 ? fmt::format("{}: {}", name_, what) : fmt::format("{}: line {}: {}", name_, line, what),
                advice);
  }

  double number(std::string_view word, std::size_t line) const {
    if (word.starts_with('+')) word.remove_prefix(1);
    double value = 0;
    const auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (code != std::errc{} || end != word.data() + word.size() || !std::isfinite(value))
      fail(line, fmt::format("'{}' is no number", word.substr(0, 40)));
    return value;
  }
  long long integer(double value, const char* what, std::size_t line) const {
    if (value != std::floor(value) || std::abs(value) > 9e15)
      fail(line, fmt::format("{} is {}, no whole number", what, value));
    return static_cast<long long>(value);
  }
  bool v5() const { return *version_ >= 105; }

  void read_lines() {
    std::string section;
    Shape* shape = nullptr;
    std::size_t line = 0;
    for (std::size_t at = 0; at < text_.size();) {
      const std::size_t end = std::min(text_.find('\n', at), text_.size());
      const std::string_view raw = text_.substr(at, end - at), text = trimmed(raw);
      at = end + 1, ++line;
      if (text.empty()) continue;
      if (text.front() == '[') {
        if (text.back() != ']') fail(line, fmt::format("the section '{}' is not closed", text.substr(0, 40)));
        section = std::string(text.substr(1, text.size() - 2));
        static const std::set<std::string> known{"VERSION", "DEFINITIONS", "BLOCKS", "RF",        "GRADIENTS", "TRAP",
                                                 "ADC",     "EXTENSIONS",  "SHAPES", "SIGNATURE", "DELAYS"};
        if (!known.contains(section))
          throw unknown_name("section", section, std::vector<std::string>(known.begin(), known.end()))
              .at(fmt::format("{}, line {}", name_, line));
        if (section == "DELAYS") fail(line, "a section of versions before 1.4", "write it as version 1.4 or 1.5");
        shape = nullptr;
        continue;
      }
      const auto words = words_of(text);
      if (section == "VERSION") {
        version_word(words, line);
      } else if (section == "DEFINITIONS") {
        const std::size_t value = text.find_first_of(" \t");
        sequence_.define(std::string(words[0]),
                         value == std::string_view::npos ? "" : std::string(trimmed(text.substr(value))));
      } else if (section == "BLOCKS") {
        Entry entry = entry_of(words, line, false);
        blocks_.emplace_back(integer(number(words[0], line), "the number of a block", line), std::move(entry));
      } else if (section == "SHAPES") {
        shape = shape_line(words, line, shape);
      } else if (section == "EXTENSIONS") {
        extension_line(words, line);
      } else if (section.empty()) {
        fail(line, fmt::format("'{}' stands before any section", text.substr(0, 40)), "is it a Pulseq file?");
      } else if (section != "SIGNATURE") {
        add(section, words, line, section == "RF");
      }
    }
  }

  void version_word(const std::vector<std::string_view>& words, std::size_t line) {
    if (words.size() != 2) fail(line, "a line of [VERSION] is a name and a number");
    if (words[0] == "revision") return;  // may end in a letter
    auto& part = words[0] == "major" ? major_ : minor_;
    if (words[0] != "major" && words[0] != "minor")
      fail(line, fmt::format("'{}' in [VERSION]", words[0].substr(0, 40)));
    part = static_cast<int>(integer(number(words[1], line), "a version", line) % 100);
    if (major_ && minor_) version_ = *major_ * 100 + *minor_;
  }

  Entry entry_of(const std::vector<std::string_view>& words, std::size_t line, bool ends_in_word) const {
    Entry entry{.numbers = {}, .line = line};
    for (std::size_t i = 1; i < words.size(); ++i) {
      const bool letter = words[i].size() == 1 && std::isalpha(static_cast<unsigned char>(words[i][0]));
      if (i + 1 == words.size() && ends_in_word && letter)
        entry.word = std::string(words[i]);
      else
        entry.numbers.push_back(number(words[i], line));
    }
    return entry;
  }
  void add(const std::string& table, const std::vector<std::string_view>& words, std::size_t line, bool ends_in_word) {
    const auto id = integer(number(words[0], line), "an id", line);
    if (id < 1) fail(line, fmt::format("the id {}", id), "ids begin at 1");
    if (!tables_[table].try_emplace(id, entry_of(words, line, ends_in_word)).second)
      fail(line, fmt::format("the id {} of [{}] is there twice", id, table));
  }

  void extension_line(const std::vector<std::string_view>& words, std::size_t line) {
    static const std::string lists = "EXTENSIONS";
    if (words[0] == "extension") {
      if (words.size() != 3) fail(line, "an extension has a name and a number");
      extension_names_[integer(number(words[2], line), "a type", line)] = std::string(words[1]);
      current_extension_ = "extension " + std::string(words[1]);
      return;
    }
    if (current_extension_.empty()) return add(lists, words, line, false);
    const bool label = current_extension_ == "extension LABELSET" || current_extension_ == "extension LABELINC";
    if (!label) return;  // of a kind that is left out, or refused where a block uses it
    if (words.size() != 3) fail(line, "a label has an id, a value and a name");
    const auto id = integer(number(words[0], line), "an id", line);
    tables_[current_extension_][id] = {
        .numbers = {number(words[1], line)}, .word = std::string(words[2]), .line = line};
  }
  std::string current_extension_;

  Shape* shape_line(const std::vector<std::string_view>& words, std::size_t line, Shape* shape) {
    if (words[0] == "shape_id" && words.size() == 2) {
      const auto id = integer(number(words[1], line), "a shape", line);
      const auto [at, fresh] = shapes_.try_emplace(id);
      at->second.line = fresh ? line : at->second.line;
      if (!fresh) fail(line, fmt::format("the shape {} is there twice", id));
      return &at->second;
    }
    if (shape == nullptr) fail(line, "numbers before any shape_id");
    if ((words[0] == "num_samples" || words[0] == "num_uncompressed") && words.size() == 2) {
      const auto n = integer(number(words[1], line), "the number of samples", line);
      if (n < 1 || static_cast<unsigned long long>(n) > most_samples)
        fail(line, fmt::format("a shape of {} samples", n), fmt::format("give 1 to {}", most_samples));
      shape->count = static_cast<std::size_t>(n);
      return shape;
    }
    for (const auto word : words) shape->stored.push_back(number(word, line));
    return shape;
  }

  void raster(const char* name, double& to) {
    if (const std::string* value = sequence_.definition(name)) {
      to = number(*value, 0);
      std::erase_if(sequence_.definitions, [&](const auto& d) { return d.first == name; });
    }
  }

  const Entry& look_up(const char* table, long long id, std::size_t least, std::size_t most, std::size_t from) const {
    const auto found = tables_.find(table);
    if (found == tables_.end() || !found->second.contains(id))
      fail(from, fmt::format("there is no {} in [{}]", id, table));
    const Entry& entry = found->second.at(id);
    if (entry.numbers.size() < least || entry.numbers.size() > most)
      fail(entry.line,
           fmt::format("{} numbers after the id in [{}] of version 1.{}", entry.numbers.size(), table, *version_ % 100),
           least == most ? fmt::format("give {}", least) : fmt::format("give {} to {}", least, most));
    return entry;
  }

  const std::vector<double>& shape(double id_number, const char* what, std::size_t from) {
    const auto id = integer(id_number, "a shape", from);
    const auto found = shapes_.find(id);
    if (found == shapes_.end()) fail(from, fmt::format("there is no shape {} ({})", id, what));
    Shape& s = found->second;
    if (!s.samples) {
      if (s.count == 0) fail(s.line, fmt::format("the shape {} does not say its num_samples", id));
      unpacked_ += s.count;
      if (unpacked_ > most_samples) fail(s.line, fmt::format("more than {} samples in all shapes", most_samples));
      try {
        s.samples = expand_shape(s.stored, s.count);
      } catch (const Error& e) {
        fail(s.line, e.message());
      }
    }
    return *s.samples;
  }

  std::vector<double> times(double id, double raster, std::size_t samples, std::size_t from) {
    if (id == 0) return {};
    std::vector<double> out;
    if (id == -1) {  // version 1.5: twice as dense, at centres and edges
      for (std::size_t i = 0; i < samples; ++i) out.push_back(0.5 * raster * static_cast<double>(i + 1));
      return out;
    }
    for (const double t : shape(id, "times", from)) out.push_back(t * raster);
    if (out.size() != samples) fail(from, fmt::format("{} times for {} samples", out.size(), samples));
    return out;
  }

  std::shared_ptr<const Rf> rf(long long id, std::size_t from) {
    if (const auto known = rfs_.find(id); known != rfs_.end()) return known->second;
    // 1.4: amplitude mag phase time delay freq phase; 1.5: amplitude mag phase time centre delay ppm ppm freq phase use
    const Entry& e = v5() ? look_up("RF", id, 10, 10, from) : look_up("RF", id, 7, 7, from);
    const auto& n = e.numbers;
    Rf out{.raster = sequence_.rf_raster};
    const auto& magnitude = shape(n[1], "magnitude", e.line);
    for (const double v : magnitude) out.magnitude.push_back(n[0] / sequence_.gamma * v);
    if (n[2] != 0)
      for (const double v : shape(n[2], "phase", e.line)) out.phase.push_back(two_pi * v);
    else
      out.phase.assign(magnitude.size(), 0.0);
    // A negative magnitude is a phase of pi.
    for (std::size_t i = 0; i < out.magnitude.size() && i < out.phase.size(); ++i)
      if (out.magnitude[i] < 0) out.magnitude[i] = -out.magnitude[i], out.phase[i] += std::numbers::pi;
    out.times = times(n[3], sequence_.rf_raster, magnitude.size(), e.line);
    const std::size_t at = v5() ? 5 : 4;
    out.delay = 1e-6 * n[at];
    if (v5()) {
      out.centre = 1e-6 * n[4];
      no_ppm(n[6], n[7], e.line);
      out.frequency_offset = n[8], out.phase_offset = n[9];
      if (!e.word.empty()) out.use = e.word[0];
    } else {
      out.frequency_offset = n[5], out.phase_offset = n[6];
    }
    return rfs_[id] = std::make_shared<const Rf>(std::move(out));
  }

  void no_ppm(double frequency, double phase, std::size_t line) const {
    if (frequency != 0 || phase != 0)
      fail(line, "offsets in ppm depend on the field, and the file does not say it", "write them in Hz and rad");
  }

  std::shared_ptr<const Gradient> gradient(long long id, std::size_t from) {
    if (const auto known = gradients_.find(id); known != gradients_.end()) return known->second;
    Gradient out{.raster = sequence_.gradient_raster};
    if (const auto traps = tables_.find("TRAP"); traps != tables_.end() && traps->second.contains(id)) {
      const auto& n = look_up("TRAP", id, 5, 5, from).numbers;
      out.trapezoid = Gradient::Trapezoid{n[0] / sequence_.gamma, 1e-6 * n[1], 1e-6 * n[2], 1e-6 * n[3]};
      out.delay = 1e-6 * n[4];
    } else {
      // 1.4: amplitude shape time delay; 1.5: amplitude first last shape time delay
      const Entry& e = v5() ? look_up("GRADIENTS", id, 6, 6, from) : look_up("GRADIENTS", id, 4, 4, from);
      const auto& n = e.numbers;
      const std::size_t at = v5() ? 3 : 1;
      for (const double v : shape(n[at], "gradient", e.line)) out.values.push_back(n[0] / sequence_.gamma * v);
      out.times = times(n[at + 1], sequence_.gradient_raster, out.values.size(), e.line);
      out.delay = 1e-6 * n[at + 2];
      if (v5() && out.times.empty()) out.first = n[1] / sequence_.gamma, out.last = n[2] / sequence_.gamma;
    }
    return gradients_[id] = std::make_shared<const Gradient>(std::move(out));
  }

  std::shared_ptr<const Adc> adc(long long id, std::size_t from) {
    if (const auto known = adcs_.find(id); known != adcs_.end()) return known->second;
    // 1.4: num dwell delay freq phase; 1.5: num dwell delay ppm ppm freq phase phase_shape
    const Entry& e = v5() ? look_up("ADC", id, 8, 8, from) : look_up("ADC", id, 5, 5, from);
    const auto& n = e.numbers;
    Adc out{.samples = integer(n[0], "the number of samples", e.line), .dwell = 1e-9 * n[1], .delay = 1e-6 * n[2]};
    if (v5()) {
      no_ppm(n[3], n[4], e.line);
      if (n[7] != 0) fail(e.line, "a phase that changes while sampling is not supported");
      out.frequency_offset = n[5], out.phase_offset = n[6];
    } else {
      out.frequency_offset = n[3], out.phase_offset = n[4];
    }
    return adcs_[id] = std::make_shared<const Adc>(out);
  }

  std::vector<Label> labels(long long id, std::size_t from) {
    std::vector<Label> out;
    std::set<long long> seen;
    while (id != 0) {
      if (!seen.insert(id).second) fail(from, fmt::format("the list of extensions {} never ends", id));
      const Entry& e = look_up("EXTENSIONS", id, 3, 3, from);
      const auto type = integer(e.numbers[0], "a type", e.line);
      const auto name = extension_names_.find(type);
      if (name == extension_names_.end()) fail(e.line, fmt::format("there is no extension of type {}", type));
      if (name->second == "LABELSET" || name->second == "LABELINC") {
        const std::string table = "extension " + name->second;
        const Entry& label = look_up(table.c_str(), integer(e.numbers[1], "a reference", e.line), 1, 1, e.line);
        out.push_back({label.word, integer(label.numbers[0], "a label", label.line), name->second == "LABELINC"});
      } else if (name->second != "TRIGGERS") {
        fail(e.line, fmt::format("the extension {} changes what is played and is not supported", name->second),
             "write the sequence without it");
      }
      id = integer(e.numbers[2], "the next line", e.line);
    }
    return out;
  }

  Block block(const Entry& e) {
    if (e.numbers.size() != 7 && e.numbers.size() != 6)
      fail(e.line, fmt::format("{} numbers in a block", e.numbers.size() + 1), "give NUM DUR RF GX GY GZ ADC EXT");
    const auto id = [&](std::size_t i) {
      const auto n = integer(e.numbers[i], "a reference", e.line);
      if (n < 0) fail(e.line, fmt::format("a reference to {}", n));
      return n;
    };
    Block out{.duration = static_cast<double>(id(0)) * sequence_.block_raster};
    if (id(1) != 0) out.rf = rf(id(1), e.line);
    for (std::size_t axis = 0; axis < 3; ++axis)
      if (id(2 + axis) != 0) out.g[axis] = gradient(id(2 + axis), e.line);
    if (id(5) != 0) out.adc = adc(id(5), e.line);
    if (e.numbers.size() == 7 && id(6) != 0) out.labels = labels(id(6), e.line);
    return out;
  }
};

}  // namespace

Sequence parse_pulseq(std::string_view text, const std::string& name) { return Parser(text, name).parse(); }

Sequence read_pulseq(const std::filesystem::path& path) { return parse_pulseq(read_text(path), path.string()); }

}  // namespace larmor::io
