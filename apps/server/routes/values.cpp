// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <charconv>

#include "../download.hpp"
#include "../onto.hpp"
#include "../statistics.hpp"
#include "../studio.hpp"
#include "../value_tree.hpp"

namespace larmor::server {
namespace {

std::string joined(const Shape& numbers) { return fmt::format("{}", fmt::join(numbers, ",")); }

std::optional<std::pair<double, double>> window_of(std::string_view text) {
  if (text.empty()) return std::nullopt;
  double v[2];
  const auto colon = text.find(':');
  for (int k = 0; k < 2; ++k) {
    const std::string_view one = k ? text.substr(std::min(text.size(), colon + 1)) : text.substr(0, colon);
    const auto [end, error] = std::from_chars(one.data(), one.data() + one.size(), v[k]);
    if (colon == std::string_view::npos || error != std::errc{} || end != one.data() + one.size())
      throw Error(Errc::format, fmt::format("'{}' is no window", text), "write window=0:1000");
  }
  return std::pair(v[0], v[1]);
}

SliceQuery slice_of(const Call& call) {
  SliceQuery q;
  q.axes = parse_axes(call.param("axes"));
  q.at = parse_indices(call.param("at"));
  q.range = parse_ranges(call.param("range"));
  q.max = call.integer("max").value_or(0);
  q.part = part_of(call.param("part"));
  if (!call.param("dtype").empty()) q.dtype = call.param("dtype");
  q.window = window_of(call.param("window"));
  return q;
}

flow::Value value_of(Studio& studio, const Call& call, const char* which = "port") {
  const std::string port(call.param(which));
  const flow::Value value = studio.session(call.place("g"))->value(port);
  if (value.none())
    throw HttpError(404, Errc::unknown_name, fmt::format("'{}' has no value yet", port), "run the node first");
  return value;
}

Response read_value(Studio& studio, const Call& call) {
  const flow::Value value = value_of(studio, call);
  const std::string hash = value.hash().str();
  return json_response({{"type", value.type()},
                        {"describe", value.describe()},
                        {"hash", hash},
                        {"bytes", value.bytes()},
                        {"value", value_tree(value, hash)}});
}

Slice array_slice(const Call& call, const flow::Value& value, const flow::Value& grid, std::size_t limit) {
  const Array array = array_at(value, call.param("path"));
  if (grid.none()) return read_slice(array, slice_of(call), limit);
  const auto of_array = affine_of(value), of_grid = affine_of(grid);
  if (!of_array || !of_grid)
    throw Error(Errc::type, fmt::format("{} has no place in space", (of_array ? grid : value).describe()),
                "give two images with an affine");
  return read_onto(array, *of_array, array_at(grid, ""), *of_grid, slice_of(call), limit);
}

Response read_array(Studio& studio, const Call& call) {
  const flow::Value value = value_of(studio, call);
  const flow::Value grid = call.param("onto").empty() ? flow::Value() : value_of(studio, call, "onto");
  // The same question about the same content has the same answer.
  const std::string hash = value.hash().str();
  const std::string where = grid.none() ? "" : grid.hash().str();
  const std::string etag = "\"" + flow::Hasher().add(hash).add(where).add(call.request.target).done().str() + "\"";
  Response r;
  r.type = "application/octet-stream";
  r.headers = {{"ETag", etag}, {"Cache-Control", "private, no-cache"}};
  if (call.request.header("if-none-match") == etag) {
    r.status = 304;
    return r;
  }
  Slice slice = array_slice(call, value, grid, studio.options().answer_limit);
  r.headers.emplace_back("X-Larmor-Shape", joined(slice.shape));
  r.headers.emplace_back("X-Larmor-Axes", fmt::format("{}", fmt::join(slice.axes, ",")));
  r.headers.emplace_back("X-Larmor-Dtype", std::string(to_string(slice.dtype)));
  r.headers.emplace_back("X-Larmor-Step", joined(slice.step));
  r.headers.emplace_back("X-Larmor-Hash", hash);
  r.body = std::move(slice.bytes);
  return r;
}

Response read_statistics(Studio& studio, const Call& call) {
  const flow::Value value = value_of(studio, call);
  StatisticsQuery q;
  q.axes = parse_axes(call.param("axes"));
  q.at = parse_indices(call.param("at"));
  q.region = Region::parse(call.param("shape"));
  q.part = part_of(call.param("part"));
  q.bins = static_cast<int>(std::clamp<std::int64_t>(call.integer("bins").value_or(64), 0, 1 << 20));
  json out = statistics(array_at(value, call.param("path")), q).json();
  out["hash"] = value.hash().str();
  return json_response(out);
}

Response read_download(Studio& studio, const Call& call) {
  Download how;
  how.format = call.param("format");
  for (const char c : call.param("port"))
    how.name += std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' ? c : '_';
  how.path = call.param("path");
  how.slice = slice_of(call);
  if (!call.param("colours").empty()) how.colours = call.param("colours");
  how.most_bytes = studio.options().answer_limit;
  return download(value_of(studio, call), how);
}

}  // namespace

void add_value_routes(Router& router, Studio& studio) {
  const Param port{"port", "out-port of a node: fit.Ktrans, loop/inner.out", "show.out", true};
  const Param path{"path", "array inside the value, as its tree says; empty: its data", ""};
  const Param axes{"axes", "axes of the answer, in order", "x,y"};
  const Param at{"at", "index on the other axes; 0 when not given", "z:0"};
  const Param part{"part", "native, real, imag, abs or phase", "abs"};
  const Param window{"window", "values that become 0 and 255 of u8", "0:100"};
  router.add({.method = "GET",
              .path = "/api/graphs/{g}/form",
              .id = "readForm",
              .does = "Settings of a node, adapted to the data that come in",
              .tag = "values",
              .params = {{"node", "path of the node", "show", true}},
              .reply = R"({"type":"object","required":["settings","hidden","warnings"],"properties":{
                  "settings":{"type":"array","items":{"type":"object"}},"hidden":{"type":"array","items":{"type":"string"}},
                  "warnings":{"type":"array","items":{"type":"string"}}}})",
              .fails = {404},
              .run = [&studio](const Call& call) {
                return json_response(studio.session(call.place("g"))->form(std::string(call.param("node"))));
              }});
  router.add({.method = "GET",
              .path = "/api/graphs/{g}/value",
              .id = "readValue",
              .does = "The value of a port, with arrays as their shape and range",
              .tag = "values",
              .params = {port},
              .reply = R"({"type":"object","required":["type","describe","hash","bytes","value"],"properties":{
                  "type":{"type":"string"},"describe":{"type":"string"},"hash":{"type":"string"},
                  "bytes":{"type":"integer"},"value":{"description":"not-finite numbers are {\"$number\": \"nan\"}"}}})",
              .fails = {404},
              .heavy = true,
              .run = [&studio](const Call& call) { return read_value(studio, call); }});
  router.add(
      {.method = "GET",
       .path = "/api/graphs/{g}/rounds",
       .id = "countRounds",
       .does = "How many rounds of the outermost loop around a port are kept: loop@0/inner.out and loop.out@0 name one",
       .tag = "values",
       .params = {port},
       .reply = R"({"type":"object","required":["rounds"],"properties":{"rounds":{"type":"integer"}}})",
       .fails = {404},
       .heavy = true,
       .run = [&studio](const Call& call) {
         return json_response({{"rounds", studio.session(call.place("g"))->rounds(std::string(call.param("port")))}});
       }});
  router.add({.method = "GET",
              .path = "/api/graphs/{g}/array",
              .id = "readArray",
              .does =
                  "Elements of an array, little-endian, first axis fastest. The headers X-Larmor-Shape, -Axes, -Dtype, "
                  "-Step and -Hash say what came",
              .tag = "values",
              .params = {port,
                         path,
                         axes,
                         at,
                         {"dtype", "native, f32 or u8", "f32"},
                         part,
                         {"max", "no extent larger than this: every n-th element is sent", "1024"},
                         {"range", "axis:begin:end on axes of the answer", "x:0:10"},
                         window,
                         {"onto",
                          "port of an image: the plane is one of its grid, and samples are taken at the same "
                          "places in space",
                          ""}},
              .type = "application/octet-stream",
              .fails = {304, 404, 413},
              .heavy = true,
              .run = [&studio](const Call& call) { return read_array(studio, call); }});
  router.add(
      {.method = "GET",
       .path = "/api/graphs/{g}/statistics",
       .id = "readStatistics",
       .does = "Count, range, mean, sd, percentiles and histogram of the finite elements, in a region or of all",
       .tag = "values",
       .params = {port,
                  path,
                  axes,
                  {"at", "index on other axes; those not given count in full", "z:0"},
                  {"shape", "rect:x0:y0:x1:y1, ellipse:x0:y0:x1:y1 or polygon:x:y:x:y:...", "rect:1:1:3:3"},
                  part,
                  {"bins", "of the histogram", "64"}},
       .reply = R"({"type":"object","required":["count","min","max","mean","sd","median","percentiles","histogram"],
                  "properties":{"count":{"type":"integer"},"elements":{"type":"integer"},"min":{"type":["number","null"]},
                  "percentiles":{"type":"object"},"histogram":{"type":"object","properties":{
                  "edges":{"type":"array"},"counts":{"type":"array"}}},"approximate":{"type":"boolean"}}})",
       .fails = {404},
       .heavy = true,
       .run = [&studio](const Call& call) { return read_statistics(studio, call); }});
  router.add({.method = "GET",
              .path = "/api/graphs/{g}/download",
              .id = "download",
              .does = "The value as a file",
              .tag = "values",
              .params = {port,
                         {"format", "nii.gz, nii, npy, csv, png, json, txt or html", "npy", true},
                         path,
                         {"axes", "png: the plane", "x,y"},
                         {"at", "png: index on the other axes", "z:0"},
                         part,
                         {"window", "png: values shown as the darkest and brightest", "0:100"},
                         {"colours", "png: grey, viridis, inferno, turbo or coolwarm", "grey"}},
              .type = "application/octet-stream",
              .fails = {404, 413},
              .heavy = true,
              .run = [&studio](const Call& call) { return read_download(studio, call); }});
}

}  // namespace larmor::server
