// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/io/file.hpp>
#include <larmor/io/hdf5.hpp>
#include <new>
#include <vector>

namespace larmor::io::h5 {
namespace {

std::recursive_mutex& mutex() {
  static std::recursive_mutex m;
  return m;
}

herr_t innermost(unsigned n, const H5E_error2_t* error, void* text) {
  if (n == 0 && error->desc) *static_cast<std::string*>(text) = error->desc;
  return 0;
}
std::string reason() {
  std::string text;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, innermost, &text);
  return text.empty() ? "" : ": " + text;
}

}  // namespace

Use::Use() : lock_(mutex()) {
  H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}
Use::~Use() { H5Eset_auto2(H5E_DEFAULT, function_, data_); }

void after_fork() { new (&mutex()) std::recursive_mutex(); }

Handle::Handle(hid_t id, Close close, const std::string& doing) : id_(id), close_(close) {
  if (id < 0) throw Error(Errc::format, "HDF5: " + doing + reason(), "is the file truncated or damaged?");
}

void require(herr_t result, const std::string& doing) {
  if (result < 0) throw Error(Errc::format, "HDF5: " + doing + reason(), "is the file truncated or damaged?");
}

Handle open(const std::filesystem::path& path) {
  require_file(path);
  if (H5Fis_hdf5(path.c_str()) <= 0)
    throw Error(Errc::format, "not an HDF5 file: the signature is not there", "is it another format, or empty?");
  return {H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose, "opening the file"};
}

bool exists(hid_t file, const std::string& name) {
  // Every part of the path must be asked for by itself.
  for (std::size_t at = name.find('/', 1); at != std::string::npos; at = name.find('/', at + 1))
    if (H5Lexists(file, name.substr(0, at).c_str(), H5P_DEFAULT) <= 0) return false;
  return H5Lexists(file, name.c_str(), H5P_DEFAULT) > 0;
}

std::string read_text(hid_t file, const std::string& name) {
  const Handle set(H5Dopen2(file, name.c_str(), H5P_DEFAULT), H5Dclose, "opening " + name);
  const Handle type(H5Dget_type(set), H5Tclose, "the type of " + name);
  const Handle space(H5Dget_space(set), H5Sclose, "the extent of " + name);
  if (H5Tget_class(type) != H5T_STRING || H5Sget_simple_extent_npoints(space) < 1)
    throw Error(Errc::format, name + " is no text");
  constexpr std::size_t most = std::size_t{1} << 26;
  if (H5Tis_variable_str(type) > 0) {
    const Handle memory(H5Tcopy(H5T_C_S1), H5Tclose, "a type");
    require(H5Tset_size(memory, H5T_VARIABLE), "a type");
    require(H5Tset_cset(memory, H5Tget_cset(type)), "a type");
    const auto n = static_cast<std::size_t>(H5Sget_simple_extent_npoints(space));
    if (n > 1024) throw Error(Errc::format, fmt::format("{} holds {} texts", name, n));
    std::vector<char*> texts(n, nullptr);
    require(H5Dread(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, static_cast<void*>(texts.data())), "reading " + name);
    const std::string out = texts[0] ? texts[0] : "";
    H5Dvlen_reclaim(memory, space, H5P_DEFAULT, static_cast<void*>(texts.data()));
    return out;
  }
  const std::size_t size = H5Tget_size(type), n = static_cast<std::size_t>(H5Sget_simple_extent_npoints(space));
  if (size == 0 || n > most / size) throw Error(Errc::format, fmt::format("{} is a text of {} bytes", name, size));
  std::vector<char> bytes(size * n + 1, '\0');
  require(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()), "reading " + name);
  return bytes.data();
}

}  // namespace larmor::io::h5
