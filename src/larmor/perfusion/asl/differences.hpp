// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <larmor/core/registry.hpp>
#include <span>
#include <string>
#include <vector>

namespace larmor::asl {

/// What a volume of a series is (aslcontext.tsv). With time-encoded labelling the volumes are `encoded`.
enum class Role : std::uint8_t { control, label, m0, difference, encoded, other };
std::string name_of(Role role);
/// control, label, m0scan, deltam; n/a, noRF and cbf are `other`. Errors   Errc::unknown_name with the nearest
Role role_of(const std::string& text);

/// Volumes to difference images control - label: every one is a weighted sum of volumes.
using WeightRows = std::vector<std::vector<double>>;  // [difference][volume]
struct Difference {
  std::string title, source;
  /// `roles` are control and label only, in the order of acquisition, of one timing.
  /// Errors   Errc::shape when they cannot be subtracted so, with the counts
  std::function<WeightRows(std::span<const Role> roles)> weights;
};
using DifferenceMethods = Registry<Difference>;
/// difference.mean difference.pairwise difference.surround difference.sinc
const DifferenceMethods& difference_methods();

/// Weighted sums of the volumes of (x, y, z, t), f32 (x, y, z, rows).
/// Errors   Errc::shape unless a row has a weight a volume
Array weighted_sums(const Array& series, const WeightRows& rows, const Cancel* cancel = nullptr);

/// Rows for volumes of several timings: those of equal group are subtracted among themselves by `method`, volumes that
/// are neither control nor label are left out, and a `difference` volume is taken as it is.
/// Result   the rows, and the group of each
struct GroupedRows {
  WeightRows rows;
  std::vector<int> group;
};
GroupedRows grouped_rows(const Difference& method, std::span<const Role> roles, std::span<const int> groups);

/// Encodings of time-encoded labelling: row k says of every sub-bolus whether it is label (1) or control (0) in
/// encoding k, from a Hadamard matrix of `order` (2, 4, 8, ..., or 12 times a power of 2) without its first column.
/// Errors   Errc::range for an order that has none here, naming those that do
std::vector<std::vector<std::uint8_t>> hadamard_encoding(int order);

/// Decodes encodings: one row a sub-bolus over the encodings, whose weighted sum is control - label of that sub-bolus.
/// Errors   Errc::shape (rows of different length), Errc::numeric unless the encodings tell every sub-bolus from the
///          others and from static tissue
/// Source   Gunther, Proc ISMRM 15:380 (2007); Dai et al., MRM 69:1014 (2013)
WeightRows decoding_rows(const std::vector<std::vector<std::uint8_t>>& encoding);

}  // namespace larmor::asl
