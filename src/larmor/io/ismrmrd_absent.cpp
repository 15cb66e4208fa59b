// SPDX-License-Identifier: Apache-2.0
#include <larmor/io/ismrmrd.hpp>

namespace larmor::io {
namespace {

[[noreturn]] void absent(const std::filesystem::path& path) {
  throw Error(Errc::usage, "this program was built without the ISMRMRD and HDF5 libraries",
              "install libismrmrd-dev and libhdf5-dev, and build again")
      .at(path.string());
}

}  // namespace

bool has_ismrmrd() { return false; }
Mrd read_ismrmrd(const std::filesystem::path& path, const Cancel*) { absent(path); }
void write_ismrmrd(const std::filesystem::path& path, const Mrd&) { absent(path); }

}  // namespace larmor::io
