// SPDX-License-Identifier: Apache-2.0
#include "hippocampus_batch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <larmor/core/hash.hpp>
#include <larmor/core/log.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/io/dicom/damage.hpp>
#include <larmor/io/file.hpp>
#include <larmor/io/leftovers.hpp>
#include <larmor/io/table.hpp>
#include <larmor/seg/predict.hpp>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>

#include "text_table.hpp"

namespace larmor::cli {
namespace {

namespace fs = std::filesystem;
using json = nlohmann::ordered_json;

struct Todo {
  BatchRow row;
  std::vector<std::string> files;
  std::string fingerprint;
};

std::string safe(std::string s) {
  for (char& c : s)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-') c = '_';
  return s.empty() ? "unknown" : s.substr(0, 40);
}

std::string digest(const std::string& text) { return Sha256().add(text.data(), text.size()).hex(); }

std::string state_of(const std::string& file) {
  if (file.empty()) return "-";
  std::error_code ec;
  const auto size = fs::file_size(file, ec);
  const auto time = fs::last_write_time(file, ec).time_since_epoch().count();
  return fmt::format("{} {} {}", file, size, time);
}

// Everything that the results depend on.
std::string settings_of(const HippocampusJob& j) {
  const auto model = j.model.empty() ? seg::shipped_model().string() : j.model;
  return fmt::format("{}|{}|{}|{}|{}|{}{}{}{}|{}", LARMOR_VERSION, state_of(j.rules), state_of(model),
                     state_of(j.norms), j.side, j.fractional, j.pdf, j.page, j.mirror, j.series_number);
}

// Corrected segmentations of a study, as an earlier run named them.
std::vector<std::string> labels_of(const std::string& labels, const std::string& folder) {
  if (labels.empty()) return {};
  const auto dir = fs::path(labels) / folder;
  if (fs::exists(dir / "labels.nii.gz")) return {(dir / "labels.nii.gz").string()};
  if (fs::exists(dir / "labels_left.nii.gz") && fs::exists(dir / "labels_right.nii.gz"))
    return {(dir / "labels_left.nii.gz").string(), (dir / "labels_right.nii.gz").string()};
  return {};
}

// Whether a damaged file is of the study: it says so, or says nothing and lies in a folder with files of no other one.
bool may_be_of(const dicom::Study& study, const dicom::Damaged& d, const dicom::Found& found) {
  if (!d.series.empty()) return d.is_of(study);
  const auto beside = [&](const dicom::Study& s) {
    return std::any_of(s.series.begin(), s.series.end(), [&](const dicom::Series& series) {
      return std::any_of(series.instances.begin(), series.instances.end(),
                         [&](const dicom::Instance& i) { return i.file.parent_path() == d.file.parent_path(); });
    });
  };
  return beside(study) && std::count_if(found.studies.begin(), found.studies.end(), beside) == 1;
}

std::vector<Todo> todo_list(const BatchJob& job, dicom::Found& found) {
  std::vector<Todo> out;
  const auto settings = settings_of(job.each);
  const auto damaged = dicom::damaged_files(found);
  for (const auto& study : found.studies) {
    Todo t;
    t.row = {.patient_id = study.patient_id,
             .study_date = study.head().text("StudyDate"),
             .study_uid = study.uid,
             .folder = {},
             .reason = {},
             .sent = {},
             .results = {}};
    // The identifier may be cut and its characters replaced: the digest tells patients apart.
    t.row.folder = fmt::format("{}_{}_{}", safe(study.patient_id), safe(t.row.study_date),
                               digest(study.patient_id + "\n" + study.uid).substr(0, 10));
    std::string all = settings;
    // Of an earlier run, where OUT lies in ROOT.
    const fs::path own = fs::weakly_canonical(fs::path(job.out) / t.row.folder);
    const auto add = [&](const fs::path& file) {
      if (const auto from = fs::weakly_canonical(file).lexically_relative(own); from.empty() || *from.begin() == "..")
        t.files.push_back(file.string());
    };
    for (const auto& series : study.series)
      for (const auto& i : series.instances) add(i.file);
    if (t.files.empty()) continue;
    // Damaged ones too: whether they are needed is seen where the series is chosen.
    for (const auto& d : damaged)
      if (may_be_of(study, d, found)) add(d.file);
    std::sort(t.files.begin(), t.files.end());
    for (const auto& f : t.files) all += "\n" + state_of(f);
    for (const auto& f : labels_of(job.labels, t.row.folder)) all += "\n" + state_of(f);
    t.fingerprint = digest(all);
    out.push_back(std::move(t));
  }
  // Earlier studies first, so that later ones find their results.
  std::stable_sort(out.begin(), out.end(),
                   [](const Todo& a, const Todo& b) { return a.row.study_date < b.row.study_date; });
  return out;
}

std::string read_if_there(const fs::path& path) {
  std::error_code ec;
  if (!fs::is_regular_file(path, ec)) return {};
  try {
    return io::read_text(path);
  } catch (const Error&) {
    return {};
  }
}

bool has_results(const Todo& t, const fs::path& folder) {
  const auto state = json::parse(read_if_there(folder / "batch.json"), nullptr, false);
  return state.is_object() && state.value("fingerprint", "") == t.fingerprint && fs::exists(folder / "results.json");
}
bool was_stored(const fs::path& folder, const clinic::Archive& a) {
  const auto state = json::parse(read_if_there(folder / "sent.json"), nullptr, false);
  return state.is_object() && state.value("stored", false) &&
         state.value("archive", "") == fmt::format("{}:{}", a.host, a.port) && state.value("called", "") == a.called;
}
std::vector<fs::path> objects_in(const fs::path& folder) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".dcm") out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

json row_json(const BatchRow& r) {
  json j{{"patient_id", r.patient_id},
         {"study_date", r.study_date},
         {"study_uid", r.study_uid},
         {"folder", r.folder},
         {"status", r.status}};
  if (!r.reason.empty()) j["reason"] = r.reason;
  if (!r.sent.empty()) j["sent"] = r.sent, j["stored"] = r.stored;
  if (r.seconds > 0) j["seconds"] = r.seconds;
  if (const auto results = json::parse(r.results, nullptr, false); results.is_object())
    j["sides"] = results.at("sides");
  return j;
}

void write_summary(const BatchSummary& s, const fs::path& out) {
  io::write_text(out / "summary.json", summary_json(s));
  io::Table t;
  t.columns = {"patient_id",    "study_date", "study_uid", "status", "side",   "anterior_mm3",
               "posterior_mm3", "total_mm3",  "flags",     "folder", "reason", "sent"};
  for (const auto& r : s.rows) {
    const auto results = json::parse(r.results, nullptr, false);
    bool any = false;
    if (results.is_object())
      for (const auto& side : results.at("sides")) {
        std::vector<std::string> row{r.patient_id, r.study_date, r.study_uid, r.status, side.at("side")};
        for (const auto& v : side.at("volumes")) row.push_back(fmt::format("{:.2f}", v.at("mm3").get<double>()));
        std::string flags;
        for (const auto& n : side.at("flags")) flags += (flags.empty() ? "" : " ") + n.at("id").get<std::string>();
        row.insert(row.end(), {flags, r.folder, r.reason, r.sent});
        t.rows.push_back(std::move(row));
        any = true;
      }
    if (!any)
      t.rows.push_back(
          {r.patient_id, r.study_date, r.study_uid, r.status, "", "", "", "", "", r.folder, r.reason, r.sent});
  }
  io::write_table(out / "summary.csv", t);
}

class Batch {
 public:
  Batch(const BatchJob& job, const Cancel& cancel) : job_(job), cancel_(cancel), out_(fs::absolute(job.out)) {}

