// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <larmor/data/sequence.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Pulse sequences in the Pulseq format (.seq).
///
/// Gradients and pulses are in Hz/m and Hz in the file, and divided by gamma here: that of the definition "Gamma"
/// [Hz/T] when there is one (an own word of ours, written when it is not the proton's), else the proton's. Source
/// Layton et al., MRM 77:1544 (2017); Pulseq file format specification, versions 1.4 and 1.5
namespace larmor::io {

/// Reads versions 1.4 and 1.5: blocks, pulses, trapezoids, shaped gradients, sampling, labels. What makes blocks wait
/// or talks to the outside (triggers) is left out. Errors   Errc::file, Errc::format with the line; those of
/// Sequence::check
Sequence read_pulseq(const std::filesystem::path& path);
Sequence parse_pulseq(std::string_view text, const std::string& name = "text");

/// Writes version 1.4.1 with a checksum, atomically. Events and shapes that are equal are written once.
///
/// Shapes are rounded to 1e-9 of their greatest value; times of events have to be whole microseconds, dwell times whole
/// nanoseconds, durations of blocks whole block rasters.
/// Errors   Errc::range, with block and event, for times that the format cannot hold; those of Sequence::check
void write_pulseq(const std::filesystem::path& path, const Sequence& sequence);
std::string format_pulseq(const Sequence& sequence);

/// A shape as the format stores it: the derivative, where n equal values in a row (n >= 2) are that value twice and
/// then n - 2; or the samples themselves, where that is not shorter.
std::vector<double> compress_shape(std::span<const double> samples);
/// Errors   Errc::format unless it unpacks to `count` samples
std::vector<double> expand_shape(std::span<const double> stored, std::size_t count);

/// MD5 as 32 hexadecimal digits.  Source   RFC 1321
std::string md5_of(std::string_view text);

}  // namespace larmor::io
