// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <hdf5.h>

#include <filesystem>
#include <larmor/core/error.hpp>
#include <mutex>
#include <string>

/// A little of HDF5 for those files of this room that include its header.
namespace larmor::io::h5 {

/// Held around every use: the library is not made for threads. Errors go to exceptions and not to stderr meanwhile.
class Use {
 public:
  Use();
  ~Use();
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

 private:
  std::unique_lock<std::recursive_mutex> lock_;
  H5E_auto2_t function_ = nullptr;
  void* data_ = nullptr;
};

/// In a child that was forked while this thread held a Use: its lock remembers the parent's thread, and is made anew.
void after_fork();

/// A handle, closed at the end. Errors   Errc::format when it is negative, with what the library says
class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle(hid_t id, Close close, const std::string& doing);
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  Handle(Handle&& other) noexcept : id_(other.id_), close_(other.close_) { other.id_ = -1; }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  operator hid_t() const { return id_; }

 private:
  hid_t id_;
  Close close_;
};

/// Errors   Errc::format when a call's result is negative
void require(herr_t result, const std::string& doing);
/// Opens for reading. Errors   Errc::file, Errc::format for a file that is no HDF5 or is truncated
Handle open(const std::filesystem::path& path);
/// A text in a data set, of fixed or variable length. Errors   Errc::format
std::string read_text(hid_t file, const std::string& name);
bool exists(hid_t file, const std::string& name);

}  // namespace larmor::io::h5
