// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/io/dicom/volume.hpp>
#include <optional>

/// What is known of one study after its hippocampi were measured, as plain data: the writers of DICOM objects, the page
/// and the files read it.
namespace larmor::clinic {

/// Something a person should look at before the result is used.
struct Note {
  std::string id;    // "components", "border", "size", ...
  std::string what;  // one sentence with both numbers
  bool serious = false;
};

/// Who was examined. Texts as DICOM has them; what the measured series lacks comes from other series of the study.
struct Subject {
  std::string id, name, birth_date, sex, age;  // "PGBM-002", "Doe^Jane", "19480101", "F", "072Y"
  std::optional<double> years;                 // from the age, else from birth and study dates
  /// What came from another series: "PatientSex", "PatientAge", ... and the description of that series.
  std::vector<std::string> added;
  std::string added_from;
};
/// Attributes of the patient of the chosen series, completed from its study. Errors   Errc::format when the study says
/// two different sexes or birth dates
Subject subject_of(const dicom::Series& series, const dicom::Study& study);
/// "072Y", "018M", "003W", "012D" in years; nothing for anything else.
std::optional<double> age_in_years(const std::string& age);

/// One structure of one side. `structure`: "anterior", "posterior", "total".
struct Volume {
  std::string structure;
  std::int64_t voxels = 0;
  double mm3 = 0;
  std::optional<double> percentile = {};  // of the norm table [%]
  std::string no_percentile = {};         // why there is none, when a table was given
  double mL() const { return mm3 * 1e-3; }
};

struct Change {
  std::string structure, side, earlier_date;
  double earlier_mm3 = 0, mm3 = 0, percent = 0;
  std::optional<double> percent_per_year = {};  // from 30 days on
  bool same_model = true;
};

struct Side {
  std::string side;       // "left", "right"; empty: nobody says
  std::string side_from;  // "DICOM Laterality", "operator", "series rules"
  dicom::Series series;   // what was measured
  std::vector<dicom::Frame> frames;
  Image image;                              // (x, y, z)
  Image labels;                             // u8, the same grid: 0, 1 anterior, 2 posterior
  std::optional<Image> probabilities = {};  // (x, y, z, class)
  std::vector<Volume> volumes;              // anterior, posterior, total
  std::vector<Note> notes;
  std::string segmenter;  // "model hippocampus 1a2b3c4d", "labels given by the operator"
  bool automatic = true;  // false: labels were given

  const Volume& volume(std::string_view structure) const;
};

struct Asymmetry {
  std::string structure;
  double percent = 0;  // 200 (left - right) / (left + right)
};

struct Results {
  Subject subject;
  std::vector<Side> sides;  // one or two
  std::vector<Asymmetry> asymmetry = {};
  std::vector<Change> changes = {};
  std::vector<Note> notes = {};      // of the whole
  std::string norms = {};            // title of the norm table; empty: none
  std::string made_date, made_time;  // "20260102", "030405"

  const dicom::Dataset& head() const { return sides.front().series.head(); }
  bool serious() const;
};

/// Local date and time as DICOM writes them.
void stamp(Results& results);

/// results.json: identity, volumes, notes, what was measured with what. Stable names: docs/reference/formats.md.
std::string results_json(const Results& results, const std::string& provenance = {});
/// A row a side and structure.
void write_results_csv(const std::filesystem::path& path, const Results& results);

/// What an earlier results.json says, for the change over time.
struct Earlier {
  std::string patient_id, study_uid, date, file;
  struct One {
    std::string side, structure, segmenter;
    double mm3 = 0;
  };
  std::vector<One> volumes;
};
/// Errors   Errc::file, Errc::format
Earlier read_earlier(const std::filesystem::path& path);
/// Changes against the latest of `earlier` that is before the study; others are left out. A difference of model is
/// noted; a study without PatientID has none, and a note. Errors   Errc::usage for results of another patient, with
/// both identifiers
void add_changes(Results& results, const std::vector<Earlier>& earlier);

}  // namespace larmor::clinic
