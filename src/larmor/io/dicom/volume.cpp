// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <larmor/core/parallel.hpp>
#include <larmor/io/dicom/volume.hpp>
#include <map>

namespace larmor::dicom {
namespace {

// How pixels of an object are stored.
struct Storage {
  int allocated = 16, stored = 16, high = 15;
  bool is_signed = false, real = false;
};

Storage storage_of(const Instance& instance) {
  const Dataset& d = instance.data;
  Storage s;
  s.real = !d.is_there("PixelData");
  s.allocated = static_cast<int>(d.number("BitsAllocated").value_or(16));
  s.stored = static_cast<int>(d.number("BitsStored").value_or(s.allocated));
  s.high = static_cast<int>(d.number("HighBit").value_or(s.stored - 1));
  s.is_signed = d.number("PixelRepresentation").value_or(0) == 1;
  const auto samples = static_cast<int>(d.number("SamplesPerPixel").value_or(1));
  if (samples != 1 || d.text("PhotometricInterpretation") == "PALETTE COLOR")
    throw Error(Errc::format,
                fmt::format("{} is a colour picture ({} samples a pixel, {})", instance.file.string(), samples,
                            d.text("PhotometricInterpretation")),
                "choose a series of grey images");
  const bool sane = s.real ? s.allocated == 32 || s.allocated == 64
                           : (s.allocated == 8 || s.allocated == 16 || s.allocated == 32) && s.stored >= 1 &&
                                 s.stored <= s.allocated && s.high < s.allocated && s.high >= s.stored - 1;
  if (!sane)
    throw Error(Errc::format, fmt::format("{} stores pixels as {} bits of {}, the highest at {}: that is not supported",
                                          instance.file.string(), s.stored, s.allocated, s.high));
  return s;
}

// One stored value, shifted and sign-extended.
template <class U>
std::int64_t value_of(U raw, const Storage& s) {
  std::uint64_t v = static_cast<std::uint64_t>(raw) >> (s.high + 1 - s.stored);
  const std::uint64_t mask = s.stored >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << s.stored) - 1;
  v &= mask;
  if (s.is_signed && (v >> (s.stored - 1)) & 1) v |= ~mask;
  return static_cast<std::int64_t>(v);
}

template <class U, class T>
void copy_stored(const std::byte* from, std::size_t n, const Storage& s, double slope, double intercept, T* to) {
  for (std::size_t i = 0; i < n; ++i) {
    U raw;
    std::memcpy(&raw, from + i * sizeof(U), sizeof(U));
    if constexpr (std::is_floating_point_v<U>)
      to[i] = static_cast<T>(slope * static_cast<double>(raw) + intercept);
    else if constexpr (std::is_floating_point_v<T>)
      to[i] = static_cast<T>(slope * static_cast<double>(value_of(raw, s)) + intercept);
    else
      to[i] = static_cast<T>(value_of(raw, s));
  }
}

template <class T>
void copy_frame(const std::byte* from, std::size_t n, const Storage& s, const Frame& f, T* to) {
  if (s.real && s.allocated == 32)
    copy_stored<float>(from, n, s, f.slope, f.intercept, to);
  else if (s.real)
    copy_stored<double>(from, n, s, f.slope, f.intercept, to);
  else if (s.allocated == 8)
    copy_stored<std::uint8_t>(from, n, s, f.slope, f.intercept, to);
  else if (s.allocated == 16)
    copy_stored<std::uint16_t>(from, n, s, f.slope, f.intercept, to);
  else
    copy_stored<std::uint32_t>(from, n, s, f.slope, f.intercept, to);
}

// The narrowest type that holds every value of every object.
DType type_for(const std::vector<Frame>& frames, const std::vector<Storage>& stored) {
  bool real = false, wide = false, narrow = true;
  for (const auto& f : frames) {
    const auto& s = stored[f.instance];
    if (s.real || f.slope != 1 || f.intercept != 0 || s.stored > 31) real = true;
    if (s.stored > 15 && !(s.is_signed && s.stored == 16)) wide = true;
    if (s.stored > 8 || s.is_signed) narrow = false;
  }
  return real ? DType::f32 : wide ? DType::i32 : narrow ? DType::u8 : DType::i16;
}

void add_facts(const Series& series, Metadata& meta) {
  const Dataset& d = series.head();
  const auto shared = d.item("SharedFunctionalGroupsSequence");
  const auto number = [&](const char* to, const char* from, double per_unit, const char* group = "",
                          const char* inside = "") {
    std::optional<double> v = d.number(from);
    if (!v && shared && *group)
      if (const auto item = shared->item(group)) v = item->number(*inside ? inside : from);
    if (v) meta[to] = *v / per_unit;
  };
  const auto word = [&](const char* to, const char* from) {
    if (auto v = d.text(from); !v.empty()) meta[to] = std::move(v);
  };
  // BIDS names and units; who is examined stays in the DICOM files.
  number("RepetitionTime", "RepetitionTime", 1000, "MRTimingAndRelatedParametersSequence");
  number("EchoTime", "EchoTime", 1000, "MREchoSequence", "EffectiveEchoTime");
  number("InversionTime", "InversionTime", 1000);
  number("FlipAngle", "FlipAngle", 1, "MRTimingAndRelatedParametersSequence");
  number("MagneticFieldStrength", "MagneticFieldStrength", 1);
  number("SliceThickness", "SliceThickness", 1, "PixelMeasuresSequence");
  number("SeriesNumber", "SeriesNumber", 1);
  word("Modality", "Modality");
  word("Manufacturer", "Manufacturer");
  word("ManufacturersModelName", "ManufacturerModelName");
  word("SeriesDescription", "SeriesDescription");
  word("ProtocolName", "ProtocolName");
  word("SequenceName", "SequenceName");
  if (auto type = d.texts("ImageType"); !type.empty()) meta["ImageType"] = std::move(type);
  if (d.text("PhotometricInterpretation") == "MONOCHROME1")
    meta["PhotometricInterpretation"] = std::string("MONOCHROME1");
}

}  // namespace

