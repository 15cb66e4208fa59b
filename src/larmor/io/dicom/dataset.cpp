// SPDX-License-Identifier: Apache-2.0
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcostrmb.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcrledrg.h>
#include <dcmtk/dcmdata/dcspchrs.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmjpeg/djdecode.h>
#include <dcmtk/dcmjpls/djdecode.h>
#include <dcmtk/oflog/oflog.h>
#include <fmt/format.h>
#include <iconv.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <larmor/core/hash.hpp>
#include <larmor/io/dicom/dataset.hpp>
#include <larmor/io/file.hpp>
#include <mutex>
#include <random>
#include <unordered_map>

namespace larmor::dicom {
namespace {

// Decoders, and silence: what DCMTK has to say goes into our errors.
void set_up() {
  static std::once_flag once;
  std::call_once(once, [] {
    OFLog::configure(OFLogger::OFF_LOG_LEVEL);
    DJDecoderRegistration::registerCodecs(EDC_never);  // colours stay as they are stored
    DJLSDecoderRegistration::registerCodecs();
    DcmRLEDecoderRegistration::registerCodecs();
  });
}

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

DcmTagKey key(Tag t) { return {t.group, t.element}; }

struct Converter {
  std::string from = "?";
  DcmSpecificCharacterSet set;
  bool usable = false;
};

std::string trimmed(std::string s) {
  while (!s.empty() && (s.back() == ' ' || s.back() == '\0')) s.pop_back();
  const auto first = s.find_first_not_of(' ');
  return first == std::string::npos ? std::string() : s.substr(first);
}

// Bytes that stand for themselves in every character set of DICOM.
bool plain(const std::string& s) {
  for (const char c : s)
    if (static_cast<unsigned char>(c) >= 0x80 || c == '\x1b') return false;
  return true;
}

std::string iconv_from(const char* charset, std::string value) {
  const iconv_t converter = ::iconv_open("UTF-8", charset);
  if (converter == reinterpret_cast<iconv_t>(-1)) return {};  // NOLINT(performance-no-int-to-ptr): as iconv says it
  std::string out(4 * value.size() + 16, '\0');
  char *in = value.data(), *to = out.data();
  std::size_t in_left = value.size(), out_left = out.size();
  const bool good = ::iconv(converter, &in, &in_left, &to, &out_left) != static_cast<std::size_t>(-1);
  ::iconv_close(converter);
  out.resize(out.size() - out_left);
  return good ? out : std::string();
}

// Escape sequences of ISO 2022 (PS3.5 6.1.2.5) for which the C library has no character set of their own.
std::string from_iso_2022(std::string value) {
  const auto drop = [&](const std::string& escape) {
    for (auto at = value.find(escape); at != std::string::npos; at = value.find(escape)) value.erase(at, escape.size());
  };
  if (value.find("\x1b$)C") != std::string::npos) return drop("\x1b$)C"), iconv_from("EUC-KR", value);
  if (value.find("\x1b$)A") != std::string::npos) return drop("\x1b$)A"), iconv_from("EUC-CN", value);
  // A component that ends in two-byte characters may leave it to the delimiter to switch back.
  return iconv_from("ISO-2022-JP-2", value);
}

std::string utf8(const std::string& value, DcmItem& item) {
  if (plain(value)) return value;
  OFString charset;
  for (DcmItem* at = &item; at != nullptr; at = at->getParentItem())
    if (at->findAndGetOFStringArray(DCM_SpecificCharacterSet, charset).good()) break;
  thread_local Converter converter;
  if (converter.from != charset.c_str()) {
    converter.from = charset.c_str();
    converter.usable = converter.set.selectCharacterSet(charset).good();
  }
  OFString out;
  if (converter.usable && converter.set.convertString(OFString(value.c_str(), value.size()), out, "\\^=").good())
    return {out.c_str(), out.length()};
  if (value.find('\x1b') != std::string::npos)
    if (auto text = from_iso_2022(value); !text.empty()) return text;
  // A file that lies about its characters: Latin-1 is the likeliest, and no byte is lost.
  std::string latin;
  for (const char c : value) {
    const auto u = static_cast<unsigned char>(c);
    if (u < 0x80)
      latin += c;
    else
      latin += {static_cast<char>(0xc0 | (u >> 6)), static_cast<char>(0x80 | (u & 0x3f))};
  }
  return latin;
}

DcmItem& item_of(void* p) { return *static_cast<DcmItem*>(p); }
DcmFileFormat& file_of(const std::shared_ptr<void>& p) { return *static_cast<DcmFileFormat*>(p.get()); }

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
  const OFCondition done = item_of(item).putAndInsertString(DcmTag(key(t)), std::string(value).c_str());
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
    Float64 f = 0;
    if (e->getFloat64(f, i).good()) {
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

Dataset::Dataset(const std::shared_ptr<void>& file)
    : Item(file, static_cast<DcmFileFormat*>(file.get())->getDataset()) {}
Dataset::Dataset()
    : Dataset([] {
        set_up();
        return std::shared_ptr<void>(std::make_shared<DcmFileFormat>());
      }()) {}

bool Dataset::is_dicom(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  char head[132] = {};
  in.read(head, sizeof head);
  const auto n = in.gcount();
  if (n == 132 && std::string_view(head + 128, 4) == "DICM") return true;
  // Files from before PS3.10: (0008,00xx) in little endian, with a VR or a plausible length.
  return n >= 16 && head[0] == 8 && head[1] == 0 && head[3] == 0 && head[6] < 64;
}

Dataset Dataset::read(const std::filesystem::path& path) {
  set_up();
  io::require_file(path);
  if (!is_dicom(path))
    throw Error(Errc::format, fmt::format("{} is not a DICOM file", path.string()), "larmor info reads other formats");
  auto file = std::make_shared<DcmFileFormat>();
  const OFCondition done = file->loadFile(path.c_str());
  if (done.bad() || file->getDataset()->card() == 0)
    throw Error(Errc::format, fmt::format("{} is a damaged DICOM file: {}", path.string(), done.text()),
                "copy or export it again");
  Dataset out(file);
  if (!out.has("SOPClassUID") && !out.is_there("PixelData") && !out.has("StudyInstanceUID"))
    throw Error(Errc::format, fmt::format("{} holds no DICOM object (no SOP class)", path.string()),
                "copy or export it again");
  return out;
}

std::string Dataset::transfer_syntax() const {
  return DcmXfer(file_of(owner_).getDataset()->getOriginalXfer()).getXferID();
}
std::string Dataset::transfer_syntax_name() const {
  return DcmXfer(file_of(owner_).getDataset()->getOriginalXfer()).getXferName();
}

bool Dataset::has_pixels() const {
  return is_there("PixelData") || is_there("FloatPixelData") || is_there("DoubleFloatPixelData");
}

std::vector<std::byte> Dataset::pixels() const {
  DcmDataset& data = *file_of(owner_).getDataset();
  const auto count = [&](const char* name, double otherwise) { return number(name).value_or(otherwise); };
  const double frames = std::max(1.0, count("NumberOfFrames", 1)), bits = count("BitsAllocated", 16);
  const double wanted = count("Rows", 0) * count("Columns", 0) * count("SamplesPerPixel", 1) * frames * bits / 8;
  if (!(wanted >= 1) || wanted > 64e9)
    throw Error(Errc::format, fmt::format("an image of {} x {} pixels and {} frames of {} bits", count("Columns", 0),
                                          count("Rows", 0), frames, bits));
  const auto need = static_cast<std::size_t>(std::ceil(wanted));
  const auto take = [&](const void* from, std::size_t have) {
    if (have < need)
      throw Error(Errc::format, fmt::format("its pixels are cut off: {} of {} bytes are there", have, need),
                  "copy or export it again");
    const auto* b = static_cast<const std::byte*>(from);
    return std::vector<std::byte>(b, b + need);
  };
  DcmElement* e = nullptr;
  if (data.findAndGetElement(DCM_FloatPixelData, e).good()) {
    Float32* p = nullptr;
    if (e->getFloat32Array(p).good() && p != nullptr) return take(p, e->getLength());
  }
  if (data.findAndGetElement(DCM_DoubleFloatPixelData, e).good()) {
    Float64* p = nullptr;
    if (e->getFloat64Array(p).good() && p != nullptr) return take(p, e->getLength());
  }
  if (data.findAndGetElement(DCM_PixelData, e).bad()) throw Error(Errc::format, "it holds no pixels");
  OFCondition done = data.chooseRepresentation(EXS_LittleEndianExplicit, nullptr);
  if (done.bad())
    throw Error(Errc::format,
                fmt::format("its pixels in {} cannot be decoded: {}", transfer_syntax_name(), done.text()),
                "store it uncompressed (dcmdjpeg, gdcmconv --raw) and read that");
  if (data.findAndGetElement(DCM_PixelData, e).bad()) throw Error(Errc::format, "it holds no pixels");
  std::vector<std::byte> out;
  const std::size_t have = e->getLength();
  if (bits > 8) {
    Uint16* p = nullptr;
    done = e->getUint16Array(p);
    if (done.good() && p != nullptr) out = take(p, have);
  } else {
    Uint8* p = nullptr;
    done = e->getUint8Array(p);
    if (done.good() && p != nullptr) out = take(p, have);
  }
  if (out.empty())
    throw Error(Errc::format, fmt::format("its pixels cannot be read: {}", done.bad() ? done.text() : "none are there"),
                "copy or export it again");
  return out;
}

Dataset Dataset::clone() const {
  return Dataset(std::shared_ptr<void>(std::make_shared<DcmFileFormat>(file_of(owner_))));
}

std::vector<std::byte> Dataset::bytes(bool keep_syntax) const {
  DcmFileFormat& file = file_of(owner_);
  DcmDataset& data = *file.getDataset();
  if (!has("SOPClassUID") || !has("SOPInstanceUID"))
    throw Error(Errc::format, "a DICOM file needs SOPClassUID and SOPInstanceUID");
  E_TransferSyntax syntax = keep_syntax ? data.getOriginalXfer() : EXS_LittleEndianExplicit;
  if (syntax == EXS_Unknown) syntax = EXS_LittleEndianExplicit;
  OFCondition done = data.chooseRepresentation(syntax, nullptr);
  if (done.good()) {
    file.loadAllDataIntoMemory();
    file.getMetaInfo()->clear();
    done = file.validateMetaInfo(syntax, EWM_createNewMeta);
  }
  if (done.bad()) throw Error(Errc::format, fmt::format("cannot make a DICOM file: {}", done.text()));
  const auto size = static_cast<std::size_t>(file.calcElementLength(syntax, EET_ExplicitLength)) + 4096;
  std::vector<std::byte> out(size);
  DcmOutputBufferStream stream(out.data(), static_cast<offile_off_t>(size));
  file.transferInit();
  done = file.write(stream, syntax, EET_ExplicitLength, nullptr, EGL_recalcGL, EPD_withoutPadding);
  file.transferEnd();
  if (done.bad()) throw Error(Errc::format, fmt::format("cannot make a DICOM file: {}", done.text()));
  void* at = nullptr;
  offile_off_t length = 0;
  stream.flushBuffer(at, length);
  out.resize(static_cast<std::size_t>(length));
  return out;
}

void Dataset::write(const std::filesystem::path& path, bool keep_syntax) const {
  const auto all = bytes(keep_syntax);
  io::write_bytes(path, all.data(), all.size());
}

namespace {

std::string decimal_128(std::uint64_t high, std::uint64_t low) {
  auto v = (static_cast<unsigned __int128>(high) << 64) | low;
  std::string digits;
  do digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(v % 10)));
  while ((v /= 10) != 0);
  return digits;
}
// Version and variant bits of a UUID (RFC 4122).
std::string uuid_uid(std::uint64_t high, std::uint64_t low, std::uint64_t version) {
  high = (high & ~std::uint64_t{0xf000}) | (version << 12);
  low = (low & ~(std::uint64_t{3} << 62)) | (std::uint64_t{2} << 62);
  return "2.25." + decimal_128(high, low);
}

}  // namespace

std::string new_uid() {
  thread_local std::random_device random;
  const auto word = [] { return (static_cast<std::uint64_t>(random()) << 32) | random(); };
  const auto high = word();
  return uuid_uid(high, word(), 4);
}

std::string uid_from(std::string_view text) {
  const std::string hex = Sha256().add(text.data(), text.size()).hex();
  return uuid_uid(std::stoull(hex.substr(0, 16), nullptr, 16), std::stoull(hex.substr(16, 16), nullptr, 16), 5);
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
