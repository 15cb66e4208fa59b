// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/error.hpp>
#include <larmor/io/file.hpp>
#include <larmor/io/nifti.hpp>
#include <larmor/io/png.hpp>
#include <larmor/io/pulseq.hpp>
#include <larmor/nodes/files.hpp>
#include <larmor/nodes/sidecar.hpp>

namespace larmor::nodes {
namespace {

namespace fs = std::filesystem;

std::string in_nifti(const fs::path& path) {
  io::NiftiInfo info;
  io::read_nifti(path, &info);
  for (const auto& extension : info.extensions) {
    std::string text = extension.data.substr(0, extension.data.find('\0'));
    if (extension.code == 6 && text.starts_with('{')) return text;
  }
  return {};
}

std::string in_png(const fs::path& path) {
  std::vector<std::pair<std::string, std::string>> texts;
  io::decode_png(io::read_bytes(path), &texts);
  for (const auto& [key, text] : texts)
    if (key == "Provenance") return text;
  return {};
}

std::string in_table(const fs::path& path) {
  const std::string text = io::read_text(path), mark = "# larmor provenance ";
  for (std::size_t at = 0; at < text.size() && text[at] == '#';) {
    const auto end = std::min(text.find('\n', at), text.size());
    if (text.compare(at, mark.size(), mark) == 0) return text.substr(at + mark.size(), end - at - mark.size());
    at = end + 1;
  }
  return {};
}

std::string in_report(const fs::path& path) {
  const std::string text = io::read_text(path), mark = "<meta name=\"provenance\" content=\"";
  auto at = text.find(mark);
  if (at == std::string::npos) return {};
  at += mark.size();
  std::string out = text.substr(at, text.find("\">", at) - at);
  const std::pair<const char*, const char*> entities[] = {
      {"&quot;", "\""}, {"&#39;", "'"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&amp;", "&"}};
  for (const auto& [from, to] : entities)
    for (std::size_t i = out.find(from); i != std::string::npos; i = out.find(from, i + 1))
      out.replace(i, std::string_view(from).size(), to);
  return out;
}

std::string in_sequence(const fs::path& path) {
  const Sequence sequence = io::read_pulseq(path);
  const std::string* text = sequence.definition("Provenance");
  return text ? *text : std::string();
}

std::string beside(const fs::path& sidecar) {
  std::error_code ec;
  if (!fs::exists(sidecar, ec)) return {};
  return provenance_in_json(io::read_text(sidecar), sidecar.string());
}

}  // namespace

std::string read_provenance(const fs::path& path) {
  io::require_file(path);
  std::string writer;
  try {
    writer = file_kind(path).writer;
  } catch (const Error&) {  // a kind of its own (.cfl, .raw): beside it
  }
  std::string found;
  if (writer == "io.write_image")
    found = in_nifti(path);
  else if (writer == "io.write_png")
    found = in_png(path);
  else if (writer == "io.write_table")
    found = in_table(path);
  else if (writer == "io.write_pulseq")
    found = in_sequence(path);
  else if (writer == "io.write_report")
    found = in_report(path);
  else if (writer == "io.write_json")
    found = provenance_in_json(io::read_text(path), path.string());
  if (found.empty()) found = beside(path.string() + ".json");
  if (found.empty()) found = beside(sidecar_of_image(path));
  return found;
}

}  // namespace larmor::nodes
