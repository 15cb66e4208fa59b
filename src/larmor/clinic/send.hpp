// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <larmor/core/cancel.hpp>
#include <string>
#include <vector>

namespace larmor::clinic {

/// A DICOM archive that takes objects (Storage SCP).
struct Archive {
  std::string host;
  int port = 104;
  std::string called = "ANY-SCP", calling = "LARMOR";  // application entity titles
  int attempts = 3;
  double pause = 1;     // before the second attempt [s]; doubles after each
  double timeout = 30;  // of the connection and of an answer [s]
};
/// "host:port". Errors   Errc::usage
Archive parse_archive(const std::string& address);

struct Sent {
  std::filesystem::path file;
  bool stored = false;
  std::string status;  // "stored", "0xA700 refused: out of resources", "no connection: ..."
};
/// C-STORE of the files; those that failed are tried again. Never throws for what the archive or the network does: the
/// statuses say it, a file for which no answer of success came is not "stored". Errors   Errc::cancelled
std::vector<Sent> send(const std::vector<std::filesystem::path>& files, const Archive& archive,
                       const Cancel* cancel = nullptr);

}  // namespace larmor::clinic
