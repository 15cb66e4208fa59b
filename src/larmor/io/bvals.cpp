// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <larmor/io/bvals.hpp>
#include <larmor/io/file.hpp>

namespace larmor::io {

fs::path bval_beside(const fs::path& image) {
  std::string stem = image.filename().string();
  for (const char* ending : {".nii.gz", ".nii"})
    if (stem.ends_with(ending)) stem.resize(stem.size() - std::string_view(ending).size());
  std::error_code ignored;
  for (const char* ending : {".bval", ".bvals"})
    if (const fs::path p = image.parent_path() / (stem + ending); fs::is_regular_file(p, ignored)) return p;
  return {};
}

std::vector<double> read_bvals(const fs::path& path) {
  const std::string text = read_text(path);
  std::vector<double> out;
  constexpr const char* blanks = " \t\r\n,";
  for (std::size_t at = text.find_first_not_of(blanks); at != std::string::npos;) {
    const std::size_t end = std::min(text.find_first_of(blanks, at), text.size());
    double x = 0;
    const auto [stop, error] = std::from_chars(text.data() + at, text.data() + end, x);
    const std::string word = text.substr(at, end - at);
    if (error != std::errc{} || stop != text.data() + end || !std::isfinite(x))
      throw Error(Errc::format, fmt::format("b-value {} is '{}', not a number", out.size() + 1, word),
                  "give numbers [s/mm2] separated by blanks")
          .at(path.string());
    if (x < 0)
      throw Error(Errc::range, fmt::format("b-value {} is {}", out.size() + 1, word), "give b >= 0 [s/mm2]")
          .at(path.string());
    out.push_back(x);
    at = text.find_first_not_of(blanks, end);
  }
  if (out.empty()) throw Error(Errc::format, "the file holds no b-value", "one a volume [s/mm2]").at(path.string());
  return out;
}

}  // namespace larmor::io
