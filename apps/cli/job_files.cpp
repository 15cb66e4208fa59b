// SPDX-License-Identifier: Apache-2.0
#include "job_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <larmor/core/units.hpp>
#include <larmor/io/bids.hpp>
#include <larmor/io/file.hpp>
#include <larmor/io/table.hpp>

#include "text_table.hpp"

namespace larmor::cli {
namespace fs = std::filesystem;
namespace {

std::string shown(const std::vector<double>& engine, const std::string& unit) {
  const auto one = [&](double x) { return short_number(units::convert(x, units::engine_unit(unit), unit)); };
  if (engine.size() > 16) {
    const auto [least, most] = std::minmax_element(engine.begin(), engine.end());
    return fmt::format("{} values from {} to {} {}", engine.size(), one(*least), one(*most), unit);
  }
  std::string s;
  for (const double x : engine) s += (s.empty() ? "" : ", ") + one(x);
  return s + " " + unit;
}

std::string lowered(std::string s) {
  for (char& c : s) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return s;
}

}  // namespace

JobReader::JobReader(const Config& config, const fs::path& data) : config_(config), data_(data) {
  std::error_code ignored;
  if (!fs::exists(data_, ignored)) io::read_bytes(data_);  // says what is there instead
  is_folder_ = fs::is_directory(data_, ignored);
  folder_ = is_folder_ ? data_ : data_.parent_path().empty() ? fs::path(".") : data_.parent_path();
}

fs::path JobReader::relative(const std::string& name) const {
  const fs::path p(name);
  return p.is_absolute() ? p : folder_ / p;
}

fs::path JobReader::one_file(const char* key, const Paths& found, const char* role) {
  if (config_.has(key) && !config_.is_word(key, "none")) {
    facts_.sources.push_back({role, relative(config_.text(key)).string(), key});
    return relative(config_.text(key));
  }
  if (config_.is_word(key, "none") || found.empty()) return {};
  if (found.size() > 1) {
    std::string list;
    for (std::size_t i = 0; i < std::min<std::size_t>(found.size(), 8); ++i)
      list += "\n      " + fs::relative(found[i], folder_).string();
    if (found.size() > 8) list += fmt::format("\n      and {} more", found.size() - 8);
    throw Error(Errc::file, fmt::format("{} files could be the {}:{}", found.size(), role, list),
                fmt::format("name one with '{}:' in the configuration, or give the folder of one subject", key))
        .at(folder_.string());
  }
  facts_.sources.push_back({role, found[0].string(), "by name"});
  return found[0];
}

Image JobReader::image(const char* key, const fs::path& path) {
  return reading(key, [&] { return io::read_image(path); });
}

std::string JobReader::frame_times(Image& d, const fs::path& path) {
  std::string from;
  std::vector<double> own;
  const char* key = nullptr;
  if (config_.has("input.times")) {
    key = "input.times";
    own = config_.numbers(key);
  } else if (config_.has("input.times_file")) {
    key = "input.times_file";
    own = reading(key, [&] {
      const auto table = io::read_table(relative(config_.text(key)));
      for (const char* name : {"time", "times", "t"})
        if (std::find(table.columns.begin(), table.columns.end(), name) != table.columns.end())
          return table.numbers(name);
      return table.numbers(table.columns.at(0));
    });
  } else if (config_.has("input.frame_time")) {
    key = "input.frame_time";
    for (std::int64_t i = 0; i < d.volumes(); ++i) own.push_back(static_cast<double>(i) * config_.number(key));
  }
  if (key) {
    if (!d.times.empty() && d.times.size() == own.size() && std::abs(d.times.back() - own.back()) > 1e-3)
      note(
          fmt::format("{}: frames from {} to {} s from the configuration; the file says {} to {} s, which is overruled",
                      key, short_number(own.front()), short_number(own.back()), short_number(d.times.front()),
                      short_number(d.times.back())));
    d.times = own;
    from = key;
  } else {
    from = "the header or sidecar";
  }
  const std::string place = key ? config_.where(key) : path.string();
  if (d.times.empty())
    throw Error(Errc::file,
                "the times of the frames are not known: the file has neither a sidecar with them nor a frame time in "
                "its header",
                "set input.frame_time [s], input.times [s] or input.times_file")
        .at(place);
  if (static_cast<std::int64_t>(d.times.size()) != d.volumes())
    throw Error(Errc::shape, fmt::format("{} frame times for {} frames", d.times.size(), d.volumes()),
                "give one time [s] for each frame")
        .at(place);
  for (std::size_t i = 0; i < d.times.size(); ++i)
    if (!std::isfinite(d.times[i]) || (i > 0 && !(d.times[i] > d.times[i - 1])))
      throw Error(Errc::range,
                  fmt::format("frame times do not increase: {} s at frame {} after {} s at frame {}", d.times[i], i,
                              i ? d.times[i - 1] : NAN, i ? i - 1 : 0),
                  "give strictly increasing times [s]")
          .at(place);
  return from;
}

std::vector<double> JobReader::protocol(const char* key, const std::vector<double>& sidecar, const std::string& file) {
  const std::string unit = config_.table().key(key).unit;
  if (!config_.has(key)) {
    if (!sidecar.empty())
      note(fmt::format("{}: {} from the sidecar of {}", key, shown(sidecar, unit), fs::path(file).filename().string()));
    return sidecar;
  }
  const auto own = config_.numbers(key);
  bool differs = !sidecar.empty() && sidecar.size() != own.size();
  for (std::size_t i = 0; i < std::min(own.size(), sidecar.size()); ++i)
    differs = differs || std::abs(own[i] - sidecar[i]) > 1e-6 * std::abs(own[i]);
  note(fmt::format("{}: {} from the configuration{}", key, shown(own, unit),
                   differs ? fmt::format("; the sidecar of {} says {}, which is overruled",
                                         fs::path(file).filename().string(), shown(sidecar, unit))
                           : ""));
  return own;
}

Image JobReader::on_grid(const char* key, const fs::path& path, const char* what, const Image& like,
                         const char* like_name) {
  Image i = image(key, path);
  if (i.data.rank() > 3)
    throw Error(Errc::shape, fmt::format("the {} is {}, not 3-D", what, to_string(i.data.shape())), "give one volume")
        .at(path.string());
  require_same_space(like, i, like_name, what);
  return i;
}

std::vector<std::uint8_t> JobReader::region(const char* key, const fs::path& path, const char* what, const Image& like,
                                            const char* like_name) {
  try {
    return mask_from(on_grid(key, path, what, like, like_name));
  } catch (Error& e) {
    throw e.at(path.string());
  }
}

const JobFacts::Source* JobFacts::source(std::string_view role) const {
  for (const auto& s : sources)
    if (s.role == role) return &s;
  return nullptr;
}

bool name_holds(const std::string& name, std::initializer_list<const char*> parts) {
  return std::any_of(parts.begin(), parts.end(), [&](const char* p) { return name.find(p) != std::string::npos; });
}

std::vector<DataFile> data_files(const fs::path& folder) {
  std::vector<DataFile> found;
  std::error_code ignored;
  auto it = fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied, ignored);
  for (; it != fs::recursive_directory_iterator(); it.increment(ignored)) {
    const std::string name = it->path().filename().string();
    if (it->is_directory(ignored)) {
      // Results of earlier runs are no input, and a data folder is flat or BIDS: sub-*/ses-*/perf/file.
      if (name.starts_with('.') || name == "derivatives" || name == "truth" || it.depth() >= 4 ||
          (it.depth() >= 0 && fs::exists(it->path() / "report.html", ignored)))
        it.disable_recursion_pending();
    } else if (!name.starts_with('.')) {
      std::string plain = lowered(name);
      const bool image = plain.ends_with(".nii") || plain.ends_with(".nii.gz");
      if (image) plain.resize(plain.rfind(".nii"));
      found.push_back({it->path(), plain, image});
    }
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return found;
}

}  // namespace larmor::cli