  BatchSummary run() {
    auto found = dicom::scan(job_.root, console_progress(job_.quiet), &cancel_);
    summary_.files = found.files;
    for (const auto& r : found.rejected) {
      if (r.kind == dicom::Rejected::Kind::foreign)
        ++summary_.foreign;
      else if (r.kind == dicom::Rejected::Kind::damaged)
        summary_.damaged.emplace_back(r.file.string(), r.reason);
    }
    auto todo = todo_list(job_, found);
    found = {};  // headers of all files
    if (todo.empty()) return summary_;
    fs::create_directories(out_);
    io::remove_leftovers(out_);
    for (const auto& t : todo) summary_.rows.push_back(t.row);
    if (job_.workers > thread_count()) set_thread_count(job_.workers);
    // Studies of one patient follow each other, so that changes have their earlier results; patients are side by side.
    std::map<std::string, std::vector<std::size_t>> patients;
    for (std::size_t i = 0; i < todo.size(); ++i) patients[todo[i].row.patient_id].push_back(i);
    std::vector<std::vector<std::size_t>> queue;
    for (auto& [id, studies] : patients) queue.push_back(std::move(studies));
    std::atomic<std::size_t> next{0};
    parallel_for(static_cast<std::size_t>(job_.workers), 1, [&](std::size_t, std::size_t) {
      for (std::size_t q = next++; q < queue.size(); q = next++)
        for (const std::size_t i : queue[q]) {
          if (cancel_.requested()) return;
          one(todo[i], i);
        }
    });
    write_summary(summary_, out_);
    cancel_.check();
    return summary_;
  }

