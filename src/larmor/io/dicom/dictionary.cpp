// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <larmor/io/dicom/dcmtk.hpp>
#include <unordered_map>

namespace larmor::dicom {
namespace {

/// DCMTK writes RETIRED_OtherPatientIDs; the keyword of the standard is without it.
std::string keyword(const char* name) {
  constexpr std::string_view retired = "RETIRED_";
  const std::string_view all(name);
  return std::string(all.starts_with(retired) ? all.substr(retired.size()) : all);
}

const std::unordered_map<std::string, Tag>& keywords() {
  static const auto all = [] {
    set_up();
    std::unordered_map<std::string, Tag> out;
    auto& dictionary = const_cast<DcmDataDictionary&>(dcmDataDict.rdlock());  // its iterators are not const
    for (const bool retired : {false, true})  // where a name was given again, the living attribute has it
      for (auto it = dictionary.normalBegin(); it != dictionary.normalEnd(); ++it)
        if ((*it)->getPrivateCreator() == nullptr && !((*it)->getGroup() & 1))
          if (const auto name = keyword((*it)->getTagName()); retired || name == (*it)->getTagName())
            out.try_emplace(name, Tag{(*it)->getGroup(), (*it)->getElement()});
    dcmDataDict.rdunlock();
    return out;
  }();
  return all;
}

}  // namespace

Tag tag(std::string_view name) {
  const auto& all = keywords();
  if (const auto it = all.find(std::string(name)); it != all.end()) return it->second;
  std::string digits;
  for (const char c : name)
    if (c != '(' && c != ')' && c != ',' && c != ' ') digits += c;
  unsigned value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (digits.size() == 8 && error == std::errc() && end == digits.data() + 8)
    return {static_cast<std::uint16_t>(value >> 16), static_cast<std::uint16_t>(value & 0xffff)};
  std::vector<std::string> names;
  for (const auto& [k, t] : all) names.push_back(k);
  std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;  // of those that are as near, the shortest
  });
  const auto near = nearest(name, names);
  throw Error(Errc::unknown_name,
              fmt::format("no DICOM attribute called '{}'{}", name, near.empty() ? "" : "; did you mean " + near + "?"),
              "write its keyword (PatientName) or its number (0010,0010)");
}

std::string number_of(Tag t) { return fmt::format("({:04x},{:04x})", t.group, t.element); }

std::string name_of(Tag t) {
  set_up();
  if (t.is_private()) return number_of(t);
  const DcmDataDictionary& dictionary = dcmDataDict.rdlock();
  const DcmDictEntry* e = dictionary.findEntry(key(t), nullptr);
  std::string name = e ? keyword(e->getTagName()) : number_of(t);
  dcmDataDict.rdunlock();
  return name;
}

std::string class_name(std::string_view uid) {
  const char* name = dcmFindNameOfUID(std::string(uid).c_str());
  if (name == nullptr) return std::string(uid);
  std::string words;
  for (const char* c = name; *c; ++c) {
    const bool upper = *c >= 'A' && *c <= 'Z', next_lower = c[1] >= 'a' && c[1] <= 'z';
    const bool after_lower = c > name && c[-1] >= 'a' && c[-1] <= 'z';
    if (upper && c > name && (after_lower || next_lower)) words += ' ';
    words += *c;
  }
  return words;
}

}  // namespace larmor::dicom
