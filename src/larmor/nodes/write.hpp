// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <larmor/data/sequence.hpp>
#include <larmor/flow/value.hpp>
#include <larmor/io/png.hpp>
#include <larmor/io/table.hpp>
#include <larmor/nodes/values/report.hpp>
#include <string>

/// One function a format, with the place of the provenance in it; files.hpp chooses among them by the name.
namespace larmor::nodes {

/// Beside it, in <path>.json.
void write_npy_file(const std::filesystem::path& path, const Array& array, const std::string& provenance);
/// Beside them, in <path>.json.
void write_cfl_file(const std::filesystem::path& path, const Array& array, const std::string& provenance);
/// In a line `# larmor provenance {...}` at the top. A curve is a table with a column a series, numbers are one column.
void write_table_file(const std::filesystem::path& path, const flow::Value& value, const std::string& provenance);
/// In a text called "Provenance".
void write_png_file(const std::filesystem::path& path, const io::Picture& picture, const std::string& provenance);
/// In the definition "Provenance".
void write_pulseq_file(const std::filesystem::path& path, Sequence sequence, const std::string& provenance);
/// In <meta name="provenance" content="...">.
void write_report_file(const std::filesystem::path& path, const Page& page, const std::string& provenance);
/// Objects are records, arrays lists. Errors   Errc::format with the file
flow::Value read_json_file(const std::filesystem::path& path);
/// An array of a .npy file, with the names of axes that the sidecar beside it (NAME.npy.json) has under Axes, as
/// write_npy_file leaves them. Errors   those of the files; Errc::shape for another number of names
Array read_npy_file(const std::filesystem::path& path);
/// With other names (as with_axis_names takes them; empty: as above), and axes put in an order on the way (names or
/// numbers of some; empty: the file's). Errors   also those of axes_in
Array read_npy_ordered(const std::filesystem::path& path, const std::string& names, const std::string& order);

/// A curve, numbers or a table as a table. Errors   Errc::type
io::Table table_from(const flow::Value& value);

}  // namespace larmor::nodes
