// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <larmor/core/device.hpp>
#include <larmor/core/error.hpp>
#include <larmor/core/hash.hpp>
#include <larmor/core/pages.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/nn/weights.hpp>
#include <limits>
#include <nlohmann/json.hpp>

namespace larmor::nn {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

constexpr std::uint64_t most_header = 100'000'000;  // the limit that safetensors sets

/// Bit patterns of IEEE 754 binary16; millions of them are read at a start, so without library calls.
float from_half(std::uint16_t h) {
  const std::uint32_t sign = static_cast<std::uint32_t>(h & 0x8000) << 16, rest = h & 0x7fff;
  const std::uint32_t none = 0x7f800000 | (rest & 0x3ff) << 13;  // infinite, not a number
  // As the bits of a float the exponent is 112 too small, for denormal numbers too: a product mends both.
  const auto number = std::bit_cast<std::uint32_t>(std::bit_cast<float>(rest << 13) * 0x1p112f);
  return std::bit_cast<float>(sign | (rest >= 0x7c00 ? none : number));
}
std::uint16_t to_half(float f) {  // to the nearest, ties to even
  const auto bits = std::bit_cast<std::uint32_t>(f);
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000);
  const float size = std::abs(f);
  if (std::isnan(f)) return sign | 0x7e00;
  if (size >= 65520.0f) return sign | 0x7c00;
  if (size < 0x1p-14f)  // denormal: multiples of 2^-24
    return static_cast<std::uint16_t>(sign | static_cast<std::uint16_t>(std::nearbyint(size * 0x1p24f)));
  const std::uint32_t rest = (bits & 0x7fffffff) - (112u << 23);
  return static_cast<std::uint16_t>(sign | ((rest + 0xfff + (rest >> 13 & 1)) >> 13));
}

struct Kind {
  std::size_t size;
  void (*read)(const std::byte* from, std::size_t n, float* to);
};
template <class T>
T bits(const std::byte* p) {
  T v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
/// A loop for each kind, which compilers turn into vectors.
template <class T, class Convert>
Kind kind_of(Convert) {
  return {sizeof(T), [](const std::byte* from, std::size_t n, float* to) {
            for (std::size_t i = 0; i < n; ++i) to[i] = Convert()(bits<T>(from + i * sizeof(T)));
          }};
}
const std::map<std::string, Kind>& kinds() {
  static const std::map<std::string, Kind> all{
      {"F32", kind_of<float>([](float v) { return v; })},
      {"F64", kind_of<double>([](double v) { return static_cast<float>(v); })},
      {"F16", kind_of<std::uint16_t>([](std::uint16_t v) { return from_half(v); })},
      {"BF16", kind_of<std::uint16_t>(
                   [](std::uint16_t v) { return std::bit_cast<float>(static_cast<std::uint32_t>(v) << 16); })}};
  return all;
}

Error damaged(const std::string& what) {
  return {Errc::format, "damaged weights: " + what, "copy the file again, or train again; `larmor seg train` resumes"};
}

Tensor read_tensor(const std::string& name, const json& entry, std::span<const std::byte> data) {
  const auto kind = kinds().find(entry.at("dtype").get<std::string>());
  if (kind == kinds().end())
    throw damaged(fmt::format("'{}' is {}; known are F32, F64, F16, BF16", name, entry.at("dtype").dump()));
  Tensor t;
  std::uint64_t count = 1;
  for (const auto& n : entry.at("shape")) {
    t.shape.push_back(n.get<std::int64_t>());
    if (t.shape.back() < 0 || count > data.size())
      throw damaged(fmt::format("'{}' has the shape {}", name, entry.at("shape").dump()));
    count *= static_cast<std::uint64_t>(t.shape.back());
  }
  const auto begin = entry.at("data_offsets").at(0).get<std::uint64_t>();
  const auto end = entry.at("data_offsets").at(1).get<std::uint64_t>();
  if (end < begin || end > data.size())
    throw damaged(fmt::format("'{}' lies at bytes {} to {} of {}", name, begin, end, data.size()));
  if (end - begin != count * kind->second.size)
    throw damaged(fmt::format("'{}' has {} bytes for {} numbers", name, end - begin, count));
  t.values.resize(count);
  kind->second.read(data.data() + begin, count, t.values.data());
  return t;
}

}  // namespace

const Tensor& Weights::get(const std::string& name) const {
  const auto it = tensors.find(name);
  if (it != tensors.end()) return it->second;
  std::vector<std::string> names;
  for (const auto& [n, t] : tensors) names.push_back(n);
  throw unknown_name("tensor", name, names, "the weights belong to another network");
}

std::int64_t Weights::parameters() const {
  std::int64_t n = 0;
  for (const auto& [name, t] : tensors) n += static_cast<std::int64_t>(t.values.size());
  return n;
}

std::string sha256_of(const Weights& weights) {
  Sha256 sum;
  for (const auto& [name, t] : weights.tensors) sum.add(t.values.data(), t.values.size() * sizeof(float));
  return sum.hex();
}

