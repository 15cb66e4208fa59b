// SPDX-License-Identifier: Apache-2.0
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmnet/diutil.h>
#include <dcmtk/dcmnet/dstorscu.h>
#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <larmor/clinic/send.hpp>
#include <larmor/io/dicom/dataset.hpp>
#include <map>
#include <mutex>
#include <thread>

namespace larmor::clinic {
namespace {

class Scu : public DcmStorageSCU {
 public:
  explicit Scu(std::map<std::string, Sent*>& files) : files_(files) {}

 protected:
  void notifySOPInstanceSent(const TransferEntry& entry) override {
    const auto it = files_.find(entry.Filename.getCharPointer());
    if (it == files_.end()) return;
    Sent& sent = *it->second;
    if (entry.PresentationContextID == 0) {
      sent.status = "refused: the archive does not take objects of this class";
    } else if (!entry.RequestSent) {
      sent.status = "could not be sent";
    } else if (const auto code = entry.ResponseStatusCode; code == STATUS_Success || DICOM_WARNING_STATUS(code)) {
      sent.stored = true;
      sent.status = code == STATUS_Success ? "stored" : fmt::format("stored with warning 0x{:04X}", code);
    } else {
      sent.status = fmt::format("0x{:04X} {}", code, DU_cstoreStatusString(code));
    }
  }

 private:
  std::map<std::string, Sent*>& files_;
};

// One association with all that is still to be stored.
void attempt(std::vector<Sent>& all, const Archive& archive) {
  std::map<std::string, Sent*> files;
  Scu scu(files);
  scu.setAETitle(archive.calling.c_str());
  scu.setPeerAETitle(archive.called.c_str());
  scu.setPeerHostName(archive.host.c_str());
  scu.setPeerPort(static_cast<Uint16>(archive.port));
  const auto seconds = static_cast<Uint32>(std::max(1.0, archive.timeout));
  scu.setACSETimeout(seconds);
  scu.setDIMSETimeout(seconds);
  scu.setDIMSEBlockingMode(DIMSE_NONBLOCKING);
  scu.setHaltOnUnsuccessfulStoreMode(OFFalse);
  scu.setHaltOnInvalidFileMode(OFFalse);
  const auto fail = [&](const std::string& why) {
    for (auto& [name, sent] : files)
      if (!sent->stored) sent->status = why;
  };
  for (auto& sent : all) {
    if (sent.stored) continue;
    const OFCondition added = scu.addDicomFile(sent.file.c_str(), ERM_fileOnly, OFFalse);
    if (added.bad())
      sent.status = fmt::format("cannot be read: {}", added.text());
    else
      files[sent.file.string()] = &sent;
  }
  if (files.empty()) return;
  OFCondition done = scu.addPresentationContexts();
  if (done.good()) done = scu.initNetwork();
  if (done.good()) done = scu.negotiateAssociation();
  if (done.bad()) return fail(fmt::format("no connection to {}:{}: {}", archive.host, archive.port, done.text()));
  fail("not sent");
  done = scu.sendSOPInstances();
  if (done.bad()) {
    for (auto& [name, sent] : files)
      if (!sent->stored && sent->status == "not sent") sent->status = done.text();
    scu.abortAssociation();
    return;
  }
  scu.releaseAssociation();
}

}  // namespace

Archive parse_archive(const std::string& address) {
  Archive a;
  const auto colon = address.rfind(':');
  int port = 0;
  bool good = colon != std::string::npos && colon > 0;
  if (good) {
    const char *begin = address.data() + colon + 1, *end = address.data() + address.size();
    const auto [at, error] = std::from_chars(begin, end, port);
    good = error == std::errc() && at == end && port >= 1 && port <= 65535;
  }
  if (!good)
    throw Error(Errc::usage, fmt::format("'{}' is no address of an archive", address),
                "write host:port, such as pacs.hospital.org:104");
  a.host = address.substr(0, colon);
  a.port = port;
  return a;
}

std::vector<Sent> send(const std::vector<std::filesystem::path>& files, const Archive& archive, const Cancel* cancel) {
  dicom::Dataset silence;  // DCMTK's own messages are off once a data set was made
  dcmConnectionTimeout.set(static_cast<Sint32>(std::max(1.0, archive.timeout)));
  std::vector<Sent> all;
  for (const auto& f : files) all.push_back({f, false, "not sent"});
  double pause = archive.pause;
  for (int k = 0; k < archive.attempts; ++k) {
    if (cancel) cancel->check();
    if (k > 0) {
      const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(pause);
      while (std::chrono::steady_clock::now() < until) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        if (cancel) cancel->check();
      }
      pause *= 2;
    }
    attempt(all, archive);
    bool left = false;
    for (const auto& s : all) left |= !s.stored;
    if (!left) break;
  }
  return all;
}

}  // namespace larmor::clinic
