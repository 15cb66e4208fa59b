// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <larmor/flow/value_file.hpp>
#include <nlohmann/json.hpp>

namespace larmor::flow {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

constexpr std::uint64_t magic = 0x31564c4f574d524c;  // "LRMWOLV1" as bytes: changes with the layout
constexpr std::uint64_t alignment = 64;

struct Prefix {
  std::uint64_t magic = flow::magic, head_bytes = 0, file_bytes = 0;
  Hash head_hash;
  double seconds = 0;
};
static_assert(sizeof(Prefix) == 48);

std::uint64_t aligned(std::uint64_t at) { return (at + alignment - 1) / alignment * alignment; }

Error failed(const fs::path& path, const char* what) {
  return Error(Errc::file, path.string() + ": " + what + ": " + std::strerror(errno));
}

struct File {
  int fd = -1;
  explicit File(int fd_) : fd(fd_) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd >= 0) ::close(fd);
  }
};

void write_all(const File& file, const fs::path& path, const void* data, std::size_t size, std::uint64_t at) {
  const auto* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const auto n = ::pwrite(file.fd, bytes, size, static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) throw failed(path, "could not be written");
    bytes += n, at += static_cast<std::uint64_t>(n), size -= static_cast<std::size_t>(n);
  }
}

bool read_all(const File& file, void* data, std::size_t size, std::uint64_t at) {
  auto* bytes = static_cast<char*>(data);
  while (size > 0) {
    const auto n = ::pread(file.fd, bytes, size, static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes += n, at += static_cast<std::uint64_t>(n), size -= static_cast<std::size_t>(n);
  }
  return true;
}

Error cut_off(const fs::path& path) { return {Errc::format, path.string() + ": not a whole file of a value"}; }

DType dtype_named(const std::string& name, const fs::path& path) {
  for (const DType type :
       {DType::boolean, DType::u8, DType::i16, DType::i32, DType::f32, DType::f64, DType::c64, DType::c128})
    if (to_string(type) == name) return type;
  throw cut_off(path);
}

}  // namespace

void write_value_file(const fs::path& path, const Value& value, double seconds) {
  const Encoded encoded = encode(value);
  Json buffers = Json::array();
  std::uint64_t at = 0;  // behind the head
  for (const auto& a : encoded.buffers) {
    buffers.push_back(
        {{"dtype", to_string(a.dtype())}, {"shape", a.shape()}, {"axes", a.axes()}, {"at", at}, {"bytes", a.bytes()}});
    at = aligned(at + a.bytes());
  }
  const std::string head = Json{{"value", encoded.head}, {"buffers", std::move(buffers)}}.dump();
  const std::uint64_t data = aligned(sizeof(Prefix) + head.size());
  Prefix prefix;
  prefix.head_bytes = head.size(), prefix.file_bytes = data + at;
  prefix.head_hash = Hasher().add(head).done(), prefix.seconds = seconds;

  static std::atomic<unsigned> number{0};
  fs::path part = path;
  part += ".part-" + std::to_string(::getpid()) + "-" + std::to_string(number++);
  std::error_code ignored;
  try {
    const File file(::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (file.fd < 0) throw failed(part, "could not be made");
    write_all(file, part, &prefix, sizeof prefix, 0);
    write_all(file, part, head.data(), head.size(), sizeof prefix);
    std::uint64_t to = data;
    for (const auto& a : encoded.buffers) {
      write_all(file, part, a.raw(), a.bytes(), to);
      to = aligned(to + a.bytes());
    }
    if (::ftruncate(file.fd, static_cast<off_t>(prefix.file_bytes)) != 0) throw failed(part, "could not be written");
    if (::rename(part.c_str(), path.c_str()) != 0) throw failed(path, "could not be put in place");
  } catch (...) {
    fs::remove(part, ignored);
    throw;
  }
}

Value read_value_file(const fs::path& path, double* seconds) {
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd < 0) throw failed(path, "could not be opened");
  struct stat s {};
  Prefix prefix;
  if (::fstat(file.fd, &s) != 0 || !read_all(file, &prefix, sizeof prefix, 0)) throw cut_off(path);
  const auto size = static_cast<std::uint64_t>(s.st_size);
  if (prefix.magic != magic || prefix.file_bytes != size || prefix.head_bytes > size) throw cut_off(path);
  std::string head(prefix.head_bytes, '\0');
  if (!read_all(file, head.data(), head.size(), sizeof prefix) || Hasher().add(head).done() != prefix.head_hash)
    throw cut_off(path);
  std::vector<Array> arrays;
  std::string value;
  try {
    const Json json = Json::parse(head);
    value = json.at("value").get<std::string>();
    const std::uint64_t data = aligned(sizeof(Prefix) + head.size());
    for (const auto& b : json.at("buffers")) {
      const auto at = data + b.at("at").get<std::uint64_t>();
      if (b.at("bytes").get<std::uint64_t>() == 0 && b.at("shape").empty()) {
        arrays.emplace_back();  // one that was never made has no element; rank 0 has one
        continue;
      }
      Array a = Array::uninitialised(dtype_named(b.at("dtype").get<std::string>(), path), b.at("shape").get<Shape>(),
                                     b.at("axes").get<Axes>());
      if (at + a.bytes() > size || !read_all(file, a.raw(), a.bytes(), at)) throw cut_off(path);
      arrays.push_back(std::move(a));
    }
  } catch (const Json::exception&) {
    throw cut_off(path);
  }
  if (seconds) *seconds = prefix.seconds;
  return decode(value, arrays);
}

double seconds_of_value_file(const fs::path& path) {
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  Prefix prefix;
  if (file.fd < 0 || !read_all(file, &prefix, sizeof prefix, 0) || prefix.magic != magic) return -1;
  return prefix.seconds;
}

}  // namespace larmor::flow