 private:
  void one(const Todo& t, std::size_t index) {
    BatchRow row = t.row;
    const fs::path folder = out_ / row.folder;
    try {
      if (!job_.again && has_results(t, folder)) {
        row.status = "there";
      } else {
        HippocampusJob each = job_.each;
        each.files = t.files, each.out = folder.string();  // no folder: OUT may lie in ROOT and changes it
        each.labels = labels_of(job_.labels, row.folder);
        if (!job_.labels.empty() && each.labels.empty())
          throw Error(Errc::file, fmt::format("no labels are in {}", (fs::path(job_.labels) / row.folder).string()),
                      "put labels.nii.gz there, or leave --labels out");
        if (job_.changes) each.earlier = earlier(row.patient_id);
        const auto done = run_hippocampus(each, Progress(), cancel_);
        // What was sent before is not what is here now.
        std::error_code ec;
        fs::remove(folder / "sent.json", ec);
        io::write_text(folder / "batch.json", json{{"fingerprint", t.fingerprint}}.dump() + "\n");
        row.status = "done", row.seconds = done.seconds;
      }
      row.results = read_if_there(folder / "results.json");
      if (job_.archive && !was_stored(folder, *job_.archive)) {
        row.stored = send_results(objects_in(folder), *job_.archive, cancel_, row.sent);
      } else if (job_.archive) {
        row.sent = "stored before";
      }
    } catch (const Error& e) {
      if (e.code() == Errc::cancelled) return;
      const bool none = e.message().starts_with("none of ");
      row.status = none && job_.skip_others ? "no series" : "failed";
      row.reason = e.message();
    } catch (const std::exception& e) {
      row.status = "failed", row.reason = e.what();
    }
    const std::lock_guard lock(mutex_);
    summary_.rows[index] = row;
    if (row.status == "done" || row.status == "there") finished_[row.patient_id].push_back(folder / "results.json");
    write_summary(summary_, out_);
    if (!job_.quiet) {
      ++told_;
      fmt::print(stderr, "{}/{}  {}  {}{}{}\n", told_, summary_.rows.size(), row.folder, row.status,
                 row.reason.empty() ? "" : ": " + row.reason, row.sent.empty() ? "" : "; " + row.sent);
    }
  }

  std::vector<std::string> earlier(const std::string& patient) {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> out;
    for (const auto& f : finished_[patient]) out.push_back(f.string());
    return out;
  }

  const BatchJob& job_;
  const Cancel& cancel_;
  fs::path out_;
  BatchSummary summary_;
  std::map<std::string, std::vector<fs::path>> finished_;
  std::size_t told_ = 0;
  std::mutex mutex_;
};

}  // namespace

int BatchSummary::measured() const {
  return static_cast<int>(std::count_if(rows.begin(), rows.end(),
                                        [](const BatchRow& r) { return r.status == "done" || r.status == "there"; }));
}
int BatchSummary::failed() const {
  return static_cast<int>(damaged.size()) +
         static_cast<int>(std::count_if(rows.begin(), rows.end(), [](const BatchRow& r) {
           return r.status == "failed" || r.status == "waiting" || !r.stored;
         }));
}

BatchSummary run_batch(const BatchJob& job, const Cancel& cancel) { return Batch(job, cancel).run(); }

std::string summary_json(const BatchSummary& s) {
  json rows = json::array(), damaged = json::array();
  std::map<std::string, int> counts;
  for (const auto& r : s.rows) rows.push_back(row_json(r)), ++counts[r.status];
  for (const auto& [file, reason] : s.damaged) damaged.push_back({{"file", file}, {"reason", reason}});
  return json{{"studies", s.rows.size()},   {"counts", counts},   {"failed", s.failed()}, {"files", s.files},
              {"foreign_files", s.foreign}, {"damaged", damaged}, {"rows", rows}}
             .dump(2, ' ', false, json::error_handler_t::replace) +
         "\n";
}

std::string summary_table(const BatchSummary& s) {
  if (s.rows.empty()) return {};
  std::vector<std::vector<std::string>> rows{
      {"patient", "study", "status", "side", "anterior mm3", "posterior mm3", "total mm3", "folder"}};
  std::string reasons;
  for (const auto& r : s.rows) {
    const auto results = json::parse(r.results, nullptr, false);
    bool any = false;
    if (results.is_object())
      for (const auto& side : results.at("sides")) {
        std::vector<std::string> row{
            r.patient_id, r.study_date, r.status,
            side.at("side").get<std::string>().empty() ? "-" : side.at("side").get<std::string>()};
        for (const auto& v : side.at("volumes")) row.push_back(fmt::format("{:.0f}", v.at("mm3").get<double>()));
        row.push_back(r.folder);
        rows.push_back(std::move(row));
        any = true;
      }
    if (!any) rows.push_back({r.patient_id, r.study_date, r.status, "", "", "", "", r.folder});
    if (!r.reason.empty()) reasons += fmt::format("{}: {}\n", r.folder, r.reason);
    if (!r.stored) reasons += fmt::format("{}: {}\n", r.folder, r.sent);
  }
  for (const auto& [file, reason] : s.damaged) reasons += fmt::format("damaged: {}: {}\n", file, reason);
  const auto count = [&](auto&& of) { return std::count_if(s.rows.begin(), s.rows.end(), of); };
  std::string total = fmt::format("{} of {} studies measured", s.measured(), s.rows.size());
  if (const auto n = count([](const BatchRow& r) { return r.status == "failed"; }))
    total += fmt::format(", {} failed", n);
  if (const auto n = count([](const BatchRow& r) { return !r.stored; })) total += fmt::format(", {} not stored", n);
  if (!s.damaged.empty()) total += fmt::format(", {} damaged files", s.damaged.size());
  return text_table(rows) + reasons + total + "\n";
}

}  // namespace larmor::cli
