// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace larmor::nn {

/// n-dimensional block of numbers as a network names it, last axis fastest (the order of every framework's files).
struct Tensor {
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

/// Weights of a network and the facts that are needed to use them.
///
/// The file has the layout of safetensors: the length of the header (u64, little endian), the header as JSON (name ->
/// dtype, shape, begin and end of its bytes; "__metadata__" -> texts), the bytes (F32, little endian, packed in the
/// order of names; F16 where half the size is worth the eleven bits). Ours adds "sha256" to the metadata: of the bytes
/// after the header.
struct Weights {
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::string> meta;

  /// Errors   Errc::unknown_name with the nearest name
  const Tensor& get(const std::string& name) const;
  std::int64_t parameters() const;
};

/// Text of 64 hexadecimal digits over the bytes of all tensors.
std::string sha256_of(const Weights& weights);

enum class Precision { single, half };  // of the numbers in a file

std::vector<std::byte> encode(const Weights& weights, Precision precision = Precision::single);
/// Reads F32, F16, BF16 and F64. Errors   Errc::format: no header, header too long, tensors that overlap, leave gaps or
/// pass the end (with both numbers), a dtype that is not a float, a SHA-256 that differs (with both)
Weights decode(std::span<const std::byte> bytes);

/// Under a temporary name in the same folder, flushed and renamed. Errors   Errc::file
void write_weights(const std::filesystem::path& path, const Weights& weights, Precision precision = Precision::single);
/// Errors   Errc::file, and those of decode with the file's name
Weights read_weights(const std::filesystem::path& path);

/// Any bytes, the same way: afterwards the file is whole or as it was.
void write_whole(const std::filesystem::path& path, std::span<const std::byte> bytes);

}  // namespace larmor::nn
