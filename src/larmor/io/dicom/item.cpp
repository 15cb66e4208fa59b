// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <larmor/io/dicom/characters.hpp>

namespace larmor::dicom {
namespace {

std::string trimmed(std::string s) {
  while (!s.empty() && (s.back() == ' ' || s.back() == '\0')) s.pop_back();
  const auto first = s.find_first_not_of(' ');
  return first == std::string::npos ? std::string() : s.substr(first);
}

DcmElement* find(void* item, Tag t) {
  DcmElement* e = nullptr;
  return item != nullptr && item_of(item).findAndGetElement(key(t), e).good() ? e : nullptr;
}

[[noreturn]] void bad_value(Tag t, std::string_view value, const OFCondition& why) {
  throw Error(Errc::format, fmt::format("DICOM attribute {} {} cannot hold '{}': {}", name_of(t), number_of(t),
                                        value.substr(0, 80), why.text()));
}

void put(void* item, Tag t, std::string_view value) {
  if (value.empty()) {
    item_of(item).insertEmptyElement(DcmTag(key(t)), OFTrue);
    return;
  }
  const OFCondition done =
      item_of(item).putAndInsertString(DcmTag(key(t)), stored(std::string(value), item_of(item)).c_str());
  if (done.bad()) bad_value(t, value, done);
}

std::string decimal(double v) {
  if (!std::isfinite(v)) throw Error(Errc::numeric, "a DICOM number that is not finite");
  for (int digits = 15; digits > 0; --digits)
    if (auto s = fmt::format("{:.{}g}", v, digits); s.size() <= 16) {
      // The shortest of those that are as good.
      for (int fewer = 1; fewer < digits; ++fewer)
        if (auto t = fmt::format("{:.{}g}", v, fewer); std::stod(t) == std::stod(s)) return t;
      return s;
    }
  return fmt::format("{:.9g}", v);
}

}  // namespace

bool Item::is_there(std::string_view name) const { return find(item_, tag(name)) != nullptr; }
bool Item::has(std::string_view name) const {
  const auto* e = find(item_, tag(name));
  return e != nullptr && const_cast<DcmElement*>(e)->getLength() > 0;
}

std::string Item::text(Tag t) const {
  auto* e = find(item_, t);
  OFString value;
  if (e == nullptr || e->getOFStringArray(value, OFFalse).bad()) return {};
  return utf8(trimmed({value.c_str(), value.length()}), item_of(item_));
}
std::string Item::text(std::string_view name) const { return text(tag(name)); }

std::vector<std::string> Item::texts(std::string_view name) const {
  std::vector<std::string> out;
  std::string all = text(name);
  if (all.empty()) return out;
  std::size_t from = 0;
  for (;;) {
    const auto to = all.find('\\', from);
    out.push_back(trimmed(all.substr(from, to == std::string::npos ? to : to - from)));
    if (to == std::string::npos) return out;
    from = to + 1;
  }
}

std::vector<double> Item::numbers(std::string_view name) const {
  std::vector<double> out;
  auto* e = find(item_, tag(name));
  if (e == nullptr) return out;
  const unsigned long n = e->getVM();
  for (unsigned long i = 0; i < n; ++i) {
    // Not of texts: DCMTK reads "1,2" as 1.
    if (Float64 f = 0; !e->isaString() && e->getFloat64(f, i).good()) {
      out.push_back(f);
      continue;
    }
    OFString s;
    if (e->getOFString(s, i).bad()) continue;
    const std::string word = trimmed(s.c_str());
    double v = 0;
    const char* begin = word.data() + (word.starts_with('+') ? 1 : 0);
    const auto [end, error] = std::from_chars(begin, word.data() + word.size(), v);
    if (error == std::errc() && end == word.data() + word.size() && std::isfinite(v)) out.push_back(v);
  }
  return out;
}

std::optional<double> Item::number(std::string_view name, std::size_t index) const {
  const auto all = numbers(name);
  return index < all.size() ? std::optional(all[index]) : std::nullopt;
}

std::vector<Item> Item::items(Tag t) const {
  std::vector<Item> out;
  auto* e = find(item_, t);
  auto* sequence = dynamic_cast<DcmSequenceOfItems*>(e);
  if (sequence == nullptr || e->ident() == EVR_pixelSQ) return out;
  for (unsigned long i = 0; i < sequence->card(); ++i) out.push_back({owner_, sequence->getItem(i)});
  return out;
}
std::vector<Item> Item::items(std::string_view name) const { return items(tag(name)); }

std::optional<Item> Item::item(std::string_view name) const {
  auto all = items(name);
  return all.empty() ? std::nullopt : std::optional(all[0]);
}

void Item::set(Tag t, std::string_view value) { put(item_, t, value); }
void Item::clear(Tag t) { put(item_, t, ""); }
Item& Item::set(std::string_view name, std::string_view value) { return put(item_, tag(name), value), *this; }
Item& Item::set(std::string_view name, double value) { return set(name, std::string_view(decimal(value))); }
Item& Item::set(std::string_view name, int value) { return set(name, std::string_view(std::to_string(value))); }
Item& Item::set(std::string_view name, const std::vector<double>& values) {
  std::string all;
  for (const double v : values) all += (all.empty() ? "" : "\\") + decimal(v);
  return set(name, std::string_view(all));
}

Item& Item::set_bytes(std::string_view name, std::span<const std::byte> bytes, bool words) {
  const Tag t = tag(name);
  if (bytes.size() % 2 != 0) throw Error(Errc::internal, "DICOM bytes of odd length in " + name_of(t));
  const auto* raw = reinterpret_cast<const Uint8*>(bytes.data());
  const auto n = static_cast<unsigned long>(bytes.size());
  const DcmTag made(key(t), words ? EVR_OW : EVR_OB);
  DcmElement* e = made == DCM_PixelData ? new DcmPixelData(made) : new DcmOtherByteOtherWord(made);
  OFCondition done = words ? e->putUint16Array(reinterpret_cast<const Uint16*>(raw), n / 2) : e->putUint8Array(raw, n);
  if (done.good()) done = item_of(item_).insert(e, OFTrue);
  if (done.bad()) bad_value(t, "bytes", done);
  return *this;
}

Item Item::add(std::string_view name) {
  DcmItem* made = nullptr;
  const Tag t = tag(name);
  const OFCondition done = item_of(item_).findOrCreateSequenceItem(DcmTag(key(t)), made, -2);
  if (done.bad() || made == nullptr) bad_value(t, "an item", done);
  return {owner_, made};
}
void Item::empty_sequence(std::string_view name) { put(item_, tag(name), ""); }
void Item::erase(Tag t) { item_of(item_).findAndDeleteElement(key(t)); }

bool Item::copy(const Item& from, std::string_view name) {
  const Tag t = tag(name);
  if (find(from.item_, t) == nullptr) return false;
  return item_of(from.item_).findAndInsertCopyOfElement(key(t), &item_of(item_)).good();
}

std::vector<Item::Attribute> Item::attributes() const {
  std::vector<Attribute> out;
  DcmItem& item = item_of(item_);
  for (unsigned long i = 0; i < item.card(); ++i) {
    DcmElement* e = item.getElement(i);
    const auto t = e->getTag();
    out.push_back(
        {{t.getGTag(), t.getETag()}, DcmVR(e->getVR()).getValidVRName(), e->ident() == EVR_SQ, e->getLengthField()});
  }
  return out;
}

}  // namespace larmor::dicom
