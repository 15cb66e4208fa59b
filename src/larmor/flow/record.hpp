// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <larmor/flow/value.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace larmor::flow {

/// What is known of the result at one port without having it.
struct PortRecord {
  std::string name, type, describe;
  Hash hash;
  std::size_t bytes = 0;
  Value small = {};  // values of a few bytes are kept here; others in the store
};

/// What a step gave for a key: enough to know the keys of those that read it.
struct Record {
  Hash key;
  std::string op;
  int version = 1;
  double seconds = 0;
  bool impure = false;
  std::vector<PortRecord> ports;  // in the order of the step's outputs
  std::vector<std::string> warnings;
  std::vector<std::pair<std::filesystem::path, Hash>> written;  // by an effect, with their stamps
  /// Zones: the last record of each node inside ("blur"), and of each round with history ("blur@3").
  std::map<std::string, std::shared_ptr<const Record>> inside;
};
using RecordPtr = std::shared_ptr<const Record>;

/// Values below this stay in records: neither evicted nor counted.
inline constexpr std::size_t small_bytes = 4096;

}  // namespace larmor::flow
