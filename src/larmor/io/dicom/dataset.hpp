// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <compare>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <larmor/core/error.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// DICOM objects as named attributes. The only header of the room that reads and writes them; no DCMTK type is seen.
namespace larmor::dicom {

/// (gggg,eeee)
struct Tag {
  std::uint16_t group = 0, element = 0;
  auto operator<=>(const Tag&) const = default;
  bool is_private() const { return (group & 1) != 0; }
};
/// By keyword of PS3.6 ("PatientName") or number ("0010,0010", "(0010,0010)").
/// Errors   Errc::unknown_name with the nearest keyword
Tag tag(std::string_view name);
/// The keyword; the number for what the dictionary does not know.
std::string name_of(Tag tag);
std::string number_of(Tag tag);  // "(0010,0010)"

/// Attributes of a data set or of an item of a sequence. A handle: copies refer to the same attributes and keep them
/// alive. Attributes are named by keyword or number; those that are absent read as empty.
class Item {
 public:
  bool has(std::string_view name) const;       // there, and not empty
  bool is_there(std::string_view name) const;  // there, maybe empty
  /// The value in UTF-8 by the character set of the data set, without padding; several values are separated by '\'.
  std::string text(std::string_view name) const;
  std::vector<std::string> texts(std::string_view name) const;
  /// Numbers of any numeric or decimal-text VR; what is no number is left out.
  std::vector<double> numbers(std::string_view name) const;
  std::optional<double> number(std::string_view name, std::size_t index = 0) const;
  /// Items of a sequence, none when it is absent.
  std::vector<Item> items(std::string_view name) const;
  /// The first item of a sequence.
  std::optional<Item> item(std::string_view name) const;

  /// Replaces a value, given as text ('\' between values) for any VR that is no sequence and no bytes. An empty text
  /// makes an empty attribute. Errors   Errc::format when the VR cannot hold it
  Item& set(std::string_view name, std::string_view value);
  Item& set(std::string_view name, const char* value) { return set(name, std::string_view(value)); }
  Item& set(std::string_view name, double value);  // DS: the shortest text of at most 16 characters
  Item& set(std::string_view name, int value);
  Item& set(std::string_view name, const std::vector<double>& values);
  /// OB or OW (`words`), even length.
  Item& set_bytes(std::string_view name, std::span<const std::byte> bytes, bool words = false);
  Item add(std::string_view name);  // a new item at the end of a sequence
  void empty_sequence(std::string_view name);
  void erase(Tag tag);
  void erase(std::string_view name) { erase(tag(name)); }
  /// An attribute of another data set, byte for byte; false when it is not there.
  bool copy(const Item& from, std::string_view name);

  /// What an attribute is, for walking through all of them.
  struct Attribute {
    Tag tag;
    std::string vr;
    bool sequence = false;
    std::size_t length = 0;
  };
  std::vector<Attribute> attributes() const;
  /// Items of a sequence by number, of private ones too.
  std::vector<Item> items(Tag tag) const;
  std::string text(Tag tag) const;
  void set(Tag tag, std::string_view value);
  void clear(Tag tag);  // zero length

 protected:
  friend class Dataset;
  Item(std::shared_ptr<void> owner, void* item) : owner_(std::move(owner)), item_(item) {}
  std::shared_ptr<void> owner_;
  void* item_ = nullptr;
};

/// A DICOM file in memory. Pixels stay in the file until they are asked for.
class Dataset : public Item {
 public:
  Dataset();  // empty
  /// Errors   Errc::file; Errc::format (not DICOM; truncated; an unknown transfer syntax)
  static Dataset read(const std::filesystem::path& path);
  /// Whether the file looks like DICOM: the prefix of PS3.10, or an old file that begins with group 0008.
  static bool is_dicom(const std::filesystem::path& path);

  /// "1.2.840.10008.1.2.1"
  std::string transfer_syntax() const;
  /// "JPEG Lossless, Non-hierarchical, 1st Order Prediction"
  std::string transfer_syntax_name() const;
  /// Pixels of all frames as they are stored, decompressed, in the machine's byte order: BitsAllocated / 8 bytes a
  /// sample. Errors   Errc::format (no pixels, fewer than the header says with both counts, a syntax that cannot be
  /// decoded)
  std::vector<std::byte> pixels() const;
  bool has_pixels() const;
  /// A DICOMDIR: the index of a disk, which names files and holds none.
  bool is_directory() const;

  /// A deep copy.
  Dataset clone() const;
  /// File of PS3.10: explicit little endian, or the syntax it was read in with `keep_syntax`. Whole or not at all.
  /// Errors   Errc::file, Errc::format (no SOP class or instance)
  void write(const std::filesystem::path& path, bool keep_syntax = false) const;
  std::vector<std::byte> bytes(bool keep_syntax = false) const;

 private:
  explicit Dataset(const std::shared_ptr<void>& file);
};

/// A new unique identifier, 2.25.<number of a random UUID> (PS3.5 B.2).
std::string new_uid();
/// The same identifier for the same text, below 2.25.
std::string uid_from(std::string_view text);
/// What a SOP class is called ("MR Image Storage"); the UID itself when unknown.
std::string class_name(std::string_view uid);

}  // namespace larmor::dicom