Volume read_volume(const Series& series, const VolumeOptions& options, const Progress& progress, const Cancel* cancel) {
  Layout layout = lay_out(series, options);
  std::vector<Storage> stored(series.instances.size());
  for (const auto& f : layout.frames) stored[f.instance] = storage_of(series.instances[f.instance]);

  Volume out;
  Shape shape(layout.size.begin(), layout.size.end() - (layout.size[3] == 1 ? 1 : 0));
  Axes axes{"x", "y", "z"};
  if (layout.size[3] > 1) axes.push_back(layout.fourth);
  out.image.data = Array::uninitialised(type_for(layout.frames, stored), shape, axes);
  out.image.affine = layout.affine;
  out.image.source = series.instances[0].file.parent_path().string();
  add_facts(series, out.image.meta);
  out.warnings = std::move(layout.warnings);
  out.promised_more = layout.promised_more;

  std::map<std::size_t, std::vector<std::size_t>> slices;  // instance to places in the volume
  for (std::size_t k = 0; k < layout.frames.size(); ++k) slices[layout.frames[k].instance].push_back(k);
  std::vector<std::pair<std::size_t, std::vector<std::size_t>>> work(slices.begin(), slices.end());
  const auto n = static_cast<std::size_t>(layout.size[0] * layout.size[1]);
  progress.begin("reading pixels", work.size());
  parallel_for(
      work.size(), 1,
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t w = begin; w < end; ++w) {
          const auto& [instance, places] = work[w];
          const auto& file = series.instances[instance].file;
          try {
            // Read again, so that decoded pixels are let go with the object.
            const auto pixels = Dataset::read(file).pixels();
            for (const std::size_t k : places) {
              const Frame& f = layout.frames[k];
              const auto& s = stored[instance];
              const auto* from =
                  pixels.data() + static_cast<std::size_t>(f.number) * n * static_cast<std::size_t>(s.allocated / 8);
              switch (out.image.data.dtype()) {
                case DType::u8:
                  copy_frame(from, n, s, f, out.image.data.data<std::uint8_t>() + k * n);
                  break;
                case DType::i16:
                  copy_frame(from, n, s, f, out.image.data.data<std::int16_t>() + k * n);
                  break;
                case DType::i32:
                  copy_frame(from, n, s, f, out.image.data.data<std::int32_t>() + k * n);
                  break;
                default:
                  copy_frame(from, n, s, f, out.image.data.data<float>() + k * n);
              }
            }
          } catch (Error& e) {
            e.at(file.string());
            throw;
          }
        }
        progress.add(end - begin);
      },
      cancel);
  progress.end();
  out.frames = std::move(layout.frames);
  return out;
}

}  // namespace larmor::dicom