std::vector<std::byte> encode(const Weights& weights, Precision precision) {
  const bool half = precision == Precision::half;
  const std::size_t width = half ? 2 : 4;
  json header = json::object();
  std::uint64_t at = 0;
  for (const auto& [name, t] : weights.tensors) {
    const std::uint64_t end = at + t.values.size() * width;
    header[name] = {{"dtype", half ? "F16" : "F32"}, {"shape", t.shape}, {"data_offsets", {at, end}}};
    at = end;
  }
  std::vector<std::byte> data(at);
  std::size_t to = 0;
  for (const auto& [name, t] : weights.tensors) {
    if (half) {
      for (const float v : t.values) {
        const std::uint16_t h = to_half(v);
        std::memcpy(data.data() + to, &h, 2);
        to += 2;
      }
    } else if (!t.values.empty()) {
      std::memcpy(data.data() + to, t.values.data(), t.values.size() * 4);
      to += t.values.size() * 4;
    }
  }
  auto meta = weights.meta;
  meta["sha256"] = Sha256().add(data.data(), data.size()).hex();
  header["__metadata__"] = meta;
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');  // the bytes start at a multiple of 8
  std::vector<std::byte> out(8 + text.size());
  const std::uint64_t length = text.size();
  std::memcpy(out.data(), &length, 8);
  std::memcpy(out.data() + 8, text.data(), text.size());
  out.insert(out.end(), data.begin(), data.end());
  return out;
}

Weights decode(std::span<const std::byte> bytes) {
  if (bytes.size() < 10) throw damaged(fmt::format("{} bytes hold no header", bytes.size()));
  const auto length = bits<std::uint64_t>(bytes.data());
  if (length > most_header || length > bytes.size() - 8)
    throw damaged(fmt::format("the header says it has {} bytes, the file has {}", length, bytes.size()));
  const auto data = bytes.subspan(8 + length);
  Weights out;
  std::string found;  // SHA-256 of the data
  try {
    const auto* text = reinterpret_cast<const char*>(bytes.data() + 8);
    const json header = json::parse(text, text + length);
    if (!header.is_object()) throw damaged("the header is no JSON object");
    std::uint64_t used = 0;
    std::vector<std::pair<const json*, Tensor*>> parts;
    std::vector<std::string> names;
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__") {
        out.meta = entry.get<std::map<std::string, std::string>>();
        continue;
      }
      used += entry.at("data_offsets").at(1).get<std::uint64_t>() - entry.at("data_offsets").at(0).get<std::uint64_t>();
      parts.emplace_back(&entry, &out.tensors[name]);
      names.push_back(name);
    }
    // The sum is the longest piece, so it goes first.
    parallel_for(parts.size() + 1, 1, [&](std::size_t begin, std::size_t end) {
      for (auto i = begin; i < end; ++i)
        if (i == 0)
          found = Sha256().add(data.data(), data.size()).hex();
        else
          *parts[i - 1].second = read_tensor(names[i - 1], *parts[i - 1].first, data);
    });
    if (used != data.size())
      throw damaged(fmt::format("the tensors have {} bytes, the file {} after its header", used, data.size()));
  } catch (const json::exception& e) {
    throw damaged(fmt::format("the header cannot be read ({})", e.what()));
  }
  if (const auto it = out.meta.find("sha256"); it != out.meta.end()) {
    if (found != it->second) throw damaged(fmt::format("SHA-256 is {}, the file says {}", found, it->second));
  }
  return out;
}

void write_whole(const fs::path& path, std::span<const std::byte> bytes) {
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::error_code failed;
  fs::create_directories(folder, failed);
  std::string work = (folder / ("." + path.filename().string() + ".XXXXXX")).string();
  const int file = ::mkstemp(work.data());
  const auto fail = [&](const char* doing) {
    const std::string why = std::strerror(errno);
    if (file >= 0) ::close(file), ::unlink(work.c_str());
    throw Error(Errc::file, fmt::format("cannot {} {}: {}", doing, path.string(), why),
                "is there space, and may you write there?");
  };
  if (file < 0) fail("write");
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto n = ::write(file, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail("write");
    done += static_cast<std::size_t>(n);
  }
  if (::fchmod(file, 0644) != 0 || ::fsync(file) != 0) fail("write");
  ::close(file);
  if (::rename(work.c_str(), path.c_str()) != 0) {
    const std::string why = std::strerror(errno);
    ::unlink(work.c_str());
    throw Error(Errc::file, fmt::format("cannot name {}: {}", path.string(), why));
  }
}

void write_weights(const fs::path& path, const Weights& weights, Precision precision) {
  write_whole(path, encode(weights, precision));
}

Weights read_weights(const fs::path& path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in || fs::is_directory(path))
    throw Error(Errc::file, fmt::format("cannot read {}", path.string()), "is the name right?");
  const auto size = static_cast<std::size_t>(in.tellg());
  const auto memory = allocate_pages(size);  // once read it is gone: as few pages as can be
  in.seekg(0);
  in.read(reinterpret_cast<char*>(memory.get()), static_cast<std::streamsize>(size));
  if (!in) throw Error(Errc::file, fmt::format("cannot read {}", path.string()));
  try {
    return decode({memory.get(), size});
  } catch (Error& e) {
    e.at(path.string());
    throw;
  }
}

}  // namespace larmor::nn
