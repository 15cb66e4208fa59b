// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/core/error.hpp>
#include <larmor/flow/node_type.hpp>
#include <larmor/io/bids.hpp>
#include <larmor/nodes/values/image.hpp>
#include <sstream>

namespace larmor::nodes {
namespace {

namespace fs = std::filesystem;

// "sub=01 ses=2": every entity named must have that value.
bool matches(const fs::path& path, const std::string& wanted) {
  const auto entities = io::parse_bids_name(path).entities;
  std::istringstream words(wanted);
  for (std::string word; words >> word;) {
    const auto equals = word.find_first_of("=-");
    if (equals == std::string::npos)
      throw Error(Errc::usage, "'" + word + "' names no entity and value", "write them like sub=01 ses=2");
    const auto found = entities.find(word.substr(0, equals));
    if (found == entities.end() || found->second != word.substr(equals + 1)) return false;
  }
  return true;
}

void read_bids(flow::Ports& io) {
  const std::string folder = io.setting("folder"), suffix = io.setting("suffix"), entities = io.setting("entities");
  const auto all = io::find_bids(folder, suffix);
  std::vector<fs::path> found;
  for (const auto& path : all)
    if (matches(path, entities)) found.push_back(path);
  const int index = static_cast<int>(io.setting("index"));
  if (index >= static_cast<int>(found.size()))
    throw Error(Errc::file,
                fmt::format("{} images end in _{} below {}{}{}, and number {} (from 0) is asked for", found.size(),
                            suffix, folder, entities.empty() ? "" : ", of which match ", entities, index),
                all.empty() ? "check folder and suffix" : "check the entities; the first is " + all[0].string());
  io.out("image") = io::read_image(found[static_cast<std::size_t>(index)]);
  io.out("file") = found[static_cast<std::size_t>(index)].string();
  io.out("count") = static_cast<double>(found.size());
}

}  // namespace

void register_io_read_bids(flow::NodeTypes& nodes) {
  nodes.add("io.read_bids", flow::NodeType{.title = "Read BIDS image",
                                           .does = "Reads an image of a BIDS data set by its suffix and entities",
                                           .from = "BIDS 1.9",
                                           .tags = {"nifti", "data set", "subject", "session"}}
                                .out<Image>("image", "the image")
                                .out<std::string>("file", "its name")
                                .out<double>("count", "how many match")
                                .set(flow::Setting::folder("folder", "the data set, or a folder in it"))
                                .set({"suffix", "end of the name: T1w, VFA, dce", "T1w"})
                                .set({"entities", "what the name must say: sub=01 ses=2; empty: any", ""})
                                .set({"index", "which of those that match, by name", 0, 0, 1e6})
                                .run(read_bids));
}

}  // namespace larmor::nodes
