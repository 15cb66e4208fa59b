// SPDX-License-Identifier: Apache-2.0
#include <larmor/io/file.hpp>
#include <larmor/io/nifti.hpp>
#include <larmor/nodes/sidecar.hpp>
#include <nlohmann/json.hpp>

namespace larmor::nodes {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& j, int indent) { return j.dump(indent, ' ', false, Json::error_handler_t::replace); }

// Provenance is an object in files, so that people and programs can read it; what is no JSON stays a text.
Json provenance_of(const std::string& provenance) {
  Json j = Json::parse(provenance, nullptr, false);
  return j.is_discarded() ? Json(provenance) : j;
}

}  // namespace

std::string sidecar_json(const Metadata& facts, const std::string& provenance) {
  Json j = Json::object();
  for (const auto& [name, value] : facts) std::visit([&, &key = name](const auto& v) { j[key] = v; }, value);
  // Those of the file that the facts were read from are not this file's.
  j.erase("Provenance");
  j["GeneratedBy"] = Json{{"Name", "larmor"}, {"Version", LARMOR_VERSION}};
  if (!provenance.empty()) j["Provenance"] = provenance_of(provenance);
  return text_of(j, 2) + "\n";
}

std::filesystem::path sidecar_of_image(const std::filesystem::path& image) {
  std::string name = image.filename().string();
  for (const char* ending : {".nii.gz", ".nii"})
    if (name.ends_with(ending)) {
      name.resize(name.size() - std::string_view(ending).size());
      break;
    }
  return image.parent_path() / (name + ".json");
}

std::string provenance_in_json(const std::string& text, const std::string& name) {
  try {
    const Json j = Json::parse(text);
    if (!j.is_object() || !j.contains("Provenance")) return {};
    const auto& p = j.at("Provenance");
    return p.is_string() ? p.get<std::string>() : text_of(p, -1);
  } catch (const Json::exception& e) {
    throw Error(Errc::format, std::string("not JSON: ") + e.what(), "correct the JSON").at(name);
  }
}

std::string with_provenance(const std::string& json, const std::string& provenance) {
  Json j = Json::parse(json);
  if (!provenance.empty()) {
    if (!j.is_object()) j = Json{{"Value", std::move(j)}};
    j["Provenance"] = provenance_of(provenance);
  }
  return text_of(j, 2) + "\n";
}

void write_image_file(const std::filesystem::path& path, const Image& image, const std::string& description,
                      const std::string& provenance) {
  io::write_nifti(path, image, {.description = description, .provenance = provenance});
  Metadata facts = image.meta;
  for (const char* key : {"FrameTimesStart", "VolumeTiming", "AcquisitionTime"})
    if (const auto it = facts.find(key); it != facts.end() && std::holds_alternative<std::vector<double>>(it->second))
      facts.erase(it);
  if (!image.times.empty()) facts["VolumeTiming"] = image.times;
  if (!description.empty()) facts["Description"] = description;
  io::write_text(sidecar_of_image(path), sidecar_json(facts, provenance));
}

}  // namespace larmor::nodes
