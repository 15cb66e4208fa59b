// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace larmor::seg {

/// Who is in a picture, from the name of its file: with "pairs" the files numbered 2k - 1 and 2k are one person
/// (hippocampus_007 and _008: "4"), with "file" every file is somebody else.
/// Errors   Errc::unknown_name (rule), Errc::format for pairs without a number in the name
std::string person_of(const std::string& name, const std::string& rule);

/// Fold 0 .. n - 1 of every entry: all of a person in one fold, folds as equal in persons as can be, chosen by the seed
/// alone and not by the order of the entries. Errors   Errc::range for fewer persons than folds
std::vector<int> person_folds(const std::vector<std::string>& persons, int n, std::uint64_t seed);

}  // namespace larmor::seg
