// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/data/image.hpp>
#include <string>
#include <vector>

/// What sidecars say about an acquisition, in engine units.
namespace larmor::nodes {

/// Numbers that the metadata hold under `key`; empty when there are none.
std::vector<double> meta_numbers(const Metadata& meta, const std::string& key);
/// Excitation repetition time [s]: BIDS calls it RepetitionTimeExcitation where RepetitionTime is the time between
/// volumes.
std::vector<double> meta_TR(const Metadata& meta);
std::vector<double> in_rad(std::vector<double> deg);
std::vector<double> in_s(std::vector<double> ms);

}  // namespace larmor::nodes
