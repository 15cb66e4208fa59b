// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>
#include <larmor/core/error.hpp>
#include <larmor/io/bids.hpp>
#include <larmor/io/cfl.hpp>
#include <larmor/io/file.hpp>
#include <larmor/io/ismrmrd.hpp>
#include <larmor/io/nifti.hpp>
#include <larmor/io/npy.hpp>
#include <larmor/io/pulseq.hpp>
#include <larmor/nodes/files.hpp>
#include <larmor/nodes/sidecar.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/picture.hpp>
#include <larmor/nodes/values/report.hpp>
#include <larmor/nodes/values/sequence.hpp>
#include <larmor/nodes/values/table.hpp>
#include <larmor/nodes/write.hpp>

namespace larmor::nodes {
namespace {

namespace fs = std::filesystem;
using flow::Value;
using flow::ValueTraits;

std::string lowered(std::string s) {
  for (char& c : s) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return s;
}

template <class T, class Read>
auto reading(Read read) {
  return [read](const fs::path& path) { return ValueTraits<T>::to(read(path)); };
}

std::vector<FileKind> make_kinds() {
  return {
      {.endings = {"nii", "nii.gz"},
       .title = "NIfTI image",
       .reader = "io.read_image",
       .writer = "io.write_image",
       .read = reading<Image>(io::read_image),
       .write =
           [](const fs::path& path, const Value& v, const std::string& provenance) {
             write_image_file(path, ValueTraits<Gridded>::from(v).image(), {}, provenance);
           }},
      {.endings = {"npy"},
       .title = "NumPy array",
       .reader = "io.read_npy",
       .writer = "io.write_npy",
       .read = reading<Array>(read_npy_file),
       .write = [](const fs::path& path, const Value& v,
                   const std::string& provenance) { write_npy_file(path, ValueTraits<Array>::from(v), provenance); }},
      {.endings = {"h5", "mrd", "hdf5"},
       .title = "ISMRMRD raw data",
       .reader = "io.read_ismrmrd",
       .writer = "io.write_ismrmrd",
       .read = [](const fs::path& path) { return ValueTraits<Array>::to(io::read_ismrmrd(path).kspace); },
       .write = [](const fs::path& path, const Value& v,
                   const std::string&) { io::write_ismrmrd(path, {.kspace = ValueTraits<Array>::from(v)}); }},
      {.endings = {"cfl", "hdr"},
       .title = "BART array",
       .reader = "io.read_cfl",
       .writer = "io.write_cfl",
       .read = reading<Array>(io::read_cfl),
       .write = [](const fs::path& path, const Value& v,
                   const std::string& provenance) { write_cfl_file(path, ValueTraits<Array>::from(v), provenance); }},
      {.endings = {"csv", "tsv"},
       .title = "table",
       .reader = "io.read_table",
       .writer = "io.write_table",
       .read = reading<io::Table>(io::read_table),
       .write = write_table_file},
      {.endings = {"png"},
       .title = "PNG picture",
       .reader = "io.read_png",
       .writer = "io.write_png",
       .read = reading<io::Picture>(static_cast<io::Picture (*)(const fs::path&)>(io::read_png)),
       .write =
           [](const fs::path& path, const Value& v, const std::string& provenance) {
             write_png_file(path, ValueTraits<io::Picture>::from(v), provenance);
           }},
      {.endings = {"json"},
       .title = "JSON",
       .reader = "io.read_json",
       .writer = "io.write_json",
       .read = read_json_file,
       .write =
           [](const fs::path& path, const Value& v, const std::string& provenance) {
             io::write_text(path, with_provenance(flow::to_json(v, std::size_t{1} << 24), provenance));
           }},
      {.endings = {"txt", "md"},
       .title = "text",
       .reader = "io.read_text",
       .writer = "io.write_text",
       .read = [](const fs::path& path) -> Value { return io::read_text(path); },
       .write = [](const fs::path& path, const Value& v,
                   const std::string&) { io::write_text(path, ValueTraits<std::string>::from(v)); }},
      {.endings = {"seq"},
       .title = "Pulseq sequence",
       .reader = "io.read_pulseq",
       .writer = "io.write_pulseq",
       .read = reading<Sequence>(io::read_pulseq),
       .write =
           [](const fs::path& path, const Value& v, const std::string& provenance) {
             write_pulseq_file(path, ValueTraits<Sequence>::from(v), provenance);
           }},
      {.endings = {"html"},
       .title = "report",
       .reader = {},
       .writer = "io.write_report",
       .write = [](const fs::path& path, const Value& v,
                   const std::string& provenance) { write_report_file(path, ValueTraits<Page>::from(v), provenance); }},
  };
}

}  // namespace

std::span<const FileKind> file_kinds() {
  static const std::vector<FileKind> kinds = make_kinds();
  return kinds;
}

const FileKind& file_kind(const fs::path& path) {
  const std::string name = lowered(path.filename().string());
  const FileKind* found = nullptr;
  std::size_t longest = 0;
  std::vector<std::string> endings;
  for (const auto& kind : file_kinds())
    for (const auto& ending : kind.endings) {
      endings.push_back(ending);
      if (name.size() > ending.size() && name.ends_with("." + ending) && ending.size() > longest)
        found = &kind, longest = ending.size();
    }
  if (found) return *found;
  const auto dot = name.find('.', 1);
  throw unknown_name("kind of file", dot == std::string::npos ? name : name.substr(dot + 1), endings).at(path.string());
}

std::map<std::string, std::string> file_readers() {
  std::map<std::string, std::string> out;
  for (const auto& kind : file_kinds())
    if (!kind.reader.empty())
      for (const auto& ending : kind.endings) out[ending] = kind.reader;
  return out;
}

Value read_file(const fs::path& path) {
  const auto& kind = file_kind(path);
  if (!kind.read) throw Error(Errc::usage, "a " + kind.title + " is only written").at(path.string());
  return kind.read(path);
}

void write_file(const fs::path& path, const Value& value, const std::string& provenance) {
  const auto& kind = file_kind(path);
  try {
    kind.write(path, value, provenance);
  } catch (Error& e) {
    if (e.code() == Errc::type) e.at(path.string());
    throw;
  }
}

}  // namespace larmor::nodes
