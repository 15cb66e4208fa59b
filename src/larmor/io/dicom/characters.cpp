// SPDX-License-Identifier: Apache-2.0
#include <larmor/io/dicom/characters.hpp>
//
#include <dcmtk/dcmdata/dcspchrs.h>
#include <iconv.h>

namespace larmor::dicom {
namespace {

struct Converter {
  std::string from = "?";
  DcmSpecificCharacterSet set;
  bool usable = false;
};

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

OFString charset_of(DcmItem& item) {
  OFString charset;
  for (DcmItem* at = &item; at != nullptr; at = at->getParentItem())
    if (at->findAndGetOFStringArray(DCM_SpecificCharacterSet, charset).good()) break;
  return charset;
}

}  // namespace

std::string stored(const std::string& text, DcmItem& item) {
  if (plain(text)) return text;
  const OFString charset = charset_of(item);
  if (charset == "ISO_IR 192" || iconv_from("UTF-8", text).empty()) return text;
  DcmSpecificCharacterSet set;
  OFString out;
  if (!charset.empty() && set.selectCharacterSet("ISO_IR 192", charset).good() &&
      set.convertString(OFString(text.c_str(), text.size()), out, "\\^=").good())
    return {out.c_str(), out.length()};
  std::string ascii;
  for (const char c : text)
    if (const auto u = static_cast<unsigned char>(c); u < 0x80)
      ascii += c;
    else if (u >= 0xc0)  // the first byte of a character
      ascii += '?';
  return ascii;
}

std::string utf8(const std::string& value, DcmItem& item) {
  if (plain(value)) return value;
  const OFString charset = charset_of(item);
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

}  // namespace larmor::dicom
