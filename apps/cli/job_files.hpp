// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <larmor/data/image.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "config.hpp"

namespace larmor::cli {

/// What a pipeline took from where.
struct JobFacts {
  struct Source {
    std::string role, path, found;  // "dynamic series", file, "input.dynamic" or "by name"
  };
  std::vector<Source> sources;
  std::vector<std::string> notes;  // what was taken from where, and what was overruled
  std::string mask_from;

  const Source* source(std::string_view role) const;
};

/// Reads the files of a pipeline: those that its configuration names, else those found by name in the folder of DATA.
class JobReader {
 protected:
  using Paths = std::vector<std::filesystem::path>;

  /// DATA is a folder, or the series itself. Errors   Errc::file
  JobReader(const Config& config, const std::filesystem::path& data);

  std::filesystem::path relative(const std::string& name) const;
  /// The file of a key, or the one found by name; empty when there is none. Errors   Errc::file (several, with them)
  std::filesystem::path one_file(const char* key, const Paths& found, const char* role);
  /// Errors of `read` say the line of the configuration that asked for it.
  template <class F>
  auto reading(const char* key, F&& read) {
    try {
      return read();
    } catch (Error& e) {
      if (config_.has(key)) e.at(std::string(key) + " (" + config_.where(key) + ")");
      throw;
    }
  }
  Image image(const char* key, const std::filesystem::path& path);
  /// A 3-D image on the grid of the series `like`. Errors   Errc::shape
  Image on_grid(const char* key, const std::filesystem::path& path, const char* what, const Image& like,
                const char* like_name);
  std::vector<std::uint8_t> region(const char* key, const std::filesystem::path& path, const char* what,
                                   const Image& like, const char* like_name);
  /// Times of a series' frames [s]: input.times, input.times_file or input.frame_time, else its own. Gives who said
  /// them. Errors   Errc::file (nobody), Errc::shape (not one a frame), Errc::range (not increasing)
  std::string frame_times(Image& series, const std::filesystem::path& path);
  /// A protocol value: configuration first, then the sidecar; empty when neither has it.
  std::vector<double> protocol(const char* key, const std::vector<double>& sidecar, const std::string& file);
  void note(std::string text) { facts_.notes.push_back(std::move(text)); }

  const Config& config_;
  std::filesystem::path data_, folder_;
  bool is_folder_ = false;
  JobFacts facts_;
};

/// Data files below a folder, sorted: flat, or one subject in BIDS layout; results of earlier runs, hidden files and
/// truths of reference objects are left out. The names are for rules that go by them.
struct DataFile {
  std::filesystem::path path;
  std::string name;  // lower case, without .nii or .nii.gz
  bool image;        // NIfTI; else a table (.csv, .tsv) or what else lies there, by its full name
};
std::vector<DataFile> data_files(const std::filesystem::path& folder);
bool name_holds(const std::string& name, std::initializer_list<const char*> parts);

}  // namespace larmor::cli
